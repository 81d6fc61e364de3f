use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a node may go on without having heard from its store.
///
/// A node that cannot reach its store cannot know what was revoked, so it stops trusting anybody in bounded time.
#[derive(Debug)]
pub(crate) struct Lease {
    /// In milliseconds, as the moments below.
    lasts: u64,
    /// When it was last renewed, by the clock that does not jump.
    renewed: AtomicU64,
}

impl Lease {
    /// Begins now: what a server is built with was just read.
    pub(crate) fn new(lasts: Duration, now: Duration) -> Self {
        Self { lasts: millis(lasts), renewed: AtomicU64::new(millis(now)) }
    }

    pub(crate) fn renew(&self, now: Duration) {
        self.renewed.fetch_max(millis(now), Ordering::AcqRel);
    }

    pub(crate) fn is_over(&self, now: Duration) -> bool {
        millis(now).saturating_sub(self.renewed.load(Ordering::Acquire)) > self.lasts
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_a_moment_after_its_time() {
        let seconds = Duration::from_secs;
        let lease = Lease::new(seconds(5), seconds(10));
        assert!(!lease.is_over(seconds(15)) && lease.is_over(Duration::from_millis(15_001)));
        lease.renew(seconds(16));
        lease.renew(seconds(12));
        assert!(!lease.is_over(seconds(21)) && lease.is_over(seconds(22)));
        assert!(!Lease::new(Duration::MAX, Duration::ZERO).is_over(Duration::MAX));
    }
}
