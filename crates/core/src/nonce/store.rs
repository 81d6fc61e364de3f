use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::NonceKey;
use crate::id::AppId;

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

    /// Goes on after the store lost its memory, of which it told with [`NonceError::Forgotten`]. Until this was called it
    /// answers nothing else. The caller has made sure before that nothing can be accepted whose nonce may be lost: it
    /// has raised its fence.
    ///
    /// # Errors
    /// [`NonceError`]. Then the store goes on answering [`NonceError::Forgotten`].
    fn resume(&self) -> impl Future<Output = Result<(), NonceError>> + Send {
        std::future::ready(Ok(()))
    }
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

    /// See [`NonceStore::resume`].
    fn resume_dyn(&self) -> BoxedFuture<'_, Result<(), NonceError>>;
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

    fn resume_dyn(&self) -> BoxedFuture<'_, Result<(), NonceError>> {
        Box::pin(self.resume())
    }
}

/// A nonce could not be recorded. The request is refused, never let through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NonceError {
    /// The store lost its memory, by a restart for example: `SYSTEM`. Nonces that were recorded before may be gone, so the
    /// server raises its fence and then calls [`NonceStore::resume`].
    #[error("the nonce store lost its memory")]
    Forgotten,
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
