use std::fmt;

use sha2::{Digest, Sha256};

/// What a server remembers of one request: 16 bytes that stand for (session, iv).
///
/// The same for all nodes, so that they can share a store. Different requests have different keys for all purposes: the
/// bytes are the front of a SHA-256. That matters because a client chooses its `iv` and, through its envelope, its salt.
/// With something weaker (salt XOR iv, say) it could pick an `iv` that meets the key of another application's request, and
/// have that one refused; here this is a second preimage, 2^128 work. What a client can find with 2^64 work is two of its
/// own requests that meet: it gets one of them refused. No collision ever gets a replay accepted, because the same request
/// always has the same key.
///
/// Salt and `iv` with their prefix and SHA-256's padding fill exactly one block, so this costs one compression, a fifth of
/// what the request's tag costs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NonceKey([u8; 16]);

impl NonceKey {
    /// The key of a request of version 4: the session's salt (wire document, section 3) and the certificate's `iv`
    /// (section 4).
    #[must_use]
    pub fn of_request(salt: &[u8; 32], iv: &[u8; 16]) -> Self {
        let mut block = [0; REQUEST_LEN];
        let (prefix, rest) = block.split_at_mut(REQUEST_PREFIX.len());
        let (front, back) = rest.split_at_mut(salt.len());
        prefix.copy_from_slice(REQUEST_PREFIX);
        front.copy_from_slice(salt);
        back.copy_from_slice(iv);
        Self::front_of(&Sha256::digest(block).into())
    }

    /// The key of a request of an older version: the SHA-256 of its decoded signature (older versions, section 11).
    ///
    /// It is hashed again under a prefix of its own, so that it never meets a key of version 4.
    #[must_use]
    pub fn of_legacy_signature(sha256_of_signature: &[u8; 32]) -> Self {
        let digest = Sha256::new().chain_update(LEGACY_PREFIX).chain_update(sha256_of_signature).finalize();
        Self::front_of(&digest.into())
    }

    /// The 16 bytes, as a shared store writes them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    const fn front_of(digest: &[u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = *digest;
        Self([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let key = NonceKey::of_request(&[1; 32], &[2; 16]);
        assert_eq!(key, NonceKey::of_request(&[1; 32], &[2; 16]));
        assert_ne!(key, NonceKey::of_request(&[1; 32], &[3; 16]));
        let mut salt = [1; 32];
        salt[31] = 0;
        assert_ne!(key, NonceKey::of_request(&salt, &[2; 16]));
        // The construction that it is not: equal XOR, different keys.
        assert_ne!(key, NonceKey::of_request(&[2; 32], &[1; 16]));
        assert_ne!(NonceKey::of_legacy_signature(&[1; 32]), NonceKey::of_legacy_signature(&[2; 32]));
    }

    #[test]
    fn fixed_for_ever_because_nodes_share_it() {
        let expected = Sha256::digest([b"TAA4 n\0".as_slice(), &[1; 32], &[2; 16]].concat());
        assert_eq!(NonceKey::of_request(&[1; 32], &[2; 16]).as_bytes().as_slice(), &expected[..16]);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", NonceKey::of_request(&[1; 32], &[2; 16])), "NonceKey(..)");
    }
}
