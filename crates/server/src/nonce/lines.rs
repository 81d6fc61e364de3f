use taa_core::nonce::NonceKey;

/// A set of nonce keys, in lines of four that are as long as the processor's: a look-up waits for memory once, where one in
/// a general table does so twice. With a million nonces that is what a nonce costs.
///
/// It only grows. Keys stand in the line that their hash names, or in the next that has room; at most four of five places
/// are taken.
#[derive(Default)]
pub(super) struct Lines {
    /// A power of two of them, or none.
    lines: Vec<Line>,
    len: usize,
}

#[repr(align(64))]
#[derive(Clone, Copy)]
struct Line([u128; 4]);

/// A place that nothing stands in.
const FREE: u128 = 0;
const FIRST: usize = 2;

impl Lines {
    /// Whether the key is there. `hash` is its hash.
    pub(super) fn holds(&self, hash: u64, key: NonceKey) -> bool {
        let key = place_of(key);
        for line in self.from(hash) {
            for place in line.0 {
                if place == key {
                    return true;
                }
                if place == FREE {
                    return false;
                }
            }
        }
        false
    }

    /// Adds a key that is not there; `rehash` tells the hash of any.
    pub(super) fn add(&mut self, hash: u64, key: NonceKey, rehash: impl Fn(&[u8; 16]) -> u64) {
        if (self.len + 1) * 5 > self.lines.len() * 4 * 4 {
            self.grow(rehash);
        }
        self.put(hash, place_of(key));
        self.len += 1;
    }

    /// Bytes held.
    pub(super) fn allocated(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    fn grow(&mut self, rehash: impl Fn(&[u8; 16]) -> u64) {
        let twice = (self.lines.len() * 2).max(FIRST);
        let before = std::mem::replace(&mut self.lines, vec![Line([FREE; 4]); twice]);
        for place in before.iter().flat_map(|line| line.0).filter(|place| *place != FREE) {
            self.put(rehash(&place.to_ne_bytes()), place);
        }
    }

    fn put(&mut self, hash: u64, key: u128) {
        let first = self.first(hash);
        let (front, back) = self.lines.split_at_mut(first);
        let places = back.iter_mut().chain(front).flat_map(|line| &mut line.0);
        // There is always one: a fifth of them is free.
        if let Some(free) = places.into_iter().find(|place| **place == FREE) {
            *free = key;
        }
    }

    /// All lines, from the one that a hash names.
    fn from(&self, hash: u64) -> impl Iterator<Item = &Line> {
        let (front, back) = self.lines.split_at(self.first(hash));
        back.iter().chain(front)
    }

    /// The lowest bits: the part of the table was chosen by others.
    fn first(&self, hash: u64) -> usize {
        let [.., a, b, c, d] = hash.to_be_bytes();
        let low = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or_default();
        low & self.lines.len().saturating_sub(1)
    }
}

/// The front of a SHA-256 is never all zeros. If it were, it would stand for one other key, and a replay of it would be seen
/// all the same.
fn place_of(key: NonceKey) -> u128 {
    u128::from_ne_bytes(*key.as_bytes()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> NonceKey {
        NonceKey::of_request(&[9; 32], &u128::from(number).to_be_bytes())
    }

    fn hash(bytes: &[u8; 16]) -> u64 {
        u64::from_le_bytes(bytes[..8].try_into().unwrap())
    }

    #[test]
    fn all_that_was_added_and_nothing_else() {
        let mut set = Lines::default();
        for number in 0..5_000 {
            assert!(!set.holds(hash(key(number).as_bytes()), key(number)));
            set.add(hash(key(number).as_bytes()), key(number), hash);
        }
        for number in 0..10_000 {
            assert_eq!(set.holds(hash(key(number).as_bytes()), key(number)), number < 5_000, "{number}");
        }
        assert!(set.allocated() <= 5_000 * 40, "{}", set.allocated());
    }

    #[test]
    fn all_in_one_place() {
        let mut set = Lines::default();
        let nowhere = |_: &[u8; 16]| u64::MAX;
        for number in 0..200 {
            set.add(u64::MAX, key(number), nowhere);
        }
        for number in 0..400 {
            assert_eq!(set.holds(u64::MAX, key(number)), number < 200);
        }
    }

    #[test]
    fn the_empty_set() {
        let set = Lines::default();
        assert!(!set.holds(0, key(1)) && !set.holds(u64::MAX, key(1)));
        assert_eq!(set.allocated(), 0);
        assert_eq!(size_of::<Line>(), 64);
    }
}
