use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Whose turn it is to make the next session: one at a time has it, and after a try that failed nobody for a while.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    /// The first millisecond of the next turn, by the clock that does not jump.
    from: AtomicU64,
}

/// While somebody has the turn.
const TAKEN: u64 = u64::MAX;
/// From one failed try to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// The turn. Given back when it is dropped, so that a panic does not keep it.
#[derive(Debug)]
pub(crate) struct Turn {
    renewal: Arc<Renewal>,
    /// When the next one begins.
    next: u64,
}

impl Renewal {
    /// Takes the turn, if it is there. `now` is by the clock that does not jump.
    pub(crate) fn turn(self: &Arc<Self>, now: Duration) -> Option<Turn> {
        let (now, next) = (millis(now), millis(now.saturating_add(PAUSE)));
        let from = self.from.load(Ordering::Relaxed);
        if now < from {
            return None;
        }
        self.from.compare_exchange(from, TAKEN, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(Turn { renewal: Arc::clone(self), next })
    }
}

impl Turn {
    /// Gives it back after success: there is no need for a pause.
    pub(crate) fn done(mut self) {
        self.next = 0;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.renewal.from.store(self.next, Ordering::Release);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(TAKEN).min(TAKEN - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(5);

    #[test]
    fn one_at_a_time() {
        let renewal = Arc::new(Renewal::default());
        let turn = renewal.turn(NOW).unwrap();
        assert!(renewal.turn(NOW).is_none() && renewal.turn(Duration::MAX).is_none());
        turn.done();
        assert!(renewal.turn(NOW).is_some());
    }

    #[test]
    fn a_pause_after_a_failure_or_a_panic() {
        let renewal = Arc::new(Renewal::default());
        drop(renewal.turn(NOW));
        assert!(renewal.turn(NOW + PAUSE - Duration::from_millis(1)).is_none());
        let turn = renewal.turn(NOW + PAUSE).unwrap();
        let thread = std::thread::spawn(move || {
            let _turn = turn;
            panic!("as a provider might");
        });
        assert!(thread.join().is_err());
        assert!(renewal.turn(NOW + PAUSE).is_none());
        assert!(renewal.turn(NOW + 2 * PAUSE).is_some());
    }
}
