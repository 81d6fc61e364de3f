use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crossbeam_utils::sync::ShardedLock;
use hashbrown::HashTable;
use taa_core::id::AppId;
use taa_core::time::UnixMillis;

use super::ledger::Ledger;
use super::{Kept, SessionName, Tabled};
use crate::limit::shards::{Apart, Shards, lock, whole};

/// How many sessions a [`SessionTable`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// The most for all applications: 100,000 unless configured otherwise.
    pub total: usize,
    /// The most for one application: 10,000 unless configured otherwise.
    pub per_application: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { total: 100_000, per_application: 10_000 }
    }
}

/// The sessions that this process has opened.
///
/// A look-up takes the read lock of one of many parts, and of that a place that its thread shares with few others: most
/// services have one application with one session, which all their cores look up. It notes the use by a number in the
/// entry: how many sessions were opened before. So it writes once in each session between two openings, and nothing that
/// other sessions share. Opening and removing take one more lock, over all; they are as rare as RSA.
///
/// Bounded for all and per application. A full table drops the application's least recently used one, or, if it has none, the
/// least recently used one of the application that has most (wire document, section 3). Uses between two openings count as
/// at once. A limit of zero counts as one.
///
/// Only an envelope whose signature was found good may be put here.
pub struct SessionTable<S> {
    limits: SessionLimits,
    shards: Shards<ShardedLock<Shard<S>>, SHARDS>,
    ledger: Apart<Mutex<Ledger<S>>>,
    /// Twice the sessions that were opened, so that a number between two openings is free for uses.
    openings: Apart<AtomicU64>,
}

struct Shard<S> {
    sessions: HashTable<Slot<S>>,
    /// None of them is over before this.
    over_from: UnixMillis,
}

struct Slot<S> {
    kept: Arc<Kept<S>>,
    /// In whole seconds, rounded up. Here, so that looking for what is over does not have to go and see each session.
    expires_s: u32,
}

impl<S: Tabled> SessionTable<S> {
    /// An empty table.
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self {
            limits: SessionLimits {
                total: limits.total.max(1),
                per_application: limits.per_application.max(1),
            },
            shards: Shards::new(|| {
                ShardedLock::new(Shard { sessions: HashTable::new(), over_from: UnixMillis(u64::MAX) })
            }),
            ledger: Apart(Mutex::new(Ledger::new())),
            openings: Apart(AtomicU64::new(0)),
        }
    }

    /// The session of this name, if it is known and not over at `now`.
    #[must_use]
    pub fn find(&self, name: SessionName, now: UnixMillis) -> Option<Arc<Kept<S>>> {
        let kept = {
            let shard = whole(self.shards.of(name.hash()).read());
            let slot = shard.sessions.find(name.hash(), |slot| slot.kept.name == name)?;
            if slot.is_over(now) {
                return None;
            }
            Arc::clone(&slot.kept)
        };
        let used = self.openings.0.load(Ordering::Relaxed) + 1;
        if kept.used.load(Ordering::Relaxed) < used {
            kept.used.fetch_max(used, Ordering::Relaxed);
        }
        Some(kept)
    }

    /// Keeps a session until `expires`, rounded up to a second, and drops what is over and what has no room.
    ///
    /// If another request has opened the same one meanwhile, that one stays and comes back: all requests of a session share
    /// one value. One that is over already is not kept.
    pub fn insert(
        &self,
        name: SessionName,
        session: S,
        expires: UnixMillis,
        now: UnixMillis,
    ) -> Arc<Kept<S>> {
        let mut dropped = Vec::new();
        let mut ledger = lock(&self.ledger.0);
        self.take_out_over(&mut ledger, now, &mut dropped);
        if let Some(known) = self.peek(name) {
            return known;
        }
        let used = AtomicU64::new(self.next_opening());
        let kept = Arc::new(Kept { name, used, filed: AtomicU64::new(0), session });
        let slot = Slot::new(Arc::clone(&kept), expires);
        if slot.is_over(now) {
            return kept;
        }
        // More than once only if the limits are, one day, lowered while the table is in use.
        while let Some(victim) = self.victim(&mut ledger, kept.application()) {
            self.take_out(&mut ledger, victim, &mut dropped);
        }
        ledger.add(Arc::clone(&kept));
        let mut shard = whole(self.shards.of(name.hash()).write());
        shard.over_from = shard.over_from.min(slot.expires());
        shard.sessions.insert_unique(name.hash(), slot, |slot| slot.kept.name.hash());
        drop(shard);
        drop(ledger);
        // Sessions wipe their keys when they go: not under the lock.
        drop(dropped);
        kept
    }

    /// Drops all sessions of one application, and says how many there were.
    ///
    /// That is tidiness, not what revokes it: each request looks its application up afresh.
    pub fn remove_application(&self, app: &AppId) -> usize {
        let mut dropped = Vec::new();
        let mut ledger = lock(&self.ledger.0);
        for kept in ledger.of_application(app) {
            self.take_out(&mut ledger, kept, &mut dropped);
        }
        drop(ledger);
        dropped.len()
    }

    /// Drops the sessions for which `keep` is false, those of a revoked key for example, and says how many there were.
    pub fn retain(&self, keep: impl Fn(&S) -> bool) -> usize {
        let mut dropped = Vec::new();
        let mut ledger = lock(&self.ledger.0);
        let gone: Vec<_> = ledger.all().filter(|kept| !keep(kept)).cloned().collect();
        for kept in gone {
            self.take_out(&mut ledger, kept, &mut dropped);
        }
        drop(ledger);
        dropped.len()
    }

    /// Drops the sessions that are over, and says how many there were. Opening one does this as well.
    pub fn remove_expired(&self, now: UnixMillis) -> usize {
        let mut dropped = Vec::new();
        let mut ledger = lock(&self.ledger.0);
        self.take_out_over(&mut ledger, now, &mut dropped);
        drop(ledger);
        dropped.len()
    }

    /// Sessions of all applications, with those that are over and not dropped yet.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.ledger.0).len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sessions of one application.
    #[must_use]
    pub fn len_of(&self, app: &AppId) -> usize {
        lock(&self.ledger.0).len_of(app)
    }

    /// The one that has to go before this application may have another; `None` when there is room.
    fn victim(&self, ledger: &mut Ledger<S>, app: &AppId) -> Option<Arc<Kept<S>>> {
        let own = ledger.len_of(app);
        if own < self.limits.per_application && ledger.len() < self.limits.total {
            return None;
        }
        if own > 0 {
            return ledger.least_recently_used(app);
        }
        let largest = ledger.largest()?;
        ledger.least_recently_used(&largest)
    }

    /// Looks only through the parts that have something that is over.
    fn take_out_over(&self, ledger: &mut Ledger<S>, now: UnixMillis, dropped: &mut Vec<Arc<Kept<S>>>) {
        for shard in self.shards.iter() {
            if whole(shard.read()).over_from > now {
                continue;
            }
            let mut shard = whole(shard.write());
            let first = dropped.len();
            dropped.extend(shard.sessions.extract_if(|slot| slot.is_over(now)).map(|slot| slot.kept));
            shard.over_from = shard.sessions.iter().map(Slot::expires).min().unwrap_or(UnixMillis(u64::MAX));
            shard.give_back();
            drop(shard);
            dropped.iter().skip(first).for_each(|kept| ledger.remove(kept));
        }
    }

    fn take_out(&self, ledger: &mut Ledger<S>, kept: Arc<Kept<S>>, dropped: &mut Vec<Arc<Kept<S>>>) {
        ledger.remove(&kept);
        let mut shard = whole(self.shards.of(kept.name.hash()).write());
        if let Ok(found) = shard.sessions.find_entry(kept.name.hash(), |slot| slot.kept.name == kept.name) {
            let _ = found.remove();
        }
        shard.give_back();
        drop(shard);
        dropped.push(kept);
    }

    fn peek(&self, name: SessionName) -> Option<Arc<Kept<S>>> {
        let shard = whole(self.shards.of(name.hash()).read());
        shard.sessions.find(name.hash(), |slot| slot.kept.name == name).map(|slot| Arc::clone(&slot.kept))
    }

    fn next_opening(&self) -> u64 {
        self.openings.0.fetch_add(2, Ordering::Relaxed) + 2
    }
}

impl<S> Shard<S> {
    /// Gives memory back once most of it is empty.
    fn give_back(&mut self) {
        let (len, capacity) = (self.sessions.len(), self.sessions.capacity());
        if capacity > 64 && capacity > 8 * len {
            self.sessions.shrink_to(4 * len, |slot| slot.kept.name.hash());
        }
    }
}

impl<S> Slot<S> {
    fn new(kept: Arc<Kept<S>>, expires: UnixMillis) -> Self {
        // The year 2106 is the last; a session that ends later is over at once.
        let expires_s = u32::try_from(expires.0.div_ceil(1_000)).unwrap_or_default();
        Self { kept, expires_s }
    }

    fn expires(&self) -> UnixMillis {
        UnixMillis(u64::from(self.expires_s) * 1_000)
    }

    fn is_over(&self, now: UnixMillis) -> bool {
        self.expires() <= now
    }
}

impl<S> fmt::Debug for SessionTable<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTable").field("limits", &self.limits).finish_non_exhaustive()
    }
}

const SHARDS: usize = 128;

#[cfg(test)]
mod tests;
