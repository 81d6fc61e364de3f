//! The bundled vectors of version 4, through the layer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use http::{HeaderValue, Method, Request};
use taa_core::answer::Code;
use taa_core::directory::{Application, Directory};
use taa_core::envelope::{Envelope, SessionKeys};
use taa_core::fields;
use taa_core::id::{AppId, UserName};
use taa_core::key::{DecryptingKey, SigningKey};
use taa_core::policy::Policy;
use taa_core::request::{self, Covered, Iv, Target};
use taa_core::time::{ManualClock, UnixMillis};
use taa_server::{PeerAddress, Trust};
use taa_tests::harness::providers;
use taa_tests::vectors::taa4::{RefusalVector, SessionVector};
use tower::{Layer, ServiceExt};

use super::world::{
    Answer, BoxBody, Handler, Users, app_id, client_identity, everybody, full, server_identity,
};
use crate::fixture::VECTORS;

struct Replay {
    trust: Trust<Users>,
    clock: Arc<ManualClock>,
    handler: Handler,
    keys: SessionKeys,
}

impl Replay {
    fn new(vector: &SessionVector) -> Self {
        let provider = providers()[0];
        let signing = SigningKey::from_pkcs8_pem(provider, &vector.client_signing_key).unwrap();
        let decrypting = DecryptingKey::from_pkcs8_pem(provider, &vector.server_decryption_key).unwrap();
        let client = client_identity(&vector.client_id, &signing);
        let application =
            Application::new(provider, client.certificate(), Policy::insecure_allow_any()).unwrap();
        let identity = server_identity(&vector.server_id, "https://tracker.example/", decrypting);
        // Long before, so that no vector is before the restart fence.
        let clock = Arc::new(ManualClock::new(UnixMillis(vector.issued_ms - 86_400_000)));
        let trust = Trust::builder(identity, Directory::new([application]).unwrap(), everybody())
            .clock(clock.clone())
            .build()
            .unwrap();
        let envelope = Envelope::decode(vector.headers.first(&fields::KEY).unwrap().as_bytes()).unwrap();
        let secret: Vec<u8> = hex(&vector.secret_hex);
        let keys = SessionKeys::derive(
            &app_id(&vector.client_id),
            &app_id(&vector.server_id),
            envelope.as_bytes(),
            &secret.try_into().unwrap(),
        );
        Self { trust, clock, handler: Handler::default(), keys }
    }

    async fn send(&self, now: u64, request: Request<BoxBody>) -> Answer {
        self.clock.set_wall(UnixMillis(now));
        let service = self.trust.layer().layer(self.handler.clone());
        Answer::collect(service.oneshot(request).await.unwrap()).await
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2).unwrap(), 16).unwrap())
        .collect()
}

fn body(text: Option<&str>) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text.unwrap_or_default()).unwrap()
}

#[tokio::test]
async fn every_request_is_accepted_and_its_answer_proven() {
    let mut accepted = 0;
    for vector in &VECTORS.sessions {
        let replay = Replay::new(vector);
        for case in &vector.requests {
            let body = body(case.body_base64.as_deref());
            let mut request = Request::new(full(body.clone()));
            *request.method_mut() = Method::from_bytes(case.method.as_bytes()).unwrap();
            *request.uri_mut() = case.target.parse().unwrap();
            *request.headers_mut() = vector.headers.to_map().unwrap().0;
            request.extensions_mut().insert(PeerAddress([127, 0, 0, 1].into()));
            let others = [
                (http::header::CONTENT_TYPE, case.content_type.as_deref()),
                (fields::CONTENT_DIGEST, case.content_digest.as_deref()),
                (fields::CERT, Some(&*case.cert)),
                (http::header::AUTHORIZATION, Some("Basic YTpi")),
                (http::header::COOKIE, Some("JSESSIONID=1")),
            ];
            for (name, text) in others {
                if let Some(text) = text {
                    request.headers_mut().insert(name, HeaderValue::from_str(text).unwrap());
                }
            }
            let answer = replay.send(case.created_ms, request).await;
            let why = format!("{} {}: {answer:?}", case.method, case.target);
            assert_eq!((answer.status(), answer.code()), (200, None), "{why}");
            let iv: Iv = hex(&case.iv_hex).try_into().unwrap();
            assert!(answer.is_proven(&replay.keys, &iv), "{why}");
            assert_eq!(answer.field(fields::CONTENT_DIGEST).is_some(), case.method != "HEAD", "{why}");
            answer.check_digest();

            let seen = replay.handler.only();
            let principal = seen.principal().unwrap();
            assert_eq!(principal.presented_user().as_str(), case.user);
            assert_eq!(principal.application().as_str(), vector.client_id);
            assert_eq!(seen.body.unwrap(), body);
            assert_eq!(seen.parts.uri.to_string(), case.target);
            for name in seen.parts.headers.keys() {
                let name = name.as_str();
                assert!(!name.starts_with(fields::PREFIX) && name != "authorization" && name != "cookie");
            }
            accepted += 1;
        }
    }
    assert_eq!(accepted, VECTORS.sessions.iter().map(|session| session.requests.len()).sum::<usize>());
    assert!(accepted > 30);
}

/// A request as an HTTP library hands it on, or why it cannot.
fn request(case: &RefusalVector) -> Result<Request<BoxBody>, &'static str> {
    let mut request = Request::new(full(body(case.body_base64.as_deref())));
    *request.method_mut() =
        Method::from_bytes(case.method.as_bytes()).map_err(|_| "a method that is no token")?;
    let uri: http::Uri = case.target.parse().map_err(|_| "a target that is no URI")?;
    // An authority-form has no path; anything else must come through as it is.
    if uri.path_and_query().is_some_and(|carried| carried.as_str() != case.target) {
        return Err("a fragment");
    }
    *request.uri_mut() = uri;
    let (headers, replaced) = case.headers.to_map().unwrap();
    if replaced {
        return Err("a control character in a field");
    }
    *request.headers_mut() = headers;
    for (name, text) in
        [(http::header::CONTENT_TYPE, &case.content_type), (fields::CONTENT_DIGEST, &case.content_digest)]
    {
        if let Some(text) = text {
            let value =
                HeaderValue::from_bytes(text.as_bytes()).map_err(|_| "a control character in a field")?;
            request.headers_mut().append(name, value);
        }
    }
    request.extensions_mut().insert(PeerAddress([127, 0, 0, 1].into()));
    Ok(request)
}

/// A request whose tag is right: the keys of its session and its iv, and whether its user is well-formed. Found without
/// the code that decides: the envelope is opened with the `rsa` crate.
fn opened(vector: &SessionVector, request: &Request<BoxBody>) -> Option<(SessionKeys, Iv, bool)> {
    use rsa::pkcs8::DecodePrivateKey;
    let headers = request.headers();
    let client = AppId::parse(headers.get(fields::ID)?.to_str().ok()?).ok()?;
    let server = app_id(&vector.server_id);
    let envelope = Envelope::decode(headers.get(fields::KEY)?.as_bytes())?;
    let (head, wrapped) = envelope.as_bytes().split_at(30);
    let mut named = b"TAA4 key\0".to_vec();
    for id in [&client, &server] {
        named.extend_from_slice(&u16::try_from(id.as_str().len()).unwrap().to_be_bytes());
        named.extend_from_slice(id.as_str().as_bytes());
    }
    named.extend_from_slice(head);
    let label: String = <rsa::sha2::Sha256 as rsa::sha2::Digest>::digest(named)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let private = rsa::RsaPrivateKey::from_pkcs8_pem(&vector.server_decryption_key).unwrap();
    let secret = private.decrypt(rsa::Oaep::new_with_label::<rsa::sha2::Sha256, _>(label), wrapped).ok()?;
    let keys = SessionKeys::derive(&client, &server, envelope.as_bytes(), &secret.try_into().ok()?);
    let text = |name: http::HeaderName| {
        headers.get(name).map_or("", |value| value.to_str().unwrap_or("\u{0}")).trim_matches([' ', '\t'])
    };
    let covered = Covered {
        method: request.method(),
        target: Target::parse(request.uri().path_and_query()?.as_str()).ok()?,
        content_type: text(http::header::CONTENT_TYPE),
        content_digest: text(fields::CONTENT_DIGEST),
    };
    let mut sealed =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text(fields::CERT).as_bytes()).ok()?;
    let (iv, plain) = request::open(&keys, &covered, &mut sealed).ok()?;
    Some((keys, iv, UserName::from_bytes(plain.user).is_ok()))
}

/// Every refusal, by a server that has not seen the session and by one that has.
#[tokio::test]
async fn every_refusal_has_its_code_its_status_and_its_proof() {
    let mut not_carried: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut judged, mut proven) = (0, 0);
    for vector in &VECTORS.sessions {
        for case in &vector.refusals {
            if let Err(why) = request(case) {
                *not_carried.entry(why).or_default() += 1;
                continue;
            }
            let code: Code = match &*case.why {
                // A server has a restart fence, and asks it before the time.
                "created at 0" => Code::Replayed,
                _ => case.code.parse().unwrap(),
            };
            let sent = request(case).unwrap();
            // Independent of what the layer says: the tag, and of which steps the code can be.
            let session = opened(vector, &sent).filter(|(_, _, user)| match code {
                Code::Malformed => !user,
                Code::OldCert => !case.why.contains("more than 5 minutes") && !case.why.contains("331 s"),
                Code::Replayed | Code::BadDigest => true,
                _ => false,
            });
            for known in [false, true] {
                let replay = Replay::new(vector);
                if known {
                    let case = &vector.requests[0];
                    let mut request = Request::get(&case.target).body(full("")).unwrap();
                    *request.headers_mut() = vector.headers.to_map().unwrap().0;
                    request.headers_mut().insert(fields::CERT, case.cert.parse().unwrap());
                    request.extensions_mut().insert(PeerAddress([127, 0, 0, 1].into()));
                    assert_eq!(replay.send(case.created_ms, request).await.code(), None);
                    replay.handler.take();
                }
                // Not by setting the clock back: that raises the fence, and is a test of its own.
                if known && case.clock_ms < vector.requests[0].created_ms {
                    continue;
                }
                let mut now = case.clock_ms;
                if let Some(after) = case.repeat_after_ms {
                    assert_eq!(replay.send(now, request(case).unwrap()).await.code(), None);
                    replay.handler.take();
                    replay.clock.advance(Duration::from_millis(after));
                    now += after;
                }
                let answer = replay.send(now, request(case).unwrap()).await;
                answer.check_refusal(code, session.as_ref().map(|(keys, iv, _)| (keys, iv)));
                assert!(replay.handler.take().is_empty(), "{}", case.why);
                if session.is_none() {
                    no_echo(&sent, &answer);
                }
                judged += 1;
                proven += usize::from(session.is_some());
            }
        }
    }
    println!("{judged} judged, {proven} of them with a proof; not carried by http::Request: {not_carried:?}");
    assert!(judged > 550 && proven > 150, "{judged} {proven}");
    let sessions = VECTORS.sessions.len();
    assert_eq!(not_carried, BTreeMap::from([("a fragment", sessions)]));
}

/// Nothing of a request stands in an answer that proves nothing.
fn no_echo(request: &Request<BoxBody>, answer: &Answer) {
    let mut told = String::from_utf8(answer.body.to_vec()).unwrap();
    for (name, value) in &answer.head.headers {
        if name != http::header::CONTENT_TYPE {
            told.push('\n');
            told.push_str(value.to_str().unwrap());
        }
    }
    let mut sent: Vec<String> = request
        .headers()
        .values()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    sent.push(request.uri().to_string());
    for text in sent.iter().filter(|text| text.len() >= 3) {
        assert!(!told.contains(text.as_str()), "{text:?} stands in {told:?}");
    }
}
