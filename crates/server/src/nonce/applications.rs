use std::hash::Hasher;
use std::mem::size_of;
use std::sync::RwLock;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use taa_core::id::AppId;

use super::count::Count;
use crate::limit::shards::{Shards, read, write};

/// How many nonces each application has in the table.
///
/// One entry for each application that has live nonces; the sweep drops the others. Ids come from verified requests only.
pub(super) struct Applications {
    hash_key: (u64, u64),
    shards: Shards<RwLock<HashTable<Application>>, SHARDS>,
}

struct Application {
    id: AppId,
    counts: Counts,
}

/// The counts of one application, a class each.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) ordinary: Count,
    pub(super) far: Count,
}

impl Applications {
    pub(super) fn new(hash_key: (u64, u64)) -> Self {
        Self { hash_key, shards: Shards::new(|| RwLock::new(HashTable::new())) }
    }

    /// Does something with the counts of this application, which are made if there are none.
    pub(super) fn with<T>(&self, id: &AppId, act: impl FnOnce(&Counts) -> T) -> T {
        let hash = self.hash(id);
        let shard = self.shards.of(hash);
        if let Some(known) = read(shard).find(hash, |application| application.id == *id) {
            return act(&known.counts);
        }
        let mut table = write(shard);
        let entry = table
            .entry(hash, |application| application.id == *id, |application| self.hash(&application.id))
            .or_insert_with(|| Application { id: id.clone(), counts: Counts::default() });
        act(&entry.get().counts)
    }

    /// As [`with`](Self::with), for an application that has counts.
    pub(super) fn find<T>(&self, id: &AppId, act: impl FnOnce(&Counts) -> T) -> Option<T> {
        let hash = self.hash(id);
        read(self.shards.of(hash))
            .find(hash, |application| application.id == *id)
            .map(|known| act(&known.counts))
    }

    /// Drops, in one part, the applications without live nonces.
    pub(super) fn prune(&self, part: usize, ordinary: u32, far: u32) {
        let mut table = write(self.shards.at(part));
        table.retain(|known| known.counts.ordinary.live(ordinary) > 0 || known.counts.far.live(far) > 0);
        if table.capacity() > 4 * table.len() {
            let len = table.len();
            table.shrink_to(len, |application| self.hash(&application.id));
        }
    }

    /// Bytes held.
    pub(super) fn allocated(&self) -> usize {
        size_of::<RwLock<HashTable<Application>>>() * SHARDS
            + self.shards.iter().map(|shard| read(shard).allocation_size()).sum::<usize>()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).len()).sum()
    }

    fn hash(&self, id: &AppId) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1);
        hasher.write(id.as_str().as_bytes());
        hasher.finish()
    }
}

pub(super) const SHARDS: usize = 64;
