use std::time::Duration;

/// Times of a [`Keeper`](super::Keeper).
#[derive(Clone, Debug)]
#[must_use]
pub struct KeeperOptions {
    pub(super) follow_every: Duration,
    pub(super) lease: Duration,
    pub(super) label: Option<String>,
}

impl Default for KeeperOptions {
    fn default() -> Self {
        Self { follow_every: Duration::from_millis(500), lease: Duration::from_secs(5), label: None }
    }
}

impl KeeperOptions {
    /// How often the store is asked whether anything has changed; 500 ms by default. That is how long a change that another
    /// process made takes at most to be in force here; PostgreSQL announces it besides.
    pub fn follow_every(mut self, every: Duration) -> Self {
        self.follow_every = every;
        self
    }

    /// How long requests are answered without having reached the store; 5 s by default. See
    /// [`TrustBuilder::lease`](taa_server::TrustBuilder::lease).
    pub fn lease(mut self, lasts: Duration) -> Self {
        self.lease = lasts;
        self
    }

    /// How this node is named in the list of nodes: host and process by default.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}
