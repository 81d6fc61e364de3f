use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::rc4::Rc4;
use super::signature::{base_v2, base_v3};
use super::{LegacySigningKey, RawRsaError, Version, base64, certificate, field};
use crate::id::AppId;
use crate::time::UnixMillis;

/// What a request says: which application calls which URL for which user, and when.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The id of the application that signs.
    pub app_id: &'a AppId,
    /// The user's name; take it from a [`UserName`](crate::id::UserName).
    pub user: &'a str,
    /// The URL as the server will see it: scheme, host, port unless it is the default, raw path, `?` and raw query if
    /// there is one. No fragment (older versions, section 5).
    pub url: &'a str,
    /// The plain clock. Peers' own library adds 900 s; this does not (older versions, section 19).
    pub timestamp: UnixMillis,
}

/// Signs a request with version 2. `secret` must be fresh; `random` blinds the private operations.
///
/// Prefer [`sign_v3`]: version 2 does not sign the user's name.
///
/// # Errors
/// When user or URL have control characters, or the random bytes cannot be had.
pub fn sign_v2<E>(
    key: &LegacySigningKey,
    claim: &Claim<'_>,
    secret: &CertificateKey,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<SignedFields, SignError> {
    claim.check()?;
    let mut fields = encrypted(key, claim, Version::V2, secret, random)?;
    let signature = key.sign(base_v2(claim.timestamp.0, claim.url).as_bytes(), random)?;
    fields.push(field::SIGNATURE, &base64::encode(&signature))?;
    Ok(fields)
}

/// Signs a request with version 3. `random` blinds the private operation.
///
/// # Errors
/// As [`sign_v2`].
pub fn sign_v3<E>(
    key: &LegacySigningKey,
    claim: &Claim<'_>,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<SignedFields, SignError> {
    claim.check()?;
    let plaintext = certificate::write(claim.timestamp.0, claim.user);
    let signature = key.sign(base_v3(claim.timestamp.0, claim.url, claim.user).as_bytes(), random)?;
    let mut fields = SignedFields::new(Version::V3);
    fields.push(field::ID, claim.app_id.as_str())?;
    fields.push(field::CERT, &base64::encode(plaintext.as_bytes()))?;
    fields.push(field::VERSION, "3")?;
    fields.push(field::SIGNATURE, &base64::encode(&signature))?;
    Ok(fields)
}

/// Encodes a request of version 0, for diagnosis and tests. It proves nothing: whoever reads one can make any other, and
/// nothing in this crate accepts it. User and URL are taken as they are.
///
/// # Errors
/// When the random bytes cannot be had.
pub fn insecure_encode_v0<E>(
    key: &LegacySigningKey,
    claim: &Claim<'_>,
    secret: &CertificateKey,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<SignedFields, SignError> {
    encrypted(key, claim, Version::V0, secret, random)
}

/// Encodes a request of version 1, as [`insecure_encode_v0`].
///
/// # Errors
/// When the random bytes cannot be had.
pub fn insecure_encode_v1<E>(
    key: &LegacySigningKey,
    claim: &Claim<'_>,
    secret: &CertificateKey,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<SignedFields, SignError> {
    encrypted(key, claim, Version::V1, secret, random)
}

/// What versions 0 to 2 have in common (older versions, section 2).
fn encrypted<E>(
    key: &LegacySigningKey,
    claim: &Claim<'_>,
    version: Version,
    secret: &CertificateKey,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<SignedFields, SignError> {
    let mut certificate = certificate::write(claim.timestamp.0, claim.user).into_bytes();
    Rc4::new(&secret.0).ok_or(SignError::Secret)?.apply(&mut certificate);
    let mut fields = SignedFields::new(version);
    fields.push(field::ID, claim.app_id.as_str())?;
    fields.push(field::CERT, &base64::encode(&certificate))?;
    fields.push(field::KEY, &base64::encode(&key.insecure_raw(&secret.0, random)?))?;
    if version != Version::V0 {
        fields.push(field::VERSION, &version.to_string())?;
        fields.push(field::MAGIC, key.magic(random)?)?;
    }
    Ok(fields)
}

impl Claim<'_> {
    /// A line end in a name made peers log in another user (older versions, section 17).
    fn check(&self) -> Result<(), SignError> {
        if self.user.chars().any(char::is_control) {
            return Err(SignError::User);
        }
        if self.url.chars().any(char::is_control) {
            return Err(SignError::Url);
        }
        Ok(())
    }
}

/// The RC4 key of one certificate: 16 random bytes, the first not 0 (older versions, section 3). Wiped when it goes.
///
/// Calling it a secret is the older versions' word: anyone with the public key recovers it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct CertificateKey([u8; 16]);

impl CertificateKey {
    /// Draws one.
    ///
    /// # Errors
    /// When the random bytes cannot be had, or their first byte is 0 eight times.
    pub fn random<E>(random: &mut impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, SignError> {
        let mut key = Self([0; 16]);
        for _ in 0..8 {
            random(&mut key.0).map_err(|_| SignError::Random)?;
            if key.0.first() != Some(&0) {
                return Ok(key);
            }
        }
        Err(SignError::Random)
    }

    /// Takes 16 bytes.
    ///
    /// # Errors
    /// When the first is 0: the receiver would not see it (older versions, section 4).
    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, SignError> {
        let key = Self(bytes);
        if key.0.first() == Some(&0) { Err(SignError::Secret) } else { Ok(key) }
    }
}

impl fmt::Debug for CertificateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateKey")
    }
}

/// The fields of a signed request. They are good for one request, and what they hold belongs into no log.
#[derive(Clone)]
pub struct SignedFields {
    version: Version,
    fields: Vec<(&'static str, HeaderValue)>,
}

impl SignedFields {
    fn new(version: Version) -> Self {
        Self { version, fields: Vec::with_capacity(6) }
    }

    fn push(&mut self, name: &'static str, value: &str) -> Result<(), SignError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| SignError::Field)?;
        value.set_sensitive(!matches!(name, field::ID | field::VERSION));
        self.fields.push((name, value));
        Ok(())
    }

    /// The version they are of.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Each field once: its name in lower case and its value, marked sensitive except for id and version.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &HeaderValue)> {
        self.fields.iter().map(|(name, value)| (*name, value))
    }

    /// Puts the fields into a request, and takes out those of an earlier signature.
    pub fn insert_into(&self, headers: &mut HeaderMap) {
        for name in field::ALL {
            headers.remove(name);
        }
        for (name, value) in &self.fields {
            headers.insert(HeaderName::from_static(name), value.clone());
        }
    }
}

impl fmt::Debug for SignedFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedFields(version {})", self.version)
    }
}

/// Why a request cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A value does not fit a field, which does not happen with an id that was checked.
    #[error("a value does not fit a field")]
    Field,
    /// The private key could not be used.
    #[error("the private key could not be used: {0}")]
    Key(#[from] RawRsaError),
    /// The random bytes could not be had.
    #[error("no random bytes")]
    Random,
    /// The certificate's key begins with 0.
    #[error("the certificate's key begins with 0")]
    Secret,
    /// The URL has a control character.
    #[error("the url has a control character")]
    Url,
    /// The user's name has a control character.
    #[error("the user name has a control character")]
    User,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_show_nothing() {
        let key = CertificateKey::from_bytes([0x5b; 16]).unwrap();
        assert_eq!(format!("{key:?}"), "CertificateKey");
        let mut fields = SignedFields::new(Version::V3);
        fields.push(field::CERT, "c2VjcmV0").unwrap();
        assert_eq!(format!("{fields:?}"), "SignedFields(version 3)");
        let mut headers = HeaderMap::new();
        headers.insert(field::KEY, HeaderValue::from_static("old"));
        fields.insert_into(&mut headers);
        assert!(!format!("{headers:?}").contains("c2VjcmV0"));
        assert!(!headers.contains_key(field::KEY));
    }

    #[test]
    fn the_first_byte_is_not_zero() {
        assert_eq!(CertificateKey::from_bytes([0; 16]).err(), Some(SignError::Secret));
        let mut draws = 0u8;
        let mut random = |out: &mut [u8]| {
            out.fill(draws);
            draws += 1;
            Ok::<(), ()>(())
        };
        assert_eq!(CertificateKey::random(&mut random).unwrap().0, [1; 16]);
        let mut zeros = |out: &mut [u8]| {
            out.fill(0);
            Ok::<(), ()>(())
        };
        assert_eq!(CertificateKey::random(&mut zeros).err(), Some(SignError::Random));
        assert_eq!(CertificateKey::random(&mut |_: &mut [u8]| Err(())).err(), Some(SignError::Random));
    }
}
