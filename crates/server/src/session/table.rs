use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use hashbrown::HashTable;
use taa_core::id::AppId;
use taa_core::time::UnixMillis;

use super::SessionName;
use super::ledger::{Entry, Ledger};
use crate::limit::shards::{Apart, Shards, lock, read, write};

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
/// A look-up takes the read lock of one of many parts. It notes the use by a number in the entry, and nothing at all if
/// the session was also the last one used. Opening and removing take one more lock, over all; they are as rare as RSA.
///
/// Bounded for all and per application. A full table drops the application's least recently used one, or, if it has none, the
/// least recently used one of the application that has most (wire document, section 3). The order is exact. A limit of zero
/// counts as one.
///
/// Only an envelope whose signature was found good may be put here.
pub struct SessionTable<S> {
    limits: SessionLimits,
    shards: Shards<RwLock<HashTable<Arc<Entry<S>>>>, SHARDS>,
    ledger: Apart<Mutex<Ledger<S>>>,
    uses: Apart<AtomicU64>,
}

impl<S> SessionTable<S> {
    /// An empty table.
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self {
            limits: SessionLimits {
                total: limits.total.max(1),
                per_application: limits.per_application.max(1),
            },
            shards: Shards::new(|| RwLock::new(HashTable::new())),
            ledger: Apart(Mutex::new(Ledger::new())),
            uses: Apart(AtomicU64::new(0)),
        }
    }

    /// The session of this name, if it is known and not over at `now`.
    #[must_use]
    pub fn find(&self, name: SessionName, now: UnixMillis) -> Option<Arc<S>> {
        let hash = name.hash();
        let shard = read(self.shards.of(hash));
        let entry = shard.find(hash, |entry| entry.name == name)?;
        if entry.expires <= now {
            return None;
        }
        // One session in a row is the last one used already, and writes nothing that others read.
        if entry.used.load(Ordering::Relaxed) != self.uses.0.load(Ordering::Relaxed) {
            entry.used.fetch_max(self.next_use(), Ordering::Relaxed);
        }
        Some(entry.value.clone())
    }

    /// Keeps a session until `expires`, and drops what is over and what has no room.
    ///
    /// If another request has opened the same one meanwhile, that one stays and comes back: all requests of a session share
    /// one value. One that is over already is not kept.
    pub fn insert(
        &self,
        name: SessionName,
        app: &AppId,
        expires: UnixMillis,
        value: Arc<S>,
        now: UnixMillis,
    ) -> Arc<S> {
        let mut dropped = Vec::new();
        let mut ledger = lock(&self.ledger.0);
        while let Some(over) = ledger.over(now) {
            self.take_out(&mut ledger, over, &mut dropped);
        }
        if let Some(known) = self.peek(name) {
            return known;
        }
        if expires <= now {
            return value;
        }
        // More than once only if the limits are, one day, lowered while the table is in use.
        while let Some(victim) = self.victim(&mut ledger, app) {
            self.take_out(&mut ledger, victim, &mut dropped);
        }
        let entry = Arc::new(Entry {
            name,
            app: app.clone(),
            expires,
            value: value.clone(),
            used: AtomicU64::new(self.next_use()),
            filed: AtomicU64::new(0),
        });
        ledger.add(entry.clone());
        write(self.shards.of(name.hash())).insert_unique(name.hash(), entry, |entry| entry.name.hash());
        drop(ledger);
        // Sessions wipe their keys when they go: not under the lock.
        drop(dropped);
        value
    }

    /// Drops all sessions of one application, and says how many there were.
    ///
    /// That is tidiness, not what revokes it: each request looks its application up afresh.
    pub fn remove_application(&self, app: &AppId) -> usize {
        let mut dropped = Vec::new();
        let mut ledger = lock(&self.ledger.0);
        for entry in ledger.of_application(app) {
            self.take_out(&mut ledger, entry, &mut dropped);
        }
        drop(ledger);
        dropped.len()
    }

    /// Drops the sessions for which `keep` is false, those of a revoked key for example, and says how many there were.
    pub fn retain(&self, keep: impl Fn(&AppId, &S) -> bool) -> usize {
        let mut dropped = Vec::new();
        let mut ledger = lock(&self.ledger.0);
        let gone: Vec<_> = ledger.all().filter(|entry| !keep(&entry.app, &entry.value)).cloned().collect();
        for entry in gone {
            self.take_out(&mut ledger, entry, &mut dropped);
        }
        drop(ledger);
        dropped.len()
    }

    /// Drops the sessions that are over, and says how many there were. Opening one does this as well.
    pub fn remove_expired(&self, now: UnixMillis) -> usize {
        let mut dropped = Vec::new();
        let mut ledger = lock(&self.ledger.0);
        while let Some(over) = ledger.over(now) {
            self.take_out(&mut ledger, over, &mut dropped);
        }
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
    fn victim(&self, ledger: &mut Ledger<S>, app: &AppId) -> Option<Arc<Entry<S>>> {
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

    fn take_out(&self, ledger: &mut Ledger<S>, entry: Arc<Entry<S>>, dropped: &mut Vec<Arc<Entry<S>>>) {
        ledger.remove(&entry);
        let hash = entry.name.hash();
        let mut shard = write(self.shards.of(hash));
        if let Ok(found) = shard.find_entry(hash, |held| held.name == entry.name) {
            let _ = found.remove();
        }
        if shard.capacity() > 64 && shard.capacity() > 8 * shard.len() {
            let half = 4 * shard.len();
            shard.shrink_to(half, |entry| entry.name.hash());
        }
        drop(shard);
        dropped.push(entry);
    }

    fn peek(&self, name: SessionName) -> Option<Arc<S>> {
        let hash = name.hash();
        read(self.shards.of(hash)).find(hash, |entry| entry.name == name).map(|entry| entry.value.clone())
    }

    fn next_use(&self) -> u64 {
        self.uses.0.fetch_add(1, Ordering::Relaxed) + 1
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
