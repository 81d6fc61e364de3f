//! A server without a network: identity, directory and stores of the simplest kind, and the whole decision in order.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, OnceLock, PoisonError};

use http::{HeaderMap, Method};
use taa_core::answer::Code;
use taa_core::crypto::{CryptoProvider, Random, RandomError, RustCrypto, SystemRandom};
use taa_core::decision::{
    Allowed, CertificateSpace, Context, Lookup, NonceClaim, NonceOutcome, Presented, Prover, Reason, Refusal,
    Session, Sessions, SharedSession, open,
};
use taa_core::directory::{Application, Directory};
use taa_core::id::AppId;
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::policy::{GreatestTimeout, Policy, Skew, TrustedProxies};
use taa_core::time::UnixMillis;
use url::Url;

/// The cryptography providers of this build; everything runs on each.
#[must_use]
pub fn providers() -> Vec<&'static dyn CryptoProvider> {
    vec![
        #[cfg(feature = "aws-lc")]
        &taa_core::crypto::AwsLc,
        &RustCrypto,
    ]
}

/// A key pair made once per process, as PEM, for the signing key of servers and for keys nobody knows.
///
/// # Errors
/// When no key could be made.
pub fn spare_key_pem() -> Result<&'static str, Box<dyn std::error::Error>> {
    static PEM: OnceLock<Option<String>> = OnceLock::new();
    let make = || {
        let provider = providers().into_iter().next()?;
        let key = SigningKey::generate(provider, KeySize::Rsa2048).ok()?;
        Some(key.expose_pkcs8_pem().to_string())
    };
    PEM.get_or_init(make).as_deref().ok_or_else(|| "no key could be made".into())
}

/// An identity of the simplest kind: one signing key, and a decryption key when it is a server.
///
/// # Errors
/// When the keys do not make an identity.
pub fn identity(
    id: &AppId,
    signing: SigningKey,
    decryption: Option<DecryptingKey>,
) -> Result<Identity, Box<dyn std::error::Error>> {
    let profile = Profile {
        id: id.clone(),
        name: "Test".into(),
        base_url: Url::parse("https://test.example/")?,
        seq: 1,
        iat: 1_700_000_000,
        older_protocols: Vec::new(),
    };
    let decryption = decryption.into_iter().map(OwnKey::current).collect();
    Ok(Identity::new(profile, vec![OwnKey::current(signing)], decryption)?)
}

/// A server that trusts one application.
#[derive(Debug)]
pub struct Server {
    identity: Identity,
    directory: Directory,
}

/// A request as it comes in.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The method.
    pub method: &'a Method,
    /// What stands in the request line.
    pub target: &'a str,
    /// The fields.
    pub headers: &'a HeaderMap,
    /// The content.
    pub body: &'a [u8],
}

/// A request that passed every check.
#[derive(Debug)]
pub struct Accepted<'a> {
    /// What the decision made of it.
    pub allowed: Allowed<'a>,
    /// What proves its answer.
    pub prover: Prover,
}

impl Server {
    /// A server with this decryption key that trusts `client` under `policy`.
    ///
    /// # Errors
    /// When one of them cannot be made.
    pub fn new(
        provider: &dyn CryptoProvider,
        server: &AppId,
        decryption: DecryptingKey,
        client: &Identity,
        policy: Policy,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let signing = SigningKey::from_pkcs8_pem(provider, spare_key_pem()?)?;
        let application = Application::new(provider, client.certificate(), policy)?;
        Ok(Self {
            identity: identity(server, signing, Some(decryption))?,
            directory: Directory::new([application])?,
        })
    }

    /// What decisions depend on.
    #[must_use]
    pub fn context<'c>(&'c self, sessions: &'c dyn Sessions) -> Context<'c> {
        Context {
            identity: &self.identity,
            directory: &self.directory,
            sessions,
            random: &SystemRandom,
            skew: Skew::default(),
            greatest_timeout: GreatestTimeout::default(),
        }
    }

    /// Steps 0–12, in which every user exists and nothing was before the fence.
    ///
    /// # Errors
    /// The first step that fails.
    pub fn decide<'c>(
        &'c self,
        sessions: &'c dyn Sessions,
        nonces: &Nonces,
        incoming: Incoming<'_>,
        now: UnixMillis,
    ) -> Result<Accepted<'c>, Refusal> {
        let context = self.context(sessions);
        let Incoming { method, target, headers, body } = incoming;
        let mut space = CertificateSpace::new();
        let presented = Presented::parse(method, target, headers, &mut space)?;
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let client = TrustedProxies::default().client_address(peer, headers);
        let (proven, prover) = open(presented, &context, client, now)?.prove()?;
        proven.user()?;
        let outcome = nonces.record(&proven.claim(&context, now), now);
        let digest = proven.content_digest();
        let allowed = proven.allow(&context, outcome, None, now)?;
        match digest? {
            Some(digest) if digest.matches(body) => {}
            Some(_) => return Err(Reason::DigestWrong.into()),
            None if body.is_empty() => {}
            None => return Err(Reason::DigestAbsent.into()),
        }
        Ok(Accepted { allowed, prover })
    }

    /// The code of [`Server::decide`]; `None` for a request that passed.
    #[must_use]
    pub fn code(
        &self,
        sessions: &dyn Sessions,
        nonces: &Nonces,
        incoming: Incoming<'_>,
        now: UnixMillis,
    ) -> Option<Code> {
        self.decide(sessions, nonces, incoming, now).err().map(|refusal| refusal.code())
    }
}

/// A session and an iv in it.
type Nonce = ([u8; 32], [u8; 16]);

/// Nonces, each kept as long as its claim says.
#[derive(Debug, Default)]
pub struct Nonces(Mutex<HashMap<Nonce, UnixMillis>>);

impl Nonces {
    /// Looks a nonce up and records it.
    pub fn record(&self, claim: &NonceClaim<'_>, now: UnixMillis) -> NonceOutcome {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let nonce = (*claim.session, *claim.iv);
        if kept.get(&nonce).is_some_and(|until| now < *until) {
            return NonceOutcome::Before;
        }
        if let Some(keep) = claim.keep {
            kept.insert(nonce, now.plus(keep));
        }
        NonceOutcome::First
    }
}

/// Application id, Key field, Signature field.
/// Application id and envelope.
type SessionName = (String, Vec<u8>);
/// The signature, and what it opened.
type Kept = (Vec<u8>, SharedSession);

/// A session table without bounds.
#[derive(Debug, Default)]
pub struct KnownSessions(Mutex<HashMap<SessionName, Kept>>);

impl KnownSessions {
    /// The sessions that are kept.
    #[must_use]
    pub fn all(&self) -> Vec<SharedSession> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .map(|(_, session)| session.clone())
            .collect()
    }
}

impl Sessions for KnownSessions {
    fn find(&self, app_id: &str, key_field: &[u8], signature_field: &[u8], _: UnixMillis) -> Lookup {
        let name = (app_id.to_owned(), key_field.to_vec());
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
            None => Lookup::Unknown,
            Some((signature, session)) if signature == signature_field => Lookup::Known(session.clone()),
            Some(_) => Lookup::OtherSignature,
        }
    }

    fn admit_signature_check(&self, _: IpAddr) -> bool {
        true
    }

    fn admit_decryption(&self, _: &AppId) -> bool {
        true
    }

    fn keep(
        &self,
        key_field: &[u8],
        signature_field: &[u8],
        session: Session,
        _: UnixMillis,
    ) -> SharedSession {
        let name = (session.application().to_string(), key_field.to_vec());
        let session = SharedSession::from(session);
        let kept = (signature_field.to_vec(), session.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, kept);
        session
    }
}

/// Randomness that was written down: each call takes the next bytes, and there is an end.
#[derive(Debug)]
pub struct Scripted(Mutex<Vec<u8>>);

impl Scripted {
    /// Gives these bytes, once.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Mutex::new(bytes.to_vec()))
    }
}

impl Random for Scripted {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() < out.len() {
            return Err(RandomError);
        }
        let taken = left.drain(..out.len()).collect::<Vec<_>>();
        for (place, byte) in out.iter_mut().zip(taken) {
            *place = byte;
        }
        Ok(())
    }
}
