//! A trusting server as small as it can be, and the two applications of every test.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request, response};
use http_body_util::{BodyExt, Full};
use taa_client::{Pending, ServerRecord, Signer, SignerBuilder};
use taa_core::answer::ProvenAnswer;
use taa_core::certificate::Certificate;
use taa_core::crypto::{CryptoProvider, SystemRandom};
use taa_core::decision::{
    self, CertificateSpace, Context, NoSessions, NonceOutcome, Presented, Prover, Reason, Refusal,
};
use taa_core::directory::{Application, Directory};
use taa_core::fields;
use taa_core::id::{AppId, UserName};
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::policy::{ClientAddress, GreatestTimeout, Policy, Skew};
use taa_core::request::ContentDigest;
use taa_core::time::{Clock, ManualClock, UnixMillis};

/// When every test begins.
pub(crate) const START: UnixMillis = UnixMillis(1_790_000_000_000);

pub(crate) fn provider() -> Arc<dyn CryptoProvider> {
    #[cfg(feature = "aws-lc")]
    return Arc::new(taa_core::crypto::AwsLc);
    #[cfg(not(feature = "aws-lc"))]
    Arc::new(taa_core::crypto::RustCrypto)
}

/// Making RSA keys is slow: once for all tests.
struct Keys {
    client: SigningKey,
    server: SigningKey,
    decryption: DecryptingKey,
    next_decryption: DecryptingKey,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let provider = &*provider();
    let decryption = || DecryptingKey::generate(provider, KeySize::Rsa2048).unwrap();
    Keys {
        client: SigningKey::generate(provider, KeySize::Rsa2048).unwrap(),
        server: SigningKey::generate(provider, KeySize::Rsa2048).unwrap(),
        decryption: decryption(),
        next_decryption: decryption(),
    }
});

fn profile(id: &str, base_url: &str) -> Profile {
    let id = AppId::parse(id).unwrap();
    let base_url = base_url.parse().unwrap();
    Profile { name: id.to_string(), id, base_url, seq: 1, iat: START.seconds(), older_protocols: Vec::new() }
}

pub(crate) fn wiki() -> Arc<Identity> {
    let signing = vec![OwnKey::current(KEYS.client.clone())];
    Arc::new(Identity::new(profile("wiki", "https://wiki.example"), signing, Vec::new()).unwrap())
}

/// The wiki after its signing key was rotated.
pub(crate) fn rotated_wiki() -> Arc<Identity> {
    let signing = vec![OwnKey::current(KEYS.server.clone())];
    Arc::new(Identity::new(profile("wiki", "https://wiki.example"), signing, Vec::new()).unwrap())
}

/// Another application.
pub(crate) fn stranger() -> Identity {
    server("stranger", "https://stranger.example", &KEYS.decryption)
}

fn server(id: &str, base_url: &str, decryption: &DecryptingKey) -> Identity {
    let signing = vec![OwnKey::current(KEYS.server.clone())];
    Identity::new(profile(id, base_url), signing, vec![OwnKey::current(decryption.clone())]).unwrap()
}

/// The certificate of a server.
pub(crate) fn certificate(id: &str, base_url: &str) -> Certificate {
    server(id, base_url, &KEYS.decryption).certificate().clone()
}

/// The certificate of the tracker after its decryption key was rotated.
pub(crate) fn rotated(base_url: &str) -> Certificate {
    server("tracker", base_url, &KEYS.next_decryption).certificate().clone()
}

pub(crate) fn record() -> ServerRecord {
    ServerRecord::builder(&certificate("tracker", "https://tracker.example/jira")).build().unwrap()
}

pub(crate) fn builder(clock: &Arc<ManualClock>) -> SignerBuilder {
    let clock: Arc<dyn Clock> = clock.clone();
    Signer::builder(wiki()).clock(clock).provider(provider())
}

pub(crate) fn signer(clock: &Arc<ManualClock>) -> Signer {
    builder(clock).server(record()).build().unwrap()
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(START))
}

pub(crate) fn fred() -> UserName {
    UserName::parse("fred").unwrap()
}

pub(crate) fn head(request: request::Builder) -> request::Parts {
    request.body(()).unwrap().into_parts().0
}

pub(crate) fn get() -> request::Parts {
    head(Request::get("https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP"))
}

pub(crate) fn post() -> request::Parts {
    head(
        Request::post("https://tracker.example/jira/rest/api/2/issue")
            .header("content-type", "application/json"),
    )
}

/// What else the tracker does, besides deciding.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    pub(crate) knows_nobody: bool,
    pub(crate) no_proof: bool,
    pub(crate) silent: bool,
    pub(crate) alter_content: bool,
    pub(crate) busy: bool,
    pub(crate) redirect: bool,
    pub(crate) tabs_to_blanks: bool,
    pub(crate) no_digest: bool,
    /// Its clock is never where the client takes it to be.
    pub(crate) clock_runs_away: bool,
}

/// The trusting server.
#[derive(Debug)]
pub(crate) struct Tracker {
    identity: Identity,
    directory: Directory,
    pub(crate) clock: Arc<ManualClock>,
    nonces: Mutex<HashSet<Vec<u8>>>,
    pub(crate) manners: Mutex<Manners>,
    pub(crate) seen: Mutex<Vec<HeaderMap>>,
}

impl Tracker {
    pub(crate) fn new(clock: &Arc<ManualClock>) -> Self {
        Self::with(clock, KEYS.decryption.clone())
    }

    pub(crate) fn after_rotation(clock: &Arc<ManualClock>) -> Self {
        Self::with(clock, KEYS.next_decryption.clone())
    }

    fn with(clock: &Arc<ManualClock>, decryption: DecryptingKey) -> Self {
        let wiki = wiki();
        let application =
            Application::new(&*provider(), wiki.certificate(), Policy::insecure_allow_any()).unwrap();
        Self {
            identity: server("tracker", "https://tracker.example/jira", &decryption),
            directory: Directory::new([application]).unwrap(),
            clock: Arc::clone(clock),
            nonces: Mutex::default(),
            manners: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The whole of a trusting server: decide, act, prove.
    pub(crate) fn answer(&self, request: &request::Parts, content: &[u8]) -> Response<Full<Bytes>> {
        self.seen.lock().unwrap().push(request.headers.clone());
        let manners = *self.manners.lock().unwrap();
        if manners.clock_runs_away {
            self.clock.advance(Duration::from_secs(100));
        }
        let mut prover = None;
        let decided = self.decide(request, content, &mut prover);
        let mut response = match &decided {
            Ok(user) => Response::new(format!("hello {user}")),
            Err(refusal) => {
                let mut response = Response::new("refused".to_owned());
                *response.status_mut() = StatusCode::from_u16(refusal.code().http_status()).unwrap();
                response
            }
        };
        if manners.redirect {
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert("location", HeaderValue::from_static("https://evil.example/"));
        }
        if manners.silent {
            return response.map(Full::from);
        }
        let (status, error) = match &decided {
            Ok(_) => ("OK", String::new()),
            Err(refusal) => ("ERROR", refusal.error_text()),
        };
        let digest = if manners.no_digest {
            String::new()
        } else {
            ContentDigest::of(response.body().as_bytes()).to_field()
        };
        let http_status = response.status().as_u16();
        let mut put = |name, value: &str| {
            if !value.is_empty() {
                response.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
            }
        };
        put(fields::STATUS, status);
        put(fields::ERROR, &if manners.tabs_to_blanks { error.replace('\t', " ") } else { error.clone() });
        put(fields::CONTENT_DIGEST, &digest);
        if let (Some(prover), false) = (prover, manners.no_proof) {
            let answer = ProvenAnswer { http_status, status, error: &error, content_digest: &digest };
            put(fields::PROOF, &prover.prove(&answer));
        }
        if manners.alter_content {
            *response.body_mut() = response.body().replace("hello", "HELLO");
        }
        response.map(Full::from)
    }

    fn decide(
        &self,
        request: &request::Parts,
        content: &[u8],
        prover: &mut Option<Prover>,
    ) -> Result<String, Refusal> {
        let manners = *self.manners.lock().unwrap();
        let now = self.clock.wall().unwrap();
        let empty = Directory::default();
        let context = Context {
            identity: &self.identity,
            directory: if manners.knows_nobody { &empty } else { &self.directory },
            sessions: &NoSessions,
            random: &SystemRandom,
            skew: Skew::default(),
            greatest_timeout: GreatestTimeout::default(),
        };
        let target = request.uri.path_and_query().unwrap().as_str();
        let mut space = CertificateSpace::new();
        let presented = Presented::parse(&request.method, target, &request.headers, &mut space)?;
        let client = ClientAddress { addr: IpAddr::V4(Ipv4Addr::LOCALHOST), forwarded: false };
        let (proven, proves) = decision::open(presented, &context, Ok(client), now)?.prove()?;
        *prover = Some(proves);
        let user = proven.user()?.to_string();
        let claim = proven.claim(&context, now);
        let first = self.nonces.lock().unwrap().insert([&claim.session[..], claim.iv].concat());
        let outcome = match (manners.busy, first) {
            (true, _) => NonceOutcome::Full,
            (false, true) => NonceOutcome::First,
            (false, false) => NonceOutcome::Before,
        };
        let digest = proven.content_digest()?;
        proven.allow(&context, outcome, None, now)?;
        if user == "nobody" {
            return Err(Reason::UserUnknown.into());
        }
        match digest {
            Some(digest) if digest.matches(content) => Ok(user),
            None if content.is_empty() => Ok(user),
            _ => Err(Reason::DigestWrong.into()),
        }
    }
}

/// Answers a signed head, without content.
pub(crate) fn ask(tracker: &Tracker, request: &request::Parts) -> response::Parts {
    tracker.answer(request, b"").into_parts().0
}

/// Signs, sends, reads.
pub(crate) fn exchange(
    signer: &Signer,
    tracker: &Tracker,
    mut request: request::Parts,
) -> (Pending, response::Parts) {
    let pending = signer.sign(&mut request, &fred(), None).unwrap();
    let answer = ask(tracker, &request);
    (pending, answer)
}

pub(crate) async fn text<B: http_body::Body<Data = Bytes>>(body: B) -> Result<String, B::Error> {
    Ok(String::from_utf8(body.collect().await?.to_bytes().to_vec()).unwrap())
}

/// The private key of the wiki.
#[cfg(feature = "legacy")]
pub(crate) fn signing_key_pem() -> String {
    KEYS.client.expose_pkcs8_pem().to_string()
}
