use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use taa_core::crypto::Random;
use zeroize::Zeroizing;

use super::{SealError, SealKey};

impl SealKey {
    /// Reads a key file: exactly 32 bytes, which only its owner can read.
    ///
    /// # Errors
    /// When it cannot be read, has another length, or (on Unix) its mode lets group or others read or write it.
    pub fn from_key_file(path: impl AsRef<Path>) -> Result<Self, SealError> {
        let mut file = File::open(path).map_err(failed)?;
        #[cfg(unix)]
        {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&file.metadata().map_err(failed)?.permissions());
            if mode & 0o077 != 0 {
                return Err(SealError::KeyFileOpen);
            }
        }
        let mut key = Zeroizing::new([0; 32]);
        file.read_exact(&mut *key).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SealError::KeyFile,
            kind => SealError::KeyFileFailed(kind),
        })?;
        if file.read(&mut [0]).map_err(failed)? != 0 {
            return Err(SealError::KeyFile);
        }
        Ok(Self::File(key))
    }

    /// Makes a new key file that only its owner can read, and reads it. Whoever loses it loses the private keys.
    ///
    /// # Errors
    /// When there is such a file already, it cannot be written, or there is no randomness.
    pub fn make_key_file(path: impl AsRef<Path>, random: &dyn Random) -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(&mut *key).map_err(|_| SealError::Random)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        let written = file.write_all(&*key).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // Half a key file is of no use, and would be in the way of the next attempt.
            let _ = std::fs::remove_file(&path);
            return Err(failed(error));
        }
        Ok(Self::File(key))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: io::Error) -> SealError {
    SealError::KeyFileFailed(error.kind())
}

#[cfg(test)]
mod tests {
    use taa_core::crypto::SystemRandom;

    use super::*;

    #[test]
    fn made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        let Ok(SealKey::File(made)) = SealKey::make_key_file(&path, &SystemRandom) else { panic!() };
        let Ok(SealKey::File(read)) = SealKey::from_key_file(&path) else { panic!() };
        assert!(made == read && *read != [0; 32]);
        let again = SealKey::make_key_file(&path, &SystemRandom).unwrap_err();
        assert_eq!(again, SealError::KeyFileFailed(io::ErrorKind::AlreadyExists));
        assert_eq!(std::fs::read(&path).unwrap(), *read);
    }

    #[test]
    fn what_is_no_key_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        assert_eq!(
            SealKey::from_key_file(&path).unwrap_err(),
            SealError::KeyFileFailed(io::ErrorKind::NotFound)
        );
        SealKey::make_key_file(&path, &SystemRandom).unwrap();
        for length in [0, 31, 33, 64] {
            std::fs::write(&path, vec![7; length]).unwrap();
            assert_eq!(SealKey::from_key_file(&path).unwrap_err(), SealError::KeyFile, "{length}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        SealKey::make_key_file(&path, &SystemRandom).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o660, 0o644] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(SealKey::from_key_file(&path).unwrap_err(), SealError::KeyFileOpen, "{mode:o}");
        }
    }
}
