use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::request::Parts;
use taa_core::crypto::{CryptoProvider, SystemRandom};
use taa_core::decision::{
    self, Allowed, CertificateSpace, Context, NonceOutcome, Opened, Presented, Prover, Refusal, Sessions,
};
use taa_core::directory::{Application, Directory};
use taa_core::durable::Mark;
use taa_core::identity::Identity;
use taa_core::key::DecryptingKey;
use taa_core::nonce::{NonceKey, Seen};
use taa_core::policy::{GreatestTimeout, Protocol, Skew, TrustedProxies};
use taa_core::time::{Clock, UnixMillis};
use taa_server::nonce::{DecryptionKeyMade, Fence, MemoryNonces, NonceLimits};

use crate::keys::{Key, private_pem};
use crate::leap::Leap;
use crate::pair::{policy, server_identity};

/// A server's decision without HTTP, a user base and content: from the fields of a request to [`Allowed`].
#[derive(Debug)]
pub struct Verifier {
    identity: Identity,
    directory: Directory,
    clock: Arc<Leap>,
    nonces: MemoryNonces,
    fence: Fence,
    proxies: TrustedProxies,
    /// How often it was asked to let time go by.
    asked: AtomicU32,
}

impl Verifier {
    /// A server with the test key of this length, that trusts one application.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(provider: &dyn CryptoProvider, bits: usize, client: &Identity) -> Self {
        let application = Application::new(provider, client.certificate(), policy()).expect("an application");
        Self::trusting(provider, bits, Directory::new([application]).expect("a directory"))
    }

    /// A server with the test key of this length, that trusts these applications.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn trusting(provider: &dyn CryptoProvider, bits: usize, directory: Directory) -> Self {
        let decryption = DecryptingKey::from_pkcs8_pem(provider, private_pem(Key::Server, bits));
        let clock = Arc::new(Leap::default());
        Self {
            identity: server_identity(provider, decryption.expect("a decryption key")),
            directory,
            nonces: MemoryNonces::new(Arc::<Leap>::clone(&clock), [7; 16], many_nonces()),
            // The key is an old one. The mark is long ago: this server has run for a while.
            fence: Fence::from_marks([Mark { application: None, protocol: Protocol::V4, at: UnixMillis(1) }]),
            proxies: TrustedProxies::default(),
            asked: AtomicU32::new(0),
            clock,
        }
    }

    /// The same behind these proxies.
    #[must_use]
    pub fn behind(self, proxies: TrustedProxies) -> Self {
        Self { proxies, ..self }
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What it remembers of requests.
    #[must_use]
    pub fn nonces(&self) -> &MemoryNonces {
        &self.nonces
    }

    /// Lets time go by once there are [`USUAL_NONCES`]: a server that is asked without a pause for seconds has more of them
    /// than any that people use. The bench `scale` tells what more of them cost.
    pub fn as_usual(&self) {
        // Now and then only: to count them is to look through the whole table.
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if asked.is_multiple_of(4_096) && self.nonces.live() > USUAL_NONCES {
            self.clock.ahead(2 * many_nonces().ordinary_keep);
        }
    }

    /// Steps 0–10 of version 4 (wire document, section 5), with the clock, the client's address and the nonce.
    ///
    /// # Errors
    /// The first step that fails.
    ///
    /// # Panics
    /// When there is no time.
    pub fn decide<'v>(&'v self, sessions: &'v dyn Sessions, request: &Parts) -> Result<Allowed<'v>, Refusal> {
        self.decide_and_prove(sessions, request).map(|(allowed, _)| allowed)
    }

    /// The same, with what proves the answer.
    ///
    /// # Errors
    /// The first step that fails.
    ///
    /// # Panics
    /// When there is no time.
    pub fn decide_and_prove<'v>(
        &'v self,
        sessions: &'v dyn Sessions,
        request: &Parts,
    ) -> Result<(Allowed<'v>, Prover), Refusal> {
        let now = self.clock.wall().expect("a time");
        let context = Context {
            identity: &self.identity,
            directory: &self.directory,
            sessions,
            random: &SystemRandom,
            skew: Skew::default(),
            greatest_timeout: GreatestTimeout::default(),
        };
        let target = request.uri.path_and_query().map_or("", |target| target.as_str());
        let mut space = CertificateSpace::new();
        let presented = Presented::parse(&request.method, target, &request.headers, &mut space)?;
        let client = self.proxies.client_address(IpAddr::V4(Ipv4Addr::LOCALHOST), &request.headers);
        let (proven, prover) = decision::open(presented, &context, client, now).and_then(Opened::prove)?;
        let _user = proven.user()?;
        let claim = proven.claim(&context, now);
        let key = NonceKey::of_request(claim.session, claim.iv);
        let keep = claim.keep.expect("a certificate of this time");
        let outcome = match self.nonces.record_now(proven.application().id(), key, keep) {
            Ok(Seen::First) => NonceOutcome::First,
            Ok(Seen::Before) => NonceOutcome::Before,
            Err(_) => NonceOutcome::Full,
        };
        let fence = self.fence.mark(proven.application().id(), DecryptionKeyMade::BeforeStart);
        proven.allow(&context, outcome, fence, now).map(|allowed| (allowed, prover))
    }
}

/// Those of a server that gets some hundred requests a second.
pub const USUAL_NONCES: u32 = 100_000;

/// Room for as many nonces as a bench can make.
#[must_use]
pub fn many_nonces() -> NonceLimits {
    NonceLimits { total: u32::MAX, per_application: u32::MAX, ..NonceLimits::default() }
}
