use std::fmt;

use sha2::{Digest, Sha256};

/// What stands for one request where a server remembers which it has seen: (session, iv), or an older version's signature.
///
/// The same request always has the same key, and others have others, so no replay is accepted and nothing else refused. It
/// is as long as what it is made of; a store keeps something shorter:
///
/// * A store that nodes share keeps [`digest`](Self::digest), the front of a SHA-256. A client chooses its `iv` and, through
///   its envelope, its salt. With something weaker (salt XOR iv, say) it could pick an `iv` that meets the key of another
///   application's request, and have that one refused; here this is a second preimage, 2^128 work. What a client can find with
///   2^64 work is two of its own requests that meet: it gets one of them refused.
/// * A store of one process may keep a hash under a key that nobody else knows: then nobody can look for two that meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NonceKey {
    bytes: [u8; REQUEST_LEN],
    len: usize,
}

impl NonceKey {
    /// The key of a request of version 4: the session's salt (wire document, section 3) and the certificate's `iv`
    /// (section 4).
    #[must_use]
    pub fn of_request(salt: &[u8; 32], iv: &[u8; 16]) -> Self {
        Self::of(REQUEST_PREFIX, salt, iv, REQUEST_LEN)
    }

    /// The key of a request of an older version: the SHA-256 of its decoded signature (older versions, section 11).
    ///
    /// Under a prefix of its own, so that it never meets a key of version 4.
    #[must_use]
    pub fn of_legacy_signature(sha256_of_signature: &[u8; 32]) -> Self {
        Self::of(LEGACY_PREFIX, sha256_of_signature, &[0; 16], LEGACY_LEN)
    }

    fn of(prefix: &[u8; 7], front: &[u8; 32], back: &[u8; 16], len: usize) -> Self {
        let mut bytes = [0; REQUEST_LEN];
        let (first, rest) = bytes.split_at_mut(prefix.len());
        let (second, third) = rest.split_at_mut(front.len());
        first.copy_from_slice(prefix);
        second.copy_from_slice(front);
        third.copy_from_slice(back);
        Self { bytes, len }
    }

    /// All of it: no two requests have the same.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }

    /// The 16 bytes that a shared store keeps: the front of a SHA-256, the same on all nodes.
    ///
    /// With SHA-256's padding the key of a request fills exactly one block, so this is one compression.
    #[must_use]
    pub fn digest(&self) -> [u8; 16] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..]: [u8; 32] =
            Sha256::digest(self.as_bytes()).into();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }
}

// Of no use once recorded, but a line in a log may be written before.
impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey(..)")
    }
}

// With 48 bytes of input and SHA-256's padding of at least 9, seven bytes are free in one block of 64.
const REQUEST_PREFIX: &[u8; 7] = b"TAA4 n\0";
const REQUEST_LEN: usize = 7 + 32 + 16;
const LEGACY_PREFIX: &[u8; 7] = b"TAA3 n\0";
const LEGACY_LEN: usize = 7 + 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let key = NonceKey::of_request(&[1; 32], &[2; 16]);
        let mut salt = [1; 32];
        salt[31] = 0;
        // The third is equal where only the XOR counts.
        let others = [(&[1; 32], &[3; 16]), (&salt, &[2; 16]), (&[2; 32], &[1; 16])];
        assert_eq!(key, NonceKey::of_request(&[1; 32], &[2; 16]));
        for (salt, iv) in others {
            let other = NonceKey::of_request(salt, iv);
            assert_ne!(key, other);
            assert_ne!(key.as_bytes(), other.as_bytes());
            assert_ne!(key.digest(), other.digest());
        }
        let older = [1, 2].map(|byte| NonceKey::of_legacy_signature(&[byte; 32]));
        assert_ne!(older[0].digest(), older[1].digest());
        assert_ne!(older[0].as_bytes(), older[1].as_bytes());
        let with_nothing = NonceKey::of_request(&[1; 32], &[0; 16]);
        assert_ne!(older[0].as_bytes(), with_nothing.as_bytes());
    }

    #[test]
    fn fixed_for_ever_because_nodes_share_it() {
        let expected = Sha256::digest([b"TAA4 n\0".as_slice(), &[1; 32], &[2; 16]].concat());
        assert_eq!(NonceKey::of_request(&[1; 32], &[2; 16]).digest(), expected[..16]);
        let expected = Sha256::digest([b"TAA3 n\0".as_slice(), &[1; 32]].concat());
        assert_eq!(NonceKey::of_legacy_signature(&[1; 32]).digest(), expected[..16]);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", NonceKey::of_request(&[1; 32], &[2; 16])), "NonceKey(..)");
    }
}
