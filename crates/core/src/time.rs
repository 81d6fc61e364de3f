//! Time as a value that is passed in: a wall clock in Unix milliseconds and one that never jumps.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, as versions 0 to 4 all write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// This much later; the end of time when it would not fit.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// This much earlier; 1970 when it would not fit.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }

    /// True while this is before an end in Unix seconds, as a key's `exp` is written; always when there is none.
    #[must_use]
    pub fn is_before(self, end: Option<u64>) -> bool {
        end.is_none_or(|end| self.0 < end.saturating_mul(1000))
    }

    /// Whole seconds since 1970, as `exp` and `iat` are written.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1000).saturating_add(u64::from(duration.subsec_millis()))
}

impl fmt::Debug for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// Where time comes from. Nothing else in these crates asks the system what time it is.
///
/// An implementation must make `monotonic` count on at the pace of real time, whatever is done to the wall clock.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock.
    ///
    /// # Errors
    /// When there is no usable time; callers refuse what they were asked to judge.
    fn wall(&self) -> Result<UnixMillis, ClockError>;

    /// Time since an arbitrary moment, by a clock that does not jump.
    fn monotonic(&self) -> Duration;
}

/// The clock cannot tell the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock cannot tell the time")]
pub struct ClockError;

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic side begins now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn wall(&self) -> Result<UnixMillis, ClockError> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|_| ClockError)?;
        u64::try_from(since.as_millis()).map(UnixMillis).map_err(|_| ClockError)
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// A clock that is moved by hand, for tests and for replaying recorded requests.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicU64,
    monotonic: AtomicU64,
}

impl ManualClock {
    /// Stands at `wall`.
    #[must_use]
    pub fn new(wall: UnixMillis) -> Self {
        Self { wall: AtomicU64::new(wall.0), monotonic: AtomicU64::new(0) }
    }

    /// Lets time pass on both sides.
    pub fn advance(&self, by: Duration) {
        self.wall.fetch_add(millis(by), Ordering::SeqCst);
        self.monotonic.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Sets the wall clock alone, as an administrator or NTP would.
    pub fn set_wall(&self, wall: UnixMillis) {
        self.wall.store(wall.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Result<UnixMillis, ClockError> {
        Ok(UnixMillis(self.wall.load(Ordering::SeqCst)))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(UnixMillis(u64::MAX).plus(Duration::from_secs(1)), UnixMillis(u64::MAX));
        assert_eq!(UnixMillis(5).minus(Duration::from_secs(1)), UnixMillis(0));
        assert_eq!(UnixMillis(1000).plus(Duration::MAX), UnixMillis(u64::MAX));
    }

    #[test]
    fn an_end_is_the_first_moment_that_is_over() {
        assert!(UnixMillis(1_999).is_before(Some(2)) && !UnixMillis(2_000).is_before(Some(2)));
        assert!(UnixMillis(u64::MAX).is_before(None) && !UnixMillis(u64::MAX).is_before(Some(u64::MAX)));
    }

    #[test]
    fn the_wall_may_jump_and_the_other_may_not() {
        let clock = ManualClock::new(UnixMillis(1_000));
        clock.advance(Duration::from_secs(1));
        clock.set_wall(UnixMillis(0));
        assert_eq!(clock.wall(), Ok(UnixMillis(0)));
        assert_eq!(clock.monotonic(), Duration::from_secs(1));
    }
}
