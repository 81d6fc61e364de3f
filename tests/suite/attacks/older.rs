//! The weaknesses of the older versions (older versions, section 17), each tried on a server that accepts versions 2 and
//! 3 from this application, and on one with its defaults. Where a weakness lies in the version itself and cannot be
//! repaired, the test says what is left of it.

mod forged;
mod used_again;

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use taa_core::answer::Code;
use taa_core::crypto::{Random, RandomError, SystemRandom};
use taa_core::directory::{Application, Directory};
use taa_core::fields;
use taa_core::legacy::{
    CertificateKey, Claim, LegacySigningKey, SignError, SignedFields, insecure_encode_v0, insecure_encode_v1,
    sign_v2, sign_v3,
};
use taa_core::policy::{MethodRules, PathRules, PolicyBuilder, Protocol};
use taa_core::time::UnixMillis;
use taa_server::PeerAddress;

use crate::layer::world::{Answer, Handler, Seen, Setup, World, any, app_id, everybody, full, policy, value};

const JIRA: &str = "jira:5522001";
const PAGE: &str = "/secure/Dashboard.jspa?x=%20y";
const URL: &str = "https://tracker.example/secure/Dashboard.jspa?x=%20y";
/// No request with this header needs the private key: 1 to any power is 1.
const KEY_ONE: &str = "AQ==";

/// The application's key, as the vectors have it.
pub(crate) fn legacy_key() -> &'static LegacySigningKey {
    static KEY: LazyLock<LegacySigningKey> = LazyLock::new(|| {
        let text = include_str!("../../vectors/legacy/keys.json");
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let der = STANDARD.decode(json["rsa2048"]["pkcs8"].as_str().unwrap()).unwrap();
        LegacySigningKey::from_pkcs8_der(&der).unwrap()
    });
    &KEY
}

fn random(out: &mut [u8]) -> Result<(), RandomError> {
    SystemRandom.fill(out)
}

/// A server that trusts one application of the older versions, under these rules.
fn world_with(rules: PolicyBuilder, accept: bool) -> World {
    let rules = policy(rules.min_protocol(Protocol::V2));
    let record =
        Application::legacy(app_id(JIRA), "JIRA".into(), legacy_key().verifying_key().clone(), rules);
    let setup = Setup { directory: Directory::new([record]).unwrap(), ..Setup::default() };
    setup
        .users(everybody())
        .build_with(|builder| if accept { builder.insecure_accept_older_versions() } else { builder })
}

fn world() -> World {
    world_with(any(), true)
}

/// A request as somebody caught it on its way.
#[derive(Clone)]
struct Caught {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: &'static str,
}

impl Caught {
    fn of(signed: Result<SignedFields, SignError>) -> Self {
        let mut headers = HeaderMap::new();
        signed.unwrap().insert_into(&mut headers);
        Self { method: Method::GET, uri: PAGE.to_owned(), headers, body: "" }
    }

    fn v3(world: &World, user: &str) -> Self {
        Self::of(sign_v3(legacy_key(), &claim(&app_id(JIRA), user, URL, world.now()), &mut random))
    }

    fn v2(world: &World, user: &str) -> Self {
        let secret = CertificateKey::random(&mut random).unwrap();
        Self::of(sign_v2(legacy_key(), &claim(&app_id(JIRA), user, URL, world.now()), &secret, &mut random))
    }

    fn set(mut self, name: http::HeaderName, text: &str) -> Self {
        self.headers.insert(name, value(text));
        self
    }

    fn without(mut self, names: &[http::HeaderName]) -> Self {
        for name in names {
            self.headers.remove(name);
        }
        self
    }

    fn at(mut self, uri: &str) -> Self {
        self.uri = uri.to_owned();
        self
    }

    fn bytes(&self, name: http::HeaderName) -> Vec<u8> {
        STANDARD.decode(self.headers[name].as_bytes()).unwrap()
    }

    /// The RC4 key: anybody reads it with the public key.
    fn rc4_key(&self) -> Vec<u8> {
        legacy_key().verifying_key().insecure_raw(&self.bytes(fields::KEY)).unwrap()
    }

    fn plaintext(&self) -> String {
        String::from_utf8(rc4(&self.rc4_key(), &self.bytes(fields::CERT))).unwrap()
    }

    async fn send(&self, world: &World) -> Answer {
        let mut request: Request<_> = Request::new(full(self.body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.parse().unwrap();
        *request.headers_mut() = self.headers.clone();
        request.extensions_mut().insert(PeerAddress([127, 0, 0, 1].into()));
        let answer = world.send_request(request).await;
        assert_eq!(answer.field(fields::PROOF), None, "no older version has a proof");
        answer
    }

    async fn accepted(&self, world: &World) -> Seen {
        world.handler.take();
        let answer = self.send(world).await;
        assert_eq!((answer.code(), answer.field(fields::STATUS)), (None, Some("OK")), "{answer:?}");
        world.handler.only()
    }

    /// Refused by this server with a code, and by one with its defaults whatever it holds. Never a status of 5xx.
    async fn refused(&self, world: &World, code: Code) -> Answer {
        let answer = self.send(world).await;
        assert_eq!((answer.code(), answer.field(fields::STATUS)), (Some(code), Some("ERROR")), "{answer:?}");
        assert!(answer.head.status.is_client_error(), "{answer:?}");
        assert!(world.handler.take().is_empty());
        refused_by_default(self).await;
        answer
    }
}

async fn refused_by_default(caught: &Caught) {
    let strict = world_with(any(), false);
    let answer = caught.send(&strict).await;
    assert_eq!((answer.status(), answer.code()), (400, Some(Code::BadProtocolVersion)), "{answer:?}");
    assert!(strict.handler.take().is_empty());
}

fn claim<'a>(
    app_id: &'a taa_core::id::AppId,
    user: &'a str,
    url: &'a str,
    timestamp: UnixMillis,
) -> Claim<'a> {
    Claim { app_id, user, url, timestamp }
}

fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: Vec<u8> = (0..=255).collect();
    let mut j = 0usize;
    for i in 0..256 {
        j = (j + usize::from(state[i]) + usize::from(key[i % key.len()])) % 256;
        state.swap(i, j);
    }
    let (mut i, mut j) = (0usize, 0usize);
    data.iter()
        .map(|byte| {
            i = (i + 1) % 256;
            j = (j + usize::from(state[i])) % 256;
            state.swap(i, j);
            byte ^ state[(usize::from(state[i]) + usize::from(state[j])) % 256]
        })
        .collect()
}

fn certificate(key: &[u8], time: UnixMillis, user: &str) -> String {
    STANDARD.encode(rc4(key, format!("{}\n{user}\n-1159983122", time.0).as_bytes()))
}
