use std::fmt;

use super::SignedVersion;
use crate::id::{AppId, UserName};
use crate::time::UnixMillis;

/// A request whose signature is genuine, for this URL and of this time.
///
/// In version 3 the application said so for this user. In version 2 the user's name is not signed: whoever held back the
/// genuine request may have put in another. Method and body are not signed in either.
///
/// It is not used up yet: the caller remembers [`replay_key`](Self::replay_key) until
/// [`window_end`](Self::window_end) has passed, and refuses with `REPLAYED` what it has seen.
pub struct Proven {
    version: SignedVersion,
    app_id: AppId,
    user: UserName,
    timestamp: UnixMillis,
    replay_key: ReplayKey,
    window_end: UnixMillis,
}

impl Proven {
    pub(super) fn new(
        version: SignedVersion,
        app_id: AppId,
        user: UserName,
        timestamp: UnixMillis,
        replay_key: ReplayKey,
        window_end: UnixMillis,
    ) -> Self {
        Self { version, app_id, user, timestamp, replay_key, window_end }
    }

    /// The version it was proven with.
    #[must_use]
    pub fn version(&self) -> SignedVersion {
        self.version
    }

    /// The application that called.
    #[must_use]
    pub fn app_id(&self) -> &AppId {
        &self.app_id
    }

    /// The user it called for.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// The time in the certificate; up to 900 s ahead with peers' own library.
    #[must_use]
    pub fn timestamp(&self) -> UnixMillis {
        self.timestamp
    }

    /// What the signature is remembered by.
    #[must_use]
    pub fn replay_key(&self) -> ReplayKey {
        self.replay_key
    }

    /// The last moment at which the same request would pass the time check again.
    #[must_use]
    pub fn window_end(&self) -> UnixMillis {
        self.window_end
    }
}

impl fmt::Debug for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proven(version {}, {}, {:?})", self.version, self.app_id, self.timestamp)
    }
}

/// SHA-256 of a decoded signature (older versions, section 19).
///
/// PKCS #1 v1.5 signatures are unique and the reading of base64 is strict, so one signature has one key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplayKey([u8; 32]);

impl ReplayKey {
    pub(super) const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ReplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayKey(")?;
        for byte in self.0.iter().take(4) {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("…)")
    }
}
