use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use taa_core::id::AppId;

use super::{MemoryNonces, NonceKey};

/// Whether a nonce was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was recorded earlier: the request is `REPLAYED`.
    Before,
    /// It was not there, and is now.
    First,
}

/// Where nonces are kept.
///
/// Only the requests of sessions that were proven reach it (wire document, section 5: the tag is step 5, the nonce step 7).
pub trait NonceStore: fmt::Debug + Send + Sync + 'static {
    /// Looks up and records in **one** atomic step: of any number of callers with one key, on all nodes, exactly one is told
    /// [`Seen::First`].
    ///
    /// The nonce is kept for at least `keep` from now, by a clock that does not jump, and counts for `app`. `keep` ends at
    /// `created` + the server's greatest timeout + 60 s, at most 5 minutes after the envelope (wire document, section 4).
    ///
    /// # Errors
    /// [`NonceError`]. Then the request is refused; nothing may have been recorded.
    fn record(
        &self,
        app: &AppId,
        key: NonceKey,
        keep: Duration,
    ) -> impl Future<Output = Result<Seen, NonceError>> + Send;

    /// Looks up without recording: for a certificate that can never be valid (wire document, section 4).
    ///
    /// # Errors
    /// [`NonceError`]. Then the request is refused.
    fn contains(&self, key: NonceKey) -> impl Future<Output = Result<bool, NonceError>> + Send;

    /// Whether all nodes that answer for one server id may use it together. A server with replicas demands it.
    fn is_shared(&self) -> bool;
}

/// A future in a box.
pub type BoxedFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`NonceStore`] behind a pointer. Implement that one; this comes with it.
pub trait DynNonceStore: fmt::Debug + Send + Sync + 'static {
    /// See [`NonceStore::record`].
    fn record_dyn<'a>(
        &'a self,
        app: &'a AppId,
        key: NonceKey,
        keep: Duration,
    ) -> BoxedFuture<'a, Result<Seen, NonceError>>;

    /// See [`NonceStore::contains`].
    fn contains_dyn(&self, key: NonceKey) -> BoxedFuture<'_, Result<bool, NonceError>>;

    /// See [`NonceStore::is_shared`].
    fn is_shared_dyn(&self) -> bool;
}

impl<S: NonceStore> DynNonceStore for S {
    fn record_dyn<'a>(
        &'a self,
        app: &'a AppId,
        key: NonceKey,
        keep: Duration,
    ) -> BoxedFuture<'a, Result<Seen, NonceError>> {
        Box::pin(self.record(app, key, keep))
    }

    fn contains_dyn(&self, key: NonceKey) -> BoxedFuture<'_, Result<bool, NonceError>> {
        Box::pin(self.contains(key))
    }

    fn is_shared_dyn(&self) -> bool {
        self.is_shared()
    }
}

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

    /// See [`NonceStore::record`].
    ///
    /// # Errors
    /// [`NonceError`]. Then the request is refused.
    pub async fn record(&self, app: &AppId, key: NonceKey, keep: Duration) -> Result<Seen, NonceError> {
        match &self.0 {
            Place::Memory(nonces) => nonces.record_now(app, key, keep),
            Place::Store(store) => store.record_dyn(app, key, keep).await,
        }
    }

    /// See [`NonceStore::contains`].
    ///
    /// # Errors
    /// [`NonceError`]. Then the request is refused.
    pub async fn contains(&self, key: NonceKey) -> Result<bool, NonceError> {
        match &self.0 {
            Place::Memory(nonces) => Ok(nonces.contains_now(key)),
            Place::Store(store) => store.contains_dyn(key).await,
        }
    }

    /// See [`NonceStore::is_shared`].
    #[must_use]
    pub fn is_shared(&self) -> bool {
        match &self.0 {
            Place::Memory(_) => false,
            Place::Store(store) => store.is_shared_dyn(),
        }
    }
}

/// A nonce could not be recorded. The request is refused, never let through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NonceError {
    /// There is no room, for this application or for all: `BUSY`.
    #[error("the nonce table is full")]
    Full,
    /// The nonce would have to be kept longer than this store keeps any: `SYSTEM`. No certificate that the wire document
    /// allows needs it.
    #[error("a nonce cannot be kept for so long")]
    TooLong,
    /// The store did not answer, or not as it should: `SYSTEM`.
    #[error("the nonce store is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Waker};

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
