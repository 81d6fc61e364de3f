use std::sync::Arc;
use std::time::Duration;

use taa_core::time::{Clock, SystemClock};

/// How Redis is used.
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisOptions {
    pub(super) connect_timeout: Duration,
    pub(super) command_timeout: Duration,
    pub(super) limits: RedisLimits,
    pub(super) clock: Arc<dyn Clock>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_millis(500),
            limits: RedisLimits::default(),
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl RedisOptions {
    /// How long making a connection may take; 2 s by default.
    pub fn connect_timeout(mut self, most: Duration) -> Self {
        self.connect_timeout = most;
        self
    }

    /// How long a request waits for Redis before it is refused with `SYSTEM`; 500 ms by default.
    pub fn command_timeout(mut self, most: Duration) -> Self {
        self.command_timeout = most;
        self
    }

    /// How many nonces there may be.
    pub fn limits(mut self, limits: RedisLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Another clock than the system's. Its monotonic side is asked.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

/// How many nonces all nodes of a server id may record in Redis.
///
/// They are counted as they are recorded, in periods that begin with the first one after the last: at most so many in a
/// period, so at most twice as many are kept at any time. A nonce takes about 150 bytes. Above a bound, and above Redis' own
/// `maxmemory`, requests are refused with `BUSY`; nothing is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisLimits {
    /// The period of ordinary nonces, and the most that one is kept: the server's greatest timeout + 60 s + skew. 150 s
    /// unless configured otherwise. One that must be kept longer is *far*.
    pub ordinary_keep: Duration,
    /// The most ordinary nonces of all applications in a period: 4 million unless configured otherwise.
    pub total: u32,
    /// The most of one application: 1 million unless configured otherwise.
    pub per_application: u32,
    /// The most far nonces of all applications in 28 minutes, the most that any is kept: 500,000 unless configured otherwise.
    pub far_total: u32,
    /// The most of one application: 125,000 unless configured otherwise.
    pub far_per_application: u32,
}

impl Default for RedisLimits {
    fn default() -> Self {
        Self {
            ordinary_keep: Duration::from_secs(60 + 60 + 30),
            total: 4_000_000,
            per_application: 1_000_000,
            far_total: 500_000,
            far_per_application: 125_000,
        }
    }
}

/// Nonces that are counted together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    /// In the keys of its counters.
    pub(super) name: &'static str,
    pub(super) period: Duration,
    pub(super) total: u32,
    pub(super) per_application: u32,
}

/// An envelope begins at most 5 min + skew (60 s) ahead and lasts 15 min; its nonces go 5 min after it. Two minutes to spare.
const FAR_KEEP: Duration = Duration::from_secs(28 * 60);

impl RedisLimits {
    /// The class of a nonce that is kept for so long; none when no certificate that the wire document allows needs it.
    pub(super) fn class(&self, keep: Duration) -> Option<Class> {
        if keep <= self.ordinary_keep {
            let (total, per_application) = (self.total, self.per_application);
            let period = self.ordinary_keep.max(Duration::from_secs(1));
            Some(Class { name: "o", period, total, per_application })
        } else if keep <= FAR_KEEP {
            let (total, per_application) = (self.far_total, self.far_per_application);
            Some(Class { name: "f", period: FAR_KEEP, total, per_application })
        } else {
            None
        }
    }
}
