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
        let mut cache = self.0.cache.lock().await;
        let state = State::read(&mut *self.connection().await?).await?;
        if cache.seen() == Some(&state) {
            let snapshot = self.snapshot();
            self.0.observers.tell(&snapshot);
            return Ok(snapshot);
        }
        let (rows, follows) = {
            let mut reading = db::begin(&self.0.pool, self.0.engine.begin_reading()).await?;
            let follows = cache.is_past_of(&mut reading).await?;
            let rows = read::Rows::fetch(&mut reading).await?;
            db::within(reading.rollback()).await?;
            (rows, follows)
        };
        let before = self.snapshot();
        let set_back = if follows { before.set_back } else { Some(self.now()?) };
        let known = cache.take();
        // What is known of own keys goes by a generation, and that of another past says nothing.
        let known = if follows { known } else { known.without_own_keys() };
        let (provider, kek) = (Arc::clone(&self.0.provider), self.kek());
        let (known, snapshot) =
            super::aside(move || Ok(known.read(rows, &*provider, kek.as_deref()))).await?;
        *cache = known;
        let snapshot = Arc::new(Snapshot { set_back, ..snapshot? });
        if !follows {
            // Nothing of this software does that.
            tracing::error!(
                target: "taa", before = before.generation, now = snapshot.generation,
                "an older copy of the store, or another one, has been put in its place: what was changed since is lost"
            );
        }
        self.0.current.store(Arc::clone(&snapshot));
        self.0.observers.tell(&snapshot);
        Ok(snapshot)
    }

    /// `observer` is called with the newest snapshot whenever the database confirmed or changed it, before the call that
    /// changed it returns, and never with an older one after a newer one. It must be quick and must not call the store.
    pub fn observe(&self, observer: impl Fn(&Arc<Snapshot>) + Send + Sync + 'static) {
        self.0.observers.add(Arc::new(observer));
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observers(..)")
    }
}
