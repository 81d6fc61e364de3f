use std::time::Duration;

use crate::id::ShortKeyId;
use crate::policy::Skew;
use crate::time::UnixMillis;

/// The first 30 bytes of an envelope, in clear and signed (wire document, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvelopeHead {
    /// The client's signing key.
    pub signing_key: ShortKeyId,
    /// The server's decryption key.
    pub decryption_key: ShortKeyId,
    /// When the session begins.
    pub issued: UnixMillis,
    /// How long it lasts, in seconds as written; [`Lifetime`] tells whether that is allowed.
    pub lifetime_s: u32,
}

impl EnvelopeHead {
    /// Length in bytes.
    pub const LEN: usize = 30;

    /// Version 4, suite 1.
    const VERSION_AND_SUITE: [u8; 2] = [4, 1];

    /// Writes the head.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let parts: [&[u8]; 5] = [
            &Self::VERSION_AND_SUITE,
            self.signing_key.as_bytes(),
            self.decryption_key.as_bytes(),
            &self.issued.0.to_be_bytes(),
            &self.lifetime_s.to_be_bytes(),
        ];
        for (place, byte) in out.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        out
    }

    /// Reads the head of an envelope.
    ///
    /// # Errors
    /// When the bytes are too few, or begin with another version or suite.
    pub fn parse(envelope: &[u8]) -> Result<Self, HeadError> {
        let (head, _) = envelope.split_first_chunk::<{ Self::LEN }>().ok_or(HeadError::Length)?;
        let (start, rest) = head.split_first_chunk::<2>().ok_or(HeadError::Length)?;
        if *start != Self::VERSION_AND_SUITE {
            return Err(HeadError::Suite);
        }
        let (signing_key, rest) = rest.split_first_chunk::<8>().ok_or(HeadError::Length)?;
        let (decryption_key, rest) = rest.split_first_chunk::<8>().ok_or(HeadError::Length)?;
        let (issued, rest) = rest.split_first_chunk::<8>().ok_or(HeadError::Length)?;
        let lifetime = rest.first_chunk::<4>().ok_or(HeadError::Length)?;
        Ok(Self {
            signing_key: ShortKeyId::from_bytes(*signing_key),
            decryption_key: ShortKeyId::from_bytes(*decryption_key),
            issued: UnixMillis(u64::from_be_bytes(*issued)),
            lifetime_s: u32::from_be_bytes(*lifetime),
        })
    }

    /// The first moment at which the envelope is over.
    #[must_use]
    pub fn end(&self) -> UnixMillis {
        self.issued.plus(Duration::from_secs(self.lifetime_s.into()))
    }

    /// True while `issued − skew ≤ now < end`.
    #[must_use]
    pub fn valid_at(&self, now: UnixMillis, skew: Skew) -> bool {
        self.issued.minus(skew.get()) <= now && now < self.end()
    }
}

/// Why bytes are no envelope head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// There are fewer than 30 bytes.
    #[error("an envelope head has 30 bytes")]
    Length,
    /// They do not begin with version 4, suite 1.
    #[error("the envelope is of another version or suite")]
    Suite,
}

/// How long a session may last: 1–900 seconds, 300 by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(u32);

impl Lifetime {
    /// The longest: 900 s.
    pub const MAX: Self = Self(900);

    /// Checks a number of seconds.
    ///
    /// # Errors
    /// When it is 0 or above 900.
    pub fn from_secs(seconds: u32) -> Result<Self, LifetimeError> {
        if (1..=Self::MAX.0).contains(&seconds) { Ok(Self(seconds)) } else { Err(LifetimeError) }
    }

    /// The number of seconds.
    #[must_use]
    pub fn as_secs(self) -> u32 {
        self.0
    }

    /// As a duration.
    #[must_use]
    pub fn as_duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl Default for Lifetime {
    fn default() -> Self {
        Self(300)
    }
}

/// A lifetime is not 1–900 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session lasts 1 to 900 seconds")]
pub struct LifetimeError;
