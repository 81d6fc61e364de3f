use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Extensions;
use taa_core::crypto::{Random, SystemRandom};
use taa_core::directory::Directory;
use taa_core::id::AppId;
use taa_core::identity::Identity;
use taa_core::policy::{GreatestTimeout, Skew, TrustedProxies};
use taa_core::time::{Clock, SystemClock};

use crate::layer::TrustLayer;
use crate::limit::{DECRYPTIONS_PER_SECOND, SIGNATURE_CHECKS_PER_SECOND};
use crate::nonce::{Fence, MemoryNonces, NonceLimits, Nonces, WallGuard};
use crate::resolver::{NameTransform, UserResolver};
use crate::session::SessionLimits;
use crate::sessions::SessionState;

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
    pub(crate) wall_guard: WallGuard,
    pub(crate) sessions: SessionState,
}

/// How long a nonce is kept beyond the greatest timeout (wire document, section 4).
const NONCE_MARGIN: Duration = Duration::from_secs(60);

type PeerFn = Box<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

/// The address of the socket a request came from, as the layer finds it in the request's extensions by default.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub IpAddr);

impl<R: UserResolver> Trust<R> {
    /// Begins with who this server is, whom it trusts, and its user base.
    pub fn builder(identity: Identity, directory: Directory, resolver: R) -> TrustBuilder<R> {
        TrustBuilder {
            identity,
            directory,
            resolver,
            transform: NameTransform::default(),
            clock: None,
            random: Arc::new(SystemRandom),
            proxies: TrustedProxies::default(),
            peer: Box::new(|extensions| extensions.get::<PeerAddress>().map(|peer| peer.0)),
            skew: Skew::default(),
            greatest_timeout: GreatestTimeout::default(),
            stripped_prefix: String::new(),
            #[cfg(feature = "legacy")]
            older_versions: false,
            request_limit: 2 * 1024 * 1024,
            response_limit: 64 * 1024,
            nonce_limits: NonceLimits::default(),
            session_limits: SessionLimits::default(),
            decryptions_per_second: DECRYPTIONS_PER_SECOND,
            signature_checks_per_second: SIGNATURE_CHECKS_PER_SECOND,
            shared_nonces: None,
            replicas: 1,
        }
    }

    /// A layer for routes that trusted applications may use. It rejects what it refuses, and buffers content.
    pub fn layer(&self) -> TrustLayer<R> {
        TrustLayer::new(self.clone())
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
    pub fn replace_identity(&self, identity: Identity) -> Result<(), TrustError> {
        if identity.id() != self.0.identity.load().id() {
            return Err(TrustError::OtherIdentity);
        }
        if !identity.can_open() {
            return Err(TrustError::NoDecryptionKey);
        }
        self.0.identity.store(Arc::new(identity));
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

/// Makes a [`Trust`]; refuses a configuration that cannot be safe.
#[must_use]
pub struct TrustBuilder<R> {
    identity: Identity,
    directory: Directory,
    resolver: R,
    transform: NameTransform,
    clock: Option<Arc<dyn Clock>>,
    random: Arc<dyn Random>,
    proxies: TrustedProxies,
    peer: PeerFn,
    skew: Skew,
    greatest_timeout: GreatestTimeout,
    stripped_prefix: String,
    #[cfg(feature = "legacy")]
    older_versions: bool,
    request_limit: usize,
    response_limit: u64,
    nonce_limits: NonceLimits,
    session_limits: SessionLimits,
    decryptions_per_second: NonZeroU32,
    signature_checks_per_second: NonZeroU32,
    shared_nonces: Option<Nonces>,
    replicas: u32,
}

impl<R: UserResolver> TrustBuilder<R> {
    /// What is done to a name before the user base is asked; lower-case by default.
    pub fn name_transform(mut self, transform: NameTransform) -> Self {
        self.transform = transform;
        self
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Another source of randomness than the system's.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// The proxies whose `X-Forwarded-For` is believed; none by default.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Where the address of the socket stands in a request's extensions; by default in [`PeerAddress`]. Under axum:
    /// `|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())`. A request without one is
    /// refused with `SYSTEM`.
    pub fn peer_address(
        mut self,
        peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.peer = Box::new(peer);
        self
    }

    /// How far clocks may differ; 30 s by default.
    pub fn skew(mut self, skew: Skew) -> Self {
        self.skew = skew;
        self
    }

    /// The greatest timeout a policy may name; 60 s by default.
    pub fn greatest_timeout(mut self, greatest: GreatestTimeout) -> Self {
        self.greatest_timeout = greatest;
        self
    }

    /// The path prefix that a proxy in front takes away, such as `/jira`. It is put back before the checks; the
    /// handlers see the path without it.
    pub fn stripped_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.stripped_prefix = prefix.into();
        self
    }

    /// Accepts versions 2 and 3 from applications whose record allows them. They prove neither method nor content, and
    /// version 2 hardly the user: see the warning of [`taa_core::legacy`].
    ///
    /// The URL they sign is compared with one built from the base URL of this server's certificate.
    #[cfg(feature = "legacy")]
    pub fn insecure_accept_older_versions(mut self) -> Self {
        self.older_versions = true;
        self
    }

    /// The longest content that is buffered to check its digest; 2 MiB by default.
    pub fn request_limit(mut self, bytes: usize) -> Self {
        self.request_limit = bytes;
        self
    }

    /// The longest answer that gets a digest; 64 KiB by default.
    pub fn response_limit(mut self, bytes: u64) -> Self {
        self.response_limit = bytes;
        self
    }

    /// Bounds of the in-memory nonce table. How long it keeps follows from the greatest timeout and the skew.
    pub fn nonce_limits(mut self, limits: NonceLimits) -> Self {
        self.nonce_limits = limits;
        self
    }

    /// Bounds of the session table.
    pub fn session_limits(mut self, limits: SessionLimits) -> Self {
        self.session_limits = limits;
        self
    }

    /// How many sessions one application may open in a second; 50 by default.
    pub fn decryptions_per_second(mut self, most: NonZeroU32) -> Self {
        self.decryptions_per_second = most;
        self
    }

    /// How many unknown envelopes of one address are checked in a second; 1,000 by default.
    pub fn signature_checks_per_second(mut self, most: NonZeroU32) -> Self {
        self.signature_checks_per_second = most;
        self
    }

    /// A nonce store that all nodes of this server id share.
    pub fn shared_nonces(mut self, nonces: Nonces) -> Self {
        self.shared_nonces = Some(nonces);
        self
    }

    /// How many processes answer for this server id; 1 by default. With more, the nonce store must be a shared one.
    /// Processes that overlap in a rolling restart count.
    pub fn replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// Makes the [`Trust`].
    ///
    /// # Errors
    /// When the configuration cannot be safe; says which setting to change.
    pub fn build(self) -> Result<Trust<R>, TrustError> {
        if !self.identity.can_open() {
            return Err(TrustError::NoDecryptionKey);
        }
        if self.replicas == 0 {
            return Err(TrustError::NoReplicas);
        }
        if self.replicas > 1 && !self.shared_nonces.as_ref().is_some_and(Nonces::is_shared) {
            return Err(TrustError::ReplicasWithoutSharedNonces(self.replicas));
        }
        let prefix = self.stripped_prefix;
        if !prefix.is_empty()
            && (!prefix.starts_with('/') || prefix.ends_with('/') || prefix.contains(['?', '#']))
        {
            return Err(TrustError::StrippedPrefix);
        }
        for application in self.directory.applications() {
            if application.policy().timeout().get() > self.greatest_timeout.get() {
                return Err(TrustError::Timeout(application.id().clone()));
            }
        }
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let now = clock.wall().map_err(|_| TrustError::Clock)?;
        let key = || {
            let mut key = [0; 16];
            self.random.fill(&mut key).map(|()| key).map_err(|_| TrustError::Random)
        };
        let nonces = match self.shared_nonces {
            Some(shared) => shared,
            None => {
                let ordinary_keep = self.greatest_timeout.get() + NONCE_MARGIN + self.skew.get();
                let limits = NonceLimits { ordinary_keep, ..self.nonce_limits };
                Nonces::memory(Arc::new(MemoryNonces::new(Arc::clone(&clock), key()?, limits)))
            }
        };
        Ok(Trust(Arc::new(Inner {
            sessions: SessionState::new(
                &clock,
                [key()?, key()?, key()?],
                self.session_limits,
                self.signature_checks_per_second,
                self.decryptions_per_second,
            ),
            wall_guard: WallGuard::new(now, clock.monotonic()),
            fence: Fence::after_start(now),
            nonces,
            identity: ArcSwap::from_pointee(self.identity),
            directory: ArcSwap::from_pointee(self.directory),
            resolver: self.resolver,
            transform: self.transform,
            clock,
            random: self.random,
            proxies: self.proxies,
            peer: self.peer,
            skew: self.skew,
            greatest_timeout: self.greatest_timeout,
            stripped_prefix: prefix,
            #[cfg(feature = "legacy")]
            older_versions: self.older_versions,
            request_limit: self.request_limit,
            response_limit: self.response_limit,
        })))
    }
}

impl<R> fmt::Debug for TrustBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustBuilder({})", self.identity.id())
    }
}

/// Why a configuration was refused, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The clock does not tell the time.
    #[error("the clock does not tell the time")]
    Clock,
    /// There is no current decryption key.
    #[error("the identity has no current decryption key: a server needs one")]
    NoDecryptionKey,
    /// `replicas` is 0.
    #[error("replicas is 0: at least this process answers")]
    NoReplicas,
    /// The identity is of another application.
    #[error("the identity is of another application: make a new Trust for it")]
    OtherIdentity,
    /// There is no randomness.
    #[error("the random number generator failed")]
    Random,
    /// Several nodes, and nonces in this one's memory only.
    #[error("replicas is {0} and nonces are in memory: set shared_nonces to a store that all nodes share")]
    ReplicasWithoutSharedNonces(u32),
    /// The prefix is not a path.
    #[error("stripped_prefix must begin with / and not end with one, as in /jira")]
    StrippedPrefix,
    /// A policy names a greater timeout than the server allows.
    #[error("the timeout of {0} is above greatest_timeout")]
    Timeout(AppId),
}
