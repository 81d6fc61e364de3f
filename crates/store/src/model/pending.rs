use std::fmt;
use std::str::FromStr;

use taa_core::certificate::Certificate;
use taa_core::legacy::CertificatePage;
use taa_core::time::UnixMillis;
use url::Url;

use super::Stamp;

/// What was fetched and waits for a person to compare its fingerprint. Kept on the server, so that only what was shown
/// can be saved. It lapses after an hour.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Names it in the second step; not guessable.
    pub id: PendingId,
    /// Where it was fetched.
    pub base_url: Url,
    /// What came.
    pub presented: Presented,
    /// Whether it was fetched over plain http from another host.
    pub insecure_http: bool,
    /// When it was fetched, and for whom.
    pub fetched: Stamp,
}

impl Pending {
    /// How long it waits, in milliseconds.
    pub const LAPSES_AFTER: u64 = 3_600_000;

    /// True when it waited too long.
    #[must_use]
    pub fn lapsed(&self, now: UnixMillis) -> bool {
        now.0.saturating_sub(self.fetched.at.0) >= Self::LAPSES_AFTER
    }

    /// What a person compares with what the other side shows: the fingerprint, or for the older versions the
    /// thumbprint of the key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match &self.presented {
            Presented::Certificate(certificate) => certificate.fingerprint().to_string(),
            Presented::LegacyPage(page) => page.key.thumbprint().to_string(),
        }
    }

    /// What the other side calls itself.
    #[must_use]
    pub fn app_id(&self) -> &taa_core::id::AppId {
        match &self.presented {
            Presented::Certificate(certificate) => &certificate.content().iss,
            Presented::LegacyPage(page) => &page.app_id,
        }
    }
}

/// How another application presented itself.
#[derive(Clone, Debug)]
pub enum Presented {
    /// With a certificate of version 4.
    Certificate(Box<Certificate>),
    /// With the page of the older versions.
    LegacyPage(CertificatePage),
}

/// 16 random bytes in hex.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingId(String);

impl PendingId {
    /// From 16 random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PendingId {
    type Err = PendingIdError;

    fn from_str(text: &str) -> Result<Self, PendingIdError> {
        let hex = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex { Ok(Self(text.to_owned())) } else { Err(PendingIdError) }
    }
}

impl fmt::Display for PendingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PendingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingId(..)")
    }
}

/// A text is no id of a pending certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such pending certificate")]
pub struct PendingIdError;
