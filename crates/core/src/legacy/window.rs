use std::time::Duration;

use crate::time::UnixMillis;

/// How far ahead of time peers date their requests (older versions, section 7).
pub const EARLY: Duration = Duration::from_secs(900);

/// The time a request is good for: `now − timeout ≤ timestamp ≤ now + 900 s + skew` (older versions, section 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    timeout: Duration,
    skew: Duration,
}

impl Window {
    /// A window with the application's timeout and the clock difference that is tolerated.
    ///
    /// # Errors
    /// When the timeout is shorter than a millisecond. To the peers' library 0 meant "for ever"; here it is refused at
    /// set-up.
    pub fn new(timeout: Duration, skew: Duration) -> Result<Self, WindowError> {
        if timeout < Duration::from_millis(1) {
            return Err(WindowError);
        }
        Ok(Self { timeout, skew })
    }

    /// Whether a request of this time is good now.
    #[must_use]
    pub fn contains(&self, timestamp: UnixMillis, now: UnixMillis) -> bool {
        now.minus(self.timeout) <= timestamp && timestamp <= now.plus(EARLY).plus(self.skew)
    }

    /// The last moment at which a request of this time is good.
    #[must_use]
    pub fn end(&self, timestamp: UnixMillis) -> UnixMillis {
        timestamp.plus(self.timeout)
    }
}

/// A timeout of less than a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the timeout is at least a millisecond")]
pub struct WindowError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_belong_to_it() {
        let window = Window::new(Duration::from_secs(10), Duration::from_secs(60)).unwrap();
        let now = UnixMillis(1_700_000_000_000);
        for (timestamp, good) in [
            (1_699_999_990_000, true),
            (1_699_999_989_999, false),
            (1_700_000_960_000, true),
            (1_700_000_960_001, false),
            (u64::MAX, false),
            (0, false),
        ] {
            assert_eq!(window.contains(UnixMillis(timestamp), now), good, "{timestamp}");
        }
        assert_eq!(window.end(now), UnixMillis(1_700_000_010_000));
        assert_eq!(Window::new(Duration::ZERO, Duration::ZERO), Err(WindowError));
        assert_eq!(Window::new(Duration::from_nanos(1), Duration::ZERO), Err(WindowError));
    }
}
