use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use taa_core::durable::Mark;
use taa_core::id::AppId;
#[cfg(feature = "legacy")]
use taa_core::legacy::EARLY;
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;

use super::Marks;

/// Stands in for nonces that this process does not know, or no longer (wire document, section 5).
///
/// A certificate whose `created` is not above it is `REPLAYED`. There are two marks:
///
/// * the mark of the **start**: what an earlier process may have accepted. Of each application where they stand in stable
///   storage, otherwise one for all. Not needed for envelopes to a decryption key that was made after this process
///   started, nor when nonces outlive the process;
/// * the **raised** one: what this process accepted, under a wall clock or a greatest timeout that has changed since, or in a
///   store that lost its memory, so that nonces may be gone before their certificates are over. It holds for every key.
#[derive(Debug)]
pub struct Fence {
    /// Of all applications.
    start: Marks,
    start_of: HashMap<AppId, Marks>,
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
    /// For nonces in memory, without stable storage: the start + 60 s. Versions 2 and 3 have no fence then: it would keep
    /// out for 16 minutes whoever does not date ahead.
    #[must_use]
    pub fn after_start(start: UnixMillis) -> Self {
        Self::from_marks([Mark { application: None, protocol: Protocol::V4, at: start.plus(MARGIN) }])
    }

    /// For nonces in memory, with marks in stable storage that were above everything that was accepted before. An
    /// application without one has no fence: nothing of it was accepted.
    #[must_use]
    pub fn from_marks(marks: impl IntoIterator<Item = Mark>) -> Self {
        let mut fence = Self::for_durable_nonces();
        for Mark { application, protocol, at } in marks {
            let own = match application {
                None => &fence.start,
                Some(application) => &*fence.start_of.entry(application).or_default(),
            };
            own.raise(protocol, at);
        }
        fence
    }

    /// For a store that keeps every nonce beyond the end of the process, durable before its request goes on.
    #[must_use]
    pub fn for_durable_nonces() -> Self {
        Self { start: Marks::default(), start_of: HashMap::new(), raised: AtomicU64::new(0) }
    }

    /// Raises the fence to `now` + 60 s, for every key: the greatest timeout was raised, the store of nonces lost its memory,
    /// or the wall clock went back (then [`WallGuard`](super::WallGuard) does it). It never comes down.
    pub fn raise(&self, now: UnixMillis) {
        self.raised.fetch_max(now.plus(MARGIN).0, Ordering::AcqRel);
    }

    /// The mark for an application's envelope to a key of this age. `None` when there is none.
    #[must_use]
    pub fn mark(&self, application: &AppId, key: DecryptionKeyMade) -> Option<UnixMillis> {
        let raised = UnixMillis(self.raised.load(Ordering::Acquire));
        let mark = match key {
            DecryptionKeyMade::AfterStart => raised,
            DecryptionKeyMade::BeforeStart => raised.max(self.start_mark(application, Protocol::V4)),
        };
        Some(mark).filter(|mark| *mark > UnixMillis(0))
    }

    /// The mark for an application's request of an older version. Peers date ahead, so the raised one is as much higher;
    /// the one of the start is not, because it is above the very dates that were accepted.
    #[cfg(feature = "legacy")]
    #[must_use]
    pub fn mark_of_older(&self, application: &AppId, protocol: Protocol) -> Option<UnixMillis> {
        let raised = match self.raised.load(Ordering::Acquire) {
            0 => UnixMillis(0),
            raised => UnixMillis(raised).plus(EARLY),
        };
        Some(raised.max(self.start_mark(application, protocol))).filter(|mark| *mark > UnixMillis(0))
    }

    fn start_mark(&self, application: &AppId, protocol: Protocol) -> UnixMillis {
        let for_all = self.start.of(protocol);
        match self.start_of.get(application) {
            Some(own) => for_all.max(own.of(protocol)),
            None => for_all,
        }
    }

    /// Whether a certificate of this time may have been accepted where no nonce tells of it: `REPLAYED`.
    #[must_use]
    pub fn covers(&self, application: &AppId, created: UnixMillis, key: DecryptionKeyMade) -> bool {
        self.mark(application, key).is_some_and(|mark| created <= mark)
    }
}

/// Skew is at most 60 s, so nothing that was accepted by now was created later than this from now.
const MARGIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::DecryptionKeyMade::{AfterStart, BeforeStart};
    use super::*;

    fn wiki() -> AppId {
        AppId::parse("wiki").unwrap()
    }

    #[test]
    fn the_start_concerns_older_keys_only() {
        let fence = Fence::after_start(UnixMillis(1_000_000));
        assert_eq!(fence.mark(&wiki(), BeforeStart), Some(UnixMillis(1_060_000)));
        assert_eq!(fence.mark(&wiki(), AfterStart), None);
        assert!(fence.covers(&wiki(), UnixMillis(1_060_000), BeforeStart));
        assert!(!fence.covers(&wiki(), UnixMillis(1_060_001), BeforeStart));
        assert!(!fence.covers(&wiki(), UnixMillis(0), AfterStart));
    }

    #[test]
    fn a_raised_fence_concerns_all_and_never_comes_down() {
        let fence = Fence::after_start(UnixMillis(1_000_000));
        fence.raise(UnixMillis(2_000_000));
        fence.raise(UnixMillis(1_500_000));
        for key in [AfterStart, BeforeStart] {
            assert_eq!(fence.mark(&wiki(), key), Some(UnixMillis(2_060_000)));
            assert!(fence.covers(&wiki(), UnixMillis(2_060_000), key));
            assert!(!fence.covers(&wiki(), UnixMillis(2_060_001), key));
        }
    }

    #[test]
    fn marks_of_each_application_and_version() {
        let mark = |id: Option<&str>, protocol, at| Mark {
            application: id.map(|id| AppId::parse(id).unwrap()),
            protocol,
            at: UnixMillis(at),
        };
        let fence = Fence::from_marks([
            mark(Some("wiki"), Protocol::V4, 70),
            mark(Some("wiki"), Protocol::V4, 60),
            mark(Some("wiki"), Protocol::V2, 900_070),
            mark(None, Protocol::V4, 5),
            mark(Some("blog"), Protocol::V4, 3),
        ]);
        let id = |id: &str| AppId::parse(id).unwrap();
        assert_eq!(fence.mark(&wiki(), BeforeStart), Some(UnixMillis(70)));
        assert_eq!(fence.mark(&wiki(), AfterStart), None);
        assert_eq!(fence.mark(&id("blog"), BeforeStart), Some(UnixMillis(5)), "the one for all");
        assert_eq!(fence.mark(&id("other"), BeforeStart), Some(UnixMillis(5)));
        #[cfg(feature = "legacy")]
        {
            assert_eq!(fence.mark_of_older(&wiki(), Protocol::V2), Some(UnixMillis(900_070)));
            assert_eq!(fence.mark_of_older(&wiki(), Protocol::V3), None);
            fence.raise(UnixMillis(0));
            assert_eq!(fence.mark_of_older(&wiki(), Protocol::V3), Some(UnixMillis(960_000)));
        }
    }

    #[test]
    fn durable_nonces_need_none_until_it_is_raised() {
        let fence = Fence::for_durable_nonces();
        assert_eq!(fence.mark(&wiki(), BeforeStart), None);
        fence.raise(UnixMillis(5));
        assert_eq!(fence.mark(&wiki(), BeforeStart), Some(UnixMillis(60_005)));
    }

    #[test]
    fn at_the_end_of_time_it_covers_everything() {
        let fence = Fence::after_start(UnixMillis(u64::MAX));
        assert!(fence.covers(&wiki(), UnixMillis(u64::MAX), BeforeStart));
    }
}
