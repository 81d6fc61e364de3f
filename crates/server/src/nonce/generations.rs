use super::credit::Credit;
use super::fingerprint::Fingerprint;
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
    /// Counted in the growing one.
    pub(super) credit: Credit,
}

/// What is over. To be dropped after the lock was let go: giving memory back takes time.
pub(super) struct Over {
    _tables: [Lines; 2],
    /// What was counted in this generation and not used.
    pub(super) unspent: (u32, Credit),
}

impl Generations {
    pub(super) fn new(period: u64) -> Self {
        Self {
            generation: 0,
            ends: period,
            young: Lines::default(),
            old: Lines::default(),
            credit: Credit::default(),
        }
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
        let unspent = (self.generation, std::mem::take(&mut self.credit));
        self.generation = generation;
        self.ends = number.saturating_add(1).saturating_mul(period);
        let young = std::mem::take(&mut self.young);
        let tables = if next {
            [std::mem::replace(&mut self.old, young), Lines::default()]
        } else {
            [std::mem::take(&mut self.old), young]
        };
        Some(Over { _tables: tables, unspent })
    }

    /// The number of the generation that grows.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    pub(super) fn holds(&self, nonce: Fingerprint) -> bool {
        self.young.holds(nonce) || self.old.holds(nonce)
    }

    /// Adds a nonce that is not there.
    pub(super) fn add(&mut self, nonce: Fingerprint) {
        self.young.add(nonce);
    }

    /// Bytes held.
    pub(super) fn allocated(&self) -> usize {
        self.young.allocated() + self.old.allocated()
    }
}
