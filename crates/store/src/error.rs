use taa_core::certificate::{CertificateError, SuccessionError};
use taa_core::id::AppId;

use crate::seal::SealError;

/// Why the store did not do what it was asked to. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// This application has an identity already.
    #[error("this store has an identity already: {0}")]
    AlreadyInitialised(AppId),
    /// An application or server with this id is there already.
    #[error("{0} is there already")]
    AlreadyThere(AppId),
    /// A certificate breaks a rule.
    #[error("the certificate cannot be used: {0}")]
    Certificate(#[from] CertificateError),
    /// Somebody else changed the record meanwhile.
    #[error("somebody else has changed this meanwhile: look at it again")]
    Changed,
    /// The database failed or cannot be reached. If that was while it made a change durable, the change may have been
    /// made all the same: look at it again.
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is asked does not fit the state of the keys; says what to do.
    #[error("{0}")]
    Key(String),
    /// A key of this application stands under another one, or serves another purpose.
    #[error("a key of {id} is already used by {other}")]
    KeyInUse {
        /// Whose key it would be.
        id: AppId,
        /// Whose it is.
        other: String,
    },
    /// The database is of a kind that was not compiled in.
    #[error("this build cannot open such a database: build it with the feature `{0}`")]
    Feature(&'static str),
    /// The tables were made by a newer version of this software.
    #[error("the database was made by a newer version of this software (table version {0}): use that one")]
    Newer(i64),
    /// There is no randomness.
    #[error("the system gives no randomness")]
    Random,
    /// No identity was made yet.
    #[error("this store has no identity yet: make one with `taa init`")]
    NoIdentity,
    /// There is no such record.
    #[error("there is no {0}")]
    NotFound(String),
    /// It is the id of this application itself.
    #[error(
        "{0} is the id of this application itself: it is not its own peer, and a clone needs an id of its own"
    )]
    OwnId(AppId),
    /// A private key cannot be opened or sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A certificate may not replace the one held without a person.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
    /// The clock cannot tell the time.
    #[error("the clock cannot tell the time")]
    Time,
    /// The database holds something that this software did not write.
    #[error("the store holds something unreadable: {0}")]
    Unreadable(String),
}
