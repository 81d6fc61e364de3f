//! What a server must remember beyond the end of its process.
//!
//! Two things are written before a request goes on, and then read at the next start: the *marks*, which tell what an earlier
//! process may have accepted (wire document, section 5), and the *floor*, which tells that version 4 was seen (section 8). A
//! third, when something was last used, is only noted.

use std::error::Error;
use std::fmt;
use std::future::Future;

use crate::id::{AppId, KeyId};
use crate::nonce::BoxedFuture;
use crate::policy::Protocol;
use crate::time::UnixMillis;

/// Up to which time requests may have been accepted: of one application in one version, or of all applications.
///
/// Each version has its own, because peers of versions 2 and 3 may date their requests 15 minutes ahead: one mark above
/// those would keep the application's requests of version 4 out for as long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose requests; `None` for those of every application.
    pub application: Option<AppId>,
    /// Of which version.
    pub protocol: Protocol,
    /// Nothing that was accepted is dated later than this.
    pub at: UnixMillis,
}

/// Where a server writes what must outlive its process.
///
/// An implementor must have written durably before `raise_mark` or `raise_floor` answers `Ok`, and must answer in
/// bounded time: requests wait for it.
pub trait Durable: fmt::Debug + Send + Sync + 'static {
    /// Raises the mark of an application in one version; never lowers it.
    ///
    /// # Errors
    /// When it is not certain that it was written. The request that needs it is then refused with `SYSTEM`.
    fn raise_mark(
        &self,
        application: &AppId,
        protocol: Protocol,
        mark: UnixMillis,
    ) -> impl Future<Output = Result<(), DurableError>> + Send;

    /// Version 4 was seen from this application: older ones are refused from now on, until a person lowers it.
    ///
    /// # Errors
    /// When it is not certain that it was written. The request that needs it is then refused with `SYSTEM`.
    fn raise_floor(&self, application: &AppId) -> impl Future<Output = Result<(), DurableError>> + Send;

    /// Takes note that a good request came: of a trusted application, signed with this key of it; and of the server itself,
    /// opened with this key. Must return at once; what it keeps may be written later, or be lost.
    fn used(&self, application: &AppId, key: Option<KeyId>, at: UnixMillis);
}

/// [`Durable`] behind a pointer. Implement that one; this comes with it.
pub trait DynDurable: fmt::Debug + Send + Sync + 'static {
    /// See [`Durable::raise_mark`].
    fn raise_mark_dyn<'a>(
        &'a self,
        application: &'a AppId,
        protocol: Protocol,
        mark: UnixMillis,
    ) -> BoxedFuture<'a, Result<(), DurableError>>;

    /// See [`Durable::raise_floor`].
    fn raise_floor_dyn<'a>(&'a self, application: &'a AppId) -> BoxedFuture<'a, Result<(), DurableError>>;

    /// See [`Durable::used`].
    fn used_dyn(&self, application: &AppId, key: Option<KeyId>, at: UnixMillis);
}

impl<D: Durable> DynDurable for D {
    fn raise_mark_dyn<'a>(
        &'a self,
        application: &'a AppId,
        protocol: Protocol,
        mark: UnixMillis,
    ) -> BoxedFuture<'a, Result<(), DurableError>> {
        Box::pin(self.raise_mark(application, protocol, mark))
    }

    fn raise_floor_dyn<'a>(&'a self, application: &'a AppId) -> BoxedFuture<'a, Result<(), DurableError>> {
        Box::pin(self.raise_floor(application))
    }

    fn used_dyn(&self, application: &AppId, key: Option<KeyId>, at: UnixMillis) {
        self.used(application, key, at);
    }
}

/// It is not certain that something was written durably. The request is refused, never let through.
#[derive(Debug, thiserror::Error)]
#[error("what must outlive the process could not be written")]
pub struct DurableError(#[source] Box<dyn Error + Send + Sync>);

impl DurableError {
    /// Wraps whatever went wrong, for the log.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}
