//! One good request and the server that accepts it, made from the first session of the bundled vectors.

use std::path::Path;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue, Method};
use taa_core::answer::Code;
use taa_core::crypto::CryptoProvider;
use taa_core::decision::{NoSessions, Sessions};
use taa_core::envelope::{Lifetime, SealedEnvelope, seal};
use taa_core::id::{AppId, UserName};
use taa_core::key::{DecryptingKey, EncryptingKey, SigningKey};
use taa_core::policy::Policy;
use taa_core::request::{self, ContentDigest, Covered, Target};
use taa_core::time::UnixMillis;
use taa_tests::harness::{self, Incoming, KnownSessions, Nonces, Scripted, Server, providers};
use taa_tests::vectors::VectorFile;
use taa_tests::vectors::taa4::{self, SessionVector};

/// The bundled vectors of version 4.
pub(crate) static VECTORS: LazyLock<taa4::Content> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/taa4.json");
    VectorFile::read(&path).unwrap().parse().unwrap()
});

/// The one that most tests use; its session is known to the server.
pub(crate) static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| Fixture::new(providers()[0]));

/// The secret of the fixture's session.
pub(crate) const SECRET: [u8; 32] = *b"\x9e\x01the secret of a test session\xf3\x07";

#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) server: Server,
    pub(crate) sealed: SealedEnvelope,
    pub(crate) known: KnownSessions,
    pub(crate) request: Request,
    pub(crate) now: UnixMillis,
}

/// A request whose parts can be changed.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Fixture {
    pub(crate) fn new(provider: &'static dyn CryptoProvider) -> Self {
        let vector = session();
        let (client, server) = (app_id(&vector.client_id), app_id(&vector.server_id));
        let signing = SigningKey::from_pkcs8_pem(provider, &vector.client_signing_key).unwrap();
        let decrypting = DecryptingKey::from_pkcs8_pem(provider, &vector.server_decryption_key).unwrap();
        let encrypting = EncryptingKey::new(provider, decrypting.public().clone()).unwrap();
        let now = UnixMillis(vector.issued_ms);
        let random = Scripted::new(&SECRET);
        let sealed =
            seal(&client, &signing, &server, &encrypting, now, Lifetime::default(), &random).unwrap();
        let identity = harness::identity(&client, signing, None).unwrap();
        let server =
            Server::new(provider, &server, decrypting, &identity, Policy::insecure_allow_any()).unwrap();
        let request = request(&client, &sealed, now);
        let fixture = Self { server, sealed, known: KnownSessions::default(), request, now };
        assert_eq!(fixture.code(&fixture.known, &fixture.request), None);
        assert_eq!(fixture.known.all().len(), 1);
        fixture
    }

    /// The code a request is refused with, by a server that remembers no nonce; `None` when it is accepted.
    pub(crate) fn code(&self, sessions: &dyn Sessions, request: &Request) -> Option<Code> {
        self.server.code(sessions, &Nonces::default(), request.incoming(), self.now)
    }

    /// As [`Fixture::code`], for a server that knows the session, and the same for one that does not.
    pub(crate) fn codes(&self, request: &Request) -> [Option<Code>; 2] {
        [self.code(&self.known, request), self.code(&NoSessions, request)]
    }
}

impl Request {
    pub(crate) fn incoming(&self) -> Incoming<'_> {
        Incoming { method: &self.method, target: &self.target, headers: &self.headers, body: &self.body }
    }
}

pub(crate) fn session() -> &'static SessionVector {
    &VECTORS.sessions[0]
}

fn app_id(text: &str) -> AppId {
    AppId::parse(text).unwrap()
}

fn request(client: &AppId, sealed: &SealedEnvelope, created: UnixMillis) -> Request {
    use base64::Engine;
    let (method, target) = (Method::POST, "/rest/api/2/issue?notify=%2Ffalse");
    let body = b"{\"summary\":\"x\"}".to_vec();
    let digest = ContentDigest::of(&body).to_field();
    let covered = Covered {
        method: &method,
        target: Target::parse(target).unwrap(),
        content_type: "application/json",
        content_digest: &digest,
    };
    let user = UserName::parse("admin").unwrap();
    let cert = request::seal(&sealed.keys, &covered, created, &user, b"0123456789abcdef");
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let values = [
        "4".to_owned(),
        client.to_string(),
        encode(&sealed.envelope),
        encode(&sealed.signature),
        encode(cert.as_bytes()),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in taa_core::fields::REQUEST.into_iter().zip(values) {
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
    }
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(taa_core::fields::CONTENT_DIGEST, HeaderValue::from_str(&digest).unwrap());
    Request { method, target: target.to_owned(), headers, body }
}
