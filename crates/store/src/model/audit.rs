use std::fmt;
use std::str::FromStr;

use taa_core::time::UnixMillis;

use super::Actor;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is named by its text")]
pub enum Action {
    ApplicationAdded,
    ApplicationChanged,
    ApplicationDisabled,
    ApplicationEnabled,
    ApplicationKeyRevoked,
    ApplicationRemoved,
    CertificateFetched,
    CertificateRefreshed,
    CertificateRefused,
    FloorRaised,
    IdentityChanged,
    IdentityMade,
    KeyExported,
    KeyImported,
    KeyMade,
    KeyPromoted,
    KeyRemoved,
    KeyRevoked,
    ServerAdded,
    ServerChanged,
    ServerRemoved,
    StoreResealed,
    UserRestored,
    UserRevoked,
}

impl Action {
    /// All of them, in the order of their texts.
    pub const ALL: [Self; 24] = [
        Self::ApplicationAdded,
        Self::ApplicationChanged,
        Self::ApplicationDisabled,
        Self::ApplicationEnabled,
        Self::ApplicationKeyRevoked,
        Self::ApplicationRemoved,
        Self::CertificateFetched,
        Self::CertificateRefreshed,
        Self::CertificateRefused,
        Self::FloorRaised,
        Self::IdentityChanged,
        Self::IdentityMade,
        Self::KeyExported,
        Self::KeyImported,
        Self::KeyMade,
        Self::KeyPromoted,
        Self::KeyRemoved,
        Self::KeyRevoked,
        Self::ServerAdded,
        Self::ServerChanged,
        Self::ServerRemoved,
        Self::StoreResealed,
        Self::UserRestored,
        Self::UserRevoked,
    ];

    /// Its text in the trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApplicationAdded => "application.added",
            Self::ApplicationChanged => "application.changed",
            Self::ApplicationDisabled => "application.disabled",
            Self::ApplicationEnabled => "application.enabled",
            Self::ApplicationKeyRevoked => "application.key_revoked",
            Self::ApplicationRemoved => "application.removed",
            Self::CertificateFetched => "certificate.fetched",
            Self::CertificateRefreshed => "certificate.refreshed",
            Self::CertificateRefused => "certificate.refused",
            Self::FloorRaised => "floor.raised",
            Self::IdentityChanged => "identity.changed",
            Self::IdentityMade => "identity.made",
            Self::KeyExported => "key.exported",
            Self::KeyImported => "key.imported",
            Self::KeyMade => "key.made",
            Self::KeyPromoted => "key.promoted",
            Self::KeyRemoved => "key.removed",
            Self::KeyRevoked => "key.revoked",
            Self::ServerAdded => "server.added",
            Self::ServerChanged => "server.changed",
            Self::ServerRemoved => "server.removed",
            Self::StoreResealed => "store.resealed",
            Self::UserRestored => "user.restored",
            Self::UserRevoked => "user.revoked",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL.into_iter().find(|action| action.as_str() == text).ok_or(UnknownAction)
    }
}

/// A text is no action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such action")]
pub struct UnknownAction;

/// One row of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: UnixMillis,
    /// By whom.
    pub actor: Actor,
    /// What, as it stands in the trail; one of [`Action`].
    pub action: String,
    /// What it was done to: an application id, a key id, a user.
    pub subject: String,
    /// What changed, as JSON: for a change, old and new value of each field. No secret.
    pub detail: serde_json::Value,
    /// The generation it made.
    pub generation: u64,
    /// SHA-256 over this row and the hash of the one before, in hex.
    pub hash: String,
}

/// Which rows to show; all by default, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By this actor.
    pub actor: Option<String>,
    /// This action.
    pub action: Option<Action>,
    /// About this subject.
    pub subject: Option<String>,
    /// Not before.
    pub since: Option<UnixMillis>,
    /// Before.
    pub until: Option<UnixMillis>,
    /// Rows with a number below this: the next page.
    pub before_seq: Option<u64>,
    /// At most so many; 100 when 0, never more than 1,000.
    pub limit: u32,
}

/// What `audit verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// How many rows were read.
    pub rows: u64,
    /// Number and hash of the last row. Written down elsewhere, it shows later that nothing before it was changed.
    pub head: Option<(u64, String)>,
    /// What is wrong, in the order of the trail, the first 100; empty when the trail is whole.
    pub problems: Vec<String>,
}
