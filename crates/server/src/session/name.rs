use std::fmt;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::limit::shards::sip_key;

/// The key under which this process names sessions. Random, never stored, told to nobody.
pub struct NameKey(u64, u64);

impl NameKey {
    /// Takes 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        let (front, back) = sip_key(bytes);
        Self(front, back)
    }
}

impl fmt::Debug for NameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameKey(..)")
    }
}

/// What a session table calls a session: 16 bytes, a keyed hash of application id and envelope as sent.
///
/// The hash is SipHash-1-3 with 128 bits, a pseudo-random function: without the key, which is random for each process, nobody
/// can look for two inputs that meet, nor aim at one part of the table. It costs a fraction of what SHA-256 does where that
/// has no instruction of its own. Nor does much hang on it: were two names ever equal (2^-128 for each pair), the
/// request would still need the tag of the other session's secret key.
///
/// The fields are hashed as sent, before they are decoded. That is the same as hashing the bytes because their base64url is
/// canonical: a spelling that is not never opened a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName([u8; 16]);

impl SessionName {
    /// Names the session of these fields: the application id and `X-Seraph-Trusted-App-Key`.
    #[must_use]
    pub fn of(key: &NameKey, app_id: &str, key_field: &[u8]) -> Self {
        let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
        // The length comes first, so that no two pairs are one text.
        hasher.write_usize(app_id.len());
        hasher.write(app_id.as_bytes());
        hasher.write(key_field);
        Self(hasher.finish128().as_bytes())
    }

    /// For the tables inside. The name is as good as random.
    pub(super) fn hash(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// The signature a session was opened with: 8 bytes, a keyed hash of `X-Seraph-Trusted-App-Signature` as sent.
///
/// Nobody can look for a second signature that has the same, and whoever met one by chance would still need the tag of the
/// session's secret key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignatureName(u64);

impl SignatureName {
    /// Names the signature in this field.
    #[must_use]
    pub fn of(key: &NameKey, signature_field: &[u8]) -> Self {
        Self(siphasher::sip::SipHasher13::new_with_keys(key.0, key.1).hash(signature_field))
    }
}

impl fmt::Debug for SignatureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureName(..)")
    }
}

impl fmt::Debug for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionName(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_and_every_border_counts() {
        let key = NameKey::from_random([1; 16]);
        let other = NameKey::from_random([2; 16]);
        let name = SessionName::of(&key, "wiki", b"envelope");
        assert_eq!(name, SessionName::of(&key, "wiki", b"envelope"));
        for (app, envelope) in
            [("wikj", "envelope"), ("wiki", "envelopf"), ("wikie", "nvelope"), ("wik", "ienvelope")]
        {
            assert_ne!(name, SessionName::of(&key, app, envelope.as_bytes()));
        }
        assert_ne!(name, SessionName::of(&other, "wiki", b"envelope"));
        let signature = SignatureName::of(&key, b"signature");
        assert_eq!(signature, SignatureName::of(&key, b"signature"));
        assert_ne!(signature, SignatureName::of(&key, b"signaturf"));
        assert_ne!(signature, SignatureName::of(&other, b"signature"));
    }

    #[test]
    fn debug_shows_nothing() {
        let key = NameKey::from_random([1; 16]);
        assert_eq!(
            format!("{key:?} {:?} {:?}", SessionName::of(&key, "wiki", b""), SignatureName::of(&key, b"")),
            "NameKey(..) SessionName(..) SignatureName(..)"
        );
    }
}
