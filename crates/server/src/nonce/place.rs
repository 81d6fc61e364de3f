use std::sync::Arc;
use std::time::Duration;

use taa_core::id::AppId;
use taa_core::nonce::{DynNonceStore, NonceError, NonceKey, Seen};

use super::MemoryNonces;

/// The store that a server uses: this process's memory, or another one.
///
/// Memory is called directly, so that it costs no allocation and never waits; another store is called through
/// [`DynNonceStore`], where a box is nothing beside the way over the network.
#[derive(Clone, Debug)]
pub struct Nonces(Place);

#[derive(Clone, Debug)]
enum Place {
    Memory(Arc<MemoryNonces>),
    Store(Arc<dyn DynNonceStore>),
}

impl Nonces {
    /// In the memory of this process.
    #[must_use]
    pub fn memory(nonces: Arc<MemoryNonces>) -> Self {
        Self(Place::Memory(nonces))
    }

    /// In another store.
    #[must_use]
    pub fn store(store: Arc<dyn DynNonceStore>) -> Self {
        Self(Place::Store(store))
    }

    /// See [`NonceStore::record`](taa_core::nonce::NonceStore::record).
    ///
    /// # Errors
    /// [`NonceError`]. Then the request is refused.
    pub async fn record(&self, app: &AppId, key: NonceKey, keep: Duration) -> Result<Seen, NonceError> {
        match &self.0 {
            Place::Memory(nonces) => nonces.record_now(app, key, keep),
            Place::Store(store) => store.record_dyn(app, key, keep).await,
        }
    }

    /// See [`NonceStore::contains`](taa_core::nonce::NonceStore::contains).
    ///
    /// # Errors
    /// [`NonceError`]. Then the request is refused.
    pub async fn contains(&self, key: NonceKey) -> Result<bool, NonceError> {
        match &self.0 {
            Place::Memory(nonces) => Ok(nonces.contains_now(key)),
            Place::Store(store) => store.contains_dyn(key).await,
        }
    }

    /// See [`NonceStore::resume`](taa_core::nonce::NonceStore::resume). Memory forgets nothing.
    ///
    /// # Errors
    /// [`NonceError`]. Then the store goes on refusing.
    pub async fn resume(&self) -> Result<(), NonceError> {
        match &self.0 {
            Place::Memory(_) => Ok(()),
            Place::Store(store) => store.resume_dyn().await,
        }
    }

    /// See [`NonceStore::is_shared`](taa_core::nonce::NonceStore::is_shared).
    #[must_use]
    pub fn is_shared(&self) -> bool {
        match &self.0 {
            Place::Memory(_) => false,
            Place::Store(store) => store.is_shared_dyn(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Waker};

    use taa_core::nonce::NonceStore;
    use taa_core::time::{ManualClock, UnixMillis};

    use super::*;
    use crate::nonce::NonceLimits;

    #[derive(Debug, Default)]
    struct OneNonce(AtomicBool);

    impl NonceStore for OneNonce {
        async fn record(&self, _: &AppId, _: NonceKey, keep: Duration) -> Result<Seen, NonceError> {
            if keep > Duration::from_secs(60) {
                return Err(NonceError::Unavailable("no answer".into()));
            }
            Ok(if self.0.swap(true, Ordering::SeqCst) { Seen::Before } else { Seen::First })
        }
        async fn contains(&self, _: NonceKey) -> Result<bool, NonceError> {
            Ok(self.0.load(Ordering::SeqCst))
        }
        fn is_shared(&self) -> bool {
            true
        }
    }

    /// The answer of a future that never waits.
    fn ready<T>(future: impl Future<Output = T>) -> T {
        match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn another_store_is_called_through_its_pointer() {
        let nonces = Nonces::store(Arc::new(OneNonce::default()));
        let (app, key) = (AppId::parse("wiki").unwrap(), NonceKey::of_request(&[0; 32], &[0; 16]));
        assert!(nonces.is_shared());
        assert!(!ready(nonces.contains(key)).unwrap());
        assert_eq!(ready(nonces.record(&app, key, Duration::ZERO)).unwrap(), Seen::First);
        assert_eq!(ready(nonces.record(&app, key, Duration::ZERO)).unwrap(), Seen::Before);
        assert!(ready(nonces.contains(key)).unwrap());
        let error = ready(nonces.record(&app, key, Duration::MAX)).unwrap_err();
        assert_eq!(error.to_string(), "the nonce store is not available");
        assert_eq!(error.source().unwrap().to_string(), "no answer");
    }

    #[test]
    fn memory_answers_at_once() {
        let clock = Arc::new(ManualClock::new(UnixMillis(0)));
        let nonces = Nonces::memory(Arc::new(MemoryNonces::new(clock, [1; 16], NonceLimits::default())));
        let (app, key) = (AppId::parse("wiki").unwrap(), NonceKey::of_request(&[0; 32], &[0; 16]));
        assert!(!nonces.is_shared());
        assert_eq!(ready(nonces.record(&app, key, Duration::ZERO)).unwrap(), Seen::First);
        assert_eq!(ready(nonces.record(&app, key, Duration::ZERO)).unwrap(), Seen::Before);
        assert!(ready(nonces.contains(key)).unwrap());
    }
}
