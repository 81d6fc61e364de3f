use super::fingerprint::Fingerprint;

/// A set of fingerprints, in lines of four that are as long as the processor's: a look-up waits for memory once, where one in
/// a general table does so twice. With a million nonces that is what a nonce costs.
///
/// It only grows. They stand in the line that they name, or in the next that has room; at most four of five places
/// are taken.
#[derive(Default)]
pub(super) struct Lines {
    /// A power of two of them, or none.
    lines: Vec<Line>,
    len: usize,
}

#[repr(align(64))]
#[derive(Clone, Copy)]
struct Line([Option<Fingerprint>; 4]);

const FIRST: usize = 2;

impl Lines {
    /// Whether it is there.
    pub(super) fn holds(&self, wanted: Fingerprint) -> bool {
        for line in self.from(wanted) {
            for place in line.0 {
                match place {
                    Some(there) if there == wanted => return true,
                    Some(_) => {}
                    None => return false,
                }
            }
        }
        false
    }

    /// Adds one that is not there.
    pub(super) fn add(&mut self, new: Fingerprint) {
        if (self.len + 1) * 5 > self.lines.len() * 4 * 4 {
            self.grow();
        }
        self.put(new);
        self.len += 1;
    }

    /// Bytes held.
    pub(super) fn allocated(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    fn grow(&mut self) {
        let twice = (self.lines.len() * 2).max(FIRST);
        let before = std::mem::replace(&mut self.lines, vec![Line([None; 4]); twice]);
        for there in before.iter().flat_map(|line| line.0).flatten() {
            self.put(there);
        }
    }

    fn put(&mut self, new: Fingerprint) {
        let first = self.first(new);
        let (front, back) = self.lines.split_at_mut(first);
        let places = back.iter_mut().chain(front).flat_map(|line| &mut line.0);
        // There is always one: a fifth of them is free.
        if let Some(free) = places.into_iter().find(|place| place.is_none()) {
            *free = Some(new);
        }
    }

    /// All lines, from the one that a fingerprint names.
    fn from(&self, fingerprint: Fingerprint) -> impl Iterator<Item = &Line> {
        let (front, back) = self.lines.split_at(self.first(fingerprint));
        back.iter().chain(front)
    }

    /// The lowest bits: the part of the table was chosen by others.
    fn first(&self, fingerprint: Fingerprint) -> usize {
        let [.., a, b, c, d] = fingerprint.hash().to_be_bytes();
        let low = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or_default();
        low & self.lines.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use taa_core::nonce::NonceKey;

    use super::*;

    fn nonce(number: u64) -> Fingerprint {
        let key = NonceKey::of_request(&[9; 32], &u128::from(number).to_be_bytes());
        Fingerprint::of((1, 2), &key)
    }

    #[test]
    fn all_that_was_added_and_nothing_else() {
        let mut set = Lines::default();
        for number in 0..5_000 {
            assert!(!set.holds(nonce(number)));
            set.add(nonce(number));
        }
        for number in 0..10_000 {
            assert_eq!(set.holds(nonce(number)), number < 5_000, "{number}");
        }
        assert!(set.allocated() <= 5_000 * 40, "{}", set.allocated());
    }

    #[test]
    fn all_in_one_place() {
        let mut set = Lines::default();
        // All of these name the last line, so they go round.
        let mut same = (0..).map(nonce).filter(|nonce| nonce.hash() & 0xff == 0xff);
        let (added, others): (Vec<_>, Vec<_>) = (same.by_ref().take(200).collect(), same.take(200).collect());
        added.iter().for_each(|nonce| set.add(*nonce));
        assert!(added.iter().all(|nonce| set.holds(*nonce)));
        assert!(!others.iter().any(|nonce| set.holds(*nonce)));
    }

    #[test]
    fn the_empty_set() {
        let set = Lines::default();
        assert!(!set.holds(nonce(0)) && !set.holds(nonce(1)));
        assert_eq!(set.allocated(), 0);
        assert_eq!(size_of::<Line>(), 64);
    }
}
