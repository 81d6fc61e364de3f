use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use taa_core::time::{Clock, ClockError, SystemClock, UnixMillis};

/// The system's clocks, of which the one that never jumps can be sent ahead: what is kept by it is over then.
#[derive(Debug, Default)]
pub(crate) struct Leap {
    system: SystemClock,
    ahead_s: AtomicU64,
}

impl Leap {
    /// Goes ahead.
    pub(crate) fn ahead(&self, by: Duration) {
        self.ahead_s.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for Leap {
    fn wall(&self) -> Result<UnixMillis, ClockError> {
        self.system.wall()
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() + Duration::from_secs(self.ahead_s.load(Ordering::Relaxed))
    }
}
