use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::request::Parts;
use taa_core::crypto::{CryptoProvider, SystemRandom};
use taa_core::decision::{
    self, Allowed, Context, Lookup, NonceOutcome, Opened, Presented, Refusal, Session, Sessions,
};
use taa_core::directory::{Application, Directory};
use taa_core::id::AppId;
use taa_core::identity::Identity;
use taa_core::key::DecryptingKey;
use taa_core::policy::{GreatestTimeout, Skew, TrustedProxies};
use taa_core::time::{Clock, SystemClock, UnixMillis};
use taa_server::nonce::{DecryptionKeyMade, Fence, MemoryNonces, NonceKey, NonceLimits, Seen};
use taa_server::session::{NameKey, SessionLimits, SessionName, SessionTable, SignatureName};

use crate::keys::{Key, private_pem};
use crate::pair::{policy, server_identity};

/// A server's decision without HTTP, a user base and content: from the fields of a request to [`Allowed`].
#[derive(Debug)]
pub struct Verifier {
    identity: Identity,
    directory: Directory,
    clock: SystemClock,
    nonces: MemoryNonces,
    fence: Fence,
    proxies: TrustedProxies,
}

impl Verifier {
    /// A server with the test key of this length, that trusts one application.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(provider: &dyn CryptoProvider, bits: usize, client: &Identity) -> Self {
        let decryption = DecryptingKey::from_pkcs8_pem(provider, private_pem(Key::Server, bits));
        let application = Application::new(provider, client.certificate(), policy()).expect("an application");
        let clock = SystemClock::new();
        Self {
            identity: server_identity(provider, decryption.expect("a decryption key")),
            directory: Directory::new([application]).expect("a directory"),
            nonces: MemoryNonces::new(Arc::new(clock), [7; 16], many_nonces()),
            // The key is an old one. The mark is long ago: this server has run for a while.
            fence: Fence::from_mark(UnixMillis(1)),
            proxies: TrustedProxies::default(),
            clock,
        }
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Steps 0–10 of version 4 (wire document, section 5), with the clock, the client's address and the nonce.
    ///
    /// # Errors
    /// The first step that fails.
    ///
    /// # Panics
    /// When there is no time.
    pub fn decide(&self, sessions: &dyn Sessions, request: &Parts) -> Result<Allowed, Refusal> {
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
        let presented = Presented::parse(&request.method, target, &request.headers)?;
        let client = self.proxies.client_address(IpAddr::V4(Ipv4Addr::LOCALHOST), &request.headers);
        let proven = decision::open(presented, &context, client, now).and_then(Opened::prove)?;
        let _user = proven.user()?;
        let claim = proven.claim(&context, now);
        let key = NonceKey::of_request(claim.session, claim.iv);
        let keep = claim.keep.expect("a certificate of this time");
        let outcome = match self.nonces.record_now(proven.application().id(), key, keep) {
            Ok(Seen::First) => NonceOutcome::First,
            Ok(Seen::Before) => NonceOutcome::Before,
            Err(_) => NonceOutcome::Full,
        };
        proven.allow(&context, outcome, self.fence.mark(DecryptionKeyMade::BeforeStart), now)
    }
}

/// Room for as many nonces as a bench can make.
#[must_use]
pub fn many_nonces() -> NonceLimits {
    NonceLimits { total: u32::MAX, per_application: u32::MAX, ..NonceLimits::default() }
}

/// The session table of the server layer, without its limits on opening.
#[derive(Debug)]
pub struct KnownSessions {
    name_key: NameKey,
    table: SessionTable<(SignatureName, Arc<Session>)>,
}

impl Default for KnownSessions {
    fn default() -> Self {
        Self { name_key: NameKey::from_random([9; 16]), table: SessionTable::new(SessionLimits::default()) }
    }
}

impl Sessions for KnownSessions {
    fn find(&self, app_id: &str, key_field: &[u8], signature_field: &[u8], now: UnixMillis) -> Lookup {
        match self.table.find(SessionName::of(&self.name_key, app_id, key_field), now) {
            None => Lookup::Unknown,
            Some(kept) if kept.0 == SignatureName::of(&self.name_key, signature_field) => {
                Lookup::Known(Arc::clone(&kept.1))
            }
            Some(_) => Lookup::OtherSignature,
        }
    }

    fn admit_signature_check(&self, _: IpAddr) -> bool {
        true
    }

    fn admit_decryption(&self, _: &AppId) -> bool {
        true
    }

    fn keep(&self, key_field: &[u8], signature_field: &[u8], session: &Arc<Session>, now: UnixMillis) {
        let application = session.application();
        let name = SessionName::of(&self.name_key, application.as_str(), key_field);
        let kept = (SignatureName::of(&self.name_key, signature_field), Arc::clone(session));
        self.table.insert(name, application, session.head().end(), Arc::new(kept), now);
    }
}
