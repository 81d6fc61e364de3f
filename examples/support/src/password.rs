use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::secret::{NoRandomness, Secret};

/// A password as somebody typed it. It has no text form and is wiped.
#[derive(Deserialize)]
#[serde(from = "String")]
pub struct Password(Zeroizing<String>);

/// What is kept of a password: its Argon2id hash, as a PHC string.
#[derive(Clone)]
pub struct StoredPassword(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredPassword(..)")
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl Password {
    /// A password that is written down somewhere.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Reads the first line of a file, such as an administrator's password: at least 12 characters.
    ///
    /// # Errors
    /// When the file cannot be read, others than its owner can read it, or the password is shorter.
    pub fn read(file: &Path) -> Result<Self, PasswordError> {
        let mut opened = File::open(file).map_err(|error| PasswordError::File(error.kind()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = opened.metadata().map_err(|error| PasswordError::File(error.kind()))?;
            if metadata.permissions().mode() & 0o077 != 0 {
                return Err(PasswordError::FileOpen);
            }
        }
        let mut text = Zeroizing::new(String::new());
        opened.read_to_string(&mut text).map_err(|error| PasswordError::File(error.kind()))?;
        let password = text.lines().next().unwrap_or_default().trim();
        if password.chars().count() < Self::MIN_LEN {
            return Err(PasswordError::Short);
        }
        Ok(Self::new(password))
    }

    /// The fewest characters the password of an administrator has.
    pub const MIN_LEN: usize = 12;

    /// 32 bytes that follow from the password and `salt` alone, so that all nodes that were given the same password have
    /// the same. Slow on purpose.
    ///
    /// # Errors
    /// When the hash function fails.
    pub fn derive(&self, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, PasswordError> {
        let mut key = Zeroizing::new([0; 32]);
        Argon2::default()
            .hash_password_into(self.0.as_bytes(), salt, key.as_mut())
            .map_err(|_| PasswordError::Hash)?;
        Ok(key)
    }

    /// Hashes it with a new salt. Slow on purpose.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn store(&self) -> Result<StoredPassword, PasswordError> {
        let salt = Secret::random()?;
        let salt = SaltString::encode_b64(salt.as_bytes()).map_err(|_| PasswordError::Hash)?;
        let hash =
            Argon2::default().hash_password(self.0.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
        Ok(StoredPassword(hash.to_string()))
    }
}

impl StoredPassword {
    /// Whether this is the password. Slow on purpose.
    #[must_use]
    pub fn verify(&self, password: &Password) -> bool {
        PasswordHash::new(&self.0)
            .is_ok_and(|hash| Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok())
    }
}

/// Why a password was not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Its file cannot be read.
    #[error("the password file cannot be read: {0}")]
    File(ErrorKind),
    /// Others can read its file.
    #[error("others than its owner can read the password file: take that away from them (chmod 600)")]
    FileOpen,
    /// The hash function failed.
    #[error("a password could not be hashed")]
    Hash,
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// It has fewer than 12 characters.
    #[error("the administrator's password has fewer than 12 characters")]
    Short,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        assert_eq!(Password::read(&file).unwrap_err(), PasswordError::File(ErrorKind::NotFound));
        write_secret(&file, "correct horse battery\n# not this\n");
        let password = Password::read(&file).unwrap();
        assert!(Password::new("correct horse battery").store().unwrap().verify(&password));
        assert_eq!(format!("{password:?}"), "Password(..)");
        let same = Password::new("correct horse battery").derive(b"tracker:1").unwrap();
        assert_eq!(password.derive(b"tracker:1").unwrap(), same);
        assert_ne!(password.derive(b"tracker:2").unwrap(), same);
        for short in ["", "\n", "           \n", "12345678901"] {
            write_secret(&file, short);
            assert_eq!(Password::read(&file).unwrap_err(), PasswordError::Short, "{short:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn not_from_a_file_others_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        write_secret(&file, "correct horse battery");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        assert_eq!(Password::read(&file).unwrap_err(), PasswordError::FileOpen);
    }

    fn write_secret(file: &Path, text: &str) {
        crate::secret_file::write(file, text).unwrap();
    }
}
