use std::fmt::{self, Write as _};

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use super::content::{Content, KeyUse};

/// What a person compares at set-up: 160 bits in eight groups of four characters (wire document, section 7).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 20]);

impl Fingerprint {
    /// The fingerprint over application id and current keys.
    #[must_use]
    pub fn of(content: &Content) -> Self {
        let id = |usage| content.current(usage).map_or([0; 32], |key| *key.public.id().as_bytes());
        let iss = content.iss.as_str();
        let length = u16::try_from(iss.len()).unwrap_or(u16::MAX);
        let digest: [u8; 32] = Sha256::new()
            .chain_update(b"TAA4 fingerprint\0")
            .chain_update(length.to_be_bytes())
            .chain_update(iss)
            .chain_update(id(KeyUse::Signing))
            .chain_update(id(KeyUse::Decryption))
            .finalize()
            .into();
        let mut bytes = [0; 20];
        for (place, byte) in bytes.iter_mut().zip(digest) {
            *place = byte;
        }
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    /// Base32 of RFC 4648 in groups of four.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = BASE32_NOPAD.encode(&self.0);
        for (position, letter) in text.chars().enumerate() {
            if position > 0 && position % 4 == 0 {
                f.write_str(" ")?;
            }
            f.write_char(letter)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
