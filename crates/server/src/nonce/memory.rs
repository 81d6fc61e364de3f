use std::fmt;
use std::future::{Future, ready};
use std::mem::size_of;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use taa_core::id::AppId;
use taa_core::nonce::{NonceError, NonceKey, NonceStore, Seen};
use taa_core::time::Clock;

use super::applications::{self, Applications, Counts};
use super::count::{Count, Reserved};
use super::fingerprint::Fingerprint;
use super::generations::{Generations, Over};
use crate::limit::shards::{Apart, Shards, lock, sip_key};

/// How much a [`MemoryNonces`] holds, and for how long.
///
/// A nonce takes 20 to 40 bytes. It stays for one to two of the periods below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonceLimits {
    /// The most that ordinary nonces are kept: the server's greatest timeout + 60 s + skew. 150 s unless configured
    /// otherwise, at least 1 s; parts of a second count as a whole one.
    ///
    /// A nonce that must be kept longer is no error: it is *far*, see below.
    pub ordinary_keep: Duration,
    /// The most ordinary nonces of all applications: 4 million (13,000 requests a second for ever) unless configured
    /// otherwise.
    pub total: u32,
    /// The most ordinary nonces of one application: 1 million unless configured otherwise.
    pub per_application: u32,
    /// The most *far* nonces of all applications: 500,000 unless configured otherwise.
    ///
    /// A far nonce belongs to a certificate whose `created` is far ahead (envelopes may begin minutes ahead of now, and
    /// clients of the older versions post-date by 15 minutes); it is kept for up to 28 minutes, the most that any certificate
    /// needs, in tables of its own, so that the ordinary ones do not have to stay for so long.
    pub far_total: u32,
    /// The most far nonces of one application: 125,000 unless configured otherwise.
    pub far_per_application: u32,
}

impl Default for NonceLimits {
    fn default() -> Self {
        Self {
            ordinary_keep: Duration::from_secs(60 + 60 + 30),
            total: 4_000_000,
            per_application: 1_000_000,
            far_total: 500_000,
            far_per_application: 125_000,
        }
    }
}

/// Nonces in the memory of one process.
///
/// *Never forgets early.* An entry lives in one of two generations (see [`NonceLimits::ordinary_keep`]); time is the monotonic
/// clock's, and if that stands still or goes back, entries stay longer. Full is [`NonceError::Full`].
///
/// *Bounded.* Every first use counts for its application and for all, before it is added. No more get in than the bounds say,
/// but for the instant in which a generation ends, when as many more may slip in as threads are recording. With bounds above
/// 65,000 the parts of the table count up to 16 entries at a time, so that cores do not wait for each other; it may then be full
/// up to one part in 64 before it holds so many. An entry counts until its generation is over, which may be later than it
/// had to be kept.
///
/// *Quick.* The table is cut into parts with a lock each; the part is chosen by a hash under a key of this process, so nobody
/// can aim at one. A use takes one of these locks, and allocates only when the part's table grows. Generations are dropped
/// part by part, after the lock was let go: a part in the request that meets it, and the parts that no request meets two at a
/// time by others. An idle service calls [`sweep`](Self::sweep) to give memory back.
pub struct MemoryNonces {
    clock: Arc<dyn Clock>,
    hash_key: (u64, u64),
    ordinary: Class,
    far: Class,
    shards: Shards<Mutex<Shard>, SHARDS>,
    applications: Applications,
    totals: Apart<Counts>,
    sweeping: Apart<Sweeping>,
}

/// Nonces that are kept for about the same time.
struct Class {
    keep: Duration,
    /// The same in milliseconds.
    period: u64,
    total: u32,
    per_application: u32,
    /// How many entries a part counts at once.
    at_once: u32,
    of: fn(&Counts) -> &Count,
}

struct Shard {
    ordinary: Generations,
    /// Made for the first, which hardly any service has.
    far: Option<Box<Generations>>,
}

/// How far the walk through all parts has come that follows the end of a generation.
struct Sweeping {
    /// From when on there is something to do, in milliseconds of the monotonic clock.
    due: AtomicU64,
    next: AtomicUsize,
}

impl MemoryNonces {
    /// An empty table. `hash_key` is drawn at random for this process and told to nobody.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, hash_key: [u8; 16], limits: NonceLimits) -> Self {
        let hash_key = sip_key(hash_key);
        let ordinary =
            Class::new(limits.ordinary_keep, limits.total, limits.per_application, |counts| &counts.ordinary);
        let far = Class::new(FAR_KEEP, limits.far_total, limits.far_per_application, |counts| &counts.far);
        let shards =
            Shards::new(|| Mutex::new(Shard { ordinary: Generations::new(ordinary.period), far: None }));
        Self {
            clock,
            hash_key,
            ordinary,
            far,
            shards,
            applications: Applications::new(hash_key),
            totals: Apart(Counts::default()),
            sweeping: Apart(Sweeping { due: AtomicU64::new(0), next: AtomicUsize::new(0) }),
        }
    }

    /// [`NonceStore::record`], at once.
    ///
    /// # Errors
    /// [`NonceError::Full`], and [`NonceError::TooLong`] above 28 minutes.
    pub fn record_now(&self, app: &AppId, key: NonceKey, keep: Duration) -> Result<Seen, NonceError> {
        let far = keep > self.ordinary.keep;
        if far && keep > self.far.keep {
            return Err(NonceError::TooLong);
        }
        let now = self.now();
        let nonce = Fingerprint::of(self.hash_key, &key);
        let mut shard = lock(self.shards.of(nonce.hash()));
        let over = self.turn(&mut shard, now);
        let outcome = if shard.holds(nonce) {
            Ok(Seen::Before)
        } else if far {
            let period = self.far.period;
            let to = shard.far.get_or_insert_with(|| Box::new(Generations::at(now, period)));
            self.add(&self.far, to, app, nonce)
        } else {
            self.add(&self.ordinary, &mut shard.ordinary, app, nonce)
        };
        drop(shard);
        self.settle(over);
        self.sweep_some(now);
        outcome
    }

    /// [`NonceStore::contains`], at once.
    #[must_use]
    pub fn contains_now(&self, key: NonceKey) -> bool {
        let nonce = Fingerprint::of(self.hash_key, &key);
        lock(self.shards.of(nonce.hash())).holds(nonce)
    }

    /// Gives back the memory of generations that are over.
    ///
    /// Requests do this as they come; a timer does it for a service that has none.
    pub fn sweep(&self) {
        let now = self.now();
        for part in 0..SHARDS {
            self.sweep_part(part, now);
        }
    }

    /// Nonces of all applications that are kept now. It looks through all parts.
    #[must_use]
    pub fn live(&self) -> u32 {
        self.live_in(&self.totals.0).saturating_sub(self.unspent(None))
    }

    /// Nonces of one application that are kept now. It looks through all parts.
    #[must_use]
    pub fn live_of(&self, app: &AppId) -> u32 {
        let counted = self.applications.find(app, |counts| self.live_in(counts)).unwrap_or(0);
        counted.saturating_sub(self.unspent(Some(app)))
    }

    /// Bytes of memory that this table holds.
    #[must_use]
    pub fn allocated(&self) -> usize {
        let shards = self.shards.iter().map(|shard| {
            let shard = lock(shard);
            let far = shard.far.as_ref().map_or(0, |far| size_of::<Generations>() + far.allocated());
            size_of::<Apart<Mutex<Shard>>>() + shard.ordinary.allocated() + far
        });
        size_of::<Self>() + self.applications.allocated() + shards.sum::<usize>()
    }

    fn add(
        &self,
        class: &Class,
        to: &mut Generations,
        app: &AppId,
        nonce: Fingerprint,
    ) -> Result<Seen, NonceError> {
        if !to.credit.spend(app) {
            let wanted = if to.credit.is_used_up() { class.at_once } else { 1 };
            let counted = self.count(class, to.generation(), app, wanted)?;
            if counted > 1 {
                to.credit.fill(app, counted - 1);
            }
        }
        to.add(nonce);
        Ok(Seen::First)
    }

    /// Counts up to `wanted` entries for the application and for all, and at least one.
    fn count(&self, class: &Class, generation: u32, app: &AppId, wanted: u32) -> Result<u32, NonceError> {
        let total = (class.of)(&self.totals.0);
        let of_all = total.reserve(generation, class.total, wanted).ok_or(NonceError::Full)?;
        let own = self.applications.with(app, |counts| {
            (class.of)(counts).reserve(generation, class.per_application, of_all.entries())
        });
        let admitted = own.map_or(0, Reserved::entries);
        if admitted < of_all.entries() {
            total.release(of_all.but(admitted));
        }
        if admitted == 0 { Err(NonceError::Full) } else { Ok(admitted) }
    }

    /// What parts have counted ahead, for this application or for all.
    fn unspent(&self, app: Option<&AppId>) -> u32 {
        let in_part = |shard: &Mutex<Shard>| {
            let shard = lock(shard);
            shard.ordinary.credit.left(app) + shard.far.as_ref().map_or(0, |far| far.credit.left(app))
        };
        self.shards.iter().map(in_part).sum()
    }

    fn turn(&self, shard: &mut Shard, now: u64) -> [Option<Over>; 2] {
        let far = shard.far.as_mut().and_then(|far| far.turn(now, self.far.period));
        [shard.ordinary.turn(now, self.ordinary.period), far]
    }

    /// Takes back what was counted and not used in generations that are over, and gives their memory back.
    fn settle(&self, over: [Option<Over>; 2]) {
        for (class, over) in [&self.ordinary, &self.far].into_iter().zip(over) {
            let Some((generation, credit)) = over.map(|over| over.unspent) else { continue };
            let Some((app, left)) = credit.into_left() else { continue };
            let left = Reserved::left_over(generation, left);
            (class.of)(&self.totals.0).release(left);
            self.applications.find(&app, |counts| (class.of)(counts).release(left));
        }
    }

    fn sweep_some(&self, now: u64) {
        let Sweeping { due, next } = &self.sweeping.0;
        if now < due.load(Ordering::Relaxed) {
            return;
        }
        let first = next.fetch_add(SWEPT_AT_ONCE, Ordering::Relaxed);
        // Past the end, another thread is just about to set the next time.
        for part in first..(first + SWEPT_AT_ONCE).min(SHARDS) {
            self.sweep_part(part, now);
        }
        if first < SHARDS && first + SWEPT_AT_ONCE >= SHARDS {
            due.store(self.ordinary.next(now), Ordering::Relaxed);
            next.store(0, Ordering::Relaxed);
        }
    }

    fn sweep_part(&self, part: usize, now: u64) {
        let over = self.turn(&mut lock(self.shards.at(part)), now);
        self.settle(over);
        if part < applications::SHARDS {
            self.applications.prune(part, self.ordinary.generation(now), self.far.generation(now));
        }
    }

    fn live_in(&self, counts: &Counts) -> u32 {
        let now = self.now();
        let ordinary = counts.ordinary.live(self.ordinary.generation(now));
        ordinary.saturating_add(counts.far.live(self.far.generation(now)))
    }

    fn now(&self) -> u64 {
        millis(self.clock.monotonic())
    }
}

impl Shard {
    fn holds(&self, nonce: Fingerprint) -> bool {
        self.ordinary.holds(nonce) || self.far.as_ref().is_some_and(|far| far.holds(nonce))
    }
}

impl NonceStore for MemoryNonces {
    fn record(
        &self,
        app: &AppId,
        key: NonceKey,
        keep: Duration,
    ) -> impl Future<Output = Result<Seen, NonceError>> + Send {
        ready(self.record_now(app, key, keep))
    }

    fn contains(&self, key: NonceKey) -> impl Future<Output = Result<bool, NonceError>> + Send {
        ready(Ok(self.contains_now(key)))
    }

    fn is_shared(&self) -> bool {
        false
    }
}

impl fmt::Debug for MemoryNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryNonces").field("live", &self.live()).finish_non_exhaustive()
    }
}

impl Class {
    fn new(keep: Duration, total: u32, per_application: u32, of: fn(&Counts) -> &Count) -> Self {
        let whole = keep.as_secs().saturating_add(u64::from(keep.subsec_nanos() > 0)).max(1);
        let keep = Duration::from_secs(whole);
        // Were every part to keep all it counted ahead, that were less than one entry in 64.
        let parts = u32::try_from(SHARDS).unwrap_or(u32::MAX);
        let at_once = (total.min(per_application) / (64 * parts)).clamp(1, 16);
        Self { keep, period: millis(keep), total, per_application, at_once, of }
    }

    fn generation(&self, now: u64) -> u32 {
        u32::try_from(now / self.period).unwrap_or(u32::MAX)
    }

    /// When the generation after this one begins.
    fn next(&self, now: u64) -> u64 {
        (now / self.period).saturating_add(1).saturating_mul(self.period)
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000).saturating_add(u64::from(duration.subsec_millis()))
}

/// An envelope begins at most 5 min + skew (60 s) ahead and lasts 15 min; its nonces go 5 min after it. Two minutes to spare.
const FAR_KEEP: Duration = Duration::from_secs(28 * 60);

/// Many, so that a part's table stays small: growing or dropping it takes microseconds.
const SHARDS: usize = 512;
const SWEPT_AT_ONCE: usize = 2;

#[cfg(test)]
mod tests;
