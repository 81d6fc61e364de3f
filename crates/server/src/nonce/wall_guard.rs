use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use taa_core::time::UnixMillis;

use super::Fence;

/// Notices that the wall clock went back against the monotonic one, by more than 30 s in all (wire document, section 4).
///
/// Why that matters: a nonce is kept for as long as its certificate could be valid, counted on the monotonic clock. When the
/// wall clock goes back by an hour, the certificate is valid again an hour from then, and its nonce is gone.
///
/// It compares, for each request, how far the two clocks are apart with the farthest they have been. So two steps of 20 s
/// count as one of 40 s, and a clock that is slowed down gently is noticed as well.
#[derive(Debug)]
pub struct WallGuard {
    /// The most that the wall clock was ahead of the monotonic one since it last went back, in milliseconds.
    ahead: AtomicI64,
}

/// The wall clock went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WentBack {
    /// By how much.
    pub by: Duration,
    /// What it would show now had it not.
    pub expected: UnixMillis,
}

impl WallGuard {
    /// Starts from what the two clocks show at one moment.
    #[must_use]
    pub fn new(wall: UnixMillis, monotonic: Duration) -> Self {
        Self { ahead: AtomicI64::new(apart(wall, monotonic)) }
    }

    /// Looks at the two clocks, read at one moment. If the wall clock went back by more than 30 s, raises the fence, and says
    /// so, once, for the log.
    ///
    /// The fence goes to 60 s after the time that the clock **would** show had it not gone back: what was accepted before was
    /// judged by that time. (60 s after the new time would leave out the certificates of the last minutes, if the clock
    /// went back by more than two.) Until the clock has caught up, requests are therefore refused.
    ///
    /// Of two requests at once no one gets past before the fence is up: it is raised before the guard forgets.
    pub fn check(&self, wall: UnixMillis, monotonic: Duration, fence: &Fence) -> Option<WentBack> {
        let seen = self.ahead.load(Ordering::Acquire);
        let now = apart(wall, monotonic);
        if now >= seen {
            if now > seen {
                self.ahead.fetch_max(now, Ordering::AcqRel);
            }
            return None;
        }
        let by = Duration::from_millis(now.abs_diff(seen));
        if by <= TOLERATED {
            return None;
        }
        let back = WentBack { by, expected: wall.plus(by) };
        fence.raise(back.expected);
        // If it has changed, another request was here at the same time and tells of it.
        let first = self.ahead.compare_exchange(seen, now, Ordering::AcqRel, Ordering::Acquire).is_ok();
        first.then_some(back)
    }
}

fn apart(wall: UnixMillis, monotonic: Duration) -> i64 {
    let wall = i64::try_from(wall.0).unwrap_or(i64::MAX);
    let monotonic = i64::try_from(monotonic.as_millis()).unwrap_or(i64::MAX);
    wall.saturating_sub(monotonic)
}

const TOLERATED: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use taa_core::id::AppId;
    use taa_core::time::{Clock, ManualClock};

    use super::super::DecryptionKeyMade::AfterStart;
    use super::*;

    fn wiki() -> AppId {
        AppId::parse("wiki").unwrap()
    }

    struct Watched {
        clock: ManualClock,
        guard: WallGuard,
        fence: Fence,
    }

    impl Watched {
        fn new() -> Self {
            let clock = ManualClock::new(UnixMillis(10_000_000));
            let guard = WallGuard::new(clock.wall().unwrap(), clock.monotonic());
            Self { clock, guard, fence: Fence::for_durable_nonces() }
        }

        fn check(&self) -> Option<WentBack> {
            self.guard.check(self.clock.wall().unwrap(), self.clock.monotonic(), &self.fence)
        }

        fn step_back(&self, millis: u64) {
            let now = self.clock.wall().unwrap();
            self.clock.set_wall(UnixMillis(now.0 - millis));
        }
    }

    #[test]
    fn thirty_seconds_are_tolerated_and_a_moment_more_is_not() {
        let watched = Watched::new();
        watched.clock.advance(Duration::from_secs(5));
        assert_eq!(watched.check(), None);
        watched.step_back(30_000);
        assert_eq!(watched.check(), None);
        assert_eq!(watched.fence.mark(&wiki(), AfterStart), None);
        watched.step_back(1);
        let back = WentBack { by: Duration::from_millis(30_001), expected: UnixMillis(10_005_000) };
        assert_eq!(watched.check(), Some(back));
        assert_eq!(watched.fence.mark(&wiki(), AfterStart), Some(UnixMillis(10_065_000)));
        assert_eq!(watched.check(), None, "said once");
    }

    #[test]
    fn small_steps_add_up() {
        let watched = Watched::new();
        for _ in 0..3 {
            watched.step_back(9_000);
            watched.clock.advance(Duration::from_secs(60));
            assert_eq!(watched.check(), None);
        }
        watched.step_back(9_000);
        assert!(watched.check().is_some());
    }

    #[test]
    fn forward_is_fine_and_back_from_there_is_not() {
        let watched = Watched::new();
        watched.clock.set_wall(UnixMillis(20_000_000));
        assert_eq!(watched.check(), None);
        watched.step_back(10_000_000);
        assert!(watched.check().is_some());
        // Whatever was accepted by the clock that was ahead stays refused when that time comes.
        assert!(watched.fence.covers(&wiki(), UnixMillis(20_030_000), AfterStart));
    }

    #[test]
    fn a_certificate_accepted_before_a_long_step_back_is_covered() {
        let watched = Watched::new();
        let created = watched.clock.wall().unwrap();
        watched.clock.advance(Duration::from_secs(1));
        watched.step_back(3_600_000);
        watched.check();
        assert!(watched.fence.covers(&wiki(), created, AfterStart));
    }

    #[test]
    fn no_thread_passes_below_the_fence() {
        let watched = Watched::new();
        watched.step_back(100_000);
        let told: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let told = usize::from(watched.check().is_some());
                        assert!(watched.fence.covers(&wiki(), UnixMillis(10_000_000), AfterStart));
                        told
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(told, 1);
    }

    #[test]
    fn times_out_of_range_do_not_overflow() {
        let guard = WallGuard::new(UnixMillis(u64::MAX), Duration::ZERO);
        let fence = Fence::for_durable_nonces();
        assert!(guard.check(UnixMillis(0), Duration::MAX, &fence).is_some());
    }
}
