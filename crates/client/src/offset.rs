use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use taa_core::time::{Clock, UnixMillis};

/// An answer that took longer teaches nothing (wire document, section 5).
pub(crate) const SLOWEST_ANSWER: Duration = Duration::from_secs(10);
/// How long an offset is believed: a clock that was repaired must not stay wrong here.
const KEPT: Duration = Duration::from_secs(300);
/// The greatest offset: 5 min in milliseconds.
const GREATEST: u64 = 300_000;
/// Two measurements that differ by less say the same; a session is not ended for it.
const TOLERANCE: u64 = 1_000;

/// How far a server's clock is ahead of this one, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift(i64);

impl Shift {
    pub(crate) fn apply(self, now: UnixMillis) -> UnixMillis {
        UnixMillis(now.0.saturating_add_signed(self.0))
    }

    fn differs_from(self, other: Self) -> bool {
        self.0.abs_diff(other.0) >= TOLERANCE
    }
}

/// What is known of a server's clock (wire document, section 5).
#[derive(Default)]
pub(crate) struct Offset(ArcSwapOption<Learned>);

struct Learned {
    shift: Shift,
    /// By the clock that does not jump.
    until: Duration,
}

impl Offset {
    /// What to add to this machine's clock.
    pub(crate) fn current(&self, clock: &dyn Clock) -> Shift {
        match &*self.0.load() {
            Some(learned) if clock.monotonic() < learned.until => learned.shift,
            _ => Shift::default(),
        }
    }

    /// Learns from the server's time in a proven answer to a request that was sent at `sent`, by the clock that does
    /// not jump, and came just now.
    pub(crate) fn learn(&self, server: UnixMillis, sent: Duration, clock: &dyn Clock) {
        let (Ok(wall), now) = (clock.wall(), clock.monotonic()) else { return };
        let took = now.saturating_sub(sent);
        if took > SLOWEST_ANSWER {
            return;
        }
        let midpoint = wall.minus(took / 2);
        let measured = server.0.checked_signed_diff(midpoint.0).filter(|ms| ms.unsigned_abs() <= GREATEST);
        let Some(measured) = measured.map(Shift) else {
            // Nothing that is held agrees with this either.
            tracing::warn!("the server's clock is more than 5 minutes away: set the clocks");
            self.0.store(None);
            return;
        };
        let held = self.current(clock);
        let shift = if measured.differs_from(held) { measured } else { held };
        if shift == Shift::default() {
            self.0.store(None);
        } else {
            tracing::debug!(offset_ms = shift.0, "the server's clock differs");
            self.0.store(Some(Arc::new(Learned { shift, until: now.saturating_add(KEPT) })));
        }
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.load() {
            None => f.write_str("Offset(none)"),
            Some(learned) => write!(f, "Offset({} ms)", learned.shift.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use taa_core::time::ManualClock;

    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn learned(server_ahead: i64, took: Duration) -> (Offset, ManualClock) {
        let clock = ManualClock::new(UnixMillis(NOW));
        let offset = Offset::default();
        let sent = clock.monotonic();
        clock.advance(took);
        let server = UnixMillis(NOW.saturating_add_signed(server_ahead)).plus(took / 2);
        offset.learn(server, sent, &clock);
        (offset, clock)
    }

    #[test]
    fn from_the_midpoint() {
        for ahead in [120_000, -120_000, 300_000, -300_000] {
            let (offset, clock) = learned(ahead, Duration::from_secs(4));
            assert_eq!(offset.current(&clock), Shift(ahead));
        }
    }

    #[test]
    fn bounded_and_only_from_quick_answers() {
        for (ahead, took) in
            [(300_001, 0), (-300_001, 0), (i64::MIN, 0), (90_000, 10_001), (999, 0), (-999, 0)]
        {
            let (offset, clock) = learned(ahead, Duration::from_millis(took));
            assert_eq!(offset.current(&clock), Shift(0), "{ahead} {took}");
        }
        let (offset, clock) = learned(90_000, Duration::ZERO);
        offset.learn(UnixMillis(u64::MAX), clock.monotonic(), &clock);
        assert_eq!(offset.current(&clock), Shift(0), "dropped on disagreement");
    }

    #[test]
    fn forgotten() {
        let (offset, clock) = learned(90_000, Duration::ZERO);
        clock.advance(Duration::from_millis(299_999));
        assert_eq!(offset.current(&clock), Shift(90_000));
        clock.set_wall(UnixMillis(0));
        assert_eq!(offset.current(&clock), Shift(90_000), "by the clock that does not jump");
        clock.advance(Duration::from_millis(1));
        assert_eq!(offset.current(&clock), Shift(0));
    }

    #[test]
    fn a_small_difference_is_none() {
        let (offset, clock) = learned(90_000, Duration::ZERO);
        offset.learn(UnixMillis(NOW + 90_500), clock.monotonic(), &clock);
        assert_eq!(offset.current(&clock), Shift(90_000));
        offset.learn(UnixMillis(NOW + 92_000), clock.monotonic(), &clock);
        assert_eq!(offset.current(&clock), Shift(92_000));
        offset.learn(UnixMillis(NOW), clock.monotonic(), &clock);
        assert_eq!(offset.current(&clock), Shift(0), "repaired");
    }
}
