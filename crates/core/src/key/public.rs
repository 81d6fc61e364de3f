use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkcs1::UintRef;
use pkcs1::der::{Decode, Encode};
use sha2::{Digest, Sha256};
use spki::SubjectPublicKeyInfoRef;
use spki::der::Document;
use spki::der::asn1::BitStringRef;

use super::KeyError;
use super::modulus::has_small_factor;
use crate::id::KeyId;

/// The public part of an RSA key, checked (wire document, section 1). Cloning shares it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Arc<Parts>);

#[derive(PartialEq, Eq)]
struct Parts {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    id: KeyId,
}

impl PublicKey {
    /// Takes modulus and exponent as unsigned big-endian numbers without leading zeros.
    ///
    /// # Errors
    /// When size, modulus or exponent break the rules.
    pub fn from_parts(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else { return Err(KeyError::Size) };
        // With the top bit set, the length in bits is a multiple of 8.
        if !(256..=512).contains(&modulus.len()) || first & 0x80 == 0 {
            return Err(KeyError::Size);
        }
        if last & 1 == 0 || has_small_factor(modulus) {
            return Err(KeyError::Modulus);
        }
        if exponent.first() == Some(&0) || exponent.len() > 5 {
            return Err(KeyError::Exponent);
        }
        let value = exponent.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
        if value < 65_537 || value & 1 == 0 || value >= 1 << 33 {
            return Err(KeyError::Exponent);
        }
        let id = thumbprint(modulus, exponent);
        Ok(Self(Arc::new(Parts { modulus: modulus.to_vec(), exponent: exponent.to_vec(), id })))
    }

    /// Reads a SubjectPublicKeyInfo (RFC 5280) with `rsaEncryption` and NULL parameters.
    ///
    /// # Errors
    /// When it is anything else, or the key breaks the rules.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| KeyError::Encoding)?;
        if info.algorithm != pkcs1::ALGORITHM_ID {
            return Err(KeyError::Algorithm);
        }
        let bits = info.subject_public_key.as_bytes().ok_or(KeyError::Encoding)?;
        let key = pkcs1::RsaPublicKey::from_der(bits).map_err(|_| KeyError::Encoding)?;
        Self::from_parts(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }

    /// Reads a PEM block `PUBLIC KEY`.
    ///
    /// # Errors
    /// When it is anything else, or the key breaks the rules.
    pub fn from_spki_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, document) = Document::from_pem(pem).map_err(|_| KeyError::Pem)?;
        if label != "PUBLIC KEY" {
            return Err(KeyError::Pem);
        }
        Self::from_spki_der(document.as_bytes())
    }

    /// Takes the members `n` and `e` of a JWK (RFC 7518, section 6.3.1).
    ///
    /// # Errors
    /// When they are not canonical base64url of numbers without leading zeros, or the key breaks the rules.
    pub fn from_jwk(n: &str, e: &str) -> Result<Self, KeyError> {
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Encoding);
        Self::from_parts(&number(n)?, &number(e)?)
    }

    /// The key as SubjectPublicKeyInfo DER.
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        // Encoding checked parts cannot fail: no length comes near a limit of DER.
        let encode = || {
            let key = pkcs1::RsaPublicKey {
                modulus: UintRef::new(&self.0.modulus).ok()?,
                public_exponent: UintRef::new(&self.0.exponent).ok()?,
            };
            let bits = key.to_der().ok()?;
            let info = SubjectPublicKeyInfoRef {
                algorithm: pkcs1::ALGORITHM_ID,
                subject_public_key: BitStringRef::from_bytes(&bits).ok()?,
            };
            info.to_der().ok()
        };
        encode().unwrap_or_default()
    }

    /// The key as a PEM block `PUBLIC KEY`.
    #[must_use]
    pub fn to_spki_pem(&self) -> String {
        Document::try_from(self.to_spki_der())
            .and_then(|document| document.to_pem("PUBLIC KEY", spki::der::pem::LineEnding::LF))
            .unwrap_or_default()
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.0.modulus
    }

    /// The public exponent, big-endian without leading zeros.
    #[must_use]
    pub fn exponent(&self) -> &[u8] {
        &self.0.exponent
    }

    /// The length of the modulus, and so of a signature and of a wrapped secret, in bytes.
    #[must_use]
    pub fn modulus_len(&self) -> usize {
        self.0.modulus.len()
    }

    /// The JWK member `n`.
    #[must_use]
    pub fn jwk_n(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0.modulus)
    }

    /// The JWK member `e`.
    #[must_use]
    pub fn jwk_e(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0.exponent)
    }
}

/// RFC 7638: the members that are required, in order of their names, without blanks.
fn thumbprint(modulus: &[u8], exponent: &[u8]) -> KeyId {
    let mut hash = Sha256::new();
    hash.update(br#"{"e":""#);
    hash.update(URL_SAFE_NO_PAD.encode(exponent));
    hash.update(br#"","kty":"RSA","n":""#);
    hash.update(URL_SAFE_NO_PAD.encode(modulus));
    hash.update(br#""}"#);
    KeyId::from_bytes(hash.finalize().into())
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bits, {})", self.modulus_len() * 8, self.id())
    }
}
