use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use taa_core::time::Clock;

use super::shards::{Shards, lock, sip_key};

/// Decryptions a second that one application may cause, unless configured otherwise.
///
/// An honest application opens a session every few minutes for each of its nodes, so 50 a second are enough for thousands
/// of nodes; the cost is a few hundredths of a core with 2048-bit keys.
pub const DECRYPTIONS_PER_SECOND: NonZeroU32 = non_zero(50);

/// Signature checks of unknown envelopes a second that one address may cause, unless configured otherwise (wire document,
/// section 3).
pub const SIGNATURE_CHECKS_PER_SECOND: NonZeroU32 = non_zero(1_000);

/// How many keys a limiter tells apart at one time, unless configured otherwise.
pub const LIMITER_CAPACITY: usize = 65_536;

const fn non_zero(value: u32) -> NonZeroU32 {
    match NonZeroU32::new(value) {
        Some(value) => value,
        None => NonZeroU32::MIN,
    }
}

/// Lets each key do a thing so many times a second.
///
/// Each key has a bucket that holds one second's worth and is refilled evenly. So a key gets `per_second` at once, and in
/// any stretch of `t` seconds at most `per_second * (1 + t)`.
///
/// Attackers choose addresses, so memory is bounded: at most `capacity` keys have a bucket of their own (a few less when
/// they spread unevenly over the parts of the table). All others share **one** bucket of the same size, until others have
/// been quiet for a second: a bucket that is full again is the same as none, and is dropped. Nobody is ever unlimited. The
/// table is hashed under a key of this process, so nobody can aim at a part of it.
pub struct RateLimiter<K> {
    clock: Arc<dyn Clock>,
    hash_key: (u64, u64),
    rate: Rate,
    shard_capacity: usize,
    shared: AtomicU64,
    shards: Shards<Mutex<Shard<K>>, SHARDS>,
}

struct Shard<K> {
    buckets: HashTable<Bucket<K>>,
    /// When the buckets that are full again were last dropped.
    cleaned: u64,
}

struct Bucket<K> {
    key: K,
    full_at: u64,
}

impl<K: Eq + Hash + Clone> RateLimiter<K> {
    /// A limiter in which every bucket is full.
    ///
    /// `hash_key` is drawn at random for this process and told to nobody. A `capacity` below 64 counts as 64.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, hash_key: [u8; 16], per_second: NonZeroU32, capacity: usize) -> Self {
        Self {
            clock,
            hash_key: sip_key(hash_key),
            rate: Rate::new(per_second),
            shard_capacity: (capacity / SHARDS).max(1),
            shared: AtomicU64::new(0),
            shards: Shards::new(|| Mutex::new(Shard { buckets: HashTable::new(), cleaned: 0 })),
        }
    }

    /// Whether this key may do it now; if so, that is counted.
    #[must_use]
    pub fn admit(&self, key: &K) -> bool {
        let now = u64::try_from(self.clock.monotonic().as_nanos()).unwrap_or(u64::MAX);
        let hash = self.hash(key);
        let mut shard = lock(self.shards.of(hash));
        if let Some(bucket) = shard.buckets.find_mut(hash, |bucket| bucket.key == *key) {
            return take(self.rate, &mut bucket.full_at, now);
        }
        let full = shard.buckets.len() >= self.shard_capacity;
        let rest = if full { CLEAN_WHEN_FULL } else { SECOND };
        if now.abs_diff(shard.cleaned) >= rest {
            self.clean(&mut shard, now);
        }
        if shard.buckets.len() >= self.shard_capacity {
            drop(shard);
            return self.admit_shared(now);
        }
        let mut full_at = now;
        let admitted = take(self.rate, &mut full_at, now);
        let bucket = Bucket { key: key.clone(), full_at };
        shard.buckets.insert_unique(hash, bucket, |bucket| self.hash(&bucket.key));
        admitted
    }

    /// How many keys have a bucket of their own now.
    #[must_use]
    pub fn tracked(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).buckets.len()).sum()
    }

    fn admit_shared(&self, now: u64) -> bool {
        let taken = self.shared.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |mut full_at| {
            take(self.rate, &mut full_at, now).then_some(full_at)
        });
        taken.is_ok()
    }

    fn clean(&self, shard: &mut Shard<K>, now: u64) {
        shard.cleaned = now;
        let empty = now.saturating_add(self.rate.burst);
        shard.buckets.retain(|bucket| {
            bucket.full_at = bucket.full_at.min(empty);
            bucket.full_at > now
        });
        if shard.buckets.capacity() > 4 * shard.buckets.len() {
            shard.buckets.shrink_to(2 * shard.buckets.len(), |bucket| self.hash(&bucket.key));
        }
    }

    fn hash(&self, key: &K) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1);
        key.hash(&mut hasher);
        hasher.finish()
    }
}

impl<K> fmt::Debug for RateLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("rate", &self.rate).finish_non_exhaustive()
    }
}

/// Nanoseconds that one costs, and the nanoseconds' worth that a full bucket holds.
#[derive(Clone, Copy, Debug)]
struct Rate {
    cost: u64,
    burst: u64,
}

impl Rate {
    fn new(per_second: NonZeroU32) -> Self {
        let per_second = u64::from(per_second.get());
        let cost = (SECOND / per_second).max(1);
        Self { cost, burst: cost * per_second }
    }
}

/// Takes one out of the bucket that is full at `full_at`, if there is one in it.
fn take(rate: Rate, full_at: &mut u64, now: u64) -> bool {
    let empty = now.saturating_add(rate.burst);
    // More than empty is only possible when the clock went back; nobody shall wait for it to catch up.
    let from = (*full_at).clamp(now, empty);
    let to = from.saturating_add(rate.cost);
    let admitted = to <= empty;
    *full_at = if admitted { to } else { from };
    admitted
}

const SHARDS: usize = 64;
const SECOND: u64 = 1_000_000_000;
/// A full part is not searched for droppable buckets at every request.
const CLEAN_WHEN_FULL: u64 = SECOND / 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use taa_core::time::{ManualClock, UnixMillis};

    use super::*;

    fn limiter(per_second: u32, capacity: usize) -> (Arc<ManualClock>, RateLimiter<u32>) {
        let clock = Arc::new(ManualClock::new(UnixMillis(0)));
        let per_second = NonZeroU32::new(per_second).unwrap();
        (clock.clone(), RateLimiter::new(clock, [7; 16], per_second, capacity))
    }

    fn admitted(limiter: &RateLimiter<u32>, key: u32, tries: u32) -> usize {
        (0..tries).filter(|_| limiter.admit(&key)).count()
    }

    #[test]
    fn a_second_s_worth_at_once_and_then_evenly() {
        for rate in [1, 3, 7, 50, 1_000] {
            let (clock, limiter) = limiter(rate, 1_000);
            let wanted = usize::try_from(rate).unwrap();
            assert_eq!(admitted(&limiter, 1, 2 * rate), wanted);
            assert_eq!(admitted(&limiter, 2, 2 * rate), wanted, "another key has a bucket of its own");
            clock.advance(Duration::from_secs(1));
            assert_eq!(admitted(&limiter, 1, 2 * rate), wanted);
            clock.advance(Duration::from_secs(3600));
            assert_eq!(admitted(&limiter, 1, 2 * rate), wanted, "an idle hour is not saved up");
        }
        let (clock, limiter) = limiter(1_000, 1_000);
        assert_eq!(admitted(&limiter, 1, 5_000), 1_000);
        clock.advance(Duration::from_millis(10));
        assert_eq!(admitted(&limiter, 1, 5_000), 10);
    }

    #[test]
    fn a_full_table_does_not_grow_and_leaves_nobody_unlimited() {
        let (_, limiter) = limiter(10, 64);
        let admitted = (0..100_000).filter(|key| limiter.admit(key)).count();
        assert!(limiter.tracked() <= 64);
        // One for each key with a bucket, ten for all the others together.
        assert_eq!(admitted, limiter.tracked() + 10);
        assert_eq!((0..1_000).filter(|key| limiter.admit(&(key + 1_000_000))).count(), 0);
    }

    #[test]
    fn quiet_keys_make_room() {
        let (clock, limiter) = limiter(10, 64);
        for key in 0..10_000 {
            let _ = limiter.admit(&key);
        }
        clock.advance(Duration::from_secs(2));
        assert_eq!(admitted(&limiter, 77_777, 100), 10);
        assert_eq!(admitted(&limiter, 88_888, 100), 10);
    }

    #[test]
    fn a_clock_that_goes_back_blocks_nobody_for_long() {
        #[derive(Debug)]
        struct Jumping(AtomicU64);
        impl Clock for Jumping {
            fn wall(&self) -> Result<UnixMillis, taa_core::time::ClockError> {
                Err(taa_core::time::ClockError)
            }
            fn monotonic(&self) -> Duration {
                Duration::from_secs(self.0.load(Ordering::Relaxed))
            }
        }
        let clock = Arc::new(Jumping(AtomicU64::new(10_000)));
        let limiter = RateLimiter::new(clock.clone(), [7; 16], non_zero(10), 64);
        assert_eq!(admitted(&limiter, 1, 20), 10);
        clock.0.store(5, Ordering::Relaxed);
        assert_eq!(admitted(&limiter, 1, 20), 0, "going back fills no bucket");
        clock.0.store(6, Ordering::Relaxed);
        assert_eq!(admitted(&limiter, 1, 20), 10);
    }

    #[test]
    fn threads_together_get_no_more() {
        let (_, limiter) = limiter(500, 1_000);
        let total: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| admitted(&limiter, 1, 400))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(total, 500);
    }
}
