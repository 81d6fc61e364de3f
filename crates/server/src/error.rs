use taa_core::id::AppId;

/// Why a configuration was refused, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The clock does not tell the time.
    #[error("the clock does not tell the time")]
    Clock,
    /// The lease has no length.
    #[error("lease is 0: every request would be refused")]
    Lease,
    /// There is no current decryption key.
    #[error("the identity has no current decryption key: a server needs one")]
    NoDecryptionKey,
    /// `replicas` is 0.
    #[error("replicas is 0: at least this process answers")]
    NoReplicas,
    /// The identity is of another application.
    #[error("the identity is of another application: make a new Trust for it")]
    OtherIdentity,
    /// There is no randomness.
    #[error("the random number generator failed")]
    Random,
    /// Several nodes, and nonces in this one's memory only.
    #[error("replicas is {0} and nonces are in memory: set shared_nonces to a store that all nodes share")]
    ReplicasWithoutSharedNonces(u32),
    /// The prefix is not a path.
    #[error("stripped_prefix must begin with / and not end with one, as in /jira")]
    StrippedPrefix,
    /// A policy names a greater timeout than the server allows.
    #[error("the timeout of {0} is above greatest_timeout")]
    Timeout(AppId),
}
