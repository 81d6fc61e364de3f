//! The same and further tricks against version 4, where each has an answer in code.

use std::time::Duration;

use http::{Method, header};
use taa_core::answer::Code;
use taa_core::certificate::KeyUse;
use taa_core::crypto::SystemRandom;
use taa_core::directory::Directory;
use taa_core::envelope::{Lifetime, seal};
use taa_core::fields;
use taa_core::id::AppId;
use taa_core::key::EncryptingKey;
use taa_tests::harness::providers;

use crate::layer::world::{
    Call, Caller, KEYS, Setup, TRACKER, WIKI, World, any, app_id, application, encode, policy,
    server_identity, stored_key, value,
};

fn lifetime() -> Lifetime {
    Lifetime::default()
}

fn call<'c>(caller: &'c Caller, world: &World) -> Call<'c> {
    Call::new(caller, Method::GET, "/", world.now())
}

/// Each octet of each field counts.
#[tokio::test]
async fn every_field_altered_anywhere() {
    let world = World::new();
    let good = world.get("/");
    let headers = good.headers();
    for name in [fields::ID, fields::KEY, fields::SIGNATURE, fields::CERT] {
        let text = headers[&name].to_str().unwrap().to_owned();
        let step = (text.len() / 40).max(1);
        for at in (0..text.len()).step_by(step) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let mut request = good.request();
            request.headers_mut().insert(&name, value(std::str::from_utf8(&bytes).unwrap()));
            let answer = world.send_request(request).await;
            assert!(answer.head.status.is_client_error(), "{name} at {at}: {answer:?}");
            assert!(answer.field(fields::PROOF).is_none());
        }
    }
    assert!(world.handler.take().is_empty());
    world.accepted(&good).await;
}

/// Sent back to the application that made it: it is the server of another envelope, not of this one.
#[tokio::test]
async fn reflection() {
    let world = World::new();
    // The wiki is a server as well, with the same key pair for opening, and knows the tracker.
    let record = application(TRACKER, &KEYS[2], policy(any()));
    let as_server = Setup { directory: Directory::new([record]).unwrap(), ..Setup::default() };
    let wiki = as_server.build();
    wiki.refused_unproven(world.get("/").request(), Code::AppUnknown).await;
    // Even one that trusts its own id, and its own signing key, does not take what was sealed for another id.
    let own = server_identity(WIKI, "https://wiki.example/", stored_key());
    let trust = taa_server::Trust::builder(
        own,
        Directory::new([application(WIKI, &KEYS[0], policy(any()))]).unwrap(),
        crate::layer::world::Users::default(),
    )
    .clock(world.clock.clone())
    .build()
    .unwrap();
    let service = tower::Layer::layer(&trust.layer(), world.handler.clone());
    let response = tower::ServiceExt::oneshot(service, world.get("/").request()).await.unwrap();
    crate::layer::world::Answer::collect(response).await.check_refusal(Code::BadSignature, None);
}

/// Made for another server that has the same decryption key; or for another tenant on this one.
#[tokio::test]
async fn relayed_to_another_server_or_tenant() {
    let world = World::new();
    let identity = world.trust.identity();
    for other in ["jira:1048", "jira:104", "JIRA:1047", "jira:1047.other"] {
        let caller = Caller::for_server(WIKI, &KEYS[0], &app_id(other), &identity, world.now(), lifetime());
        world.refused_unproven(call(&caller, &world).request(), Code::BadSignature).await;
    }
    // What the Host field says decides nothing either way.
    let good = world.get("/");
    let mut request = good.request();
    request.headers_mut().insert(header::HOST, value("jira-1048.example"));
    world.accepted_request(request, &good).await;
}

/// An id that is also trusted, with the envelope of another application.
#[tokio::test]
async fn another_application_s_id() {
    let both = Directory::new([
        application(WIKI, &KEYS[0], policy(any())),
        application("other", &KEYS[1], policy(any())),
    ]);
    let world = Setup { directory: both.unwrap(), ..Setup::default() }.build();
    world.accepted(&world.get("/")).await;
    let mut request = world.get("/").request();
    request.headers_mut().insert(fields::ID, value("other"));
    world.refused_unproven(request, Code::BadSignature).await;
    // Signed by the other one, in the first one's name.
    let identity = world.trust.identity();
    let forged = Caller::new(WIKI, &KEYS[1], &identity, world.now());
    world.refused_unproven(call(&forged, &world).request(), Code::BadSignature).await;
    // In its own name, with a head that names the first one's key: the signature is not that key's.
    let forged = Caller::new("other", &KEYS[0], &identity, world.now());
    world.refused_unproven(call(&forged, &world).request(), Code::BadSignature).await;
}

/// A known session's envelope under another signature is no session.
#[tokio::test]
async fn a_known_envelope_under_another_signature() {
    let world = World::new();
    world.accepted(&world.get("/")).await;
    let other = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    let mut request = world.get("/").request();
    request.headers_mut().insert(fields::SIGNATURE, value(&encode(&other.sealed.signature)));
    world.refused_unproven(request, Code::BadSignature).await;
    world.accepted(&world.get("/")).await;
}

/// Somebody else's ciphertext, signed again as one's own: the label names who it was made by.
#[tokio::test]
async fn surreptitious_forwarding() {
    let both = Directory::new([
        application(WIKI, &KEYS[0], policy(any())),
        application("other", &KEYS[1], policy(any())),
    ]);
    let world = Setup { directory: both.unwrap(), ..Setup::default() }.build();
    // "other" caught the wiki's envelope and puts its wrapped secret behind a head of its own.
    let identity = world.trust.identity();
    let to = identity.certificate().content().current(KeyUse::Decryption).unwrap().public.clone();
    let to = EncryptingKey::new(providers()[0], to).unwrap();
    let (id, server): (AppId, AppId) = (app_id("other"), app_id(TRACKER));
    let own = seal(&id, &KEYS[1], &server, &to, world.now(), lifetime(), &SystemRandom).unwrap();
    let mut stolen = own.envelope.clone();
    stolen[30..].copy_from_slice(&world.caller.sealed.envelope[30..]);
    let signature = sign_envelope(&id, &server, &stolen);
    let mut forged = Caller::new("other", &KEYS[1], &identity, world.now());
    forged.sealed.envelope = stolen;
    forged.sealed.signature = signature;
    // The signature is good; what is inside does not open, and that shows as a wrong tag.
    let answer = world.refused_unproven(call(&forged, &world).request(), Code::BadSignature).await;
    let refusal = answer.head.extensions.get::<taa_core::decision::Refusal>().unwrap();
    assert_eq!(refusal.reason(), taa_core::decision::Reason::EnvelopeUnopened);
    // The same with a label of its own is fine, so that it was the label.
    forged.sealed.envelope = own.envelope;
    forged.sealed.signature = own.signature;
    forged.sealed.keys = own.keys;
    assert_eq!(world.send(&call(&forged, &world)).await.code(), None);
}

/// RSASSA-PSS over an envelope, by the `rsa` crate and the key of "other".
fn sign_envelope(client: &AppId, server: &AppId, envelope: &[u8]) -> Vec<u8> {
    use rsa::pkcs8::DecodePrivateKey;
    use rsa::signature::{RandomizedSigner, SignatureEncoding};
    let mut message = b"TAA4 envelope\0".to_vec();
    for id in [client, server] {
        message.extend_from_slice(&u16::try_from(id.as_str().len()).unwrap().to_be_bytes());
        message.extend_from_slice(id.as_str().as_bytes());
    }
    message.extend_from_slice(envelope);
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(&KEYS[1].expose_pkcs8_pem()).unwrap();
    let key = rsa::pss::SigningKey::<rsa::sha2::Sha256>::new_with_salt_len(key, 32);
    key.sign_with_rng(&mut rsa::rand_core::OsRng, &message).to_vec()
}

/// No version, suite or algorithm can be chosen by the caller.
#[tokio::test]
async fn downgrade_and_algorithm_confusion() {
    let world = World::new();
    for version in ["0", "1", "2", "3", "5", "04", "4.0", " 4", "4,4"] {
        let mut request = world.get("/").request();
        request.headers_mut().insert(fields::VERSION, value(version));
        let answer = world.send_request(request).await;
        if version != " 4" {
            answer.check_refusal(Code::BadProtocolVersion, None);
        }
        assert!(answer.head.status.is_client_error());
    }
    for (at, code) in [(0, Code::BadProtocolVersion), (1, Code::BadProtocolVersion)] {
        for byte in [0, 1, 2, 3, 5, 255] {
            let mut envelope = world.caller.sealed.envelope.clone();
            if envelope[at] == byte {
                continue;
            }
            envelope[at] = byte;
            let mut request = world.get("/").request();
            request.headers_mut().insert(fields::KEY, value(&encode(&envelope)));
            world.refused_unproven(request, code).await;
        }
    }
    // A server that accepts older versions from others does not accept them from this application.
    let open = Setup::default().build_with(|builder| builder.insecure_accept_older_versions());
    for version in ["2", "3"] {
        let mut request = open.get("/").request();
        request.headers_mut().insert(fields::VERSION, value(version));
        let answer = open.send_request(request).await;
        assert!(answer.head.status.is_client_error(), "{answer:?}");
        assert!(open.handler.take().is_empty());
    }
    // An HMAC under the public key, in place of the signature.
    let public = KEYS[0].public().to_spki_der();
    let mut request = world.get("/").request();
    let mut mac = public.repeat(2);
    mac.truncate(world.caller.sealed.signature.len());
    request.headers_mut().insert(fields::SIGNATURE, value(&encode(&mac)));
    world.refused_unproven(request, Code::BadSignature).await;
}

/// An envelope for all time, by a key that was borrowed: not longer than 15 minutes, not from far ahead.
#[tokio::test]
async fn envelopes_for_another_time() {
    let world = World::new();
    let identity = world.trust.identity();
    let caller =
        |issued| Caller::for_server(WIKI, &KEYS[0], &app_id(TRACKER), &identity, issued, Lifetime::MAX);
    for (ahead, code, proven) in [
        (31, Code::OldCert, true),
        (330, Code::OldCert, true),
        (331, Code::OldCert, false),
        (86_400 * 365 * 10, Code::OldCert, false),
    ] {
        let caller = caller(world.now().plus(Duration::from_secs(ahead)));
        let call = call(&caller, &world);
        let answer = world.send(&call).await;
        answer.check_refusal(code, proven.then_some((caller.keys(), &call.iv)));
    }
    for (ago, good) in [(899, true), (900, false), (1_200, false), (1_201, false)] {
        let caller = caller(world.now().minus(Duration::from_secs(ago)));
        let answer = world.send(&call(&caller, &world)).await;
        assert_eq!(answer.code(), (!good).then_some(Code::OldCert), "{ago}");
    }
}

/// The certificate of one request on another method, target, content, session or server.
#[tokio::test]
async fn a_certificate_on_another_request() {
    let world = World::new();
    let cert = |call: &Call<'_>| call.headers()[fields::CERT].clone();
    let original = world.post("/a?b", "{}");
    let changes = [
        world.call(Method::PUT, "/a?b").content("application/json", "{}"),
        world.post("/a?c", "{}"),
        world.post("/a?b", "{} "),
        world.call(Method::POST, "/a?b").content("application/x-www-form-urlencoded", "{}"),
        world.call(Method::POST, "/a?b"),
    ];
    for change in &changes {
        let mut request = change.request();
        request.headers_mut().insert(fields::CERT, cert(&original));
        world.refused_unproven(request, Code::BadSignature).await;
    }
    let other = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    let mut request =
        Call::new(&other, Method::POST, "/a?b", world.now()).content("application/json", "{}").request();
    request.headers_mut().insert(fields::CERT, cert(&original));
    world.refused_unproven(request, Code::BadSignature).await;
    world.accepted(&original).await;
}

/// Every wrong tag, padding and length looks the same from outside.
#[tokio::test]
async fn no_oracle() {
    let world = World::new();
    let headers = world.get("/").headers();
    use base64::Engine;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let sealed = engine.decode(headers[fields::CERT].as_bytes()).unwrap();
    let mut answers = std::collections::BTreeSet::new();
    for at in 0..sealed.len() {
        for mask in [1, 0x80, 0xff] {
            let mut sealed = sealed.clone();
            sealed[at] ^= mask;
            let mut request = world.get("/").request();
            request.headers_mut().insert(fields::CERT, value(&encode(&sealed)));
            let answer = world.refused_unproven(request, Code::BadSignature).await;
            answers.insert(format!("{:?} {:?} {:?}", answer.head.status, answer.head.headers, answer.body));
        }
    }
    // A forged signature and an envelope that does not open give the same answer too.
    let stranger = Caller::new(WIKI, &KEYS[2], &world.trust.identity(), world.now());
    let answer = world.refused_unproven(call(&stranger, &world).request(), Code::BadSignature).await;
    answers.insert(format!("{:?} {:?} {:?}", answer.head.status, answer.head.headers, answer.body));
    assert_eq!(answers.len(), 1, "{answers:?}");
}

/// What nobody proved grows nothing: after any amount of garbage the nonce table and the session table have room.
#[tokio::test]
async fn garbage_fills_no_table() {
    let limits = taa_server::nonce::NonceLimits { total: 2, per_application: 2, ..Default::default() };
    let sessions = taa_server::session::SessionLimits { total: 2, per_application: 2 };
    let world = Setup::default().build_with(|builder| builder.nonce_limits(limits).session_limits(sessions));
    world.accepted(&world.get("/")).await;
    for _ in 0..50 {
        let stranger = world.get("/").uri("/other").request();
        world.refused_unproven(stranger, Code::BadSignature).await;
    }
    world.accepted(&world.get("/")).await;
    world.refused(&world.get("/"), Code::Busy).await;
}
