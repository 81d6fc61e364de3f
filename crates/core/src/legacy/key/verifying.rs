use std::fmt;
use std::sync::{Arc, OnceLock};

use ::base64::Engine;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use spki::{Document, SubjectPublicKeyInfoRef};
use subtle::ConstantTimeEq;

use super::LegacyKeyError;
use crate::id::KeyId;
use crate::legacy::raw_rsa::{PublicOperation, RawRsaError, strip_zeros};
use crate::legacy::signature::encoded_message;
use crate::legacy::{MAGIC, base64, java};

/// The public key of an application that speaks an older version. Cloning shares it.
///
/// 1024 to 4096 bits are accepted, and every odd exponent from 3: old peers have such keys, and a signature is compared
/// with the one right encoding as a whole, so a small exponent opens no forgery. 1024 bits are within reach of
/// well-funded attackers: such a key should be replaced, and must not be used for version 4.
#[derive(Clone)]
pub struct LegacyVerifyingKey(Arc<Inner>);

struct Inner {
    spki: Vec<u8>,
    operation: PublicOperation,
    bits: u32,
    thumbprint: KeyId,
    /// The one number that gives the magic text under this key, once it has been seen. The public operation is a
    /// permutation, so no other number does.
    magic: OnceLock<Vec<u8>>,
}

impl LegacyVerifyingKey {
    /// The fewest bits a modulus may have.
    pub const MIN_BITS: u32 = 1024;
    /// The most bits a modulus may have.
    pub const MAX_BITS: u32 = 4096;

    /// Reads a SubjectPublicKeyInfo (RFC 5280) of an RSA key in DER.
    ///
    /// # Errors
    /// When it is none, or breaks a rule for size or exponent.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, LegacyKeyError> {
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| LegacyKeyError::Form)?;
        if info.algorithm.oid != pkcs1::ALGORITHM_OID
            || !info.algorithm.parameters.is_some_and(|p| p.is_null())
        {
            return Err(LegacyKeyError::Form);
        }
        let key = info.subject_public_key.as_bytes().ok_or(LegacyKeyError::Form)?;
        let key = pkcs1::RsaPublicKey::try_from(key).map_err(|_| LegacyKeyError::Form)?;
        Self::from_parts(der, key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }

    /// Reads a `PUBLIC KEY` PEM text.
    ///
    /// # Errors
    /// As [`from_spki_der`](Self::from_spki_der).
    pub fn from_spki_pem(pem: &str) -> Result<Self, LegacyKeyError> {
        match Document::from_pem(pem) {
            Ok(("PUBLIC KEY", document)) => Self::from_spki_der(document.as_bytes()),
            _ => Err(LegacyKeyError::Form),
        }
    }

    /// Reads the key line of a certificate page: base64 of a SubjectPublicKeyInfo. Blanks inside it are skipped, as
    /// peers do (older versions, sections 6 and 12).
    ///
    /// # Errors
    /// As [`from_spki_der`](Self::from_spki_der).
    pub fn from_page_line(line: &str) -> Result<Self, LegacyKeyError> {
        let der = base64::decode_lenient(java::trim(line).as_bytes()).ok_or(LegacyKeyError::Form)?;
        Self::from_spki_der(&der)
    }

    fn from_parts(der: &[u8], modulus: &[u8], exponent: &[u8]) -> Result<Self, LegacyKeyError> {
        let (modulus, exponent) = (strip_zeros(modulus), strip_zeros(exponent));
        let top = modulus.first().ok_or(LegacyKeyError::Size)?;
        let bits = u32::try_from(modulus.len())
            .ok()
            .and_then(|len| len.checked_mul(8))
            .map(|bits| bits - top.leading_zeros())
            .filter(|bits| (Self::MIN_BITS..=Self::MAX_BITS).contains(bits))
            .ok_or(LegacyKeyError::Size)?;
        let mut number = 0u64;
        for byte in exponent {
            number = number.checked_mul(256).ok_or(LegacyKeyError::Exponent)? | u64::from(*byte);
        }
        if number < 3 || number.is_multiple_of(2) || number > 1 << 33 {
            return Err(LegacyKeyError::Exponent);
        }
        let operation = PublicOperation::new(modulus, number).ok_or(LegacyKeyError::Modulus)?;
        // RFC 7638, section 3: members in this order, no blanks.
        let jwk = format!(
            r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(exponent),
            URL_SAFE_NO_PAD.encode(modulus)
        );
        let thumbprint = KeyId::from_bytes(Sha256::digest(jwk).into());
        Ok(Self(Arc::new(Inner { spki: der.to_vec(), operation, bits, thumbprint, magic: OnceLock::new() })))
    }

    /// The SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// The key as a certificate page shows it: base64 on one line.
    #[must_use]
    pub fn page_line(&self) -> String {
        base64::encode(&self.0.spki)
    }

    /// The bits of the modulus.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.0.bits
    }

    /// The RFC 7638 thumbprint, so that a set-up can refuse a key that another id or version 4 uses.
    #[must_use]
    pub fn thumbprint(&self) -> KeyId {
        self.0.thumbprint
    }

    /// Whether this is a SHA1withRSA signature over `base` (older versions, section 5).
    ///
    /// Strict: as long as the modulus, and equal to the one right PKCS #1 v1.5 encoding as a whole.
    #[must_use]
    pub fn verify(&self, base: &[u8], signature: &[u8]) -> bool {
        let operation = &self.0.operation;
        if signature.len() != operation.modulus_len() {
            return false;
        }
        let Some(expected) = encoded_message(base, operation.modulus_len()) else { return false };
        match operation.apply(signature) {
            Ok(found) => strip_zeros(&expected).ct_eq(&found).into(),
            Err(_) => false,
        }
    }

    /// Whether the decoded `Magic` field gives the magic text under this key.
    ///
    /// The first right answer is kept; after that it takes no arithmetic.
    #[must_use]
    pub(in crate::legacy) fn magic_matches(&self, field: &[u8]) -> bool {
        if field.len() > self.0.operation.modulus_len() {
            return false;
        }
        if let Some(known) = self.0.magic.get() {
            return known.ct_eq(strip_zeros(field)).into();
        }
        let matches = self.0.operation.apply(field).is_ok_and(|text| text == MAGIC.as_bytes());
        if matches {
            // Another thread may have been first; it found the same number.
            let _ = self.0.magic.set(strip_zeros(field).to_vec());
        }
        matches
    }

    /// Textbook RSA with the public key: all leading zero bytes removed (older versions, section 4).
    ///
    /// Proves nothing and hides nothing. It is there for `Key`, `Magic` and for explaining them.
    ///
    /// # Errors
    /// When the input is longer than the modulus or not smaller than it.
    pub fn insecure_raw(&self, input: &[u8]) -> Result<Vec<u8>, RawRsaError> {
        self.0.operation.apply(input)
    }
}

impl PartialEq for LegacyVerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.thumbprint == other.0.thumbprint
    }
}

impl Eq for LegacyVerifyingKey {}

impl fmt::Debug for LegacyVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacyVerifyingKey({}, {} bits)", self.0.thumbprint, self.0.bits)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
