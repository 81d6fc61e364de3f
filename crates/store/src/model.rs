//! What is kept: records as values, parsed. Rows that no longer parse are [`Row::Broken`].

mod actor;
mod application;
mod audit;
mod node;
mod own;
mod pending;
mod row;
mod rules;
mod server;
mod snapshot;

pub use actor::{Actor, Stamp};
pub use application::{
    ApplicationError, ApplicationUpdate, NewApplication, PeerKeys, PeerLegacyKey, Refreshed,
    TrustedApplication,
};
pub use audit::{Action, AuditEntry, AuditFilter, AuditReport, UnknownAction};
pub use node::Node;
pub use own::{
    ImportedKey, KeyPurpose, KeyPurposeError, NewIdentity, OwnIdentity, OwnKeyInfo, Promotion, Secrets,
};
pub use pending::{Pending, PendingId, PendingIdError, Presented};
pub use row::Row;
pub use rules::{Field, FieldError, FieldErrors, Rules, RulesText};
pub use server::{NewServer, ServerUpdate, TrustingServer};
pub use snapshot::{RevokedUser, Snapshot};
