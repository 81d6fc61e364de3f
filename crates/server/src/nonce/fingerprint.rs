use std::num::NonZeroU128;

use siphasher::sip128::SipHasher13;
use taa_core::nonce::NonceKey;

/// What a table in memory keeps of a nonce's key: 16 bytes, a keyed hash.
///
/// The hash is SipHash-1-3 with 128 bits, a pseudo-random function: without the key nobody can look for two requests that
/// meet, nor aim at one part of the table. By chance two meet with 2^-128, and then one of them is refused; the same request
/// always has the same fingerprint, so no replay is accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(NonZeroU128);

impl Fingerprint {
    /// `hash_key` is this process's.
    pub(super) fn of(hash_key: (u64, u64), key: &NonceKey) -> Self {
        let hash = SipHasher13::new_with_keys(hash_key.0, hash_key.1).hash(key.as_bytes());
        // That it is zero is as likely as that two meet.
        Self(NonZeroU128::new(hash.as_u128()).unwrap_or(NonZeroU128::MIN))
    }

    /// For the tables inside. It is as good as random.
    pub(super) fn hash(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0.get().to_le_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}
