use std::sync::atomic::{AtomicU64, Ordering};

/// How many entries of two generations are live, without a lock.
///
/// Each half holds a generation's number (above) and its entries (below). A generation counts as long as its entries can be
/// in a table; after that its half is simply overwritten, so nobody has to count down when entries go.
#[derive(Debug, Default)]
pub(super) struct Count {
    even: AtomicU64,
    odd: AtomicU64,
}

/// What [`Count::reserve`] counted, to take it back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reserved {
    tag: u32,
    entries: u32,
}

impl Reserved {
    /// What is left of it when its generation is over.
    pub(super) fn left_over(generation: u32, entries: u32) -> Self {
        Self { tag: generation, entries }
    }

    pub(super) fn entries(self) -> u32 {
        self.entries
    }

    /// All of it but so many entries.
    pub(super) fn but(self, entries: u32) -> Self {
        Self { entries: self.entries.saturating_sub(entries), ..self }
    }
}

impl Count {
    /// Counts so many more entries of `generation`, or as many as there is room for, unless `most` are live.
    ///
    /// Exact but for the instant in which a generation ends: then as many more may slip in as threads are in here.
    pub(super) fn reserve(&self, generation: u32, most: u32, wanted: u32) -> Option<Reserved> {
        let (own, other) = self.halves(generation);
        let mut held = own.load(Ordering::Acquire);
        loop {
            let (tag, entries) = unpack(held);
            // A part of the table may be behind the others by a generation or, after the clock went back, by more. What it
            // adds then counts among the newer ones: longer than needed, never shorter.
            let (tag, entries) = if tag < generation { (generation, 0) } else { (tag, entries) };
            let live = entries.saturating_add(live_in(other.load(Ordering::Acquire), generation));
            let more = most.saturating_sub(live).min(wanted);
            if more == 0 {
                return None;
            }
            let counted = pack(tag, entries + more);
            match own.compare_exchange_weak(held, counted, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(Reserved { tag, entries: more }),
                Err(changed) => held = changed,
            }
        }
    }

    /// Takes back what was reserved for entries that were not added after all.
    pub(super) fn release(&self, reserved: Reserved) {
        let (own, _) = self.halves(reserved.tag);
        // Without effect when that generation has gone meanwhile, and its count with it.
        let _ = own.fetch_update(Ordering::AcqRel, Ordering::Acquire, |held| {
            let (tag, entries) = unpack(held);
            (tag == reserved.tag).then(|| pack(tag, entries.saturating_sub(reserved.entries)))
        });
    }

    /// Entries that are live in `generation`: its own and those of the one before.
    pub(super) fn live(&self, generation: u32) -> u32 {
        let even = live_in(self.even.load(Ordering::Acquire), generation);
        even.saturating_add(live_in(self.odd.load(Ordering::Acquire), generation))
    }

    fn halves(&self, generation: u32) -> (&AtomicU64, &AtomicU64) {
        if generation.is_multiple_of(2) { (&self.even, &self.odd) } else { (&self.odd, &self.even) }
    }
}

fn live_in(held: u64, generation: u32) -> u32 {
    let (tag, entries) = unpack(held);
    if tag.saturating_add(1) >= generation { entries } else { 0 }
}

fn pack(tag: u32, entries: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(entries)
}

fn unpack(held: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = held.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_generations_count_and_a_third_does_not() {
        let count = Count::default();
        assert!(count.reserve(4, 3, 1).is_some());
        assert!(count.reserve(5, 3, 1).is_some());
        assert!(count.reserve(5, 3, 1).is_some());
        assert!(count.reserve(5, 3, 1).is_none());
        assert_eq!((count.live(5), count.live(6), count.live(7)), (3, 2, 0));
        assert!(count.reserve(6, 3, 1).is_some());
        assert!(count.reserve(6, 3, 1).is_none());
    }

    #[test]
    fn a_part_that_is_behind_counts_as_the_newer() {
        let count = Count::default();
        assert!(count.reserve(8, 10, 1).is_some());
        assert!(count.reserve(6, 10, 1).is_some());
        assert_eq!(count.live(8), 2);
        assert!(count.reserve(2, 2, 1).is_none());
    }

    #[test]
    fn what_is_released_is_free_again() {
        let count = Count::default();
        let reserved = count.reserve(1, 1, 1).unwrap();
        assert!(count.reserve(1, 1, 1).is_none());
        count.release(reserved);
        let reserved = count.reserve(1, 1, 1).unwrap();
        assert!(count.reserve(3, 1, 1).is_some());
        count.release(reserved);
        assert_eq!(count.live(3), 1, "not taken from another generation");
    }

    #[test]
    fn several_at_once_as_far_as_there_is_room() {
        let count = Count::default();
        let some = count.reserve(1, 10, 4).unwrap();
        assert_eq!((some.entries(), count.live(1)), (4, 4));
        assert_eq!(count.reserve(1, 10, 16).unwrap().entries(), 6);
        assert!(count.reserve(1, 10, 16).is_none());
        count.release(some.but(1));
        assert_eq!(count.live(1), 7);
        count.release(some.but(4));
        assert_eq!(count.live(1), 7);
    }

    #[test]
    fn threads_stay_within() {
        let count = Count::default();
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..1_000).filter(|_| count.reserve(1, 777, 1).is_some()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 777);
    }
}
