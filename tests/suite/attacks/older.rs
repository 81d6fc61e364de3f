//! The weaknesses of the older versions (older versions, section 17), each tried on a server that accepts versions 2 and
//! 3 from this application, and on one with its defaults. Where a weakness lies in the version itself and cannot be
//! repaired, the test says what is left of it.

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

/// What the attacks below are changes of.
#[tokio::test]
async fn genuine_requests_are_accepted_where_that_was_allowed() {
    let world = world();
    for caught in [Caught::v2(&world, "fred"), Caught::v3(&world, "fred")] {
        let seen = caught.accepted(&world).await;
        let principal = seen.principal().unwrap();
        assert_eq!((principal.user().as_str(), principal.application().as_str()), ("fred", JIRA));
        assert_eq!(principal.key(), None);
        assert!(seen.parts.headers.is_empty());
        refused_by_default(&caught).await;
        // The record alone decides: version 4 only, or another key.
        let rules = any();
        let record = crate::layer::world::application(JIRA, &crate::layer::world::KEYS[0], policy(rules));
        world.trust.replace_directory(
            Directory::new([record.with_legacy_key(legacy_key().verifying_key().clone())]).unwrap(),
        );
        let again =
            if caught.headers[fields::VERSION] == "2" { Caught::v2 } else { Caught::v3 }(&world, "fred");
        let answer = again.send(&world).await;
        assert_eq!((answer.status(), answer.code()), (400, Some(Code::BadProtocolVersion)));
        let rules = policy(any().min_protocol(Protocol::V2));
        let record =
            Application::legacy(app_id(JIRA), "JIRA".into(), legacy_key().verifying_key().clone(), rules);
        world.trust.replace_directory(Directory::new([record]).unwrap());
    }
}

#[tokio::test]
async fn weakness_01_version_0_needs_no_key_at_all() {
    let world = world();
    let far = UnixMillis(4_000_000_000_000);
    for version in [None, Some(""), Some("0"), Some(" ")] {
        let forged = Caught { method: Method::GET, uri: PAGE.into(), headers: HeaderMap::new(), body: "" }
            .set(fields::ID, JIRA)
            .set(fields::KEY, KEY_ONE)
            .set(fields::CERT, &certificate(&[1], far, "admin"));
        let forged = match version {
            None => forged,
            Some(version) => forged.set(fields::VERSION, version),
        };
        forged.refused(&world, Code::BadProtocolVersion).await;
    }
    // Even one that the application made itself.
    let id = app_id(JIRA);
    let secret = CertificateKey::random(&mut random).unwrap();
    let genuine =
        insecure_encode_v0(legacy_key(), &claim(&id, "fred", URL, world.now()), &secret, &mut random);
    Caught::of(genuine).refused(&world, Code::BadProtocolVersion).await;
}

#[tokio::test]
async fn weakness_02_version_1_with_a_magic_that_never_changes() {
    let world = world();
    let caught = Caught::v2(&world, "fred");
    assert_eq!(caught.headers[fields::MAGIC], Caught::v2(&world, "admin").headers[fields::MAGIC]);
    let forged = caught
        .clone()
        .without(&[fields::SIGNATURE])
        .set(fields::VERSION, "1")
        .set(fields::KEY, KEY_ONE)
        .set(fields::CERT, &certificate(&[1], world.now(), "admin"));
    forged.refused(&world, Code::BadProtocolVersion).await;
    let id = app_id(JIRA);
    let secret = CertificateKey::random(&mut random).unwrap();
    let genuine =
        insecure_encode_v1(legacy_key(), &claim(&id, "fred", URL, world.now()), &secret, &mut random);
    Caught::of(genuine).refused(&world, Code::BadProtocolVersion).await;
    // The magic does not make a key of one byte good in version 2.
    let forged = caught.set(fields::KEY, KEY_ONE).set(fields::CERT, &certificate(&[1], world.now(), "admin"));
    forged.refused(&world, Code::BadMagic).await;
}

#[tokio::test]
async fn weakness_03_downgrade_by_dropping_fields() {
    let world = world();
    for caught in [Caught::v2(&world, "fred"), Caught::v3(&world, "fred")] {
        let elsewhere = caught.clone().at("/secure/admin/DeleteProject.jspa");
        for version in ["1", "0", "-1", "+2", " 2", "2 ", "02", "5", "٢"] {
            let forged = elsewhere.clone().without(&[fields::SIGNATURE]).set(fields::VERSION, version);
            forged.refused(&world, Code::BadProtocolVersion).await;
        }
        let forged = elsewhere.clone().without(&[fields::VERSION, fields::MAGIC, fields::SIGNATURE]);
        forged.refused(&world, Code::BadProtocolVersion).await;
        let unsigned = caught.clone().without(&[fields::SIGNATURE]);
        unsigned.refused(&world, Code::BadSignature).await;
        unsigned.set(fields::SIGNATURE, "").refused(&world, Code::BadSignature).await;
        elsewhere.refused(&world, Code::BadSignature).await;
        caught.accepted(&world).await;
    }
    // One version's fields under another's number.
    Caught::v2(&world, "fred").set(fields::VERSION, "3").refused(&world, Code::BadMagic).await;
    Caught::v3(&world, "fred").set(fields::VERSION, "2").refused(&world, Code::SecretKeyNotFound).await;
    // "4" is judged by version 4's rules.
    let four = Caught::v3(&world, "fred").set(fields::VERSION, "4");
    assert_eq!(four.send(&world).await.code(), Some(Code::SecretKeyNotFound));
}

/// Version 2 does not sign the user. What is left of it: whoever holds the genuine request back can put another user
/// in, once. Whichever arrives first wins, and the other one is refused, so somebody notices.
#[tokio::test]
async fn weakness_04_version_2_leaves_the_user_out_of_the_signature() {
    let world = world();
    let swap = |caught: &Caught| {
        let cert = certificate(&caught.rc4_key(), world.now(), "admin");
        caught.clone().set(fields::CERT, &cert)
    };
    // The known attack needs no key; it does not work.
    let caught = Caught::v2(&world, "fred");
    let forged =
        caught.clone().set(fields::KEY, KEY_ONE).set(fields::CERT, &certificate(&[1], world.now(), "admin"));
    forged.refused(&world, Code::BadMagic).await;
    // The one with the key that the public key opens: too late.
    assert_eq!(caught.accepted(&world).await.principal().unwrap().user().as_str(), "fred");
    swap(&caught).refused(&world, Code::Replayed).await;
    // In time: that is why version 2 is off unless a person accepts this.
    world.clock.advance(Duration::from_millis(1));
    let caught = Caught::v2(&world, "fred");
    assert_eq!(swap(&caught).accepted(&world).await.principal().unwrap().user().as_str(), "admin");
    caught.refused(&world, Code::Replayed).await;
    // Nor for another time or URL.
    world.clock.advance(Duration::from_millis(1));
    let caught = Caught::v2(&world, "fred");
    let later = world.now().plus(Duration::from_millis(1));
    let cert = certificate(&caught.rc4_key(), later, "fred");
    caught.clone().set(fields::CERT, &cert).refused(&world, Code::BadSignature).await;
    caught.at("/elsewhere").refused(&world, Code::BadSignature).await;
    // Version 3 signs it.
    let caught = Caught::v3(&world, "fred");
    let other = STANDARD.encode(format!("{}\nadmin\n-1159983122", world.now().0));
    caught.set(fields::CERT, &other).refused(&world, Code::BadSignature).await;
}

/// RC4 has no MAC: whoever knows what stands there can write something else, without any key. Again the first wins.
#[tokio::test]
async fn weakness_05_rc4_bits_flipped() {
    let world = world();
    let flip = |caught: &Caught, at: usize, mask: &[u8]| {
        let mut cert = caught.bytes(fields::CERT);
        for (byte, mask) in cert[at..].iter_mut().zip(mask) {
            *byte ^= mask;
        }
        caught.clone().set(fields::CERT, &STANDARD.encode(cert))
    };
    let time = world.now().0.to_string().len();
    let to_admin: Vec<u8> = b"aaaaa".iter().zip(b"admin").map(|(a, b)| a ^ b).collect();
    let caught = Caught::v2(&world, "aaaaa");
    caught.accepted(&world).await;
    flip(&caught, time + 1, &to_admin).refused(&world, Code::Replayed).await;

    world.clock.advance(Duration::from_millis(1));
    let caught = Caught::v2(&world, "aaaaa");
    assert_eq!(flip(&caught, time + 1, &to_admin).plaintext().lines().nth(1), Some("admin"));
    // The time and the end of the certificate are not free.
    flip(&caught, 0, &[b'1' ^ b'3']).refused(&world, Code::OldCert).await;
    flip(&caught, time - 1, &[1]).refused(&world, Code::BadSignature).await;
    flip(&caught, time + 8, &[1]).refused(&world, Code::BadMagic).await;
    flip(&caught, time, &[b'\n' ^ b'0']).refused(&world, Code::BadMagic).await;
    caught.accepted(&world).await;
}

#[tokio::test]
async fn weakness_06_line_ends_in_a_user_name() {
    let world = world();
    let id = app_id(JIRA);
    for user in ["admin\n-1159983122", "admin\r-1159983122", "admin\r\n-1159983122", "admin\n", "\nadmin"] {
        // Our signers refuse to write them.
        let secret = CertificateKey::random(&mut random).unwrap();
        let claim = claim(&id, user, URL, world.now());
        assert!(matches!(sign_v2(legacy_key(), &claim, &secret, &mut random), Err(SignError::User)));
        assert!(matches!(sign_v3(legacy_key(), &claim, &mut random), Err(SignError::User)));
        // Those of others do, and then the signature is genuine: the certificate's form is what refuses them.
        let caught = Caught::v2(&world, "fred");
        let cert = certificate(&caught.rc4_key(), world.now(), user);
        caught.set(fields::CERT, &cert).refused(&world, Code::BadMagic).await;
        let base = format!("{}\n{URL}\n{user}", world.now().0);
        let signature = legacy_key().sign(base.as_bytes(), &mut random).unwrap();
        let cert = STANDARD.encode(format!("{}\n{user}\n-1159983122", world.now().0));
        let signed = Caught::v3(&world, "fred")
            .set(fields::CERT, &cert)
            .set(fields::SIGNATURE, &STANDARD.encode(signature));
        signed.refused(&world, Code::BadMagic).await;
    }
    // Names that are no names, genuinely signed: refused, and told to nobody else.
    for user in ["", " admin", "admin\u{200b}", "\u{202e}nimda", "a\u{0}b"] {
        let base = format!("{}\n{URL}\n{user}", world.now().0);
        let signature = legacy_key().sign(base.as_bytes(), &mut random).unwrap();
        let cert = STANDARD.encode(format!("{}\n{user}\n-1159983122", world.now().0));
        let signed = Caught::v3(&world, "fred")
            .set(fields::CERT, &cert)
            .set(fields::SIGNATURE, &STANDARD.encode(signature));
        signed.refused(&world, Code::UserUnknown).await;
    }
}

#[tokio::test]
async fn weakness_07_lured_to_another_host() {
    let world = world();
    let id = app_id(JIRA);
    for lure in ["https://attacker.example", "http://tracker.example", "https://tracker.example:8443"] {
        let url = format!("{lure}{PAGE}");
        let secret = CertificateKey::random(&mut random).unwrap();
        let claim = claim(&id, "fred", &url, world.now());
        let host = lure.split_once("//").unwrap().1;
        for caught in [
            Caught::of(sign_v2(legacy_key(), &claim, &secret, &mut random)),
            Caught::of(sign_v3(legacy_key(), &claim, &mut random)),
        ] {
            for header in ["host", "x-forwarded-host", "x-forwarded-server", "x-original-host", "forwarded"] {
                let text = if header == "forwarded" { format!("host={host}") } else { host.to_owned() };
                let sent = caught
                    .clone()
                    .set(header.parse().unwrap(), &text)
                    .set("x-forwarded-proto".parse().unwrap(), "http");
                sent.refused(&world, Code::BadSignature).await;
            }
            caught.at(&url).refused(&world, Code::BadSignature).await;
        }
    }
}

/// The URL is built from the server's own base URL: what the caller says of host, scheme and port changes nothing.
#[tokio::test]
async fn weakness_08_host_scheme_and_port_come_from_the_caller() {
    let world = world();
    for (header, text) in
        [("host", "attacker.example"), ("x-forwarded-proto", "http"), ("x-forwarded-port", "1")]
    {
        Caught::v3(&world, "fred").set(header.parse().unwrap(), text).accepted(&world).await;
        Caught::v2(&world, "fred").set(header.parse().unwrap(), text).accepted(&world).await;
        // Time goes on, so that the same request is another one.
        world.clock.advance(Duration::from_secs(1));
    }
    // Another server that trusts the same application.
    let caught = Caught::v3(&world, "fred");
    let rules = policy(any().min_protocol(Protocol::V2));
    let record =
        Application::legacy(app_id(JIRA), "JIRA".into(), legacy_key().verifying_key().clone(), rules);
    let other = Setup {
        directory: Directory::new([record]).unwrap(),
        base_url: "https://other.example/jira",
        ..Setup::default()
    };
    let other = other.users(everybody()).build_with(|builder| builder.insecure_accept_older_versions());
    caught.clone().set(header::HOST, "tracker.example").refused(&other, Code::BadSignature).await;
    caught.accepted(&world).await;
}

#[tokio::test]
async fn weakness_09_replay_and_dates_far_ahead() {
    let world = world();
    for sign in [Caught::v2, Caught::v3] {
        let caught = sign(&world, "fred");
        caught.accepted(&world).await;
        // Other spellings of the same signature are the same.
        caught.refused(&world, Code::Replayed).await;
        let padded = format!("{}=", caught.headers[fields::SIGNATURE].to_str().unwrap());
        let answer = caught.clone().set(fields::SIGNATURE, &padded).send(&world).await;
        assert!(matches!(answer.code(), Some(Code::Replayed | Code::BadSignature)), "{answer:?}");
        for _ in 0..12 {
            world.clock.advance(Duration::from_secs(10));
            let answer = caught.send(&world).await;
            assert!(matches!(answer.code(), Some(Code::Replayed | Code::OldCert)), "{answer:?}");
        }
        world.handler.take();
    }
    let id = app_id(JIRA);
    let at = |time| Caught::of(sign_v3(legacy_key(), &claim(&id, "fred", URL, time), &mut random));
    let ahead = |seconds| world.now().plus(Duration::from_secs(seconds));
    at(ahead(930)).accepted(&world).await;
    for time in
        [ahead(931), ahead(86_400), UnixMillis(4_000_000_000_000), UnixMillis(9_223_372_036_854_775_807)]
    {
        at(time).refused(&world, Code::OldCert).await;
    }
    at(world.now().minus(Duration::from_secs(60))).accepted(&world).await;
    at(world.now().minus(Duration::from_millis(60_001))).refused(&world, Code::OldCert).await;
    at(UnixMillis(0)).refused(&world, Code::OldCert).await;

    // A post-dated one is remembered for as long as it is good: 16 minutes.
    let caught = at(ahead(900));
    caught.accepted(&world).await;
    for _ in 0..98 {
        world.clock.advance(Duration::from_secs(10));
        let answer = caught.send(&world).await;
        assert!(matches!(answer.code(), Some(Code::Replayed | Code::OldCert)), "{answer:?}");
    }
}

/// A wall clock that goes back must not make a request good again whose nonce is gone.
#[tokio::test]
async fn weakness_09_replay_after_the_clock_went_back() {
    let world = world();
    let caught = Caught::v3(&world, "fred");
    caught.accepted(&world).await;
    world.clock.advance(Duration::from_secs(3600));
    world.clock.set_wall(world.now().minus(Duration::from_secs(3600)));
    for _ in 0..20 {
        let answer = caught.send(&world).await;
        assert!(answer.code().is_some(), "accepted a second time: {answer:?}");
        world.clock.advance(Duration::from_secs(10));
    }
}

/// Neither is signed in any older version. What is left: once, and by the rules of the record, which say read-only
/// unless a person allows more.
#[tokio::test]
async fn weakness_10_method_and_content_are_not_signed() {
    let read_only = world_with(any().methods(MethodRules::read_only()), true);
    let mut caught = Caught::v3(&read_only, "fred");
    caught.method = Method::POST;
    caught.body = "delete=everything";
    caught.refused(&read_only, Code::BadUrl).await;
    caught.method = Method::GET;
    caught.accepted(&read_only).await;

    let world = world();
    let mut caught = Caught::v3(&world, "fred");
    caught.accepted(&world).await;
    caught.method = Method::POST;
    caught.refused(&world, Code::Replayed).await;
    // Cookies and the like of the request do not reach the handler either.
    let caught = Caught::v2(&world, "fred")
        .set(header::COOKIE, "JSESSIONID=1")
        .set(header::AUTHORIZATION, "Basic YTpi");
    assert!(caught.accepted(&world).await.parts.headers.is_empty());
}

/// Whoever has the public key reads the user, so nothing in these versions counts on its being hidden.
#[tokio::test]
async fn weakness_11_the_encryption_hides_nothing() {
    let world = world();
    assert_eq!(Caught::v2(&world, "fred").plaintext(), format!("{}\nfred\n-1159983122", world.now().0));
    // Version 4: neither the name nor the time stands in any field.
    let own = World::new();
    for (name, value) in &own.get("/").user("fred").headers() {
        let bytes =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(value.as_bytes()).unwrap_or_default();
        assert!(!bytes.windows(4).any(|window| window == b"fred"), "{name}");
        assert!(
            !bytes.windows(8).any(|window| window == own.now().0.to_be_bytes()) || name == fields::KEY,
            "{name}"
        );
    }
}

/// A page over plain http can be swapped on its way; short keys can be broken; neither gets into version 4.
#[tokio::test]
async fn weakness_12_short_keys_and_pages_that_anybody_can_swap() {
    let json: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/legacy/keys.json")).unwrap();
    let short = STANDARD.decode(json["rsa1024"]["pkcs8"].as_str().unwrap()).unwrap();
    for provider in taa_tests::harness::providers() {
        assert!(taa_core::key::SigningKey::from_pkcs8_der(provider, &short).is_err());
        assert!(taa_core::key::DecryptingKey::from_pkcs8_der(provider, &short).is_err());
    }
    let fetcher = taa_client::fetch::Fetcher::new().unwrap();
    let url = "http://tracker.example/".parse().unwrap();
    let refused = fetcher.certificate(taa_tests::harness::providers()[0], &url, UnixMillis(0)).await;
    assert!(matches!(refused, Err(taa_client::fetch::FetchError::PlainHttp)), "{refused:?}");
    // A key of the older versions is not one of version 4, under any id.
    let der = STANDARD.decode(json["rsa2048"]["pkcs8"].as_str().unwrap()).unwrap();
    let shared = taa_core::key::SigningKey::from_pkcs8_der(taa_tests::harness::providers()[0], &der).unwrap();
    let rules = || policy(any().min_protocol(Protocol::V2));
    let older =
        Application::legacy(app_id(JIRA), "JIRA".into(), legacy_key().verifying_key().clone(), rules());
    let newer = crate::layer::world::application("wiki", &shared, rules());
    assert!(Directory::new([older, newer.clone()]).is_err());
    assert!(Directory::new([newer.with_legacy_key(legacy_key().verifying_key().clone())]).is_err());
}

#[tokio::test]
async fn weakness_13_prefix_rules() {
    let world = world_with(any().paths(PathRules::parse_list("/docs").unwrap()), true);
    let id = app_id(JIRA);
    let at = |path: &str| {
        let url = format!("https://tracker.example{path}");
        Caught::of(sign_v3(legacy_key(), &claim(&id, "fred", &url, world.now()), &mut random)).at(path)
    };
    at("/docs/x").accepted(&world).await;
    for path in [
        "/docsecret",
        "/docs/../secure/admin",
        "/docs/%2e%2e/secure",
        "/docs/..;/secure",
        "/docs;/../secure",
        "/docs/%2F..%2Fsecure",
        "/docs%5C..%5Csecure",
        "/docs//../secure",
        "/Docs/x",
        "/x/docs",
    ] {
        at(path).refused(&world, Code::BadUrl).await;
    }
}

#[tokio::test]
async fn weakness_14_cheap_faults_are_the_caller_s_and_no_panic() {
    let world = world();
    let long = STANDARD.encode([0xff; 256]);
    let longer = STANDARD.encode([0x7f; 257]);
    let texts =
        ["AA==", KEY_ONE, &long, &longer, "!", "A", "====", "AQ= =", "\u{e9}", " ", "\t", &"A".repeat(9000)];
    for caught in [Caught::v2(&world, "fred"), Caught::v3(&world, "fred")] {
        for field in
            [fields::ID, fields::CERT, fields::KEY, fields::MAGIC, fields::SIGNATURE, fields::VERSION]
        {
            for text in texts {
                let sent = caught.clone().set(field.clone(), text);
                let answer = sent.send(&world).await;
                // Version 3 does not look at these two, whatever they hold, as long as the fields are not too long.
                let ignored = caught.headers[fields::VERSION] == "3"
                    && (field == fields::KEY || field == fields::MAGIC)
                    && answer.code().is_none();
                if ignored {
                    world.clock.advance(Duration::from_secs(1));
                    world.handler.take();
                    break;
                }
                assert!(answer.head.status.is_client_error(), "{field} {text:.20}: {answer:?}");
                refused_by_default_or_malformed(&sent).await;
            }
            let mut doubled = caught.clone();
            doubled.headers.append(field.clone(), value("x"));
            if doubled.headers.get_all(&field).iter().count() == 2 {
                let answer = doubled.send(&world).await;
                assert!(answer.head.status.is_client_error(), "{field} twice: {answer:?}");
            }
        }
    }
    // Certificates of every length and with odd lines, under a good key.
    for text in
        ["", "\n", "\n\n", "1", "1\nfred", "+1\nfred\n-1159983122", "x\nfred\n-1159983122", "1\nfred\n1"]
    {
        let caught = Caught::v2(&world, "fred");
        let cert = STANDARD.encode(rc4(&caught.rc4_key(), text.as_bytes()));
        let answer = caught.set(fields::CERT, &cert).send(&world).await;
        assert!(answer.head.status.is_client_error(), "{text:?}: {answer:?}");
    }
    assert!(world.handler.take().is_empty());
    Caught::v3(&world, "fred").accepted(&world).await;
}

async fn refused_by_default_or_malformed(caught: &Caught) {
    let strict = world_with(any(), false);
    let answer = caught.send(&strict).await;
    assert!(answer.head.status.is_client_error() && answer.code().is_some(), "{answer:?}");
    assert!(strict.handler.take().is_empty());
}

/// Before the signature was found good an answer holds nothing that was sent or configured.
#[tokio::test]
async fn weakness_15_error_texts_tell_nothing_before_the_signature() {
    let narrow = world_with(
        any()
            .addresses(taa_core::policy::AddressRules::parse_list("192.0.2.77").unwrap())
            .paths(PathRules::parse_list("/internal").unwrap()),
        true,
    );
    let wide = world();
    let silent = |answer: &Answer| {
        assert!(answer.params().iter().all(String::is_empty), "{answer:?}");
        let told = format!("{:?} {:?}", answer.head.headers, answer.body);
        for secret in
            [JIRA, "fred", "192.0.2", "127.0.0.1", "tracker.example", "Dashboard", "internal", "60000"]
        {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    };
    silent(&Caught::v3(&narrow, "fred").refused(&narrow, Code::BadRemoteIp).await);
    for sign in [Caught::v2, Caught::v3] {
        let caught = sign(&wide, "fred");
        silent(&caught.clone().at("/elsewhere").refused(&wide, Code::BadSignature).await);
        silent(&caught.clone().without(&[fields::SIGNATURE]).refused(&wide, Code::BadSignature).await);
        silent(&caught.clone().set(fields::VERSION, "7").refused(&wide, Code::BadProtocolVersion).await);
        silent(&caught.clone().set(fields::CERT, "AAAA").refused(&wide, Code::BadMagic).await);
        // Who exists cannot be told from who does not by anything but the code.
        silent(&caught.clone().set(fields::ID, "nobody").refused(&wide, Code::AppUnknown).await);
        wide.clock.advance(Duration::from_secs(61));
        silent(&caught.refused(&wide, Code::OldCert).await);
    }
    // After it, the user is told to the application that named it.
    let strict = Setup { directory: (*wide.trust.directory()).clone(), ..Setup::default() }
        .build_with(|builder| builder.insecure_accept_older_versions());
    let answer = Caught::v3(&strict, "nobody").refused(&strict, Code::UserUnknown).await;
    assert_eq!(answer.params(), ["nobody"]);
}

/// The older servers ended the browser's session with every trusted request. Here nothing is done to cookies at all:
/// those that come are not looked at, and none goes out.
#[tokio::test]
async fn weakness_16_a_browser_s_session_is_not_touched() {
    let handler = Handler::new(|seen| {
        assert!(!seen.parts.headers.contains_key(header::COOKIE));
        http::Response::builder()
            .header(header::SET_COOKIE, "JSESSIONID=; Max-Age=0")
            .header("clear-site-data", "\"cookies\"")
            .body(full(Bytes::new()))
            .unwrap()
    });
    let rules = policy(any().min_protocol(Protocol::V2));
    let record =
        Application::legacy(app_id(JIRA), "JIRA".into(), legacy_key().verifying_key().clone(), rules);
    let setup = Setup { directory: Directory::new([record]).unwrap(), handler, ..Setup::default() };
    let world = setup.users(everybody()).build_with(|builder| builder.insecure_accept_older_versions());
    let answer = Caught::v3(&world, "fred").set(header::COOKIE, "JSESSIONID=victim").send(&world).await;
    assert_eq!((answer.code(), answer.field(header::SET_COOKIE)), (None, None));
}

/// Version 4 once seen, older ones are over for that application, whatever they prove.
#[tokio::test]
async fn after_version_4_no_older_version() {
    use crate::layer::world::{KEYS, WIKI, application};
    let rules = policy(any().min_protocol(Protocol::V2));
    let record = application(WIKI, &KEYS[0], rules).with_legacy_key(legacy_key().verifying_key().clone());
    let world = Setup { directory: Directory::new([record]).unwrap(), ..Setup::default() }
        .build_with(|builder| builder.insecure_accept_older_versions());
    let id = app_id(WIKI);
    let older =
        |world: &World| Caught::of(sign_v3(legacy_key(), &claim(&id, "fred", URL, world.now()), &mut random));
    older(&world).accepted(&world).await;
    world.accepted(&world.get("/")).await;
    world.clock.advance(Duration::from_secs(1));
    let answer = older(&world).send(&world).await;
    assert_eq!((answer.status(), answer.code()), (400, Some(Code::BadProtocolVersion)));
}
