use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Store;
use super::read::{self, State};
use crate::db;
use crate::error::StoreError;
use crate::model::Snapshot;

type Observer = Arc<dyn Fn(&Arc<Snapshot>) + Send + Sync>;

/// Who is told of every snapshot.
#[derive(Default)]
pub(super) struct Observers(Mutex<Vec<Observer>>);

impl Observers {
    fn add(&self, observer: Observer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    fn tell(&self, snapshot: &Arc<Snapshot>) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for observer in all {
            observer(snapshot);
        }
    }
}

impl Store {
    /// Asks the database whether anything has changed and reads it if so; then tells the observers either way.
    ///
    /// # Errors
    /// When the database fails or the own identity cannot be read. The snapshot that was read before stays.
    pub async fn poll(&self) -> Result<Arc<Snapshot>, StoreError> {
        self.renew(None).await
    }

    /// `observer` is called with the newest snapshot whenever the database confirmed or changed it, before the call that
    /// changed it returns, and never with an older one after a newer one. It must be quick and must not call the store.
    pub fn observe(&self, observer: impl Fn(&Arc<Snapshot>) + Send + Sync + 'static) {
        self.0.observers.add(Arc::new(observer));
    }

    /// Publishes a snapshot of this generation or a later one, unless that has happened.
    pub(super) async fn renew_to(&self, generation: u64) -> Result<Arc<Snapshot>, StoreError> {
        self.renew(Some(generation)).await
    }

    async fn renew(&self, wanted: Option<u64>) -> Result<Arc<Snapshot>, StoreError> {
        let mut cache = self.0.cache.lock().await;
        if wanted.is_some_and(|wanted| cache.seen().is_some_and(|seen| seen.generation >= wanted)) {
            // Another task has read and published it in the meantime.
            return Ok(self.snapshot());
        }
        if wanted.is_none() && cache.seen() == Some(State::read(&mut *self.connection().await?).await?) {
            let snapshot = self.snapshot();
            self.0.observers.tell(&snapshot);
            return Ok(snapshot);
        }
        let rows = {
            let mut reading = db::begin(&self.0.pool, self.0.engine.begin_reading()).await?;
            let rows = read::Rows::fetch(&mut reading).await?;
            db::within(reading.rollback()).await?;
            rows
        };
        let (provider, kek) = (Arc::clone(&self.0.provider), self.kek());
        let before = std::mem::take(&mut *cache);
        let (after, snapshot) =
            super::aside(move || Ok(before.read(rows, &*provider, kek.as_deref()))).await?;
        *cache = after;
        let snapshot = Arc::new(snapshot?);
        let before = self.0.current.swap(Arc::clone(&snapshot));
        if snapshot.generation < before.generation {
            // Nothing of this software does that: somebody has put an older copy of the database in its place.
            tracing::warn!(
                target: "taa", before = before.generation, now = snapshot.generation,
                "the store went back to an older state"
            );
        }
        self.0.observers.tell(&snapshot);
        Ok(snapshot)
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observers(..)")
    }
}
