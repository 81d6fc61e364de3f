//! The store: what is read is one [`Snapshot`] after the other, what is changed passes through one row of the database.

mod applications;
mod audit;
mod certificates;
mod change;
mod detail;
mod follow;
mod legacy_key;
mod nodes;
mod own;
mod peer_keys;
mod pending;
mod publish;
mod read;
mod rotation;
mod sealing;
mod servers;
mod traces;
mod users;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool};
use taa_core::crypto::{CryptoProvider, Random};
use taa_core::time::{Clock, UnixMillis};
use tokio::sync::{Mutex, OwnedMutexGuard};

use self::publish::Observers;
use self::read::Cache;
use crate::db::{self, Engine};
use crate::error::StoreError;
use crate::model::Snapshot;
use crate::open::OpenOptions;
use crate::seal::Kek;

/// The store. Cloning shares it.
///
/// A change returns after it is durable and after every observer in this process has seen the new snapshot: it is in
/// force for the next request. Once begun to be written it is carried through, even when the caller goes away.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    pool: AnyPool,
    engine: Engine,
    provider: Arc<dyn CryptoProvider>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    kek: RwLock<Option<Arc<Kek>>>,
    current: ArcSwap<Snapshot>,
    observers: Observers,
    /// Held while a snapshot is read, published and shown to the observers, so that they see one after the other.
    cache: Mutex<Cache>,
    /// Held while this process changes something: changes queue here, not at the database, where each would hold a
    /// connection and be sent away after some seconds.
    turn: Arc<Mutex<()>>,
}

impl Store {
    /// Opens or makes the database, brings its tables up to date, and checks that the private keys open.
    ///
    /// A store whose keys are in the clear is sealed at once when a passphrase or key file is given.
    ///
    /// # Errors
    /// When the database cannot be reached or is of a newer version, the passphrase or key file is missing or wrong, or
    /// the own identity cannot be read. Records of peers that cannot be read are no error.
    pub async fn open(options: OpenOptions) -> Result<Self, StoreError> {
        let (pool, engine) = db::connect(&options.url.0).await?;
        let store = Self(Arc::new(Inner {
            pool,
            engine,
            provider: options.provider,
            clock: options.clock,
            random: options.random,
            kek: RwLock::new(None),
            current: ArcSwap::from_pointee(Snapshot::empty()),
            observers: Observers::default(),
            cache: Mutex::default(),
            turn: Arc::default(),
        }));
        let opened = async {
            store.unlock(options.seal).await?;
            store.poll().await
        };
        match opened.await {
            Ok(_) => Ok(store),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }

    /// Gives back the connections to the database. What is asked of the store afterwards fails, in all its clones;
    /// [`snapshot`](Self::snapshot) still gives the last one.
    pub async fn close(&self) {
        self.0.pool.close().await;
    }

    /// The newest snapshot that was read; never blocks.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.current.load_full()
    }

    /// The clock it was opened with.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Whether other machines can use this store too: PostgreSQL.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.engine.is_shared()
    }

    /// Whether private keys are sealed at rest.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.kek().is_some()
    }

    fn kek(&self) -> Option<Arc<Kek>> {
        self.0.kek.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_kek(&self, kek: Option<Kek>) {
        *self.0.kek.write().unwrap_or_else(PoisonError::into_inner) = kek.map(Arc::new);
    }

    fn now(&self) -> Result<UnixMillis, StoreError> {
        self.0.clock.wall().map_err(|_| StoreError::Time)
    }

    async fn connection(&self) -> Result<PoolConnection<Any>, StoreError> {
        db::within(self.0.pool.acquire()).await
    }

    /// A connection for a statement that writes outside of a change.
    async fn writing(&self) -> Result<(PoolConnection<Any>, Option<OwnedMutexGuard<()>>), StoreError> {
        let turn = self.turn_to_write().await;
        Ok((self.connection().await?, turn))
    }

    /// To write outside of a change: SQLite has one writer at a time.
    async fn turn_to_write(&self) -> Option<OwnedMutexGuard<()>> {
        if self.is_shared() { None } else { Some(Arc::clone(&self.0.turn).lock_owned().await) }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store(generation {})", self.snapshot().generation)
    }
}

/// Work that takes a while, away from the threads that serve requests.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Database(Box::new(error)))?
}
