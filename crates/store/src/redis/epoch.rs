use std::time::Duration;

use taa_core::crypto::{Random, RandomError, SystemRandom};

/// One memory of Redis: what it wrote down for itself, and which process it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Epoch {
    /// Random, under a key that is lost with the nonces.
    pub(super) id: String,
    /// Redis' `run_id`; empty where it tells none.
    pub(super) run: String,
}

impl Epoch {
    /// An id for an epoch that begins now: never one that was there before.
    pub(super) fn fresh_id() -> Result<String, RandomError> {
        let mut bytes = [0; 16];
        SystemRandom.fill(&mut bytes)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn to_text(&self) -> String {
        format!("{} {}", self.id, self.run)
    }

    /// What cannot be read becomes an epoch that Redis cannot have: its id is empty.
    pub(super) fn parse(text: &str) -> Self {
        let (id, run) = text.split_once(' ').unwrap_or_default();
        Self { id: id.to_owned(), run: run.to_owned() }
    }
}

/// The epoch this node goes by.
#[derive(Debug)]
pub(super) struct Adopted {
    epoch: Epoch,
    /// When it may be remembered, by the clock that does not jump.
    remember_from: Duration,
    leaps: Leaps,
}

/// From when on nothing can be good any more that was accepted before an epoch began: a request of the older versions, dated
/// 15 min + skew (60 s) ahead, is good for 5 min after that. The rest is spare.
const FORGOTTEN_IS_OVER: Duration = Duration::from_secs(30 * 60);

impl Adopted {
    /// The first one ever: there was nothing before it.
    pub(super) fn first(epoch: Epoch, time: u64, now: Duration) -> Self {
        Self { epoch, remember_from: now, leaps: Leaps::new(time, now) }
    }

    /// One that was remembered. Whether Redis still has it is seen with the first request.
    pub(super) fn known(text: &str, time: u64, now: Duration) -> Self {
        Self::first(Epoch::parse(text), time, now)
    }

    pub(super) fn resume(&mut self, epoch: Epoch, time: u64, now: Duration) {
        *self =
            Self { remember_from: now.saturating_add(FORGOTTEN_IS_OVER), ..Self::first(epoch, time, now) };
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch.clone()
    }

    pub(super) fn to_remember(&self, now: Duration) -> Option<String> {
        (now >= self.remember_from).then(|| self.epoch.to_text())
    }

    /// Whether nonces may have lapsed too early, by the clock of Redis.
    pub(super) fn has_leapt(&mut self, time: u64, now: Duration) -> bool {
        self.leaps.has_leapt(time, now)
    }
}

/// Notices that Redis' clock, by which nonces lapse, went ahead of this node's.
///
/// It compares how far the two are apart with the least of the last 28 to 56 minutes: no nonce is older, and clocks that
/// drift apart slowly are not taken for one that leapt.
#[derive(Debug)]
struct Leaps {
    ends: Duration,
    least: i64,
    least_before: i64,
}

/// How far Redis' clock may go ahead. Nonces are kept 60 s longer than they need be.
const LEAP: i64 = 30_000;
const PERIOD: Duration = Duration::from_secs(28 * 60);

impl Leaps {
    fn new(time: u64, now: Duration) -> Self {
        Self { ends: now.saturating_add(PERIOD), least: apart(time, now), least_before: i64::MAX }
    }

    fn has_leapt(&mut self, time: u64, now: Duration) -> bool {
        let apart = apart(time, now);
        if now >= self.ends {
            // After two periods without a request nothing is left that could have lapsed.
            let next = now < self.ends.saturating_add(PERIOD);
            self.least_before = if next { self.least } else { i64::MAX };
            self.least = i64::MAX;
            self.ends = now.saturating_add(PERIOD);
        }
        let least = self.least.min(self.least_before);
        self.least = self.least.min(apart);
        apart.saturating_sub(least) > LEAP
    }
}

fn apart(time: u64, now: Duration) -> i64 {
    let time = i64::try_from(time).unwrap_or(i64::MAX);
    time.saturating_sub(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn epoch(id: &str) -> Epoch {
        Epoch { id: id.into(), run: "r1".into() }
    }

    #[test]
    fn remembered_at_once_but_not_after_a_loss() {
        let mut adopted = Adopted::first(epoch("a"), 0, SECOND);
        assert_eq!(adopted.to_remember(SECOND).as_deref(), Some("a r1"));
        assert_eq!(Adopted::known("a r1", 0, SECOND).epoch(), epoch("a"));
        adopted.resume(epoch("b"), 0, SECOND);
        assert_eq!(adopted.epoch(), epoch("b"));
        assert_eq!(adopted.to_remember(1800 * SECOND), None);
        assert_eq!(adopted.to_remember(1801 * SECOND).as_deref(), Some("b r1"));
        for text in ["", "a", " "] {
            assert_eq!(Adopted::known(text, 0, SECOND).epoch().id, "", "{text:?}");
        }
    }

    #[test]
    fn a_clock_that_leaps() {
        let mut leaps = Leaps::new(1_000_000, 5 * SECOND);
        assert!(!leaps.has_leapt(1_010_000, 15 * SECOND));
        assert!(!leaps.has_leapt(1_040_000, 15 * SECOND));
        for _ in 0..2 {
            assert!(leaps.has_leapt(1_040_001, 15 * SECOND), "until the fence is up");
        }
        assert!(!leaps.has_leapt(950_000, 15 * SECOND), "back: nonces are kept longer");
        assert!(leaps.has_leapt(1_010_000, 15 * SECOND), "and ahead again: those of meanwhile are not");
        assert!(!Leaps::new(u64::MAX, Duration::ZERO).has_leapt(u64::MAX, Duration::MAX));
    }

    #[test]
    fn clocks_that_drift_apart() {
        let mut leaps = Leaps::new(0, Duration::ZERO);
        // A tenth of a second in a minute, for a day.
        for minute in 1..1440 {
            assert!(
                !leaps.has_leapt(minute * 60_100, 60 * SECOND * u32::try_from(minute).unwrap()),
                "{minute}"
            );
        }
        // Nobody asked for two days.
        assert!(!leaps.has_leapt(900_000_000, 4320 * 60 * SECOND));
    }
}
