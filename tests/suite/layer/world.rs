//! A server with a hand-moved clock, a handler that remembers what it saw, and an application that calls it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use taa_core::answer::{Code, ErrorText, ProvenAnswer};
use taa_core::crypto::SystemRandom;
use taa_core::directory::{Application, Directory};
use taa_core::envelope::{Lifetime, SealedEnvelope, SessionKeys, seal};
use taa_core::fields;
use taa_core::id::{AppId, UserName};
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, EncryptingKey, KeySize, SigningKey};
use taa_core::policy::{GreatestTimeout, Policy, PolicyBuilder};
use taa_core::request::{self, ContentDigest, Covered, Iv, Target};
use taa_core::time::{Clock, ManualClock, UnixMillis};
use taa_server::{
    PeerAddress, Resolution, ResolveError, Trust, TrustBuilder, TrustLayer, TrustService, UserResolver,
};
use taa_tests::harness::{providers, spare_key_pem};
use tower::{Layer, Service, ServiceExt};

/// Why a body of a test breaks off.
#[derive(Debug)]
pub(crate) struct BodyFault(&'static str);

impl From<&'static str> for BodyFault {
    fn from(text: &'static str) -> Self {
        Self(text)
    }
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BodyFault {}

pub(crate) type BoxBody = UnsyncBoxBody<Bytes, BodyFault>;

/// When everything begins.
pub(crate) const START: UnixMillis = UnixMillis(1_790_000_000_000);
/// The server was started so long before, so that the restart fence is past.
pub(crate) const UP: Duration = Duration::from_secs(3600);

pub(crate) const WIKI: &str = "confluence:6512";
pub(crate) const TRACKER: &str = "jira:1047";

/// Signing keys of applications, made once for all tests: the wiki's, another application's, a stranger's.
pub(crate) static KEYS: LazyLock<[SigningKey; 3]> = LazyLock::new(|| {
    let vectors = &crate::fixture::VECTORS.sessions;
    let read = |pem: &str| SigningKey::from_pkcs8_pem(providers()[0], pem).unwrap();
    [
        read(&vectors[0].client_signing_key),
        read(&vectors[1].client_signing_key),
        read(&vectors[2].client_signing_key),
    ]
});

/// The server's decryption key, read from a file as after a restart.
pub(crate) fn stored_key() -> DecryptingKey {
    DecryptingKey::from_pkcs8_pem(providers()[0], &crate::fixture::session().server_decryption_key).unwrap()
}

/// A decryption key that this process made.
pub(crate) fn fresh_key() -> DecryptingKey {
    DecryptingKey::generate(providers()[0], KeySize::Rsa2048).unwrap()
}

pub(crate) fn app_id(text: &str) -> AppId {
    AppId::parse(text).unwrap()
}

/// An identity of a client; its certificate goes into a directory.
pub(crate) fn client_identity(id: &str, key: &SigningKey) -> Identity {
    Identity::new(profile(id, "https://wiki.example/"), vec![OwnKey::current(key.clone())], Vec::new())
        .unwrap()
}

pub(crate) fn server_identity(id: &str, base_url: &str, key: DecryptingKey) -> Identity {
    let signing = SigningKey::from_pkcs8_pem(providers()[0], spare_key_pem().unwrap()).unwrap();
    Identity::new(profile(id, base_url), vec![OwnKey::current(signing)], vec![OwnKey::current(key)]).unwrap()
}

pub(crate) fn profile(id: &str, base_url: &str) -> Profile {
    Profile {
        id: app_id(id),
        name: "Test".into(),
        base_url: base_url.parse().unwrap(),
        seq: 1,
        iat: 1_700_000_000,
        older_protocols: Vec::new(),
    }
}

/// Any address, path, method and user.
pub(crate) fn any() -> PolicyBuilder {
    Policy::builder().insecure_allow_any()
}

pub(crate) fn policy(builder: PolicyBuilder) -> Policy {
    builder.build(GreatestTimeout::default()).unwrap()
}

pub(crate) fn application(id: &str, key: &SigningKey, policy: Policy) -> Application {
    Application::new(providers()[0], client_identity(id, key).certificate(), policy).unwrap()
}

/// The wiki alone, under these rules.
pub(crate) fn directory(builder: PolicyBuilder) -> Directory {
    Directory::new([application(WIKI, &KEYS[0], policy(builder))]).unwrap()
}

type Resolve = dyn Fn(&UserName) -> Result<Resolution, ResolveError> + Send + Sync;

/// A user base that is a function; `admin`, `fred` and a blocked user by default.
#[derive(Clone)]
pub(crate) struct Users(Arc<Resolve>);

impl Users {
    pub(crate) fn new(
        resolve: impl Fn(&UserName) -> Result<Resolution, ResolveError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(resolve))
    }
}

impl Default for Users {
    fn default() -> Self {
        Self::new(|name| {
            Ok(match name.as_str() {
                "admin" | "fred" => Resolution::Known(name.clone()),
                "blocked" => Resolution::MayNotLogIn,
                _ => Resolution::Unknown,
            })
        })
    }
}

impl UserResolver for Users {
    async fn resolve(&self, name: &UserName, _: &AppId) -> Result<Resolution, ResolveError> {
        // As every real user base it answers later.
        tokio::task::yield_now().await;
        (self.0)(name)
    }
}

/// Everybody is known; for the vectors, which name many.
pub(crate) fn everybody() -> Users {
    Users::new(|name| Ok(Resolution::Known(name.clone())))
}

/// What the handler saw of one request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) parts: http::request::Parts,
    pub(crate) body: Result<Bytes, String>,
}

impl Seen {
    pub(crate) fn principal(&self) -> Option<&taa_server::Principal> {
        taa_server::Principal::of(&self.parts.extensions)
    }
}

type Make = dyn Fn(&Seen) -> Response<BoxBody> + Send + Sync;

/// The service behind the layer.
#[derive(Clone)]
pub(crate) struct Handler {
    seen: Arc<Mutex<Vec<Seen>>>,
    make: Arc<Make>,
    reads: bool,
}

impl Handler {
    pub(crate) fn new(make: impl Fn(&Seen) -> Response<BoxBody> + Send + Sync + 'static) -> Self {
        Self { seen: Arc::default(), make: Arc::new(make), reads: true }
    }

    /// Answers without having read the content.
    pub(crate) fn that_does_not_read(mut self) -> Self {
        self.reads = false;
        self
    }

    /// The one request that came through since the last look.
    pub(crate) fn only(&self) -> Seen {
        let mut seen = self.take();
        assert_eq!(seen.len(), 1, "requests that reached the handler");
        seen.remove(0)
    }

    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Default for Handler {
    fn default() -> Self {
        Self::new(|_| Response::new(full("the answer")))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler")
    }
}

impl<B> Service<Request<B>> for Handler
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: fmt::Display + Send,
{
    type Response = Response<BoxBody>;
    type Error = std::convert::Infallible;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Response<BoxBody>, std::convert::Infallible>> + Send>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), std::convert::Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match this.reads {
                false => Ok(Bytes::new()),
                true => match body.collect().await {
                    Ok(content) => Ok(content.to_bytes()),
                    Err(error) => Err(error.to_string()),
                },
            };
            let seen = Seen { parts, body };
            let answer = (this.make)(&seen);
            this.seen.lock().unwrap().push(seen);
            Ok(answer)
        })
    }
}

pub(crate) fn full(content: impl Into<Bytes>) -> BoxBody {
    Full::new(content.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Content whose length nobody knows beforehand.
pub(crate) fn pieces<const N: usize>(pieces: [&'static str; N]) -> BoxBody {
    let frames = pieces.map(|piece| Ok(http_body::Frame::data(Bytes::from_static(piece.as_bytes()))));
    http_body_util::StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

/// A server, what is behind it, and an application that it trusts.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) trust: Trust<Users>,
    pub(crate) handler: Handler,
    pub(crate) caller: Caller,
    route: fn(TrustLayer<Users>) -> TrustLayer<Users>,
}

/// What a test changes about a [`World`].
pub(crate) struct Setup {
    pub(crate) directory: Directory,
    pub(crate) users: Users,
    pub(crate) handler: Handler,
    pub(crate) key: DecryptingKey,
    pub(crate) up: Duration,
    pub(crate) base_url: &'static str,
    pub(crate) route: fn(TrustLayer<Users>) -> TrustLayer<Users>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            directory: directory(any()),
            users: Users::default(),
            handler: Handler::default(),
            key: stored_key(),
            up: UP,
            base_url: "https://tracker.example/",
            route: |layer| layer,
        }
    }
}

impl Setup {
    pub(crate) fn policy(mut self, builder: PolicyBuilder) -> Self {
        self.directory = directory(builder);
        self
    }

    pub(crate) fn users(mut self, users: Users) -> Self {
        self.users = users;
        self
    }

    pub(crate) fn handler(mut self, handler: Handler) -> Self {
        self.handler = handler;
        self
    }

    pub(crate) fn route(mut self, route: fn(TrustLayer<Users>) -> TrustLayer<Users>) -> Self {
        self.route = route;
        self
    }

    pub(crate) fn build(self) -> World {
        self.build_with(|builder| builder)
    }

    pub(crate) fn build_with(
        self,
        configure: impl FnOnce(TrustBuilder<Users>) -> TrustBuilder<Users>,
    ) -> World {
        let clock = Arc::new(ManualClock::new(START.minus(self.up)));
        self.build_on(clock, configure)
    }

    /// The server starts by this clock, and is up for a while when this returns.
    pub(crate) fn build_on(
        self,
        clock: Arc<ManualClock>,
        configure: impl FnOnce(TrustBuilder<Users>) -> TrustBuilder<Users>,
    ) -> World {
        let identity = server_identity(TRACKER, self.base_url, self.key);
        let builder = Trust::builder(identity, self.directory, self.users).clock(clock.clone());
        let trust = configure(builder).build().unwrap();
        clock.advance(self.up);
        let caller = Caller::new(WIKI, &KEYS[0], &trust.identity(), now(&clock));
        World { clock, trust, handler: self.handler, caller, route: self.route }
    }
}

pub(crate) fn now(clock: &ManualClock) -> UnixMillis {
    clock.wall().unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Setup::default().build()
    }

    pub(crate) fn now(&self) -> UnixMillis {
        now(&self.clock)
    }

    pub(crate) fn get(&self, target: &str) -> Call<'_> {
        self.call(Method::GET, target)
    }

    pub(crate) fn post(&self, target: &str, content: &'static str) -> Call<'_> {
        self.call(Method::POST, target).content("application/json", content)
    }

    pub(crate) fn call(&self, method: Method, target: &str) -> Call<'_> {
        Call::new(&self.caller, method, target, self.now())
    }

    pub(crate) fn service(&self) -> TrustService<Handler, Users> {
        (self.route)(self.trust.layer()).layer(self.handler.clone())
    }

    pub(crate) async fn send(&self, call: &Call<'_>) -> Answer {
        self.send_request(call.request()).await
    }

    pub(crate) async fn send_request(&self, request: Request<BoxBody>) -> Answer {
        Answer::collect(self.service().oneshot(request).await.unwrap()).await
    }

    /// Sends, and checks that what comes is a whole, proven refusal that reached no handler.
    pub(crate) async fn refused(&self, call: &Call<'_>, code: Code) -> Answer {
        self.handler.take();
        let answer = self.send(call).await;
        answer.check_refusal(code, Some((self.caller.keys(), &call.iv)));
        assert!(self.handler.take().is_empty(), "a refused request reached the handler");
        answer
    }

    /// As [`World::refused`], for a refusal before step 5.
    pub(crate) async fn refused_unproven(&self, request: Request<BoxBody>, code: Code) -> Answer {
        self.handler.take();
        let answer = self.send_request(request).await;
        answer.check_refusal(code, None);
        assert!(self.handler.take().is_empty(), "a refused request reached the handler");
        answer
    }

    /// Sends, and checks that it was accepted with a proof; gives what the handler saw.
    pub(crate) async fn accepted(&self, call: &Call<'_>) -> Seen {
        self.accepted_request(call.request(), call).await
    }

    pub(crate) async fn accepted_request(&self, request: Request<BoxBody>, call: &Call<'_>) -> Seen {
        self.handler.take();
        let answer = self.send_request(request).await;
        assert_eq!(answer.code(), None, "{answer:?}");
        assert_eq!(answer.field(fields::STATUS), Some("OK"), "{answer:?}");
        assert!(answer.is_proven(self.caller.keys(), &call.iv), "{answer:?}");
        let seen = self.handler.only();
        assert!(seen.principal().is_some());
        seen
    }
}

/// An application with a session.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) sealed: SealedEnvelope,
}

impl Caller {
    pub(crate) fn new(id: &str, key: &SigningKey, server: &Identity, issued: UnixMillis) -> Self {
        Self::for_server(id, key, server.id(), server, issued, Lifetime::default())
    }

    /// An envelope that names `server_id`, to the key of `server`.
    pub(crate) fn for_server(
        id: &str,
        key: &SigningKey,
        server_id: &AppId,
        server: &Identity,
        issued: UnixMillis,
        lifetime: Lifetime,
    ) -> Self {
        let content = server.certificate().content();
        let to = content.current(taa_core::certificate::KeyUse::Decryption).unwrap().public.clone();
        let to = EncryptingKey::new(providers()[0], to).unwrap();
        let sealed = seal(&app_id(id), key, server_id, &to, issued, lifetime, &SystemRandom).unwrap();
        Self { id: id.to_owned(), sealed }
    }

    pub(crate) fn keys(&self) -> &SessionKeys {
        &self.sealed.keys
    }
}

/// One request of a caller. Sending it twice sends the same bytes.
#[derive(Clone, Debug)]
pub(crate) struct Call<'c> {
    pub(crate) caller: &'c Caller,
    pub(crate) iv: Iv,
    method: Method,
    target: String,
    uri: Option<String>,
    user: String,
    created: UnixMillis,
    content_type: &'static str,
    digest: String,
    body: Bytes,
    peer: IpAddr,
}

static COUNTER: AtomicU64 = AtomicU64::new(1);

impl<'c> Call<'c> {
    pub(crate) fn new(caller: &'c Caller, method: Method, target: &str, created: UnixMillis) -> Self {
        let mut iv = [7; 16];
        iv[..8].copy_from_slice(&COUNTER.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        Self {
            caller,
            iv,
            method,
            target: target.to_owned(),
            uri: None,
            user: "fred".to_owned(),
            created,
            content_type: "",
            digest: String::new(),
            body: Bytes::new(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    pub(crate) fn user(mut self, user: &str) -> Self {
        self.user = user.to_owned();
        self
    }

    pub(crate) fn created(mut self, created: UnixMillis) -> Self {
        self.created = created;
        self
    }

    pub(crate) fn content(mut self, media_type: &'static str, content: impl Into<Bytes>) -> Self {
        self.body = content.into();
        self.content_type = media_type;
        self.digest = ContentDigest::of(&self.body).to_field();
        self
    }

    /// Another digest than the content's, or none.
    pub(crate) fn digest(mut self, digest: &str) -> Self {
        self.digest = digest.to_owned();
        self
    }

    /// Other content than what was signed.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// What stands in the request line, when that is not what was signed.
    pub(crate) fn uri(mut self, uri: &str) -> Self {
        self.uri = Some(uri.to_owned());
        self
    }

    pub(crate) fn peer(mut self, peer: &str) -> Self {
        self.peer = peer.parse().unwrap();
        self
    }

    pub(crate) fn request(&self) -> Request<BoxBody> {
        self.request_with(full(self.body.clone()))
    }

    /// With this content in place of its own; the digest stays.
    pub(crate) fn request_with(&self, body: BoxBody) -> Request<BoxBody> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.as_deref().unwrap_or(&self.target).parse().unwrap();
        *request.headers_mut() = self.headers();
        request.extensions_mut().insert(PeerAddress(self.peer));
        request
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        let covered = Covered {
            method: &self.method,
            target: Target::parse(&self.target).unwrap(),
            content_type: self.content_type,
            content_digest: &self.digest,
        };
        let user = UserName::parse(&self.user).unwrap();
        let cert = request::seal(self.caller.keys(), &covered, self.created, &user, &self.iv);
        let values = [
            "4".to_owned(),
            self.caller.id.clone(),
            encode(&self.caller.sealed.envelope),
            encode(&self.caller.sealed.signature),
            encode(cert.as_bytes()),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in fields::REQUEST.into_iter().zip(values) {
            headers.insert(name, value.parse().unwrap());
        }
        for (name, text) in
            [(http::header::CONTENT_TYPE, self.content_type), (fields::CONTENT_DIGEST, &*self.digest)]
        {
            if !text.is_empty() {
                headers.insert(name, HeaderValue::from_str(text).unwrap());
            }
        }
        headers
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn collect<B>(response: Response<B>) -> Self
    where
        B: Body<Data = Bytes>,
        B::Error: fmt::Debug,
    {
        let (head, body) = response.into_parts();
        Self { head, body: body.collect().await.unwrap().to_bytes() }
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// The one line of a field; two are a failure.
    pub(crate) fn field(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        let mut lines = self.head.headers.get_all(name).iter();
        let first = lines.next()?.to_str().expect("an answer is ASCII");
        assert!(lines.next().is_none(), "a field stands there twice");
        Some(first)
    }

    pub(crate) fn code(&self) -> Option<Code> {
        self.field(fields::ERROR).map(|text| ErrorText::parse(text).expect("an error text reads back").code)
    }

    pub(crate) fn params(&self) -> Vec<String> {
        self.field(fields::ERROR).map(|text| ErrorText::parse(text).unwrap().params).unwrap_or_default()
    }

    pub(crate) fn is_proven(&self, keys: &SessionKeys, iv: &Iv) -> bool {
        let Some(proof) = self.field(fields::PROOF) else { return false };
        let proven = ProvenAnswer {
            http_status: self.status(),
            status: self.field(fields::STATUS).unwrap_or_default(),
            error: self.field(fields::ERROR).unwrap_or_default(),
            content_digest: self.field(fields::CONTENT_DIGEST).unwrap_or_default(),
        };
        proven.is_proven_by(keys, iv, proof)
    }

    /// What section 6 of the wire document asks of every refusal. `session` is that of a request whose tag was right.
    pub(crate) fn check_refusal(&self, code: Code, session: Option<(&SessionKeys, &Iv)>) {
        assert_eq!(self.code(), Some(code), "{self:?}");
        assert_eq!(self.field(fields::STATUS), Some("ERROR"));
        assert_eq!(self.field(http::header::CACHE_CONTROL), Some("no-store, no-transform"));
        assert!(self.field(http::header::SET_COOKIE).is_none());
        let status = match code {
            Code::BadDigest if self.status() == 413 => 413,
            Code::Malformed
            | Code::AppIdNotFound
            | Code::SecretKeyNotFound
            | Code::BadProtocolVersion
            | Code::BadDigest => 400,
            Code::AppUnknown | Code::BadSignature | Code::OldCert | Code::Replayed => 401,
            Code::BadRemoteIp
            | Code::BadXforwardIp
            | Code::BadUrl
            | Code::PermissionDenied
            | Code::UserUnknown => 403,
            Code::Busy | Code::System => 503,
            other => panic!("{other} is no code of version 4"),
        };
        assert_eq!(self.status(), status);
        let asks = self.field(http::header::WWW_AUTHENTICATE);
        assert_eq!(asks, (self.head.status == StatusCode::UNAUTHORIZED).then_some("TAA"));
        match session {
            Some((keys, iv)) => assert!(self.is_proven(keys, iv), "{self:?}"),
            None => {
                assert!(self.field(fields::PROOF).is_none(), "{self:?}");
                assert_eq!(self.params(), Vec::<String>::new());
            }
        }
        self.check_digest();
    }

    /// A digest, where there is one, is that of the content.
    pub(crate) fn check_digest(&self) {
        if let Some(digest) = self.field(fields::CONTENT_DIGEST) {
            assert_eq!(digest, ContentDigest::of(&self.body).to_field());
        }
    }
}

/// A field that a test puts in.
pub(crate) fn name(text: &str) -> HeaderName {
    text.parse().unwrap()
}

pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap()
}
