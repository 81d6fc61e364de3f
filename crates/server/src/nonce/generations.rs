use taa_core::nonce::NonceKey;

use super::lines::Lines;

/// Two generations of nonces: the one that grows, and the one before.
///
/// Time is cut into periods, counted from the monotonic clock's zero. What is added in period `e` stays until period
/// `e + 2` begins: at least one period, whatever the moment, and less than two. Nothing is ever removed one by one.
pub(super) struct Generations {
    generation: u32,
    /// When the growing one ends, in milliseconds of the monotonic clock.
    ends: u64,
    young: Lines,
    old: Lines,
}

/// Tables that are over. To be dropped after the lock was let go: giving memory back takes time.
pub(super) type Over = [Lines; 2];

impl Generations {
    pub(super) fn new(period: u64) -> Self {
        Self { generation: 0, ends: period, young: Lines::default(), old: Lines::default() }
    }

    /// Begins in the middle of things.
    pub(super) fn at(now: u64, period: u64) -> Self {
        let mut new = Self::new(period);
        let _nothing = new.turn(now, period);
        new
    }

    /// Begins a new generation if its time has come.
    ///
    /// A clock that stands still or goes back does nothing here: entries are then kept longer.
    pub(super) fn turn(&mut self, now: u64, period: u64) -> Option<Over> {
        if now < self.ends {
            return None;
        }
        let number = now / period;
        let generation = u32::try_from(number).unwrap_or(u32::MAX);
        let next = generation.saturating_sub(self.generation) == 1;
        self.generation = generation;
        self.ends = number.saturating_add(1).saturating_mul(period);
        let young = std::mem::take(&mut self.young);
        if next {
            Some([std::mem::replace(&mut self.old, young), Lines::default()])
        } else {
            Some([std::mem::take(&mut self.old), young])
        }
    }

    /// The number of the generation that grows.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    pub(super) fn holds(&self, hash: u64, key: NonceKey) -> bool {
        self.young.holds(hash, key) || self.old.holds(hash, key)
    }

    /// Adds a nonce that is not there.
    pub(super) fn add(&mut self, hash: u64, key: NonceKey, rehash: impl Fn(&[u8; 16]) -> u64) {
        self.young.add(hash, key, rehash);
    }

    /// Bytes held.
    pub(super) fn allocated(&self) -> usize {
        self.young.allocated() + self.old.allocated()
    }
}
