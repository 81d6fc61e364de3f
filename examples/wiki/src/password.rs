use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::secret::{NoRandomness, Secret};

/// A password as somebody typed it. It has no text form and is wiped.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(crate) struct Password(Zeroizing<String>);

/// What is kept of a password: its Argon2id hash, as a PHC string.
#[derive(Clone)]
pub(crate) struct StoredPassword(String);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl Password {
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Hashes it with a new salt. Slow on purpose.
    pub(crate) fn store(&self) -> Result<StoredPassword, PasswordError> {
        let salt = Secret::random()?;
        let salt = SaltString::encode_b64(salt.as_bytes()).map_err(|_| PasswordError::Hash)?;
        let hash =
            Argon2::default().hash_password(self.0.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
        Ok(StoredPassword(hash.to_string()))
    }
}

impl StoredPassword {
    /// Whether this is the password. Slow on purpose.
    pub(crate) fn verify(&self, password: &Password) -> bool {
        PasswordHash::new(&self.0)
            .is_ok_and(|hash| Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok())
    }
}

/// Why a password was not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The hash function failed.
    #[error("a password could not be hashed")]
    Hash,
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}
