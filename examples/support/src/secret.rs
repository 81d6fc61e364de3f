use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 random bytes that only one browser, or nobody outside, may know.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// New ones from the system.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 32];
        OsRng.try_fill_bytes(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(bytes))
    }

    /// These bytes, which somebody made out of another secret.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads what [`Secret::reveal`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(32) => Some(Self(bytes)),
            _ => None,
        }
    }

    /// The text for a cookie.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Another secret that follows from this one, for another purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.mac(purpose.as_bytes()))
    }

    /// HMAC-SHA-256 under this secret.
    #[must_use]
    pub fn mac(&self, text: &[u8]) -> [u8; 32] {
        // HMAC takes a key of any length, so there is always one.
        Hmac::<Sha256>::new_from_slice(&self.0)
            .map(|mac| mac.chain_update(text).finalize().into_bytes().into())
            .unwrap_or_default()
    }

    /// Whether both are the same; in constant time.
    #[must_use]
    pub fn is(&self, other: &[u8; 32]) -> bool {
        self.0.ct_eq(other).into()
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What to remember it by: looking this up in a table tells nothing about the secret, however long it takes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_form() {
        let secret = Secret::random().unwrap();
        assert_eq!(Secret::parse(&secret.reveal()).unwrap().as_bytes(), secret.as_bytes());
        assert!(!format!("{secret:?}").contains(&secret.reveal()));
        for bad in
            ["", "AAAA", &"A".repeat(42), &"A".repeat(44), &format!("{}=", "A".repeat(43)), &"/".repeat(43)]
        {
            assert!(Secret::parse(bad).is_none(), "{bad:?}");
        }
    }
}
