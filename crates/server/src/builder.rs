use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Extensions;
use taa_core::crypto::{Random, SystemRandom};
use taa_core::directory::Directory;
use taa_core::durable::{DynDurable, Mark};
use taa_core::identity::Identity;
use taa_core::policy::{GreatestTimeout, Skew, TrustedProxies};
use taa_core::time::{Clock, SystemClock};

use crate::error::TrustError;
use crate::lease::Lease;
use crate::limit::{DECRYPTIONS_PER_SECOND, SIGNATURE_CHECKS_PER_SECOND};
use crate::nonce::{Fence, MemoryNonces, NonceLimits, Nonces, WallGuard};
use crate::resolver::{NameTransform, UserResolver};
use crate::session::SessionLimits;
use crate::sessions::SessionState;
use crate::trust::{Inner, PeerAddress, PeerFn, Trust};
use crate::write_ahead::WriteAhead;

/// How long a nonce is kept beyond the greatest timeout (wire document, section 4).
const NONCE_MARGIN: Duration = Duration::from_secs(60);

impl<R: UserResolver> Trust<R> {
    /// Begins with who this server is, whom it trusts, and its user base.
    pub fn builder(identity: impl Into<Arc<Identity>>, directory: Directory, resolver: R) -> TrustBuilder<R> {
        TrustBuilder::new(identity.into(), directory, resolver)
    }
}

/// Makes a [`Trust`]; refuses a configuration that cannot be safe.
#[must_use]
pub struct TrustBuilder<R> {
    identity: Arc<Identity>,
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
    durable: Option<(Arc<dyn DynDurable>, Vec<Mark>)>,
    lease: Option<Duration>,
    replicas: u32,
}

impl<R: UserResolver> TrustBuilder<R> {
    pub(crate) fn new(identity: Arc<Identity>, directory: Directory, resolver: R) -> Self {
        Self {
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
            durable: None,
            lease: None,
            replicas: 1,
        }
    }

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

    /// Where what must outlive the process is written, and the marks that were read there when the process before this one
    /// had stopped.
    ///
    /// The marks are the fence of the start (wire document, section 5): after a restart new requests are accepted at once,
    /// those that may have been accepted before are not, in versions 2 and 3 as well. From then on marks are written ahead of
    /// the requests, about one in 2 s for each application that is active; the floor of section 8 when version 4 is first
    /// seen; and it is told of good requests. With shared nonces no marks are written, and those that were read still
    /// count, for a process before this one that kept its nonces in memory.
    pub fn durable(mut self, durable: Arc<dyn DynDurable>, marks: impl IntoIterator<Item = Mark>) -> Self {
        self.durable = Some((durable, marks.into_iter().collect()));
        self
    }

    /// How long this server goes on without [`Trust::renew_lease`]; for ever by default. After that every attempt is
    /// refused with `SYSTEM`: who cannot reach the store cannot know what was revoked there.
    pub fn lease(mut self, lasts: Duration) -> Self {
        self.lease = Some(lasts);
        self
    }

    /// A nonce store that all nodes of this server id share. It needs no fence after a start.
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
        if self.lease.is_some_and(|lasts| lasts.is_zero()) {
            return Err(TrustError::Lease);
        }
        let shared = self.shared_nonces.as_ref().is_some_and(Nonces::is_shared);
        let (durable, marks) = self.durable.unzip();
        let fence = match marks {
            Some(marks) => Fence::from_marks(marks),
            None if shared => Fence::for_durable_nonces(),
            None => Fence::after_start(now),
        };
        let nonces = match self.shared_nonces {
            Some(shared) => shared,
            None => {
                let ordinary_keep = self.greatest_timeout.get() + NONCE_MARGIN + self.skew.get();
                let limits = NonceLimits { ordinary_keep, ..self.nonce_limits };
                Nonces::memory(Arc::new(MemoryNonces::new(Arc::clone(&clock), key()?, limits)))
            }
        };
        Ok(Trust::of(Inner {
            sessions: SessionState::new(
                &clock,
                [key()?, key()?, key()?],
                self.session_limits,
                self.signature_checks_per_second,
                self.decryptions_per_second,
            ),
            wall_guard: WallGuard::new(now, clock.monotonic()),
            fence,
            write_ahead: durable.map(|durable| WriteAhead::new(durable, !shared)),
            lease: self.lease.map(|lasts| Lease::new(lasts, clock.monotonic())),
            nonces,
            identity: ArcSwap::new(self.identity),
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
        }))
    }
}

impl<R> fmt::Debug for TrustBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustBuilder({})", self.identity.id())
    }
}
