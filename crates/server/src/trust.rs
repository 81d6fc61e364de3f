use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::Extensions;
use taa_core::crypto::Random;
use taa_core::directory::Directory;
use taa_core::id::AppId;
use taa_core::identity::Identity;
use taa_core::policy::{GreatestTimeout, Skew, TrustedProxies};
use taa_core::time::Clock;

use crate::error::TrustError;
use crate::lease::Lease;
use crate::nonce::{Fence, Nonces, WallGuard};
use crate::resolver::{NameTransform, UserResolver};
use crate::sessions::SessionState;
use crate::write_ahead::WriteAhead;

/// A server's side of trust: who it is, whom it trusts, and what it remembers. Cloning shares it.
///
/// Make one per server id with [`Trust::builder`], and layers for routes with [`Trust::layer`].
pub struct Trust<R>(Arc<Inner<R>>);

pub(crate) struct Inner<R> {
    pub(crate) identity: ArcSwap<Identity>,
    pub(crate) directory: ArcSwap<Directory>,
    pub(crate) resolver: R,
    pub(crate) transform: NameTransform,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) peer: PeerFn,
    pub(crate) skew: Skew,
    pub(crate) greatest_timeout: GreatestTimeout,
    pub(crate) stripped_prefix: String,
    #[cfg(feature = "legacy")]
    pub(crate) older_versions: bool,
    pub(crate) request_limit: usize,
    pub(crate) response_limit: u64,
    pub(crate) nonces: Nonces,
    pub(crate) fence: Fence,
    pub(crate) write_ahead: Option<WriteAhead>,
    pub(crate) lease: Option<Lease>,
    pub(crate) wall_guard: WallGuard,
    pub(crate) sessions: SessionState,
}

pub(crate) type PeerFn = Box<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

/// The address of the socket a request came from, as the layer finds it in the request's extensions by default.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub IpAddr);

impl<R: UserResolver> Trust<R> {
    pub(crate) fn of(inner: Inner<R>) -> Self {
        Self(Arc::new(inner))
    }

    /// Replaces whom this server trusts; in force for the next request. Records that stay should keep their ratchet
    /// ([`Application::with_ratchet_of`](taa_core::directory::Application::with_ratchet_of)).
    pub fn replace_directory(&self, directory: Directory) {
        self.0.directory.store(Arc::new(directory));
    }

    /// Whom this server trusts, as of now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.0.directory.load_full()
    }

    /// Replaces this server's keys and certificate, as a rotation does; in force for the next request.
    ///
    /// # Errors
    /// When it names another application: sessions and nonces belong to one id.
    pub fn replace_identity(&self, identity: impl Into<Arc<Identity>>) -> Result<(), TrustError> {
        let identity = identity.into();
        if identity.id() != self.0.identity.load().id() {
            return Err(TrustError::OtherIdentity);
        }
        if !identity.can_open() {
            return Err(TrustError::NoDecryptionKey);
        }
        self.0.identity.store(identity);
        Ok(())
    }

    /// Who this server is, as of now.
    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        self.0.identity.load_full()
    }

    /// Ends every session of an application at once. Its next request opens a new one, if it may.
    pub fn end_sessions(&self, application: &AppId) {
        self.0.sessions.end(application);
    }

    /// The greatest timeout that an application's rules may name here.
    #[must_use]
    pub fn greatest_timeout(&self) -> GreatestTimeout {
        self.0.greatest_timeout
    }

    /// Whether nonces are in a store that all nodes of this server id share.
    #[must_use]
    pub fn nonces_are_shared(&self) -> bool {
        self.0.nonces.is_shared()
    }

    /// The store has just confirmed what this server goes by: see [`TrustBuilder::lease`](crate::TrustBuilder::lease). Call
    /// it after a change was put in force, not before.
    pub fn renew_lease(&self) {
        if let Some(lease) = &self.0.lease {
            lease.renew(self.0.clock.monotonic());
        }
    }

    /// True when the lease is over, so that every attempt is refused until it is renewed.
    #[must_use]
    pub fn lease_is_over(&self) -> bool {
        self.0.lease.as_ref().is_some_and(|lease| lease.is_over(self.0.clock.monotonic()))
    }

    pub(crate) fn inner(&self) -> &Inner<R> {
        &self.0
    }
}

impl<R> Clone for Trust<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> fmt::Debug for Trust<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({})", self.0.identity.load().id())
    }
}
