use taa_core::time::UnixMillis;

/// A process that answers for this application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Random, for the life of the process.
    pub id: String,
    /// How it names itself: host and process.
    pub label: String,
    /// The version of this software.
    pub software: String,
    /// Whether its nonces are shared with other nodes.
    pub shared_nonces: bool,
    /// When it started.
    pub started: UnixMillis,
    /// When it last said that it is there.
    pub last_seen: UnixMillis,
}

impl Node {
    /// A node that has said nothing for so long, in milliseconds, is gone.
    pub const GONE_AFTER: u64 = 10_000;
}
