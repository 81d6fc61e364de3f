use sha1::{Digest, Sha1};

/// What a signature of versions 1 and 2 covers: `TIMESTAMP LF URL` (older versions, section 5).
pub(super) fn base_v2(timestamp: impl std::fmt::Display, url: &str) -> String {
    format!("{timestamp}\n{url}")
}

/// What a signature of version 3 covers: `TIMESTAMP LF URL LF USERNAME` (older versions, section 5).
pub(super) fn base_v3(timestamp: impl std::fmt::Display, url: &str, user: &str) -> String {
    format!("{timestamp}\n{url}\n{user}")
}

/// The number that is signed: EMSA-PKCS1-v1_5 with SHA-1 (RFC 8017, section 9.2), as long as the modulus.
///
/// `None` when the modulus is too short for it, which no accepted key is.
pub(super) fn encoded_message(base: &[u8], modulus_len: usize) -> Option<Vec<u8>> {
    let padding = modulus_len.checked_sub(3 + SHA1_PREFIX.len() + 20).filter(|len| *len >= 8)?;
    let mut message = Vec::with_capacity(modulus_len);
    message.extend_from_slice(&[0, 1]);
    message.resize(2 + padding, 0xff);
    message.push(0);
    message.extend_from_slice(&SHA1_PREFIX);
    message.extend_from_slice(&Sha1::digest(base));
    Some(message)
}

/// The DER of a SHA-1 `DigestInfo` up to the digest (RFC 8017, section 9.2, note 1).
const SHA1_PREFIX: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_long_as_the_modulus() {
        let message = encoded_message(b"abc", 128).unwrap();
        assert_eq!(message.len(), 128);
        assert_eq!(&message[..3], [0, 1, 0xff]);
        assert_eq!(message[128 - 36], 0);
        assert_eq!(&message[108..112], [0xa9, 0x99, 0x3e, 0x36]);
        assert!(encoded_message(b"abc", 45).is_none());
    }

    #[test]
    fn bases() {
        assert_eq!(base_v2(5, "http://a/"), "5\nhttp://a/");
        assert_eq!(base_v3(5, "http://a/", "u"), "5\nhttp://a/\nu");
    }
}
