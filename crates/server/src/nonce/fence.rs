use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use taa_core::time::UnixMillis;

/// Stands in for nonces that this process does not know, or no longer (wire document, section 5).
///
/// A certificate whose `created` is not above it is `REPLAYED`. There are two marks:
///
/// * the mark of the **start**: what an earlier process may have accepted. Not needed for envelopes to a decryption key that was
///   made after this process started, nor when nonces outlive the process;
/// * the **raised** one: what this process accepted, under a wall clock or a greatest timeout that has changed since, so that
///   nonces may be gone before their certificates are over. It holds for every key.
#[derive(Debug)]
pub struct Fence {
    /// Zero: none. `created` counts from 1970 and is never a moment before it.
    start: u64,
    raised: AtomicU64,
}

/// When the key that an envelope is sealed to was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecryptionKeyMade {
    /// In this process, after its start: nothing earlier can have been accepted under it.
    AfterStart,
    /// Before, or it is not known.
    BeforeStart,
}

impl Fence {
    /// For nonces in memory, without stable storage: the start + 60 s.
    #[must_use]
    pub fn after_start(start: UnixMillis) -> Self {
        Self::from_mark(start.plus(MARGIN))
    }

    /// For nonces in memory, with a mark in stable storage that was above every `created` accepted before.
    #[must_use]
    pub fn from_mark(mark: UnixMillis) -> Self {
        Self { start: mark.0, raised: AtomicU64::new(0) }
    }

    /// For a store that keeps every nonce beyond the end of the process, durable before its request goes on.
    #[must_use]
    pub fn for_durable_nonces() -> Self {
        Self { start: 0, raised: AtomicU64::new(0) }
    }

    /// Raises the fence to `now` + 60 s, for every key: the greatest timeout was raised, or the wall clock went back (then
    /// [`WallGuard`](super::WallGuard) does it). It never comes down.
    pub fn raise(&self, now: UnixMillis) {
        self.raised.fetch_max(now.plus(MARGIN).0, Ordering::AcqRel);
    }

    /// The mark for an envelope to a key of this age. `None` when there is none.
    #[must_use]
    pub fn mark(&self, key: DecryptionKeyMade) -> Option<UnixMillis> {
        let raised = self.raised.load(Ordering::Acquire);
        let mark = match key {
            DecryptionKeyMade::AfterStart => raised,
            DecryptionKeyMade::BeforeStart => raised.max(self.start),
        };
        (mark > 0).then_some(UnixMillis(mark))
    }

    /// Whether a certificate of this time may have been accepted where no nonce tells of it: `REPLAYED`.
    #[must_use]
    pub fn covers(&self, created: UnixMillis, key: DecryptionKeyMade) -> bool {
        self.mark(key).is_some_and(|mark| created <= mark)
    }
}

/// Skew is at most 60 s, so nothing that was accepted by now was created later than this from now.
const MARGIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::DecryptionKeyMade::{AfterStart, BeforeStart};
    use super::*;

    #[test]
    fn the_start_concerns_older_keys_only() {
        let fence = Fence::after_start(UnixMillis(1_000_000));
        assert_eq!(fence.mark(BeforeStart), Some(UnixMillis(1_060_000)));
        assert_eq!(fence.mark(AfterStart), None);
        assert!(fence.covers(UnixMillis(1_060_000), BeforeStart));
        assert!(!fence.covers(UnixMillis(1_060_001), BeforeStart));
        assert!(!fence.covers(UnixMillis(0), AfterStart));
    }

    #[test]
    fn a_raised_fence_concerns_all_and_never_comes_down() {
        let fence = Fence::after_start(UnixMillis(1_000_000));
        fence.raise(UnixMillis(2_000_000));
        fence.raise(UnixMillis(1_500_000));
        for key in [AfterStart, BeforeStart] {
            assert_eq!(fence.mark(key), Some(UnixMillis(2_060_000)));
            assert!(fence.covers(UnixMillis(2_060_000), key));
            assert!(!fence.covers(UnixMillis(2_060_001), key));
        }
    }

    #[test]
    fn durable_nonces_need_none_until_it_is_raised() {
        let fence = Fence::for_durable_nonces();
        assert_eq!(fence.mark(BeforeStart), None);
        fence.raise(UnixMillis(5));
        assert_eq!(fence.mark(BeforeStart), Some(UnixMillis(60_005)));
        assert_eq!(Fence::from_mark(UnixMillis(7)).mark(BeforeStart), Some(UnixMillis(7)));
    }

    #[test]
    fn at_the_end_of_time_it_covers_everything() {
        let fence = Fence::after_start(UnixMillis(u64::MAX));
        assert!(fence.covers(UnixMillis(u64::MAX), BeforeStart));
    }
}
