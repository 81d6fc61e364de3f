//! What an application may do, looked up afresh for every request.

use std::time::Duration;

use http::Method;
use taa_core::answer::Code;
use taa_core::certificate::KeyStatus;
use taa_core::directory::{Application, Directory, DirectoryError};
use taa_core::identity::{Identity, OwnKey};
use taa_core::policy::{
    AddressRules, GreatestTimeout, MethodRules, PathRules, Policy, PolicyBuilder, Protocol, TrustedProxies,
};
use taa_tests::harness::providers;

use super::world::{
    Caller, KEYS, Setup, WIKI, World, any, app_id, application, client_identity, directory, fresh_key,
    policy, profile, server_identity, stored_key, value,
};

fn addresses(text: &str) -> AddressRules {
    AddressRules::parse_list(text).unwrap()
}

/// Each of these changes is made while the session is known and nothing else happens.
#[tokio::test]
async fn a_change_is_in_force_for_the_next_request() {
    let world = World::new();
    world.accepted(&world.get("/rest/a")).await;
    let builder: [(PolicyBuilder, Code, bool); 4] = [
        (any().paths(PathRules::parse_list("/other").unwrap()), Code::BadUrl, true),
        (any().methods(MethodRules::parse_list("POST").unwrap()), Code::BadUrl, true),
        (any().addresses(addresses("192.0.2.1")), Code::BadRemoteIp, false),
        (
            any().never_as(taa_core::policy::NeverAs::parse_list("fred").unwrap()),
            Code::PermissionDenied,
            true,
        ),
    ];
    for (builder, code, proven) in builder {
        world.trust.replace_directory(directory(builder));
        let call = world.get("/rest/a");
        if proven {
            world.refused(&call, code).await;
        } else {
            world.refused_unproven(call.request(), code).await;
        }
        world.trust.replace_directory(directory(any()));
        world.accepted(&world.get("/rest/a")).await;
    }

    let disabled = application(WIKI, &KEYS[0], policy(any())).enabled(false);
    world.trust.replace_directory(Directory::new([disabled]).unwrap());
    world.refused_unproven(world.get("/").request(), Code::AppUnknown).await;

    world.trust.replace_directory(Directory::default());
    world.refused_unproven(world.get("/").request(), Code::AppUnknown).await;

    // Another key under the same id: the session was opened with one that is not trusted any more.
    world.trust.replace_directory(Directory::new([application(WIKI, &KEYS[1], policy(any()))]).unwrap());
    world.refused_unproven(world.get("/").request(), Code::BadSignature).await;

    world.trust.replace_directory(directory(any()));
    world.accepted(&world.get("/")).await;
}

/// The server's own keys: a session to one that is gone ends at once.
#[tokio::test]
async fn a_server_key_that_is_gone() {
    let world = World::new();
    world.accepted(&world.get("/")).await;
    let base = "https://tracker.example/";
    let other = server_identity(super::world::TRACKER, base, fresh_key());
    world.trust.replace_identity(other).unwrap();
    world.refused_unproven(world.get("/").request(), Code::BadSignature).await;
    world.trust.replace_identity(server_identity(super::world::TRACKER, base, stored_key())).unwrap();
    world.accepted(&world.get("/")).await;
    // Another id, or no key to open with, is refused when it is set.
    let foreign = server_identity("jira:other", base, stored_key());
    assert!(world.trust.replace_identity(foreign).is_err());
    let client =
        Identity::new(profile(super::world::TRACKER, base), vec![OwnKey::current(KEYS[2].clone())], vec![]);
    assert!(world.trust.replace_identity(client.unwrap()).is_err());
}

/// `exp` of a signing key, before and at its end, for a session that is known and for a new one.
#[tokio::test]
async fn a_signing_key_expires() {
    let world = World::new();
    let exp = world.now().seconds() + 100;
    let keys = vec![
        OwnKey { key: KEYS[0].clone(), status: KeyStatus::Previous, exp: Some(exp) },
        OwnKey::current(KEYS[1].clone()),
    ];
    let rotated = Identity::new(profile(WIKI, "https://wiki.example/"), keys, vec![]).unwrap();
    let record = Application::new(providers()[0], rotated.certificate(), policy(any())).unwrap();
    world.trust.replace_directory(Directory::new([record]).unwrap());
    world.clock.advance(Duration::from_millis(99_999));
    world.accepted(&world.get("/")).await;
    world.clock.advance(Duration::from_millis(1));
    world.refused_unproven(world.get("/").request(), Code::BadSignature).await;
    let again = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    let call = super::world::Call::new(&again, Method::GET, "/", world.now());
    world.refused_unproven(call.request(), Code::BadSignature).await;
    let next = Caller::new(WIKI, &KEYS[1], &world.trust.identity(), world.now());
    let call = super::world::Call::new(&next, Method::GET, "/", world.now());
    assert_eq!(world.send(&call).await.code(), None);
}

/// `exp` of the server's decryption key.
#[tokio::test]
async fn a_decryption_key_expires() {
    let world = World::new();
    world.accepted(&world.get("/")).await;
    let exp = world.now().seconds() + 10;
    let signing = vec![OwnKey::current(KEYS[2].clone())];
    let keys = vec![
        OwnKey { key: stored_key(), status: KeyStatus::Previous, exp: Some(exp) },
        OwnKey::current(fresh_key()),
    ];
    let id = super::world::TRACKER;
    world
        .trust
        .replace_identity(Identity::new(profile(id, "https://t.example"), signing, keys).unwrap())
        .unwrap();
    world.accepted(&world.get("/")).await;
    world.clock.advance(Duration::from_secs(10));
    world.refused_unproven(world.get("/").request(), Code::BadSignature).await;
}

/// Version 4 is above every floor, and once seen it closes the older versions.
#[tokio::test]
async fn min_protocol_and_the_ratchet() {
    let world = Setup::default().policy(any().min_protocol(Protocol::V2)).build();
    let record = world.trust.directory().application(WIKI).cloned().unwrap();
    assert!(record.accepts(Protocol::V2) && record.accepts(Protocol::V4));
    // A request that fails step 8 moves nothing.
    let late = world.get("/").created(world.now().minus(Duration::from_secs(61)));
    world.refused(&late, Code::OldCert).await;
    assert!(record.accepts(Protocol::V2));
    // One that passes it does, even when it fails later.
    world.refused(&world.get("/").user("nobody"), Code::UserUnknown).await;
    assert!(!record.accepts(Protocol::V2) && !record.accepts(Protocol::V3));
    // A new record keeps it when it takes the ratchet along.
    let renewed =
        application(WIKI, &KEYS[0], policy(any().min_protocol(Protocol::V2))).with_ratchet_of(&record);
    assert!(!renewed.accepts(Protocol::V3));
}

#[tokio::test]
async fn addresses_of_the_socket_and_behind_proxies() {
    let proxies = || TrustedProxies::parse_list("10.0.0.0/8, 2001:db8::/32").unwrap();
    let world = Setup::default()
        .policy(any().addresses(addresses("192.0.2.1, 203.0.113.0/24, 2001:db8:1::1")))
        .build_with(|builder| builder.trusted_proxies(proxies()));
    type Forwarded = &'static [&'static str];
    let cases: [(&str, Forwarded, Option<Code>); 20] = [
        ("192.0.2.1", &[], None),
        ("::ffff:192.0.2.1", &[], None),
        ("192.0.2.2", &[], Some(Code::BadRemoteIp)),
        ("::ffff:192.0.2.2", &[], Some(Code::BadRemoteIp)),
        // Who is no proxy has no say.
        ("192.0.2.2", &["192.0.2.1"], Some(Code::BadRemoteIp)),
        ("192.0.2.1", &["198.51.100.9"], None),
        ("192.0.2.1", &["rubbish"], None),
        // The right-most entry that no proxy wrote decides.
        ("10.1.2.3", &["192.0.2.1"], None),
        ("::ffff:10.1.2.3", &["::ffff:192.0.2.1"], None),
        ("10.1.2.3", &["198.51.100.9, 192.0.2.1"], None),
        ("10.1.2.3", &["192.0.2.1, 198.51.100.9"], Some(Code::BadXforwardIp)),
        ("10.1.2.3", &["192.0.2.1", "198.51.100.9"], Some(Code::BadXforwardIp)),
        ("10.1.2.3", &["198.51.100.9", "192.0.2.1"], None),
        ("10.1.2.3", &["198.51.100.9, 203.0.113.7, 10.9.9.9"], None),
        ("10.1.2.3", &["rubbish, 192.0.2.1"], None),
        ("10.1.2.3", &["192.0.2.1, rubbish"], Some(Code::BadXforwardIp)),
        ("10.1.2.3", &["192.0.2.1, "], Some(Code::BadXforwardIp)),
        ("10.1.2.3", &["unknown"], Some(Code::BadXforwardIp)),
        // A proxy that sent no field is the client itself.
        ("10.1.2.3", &[], Some(Code::BadRemoteIp)),
        ("2001:db8::5", &["[2001:db8:1::1]:99"], None),
    ];
    for (peer, forwarded, expected) in cases {
        let call = world.get("/").peer(peer);
        let mut request = call.request();
        for line in forwarded {
            request.headers_mut().append("x-forwarded-for", value(line));
        }
        // An address that some proxies write beside it.
        request.headers_mut().insert("x-real-ip", value("192.0.2.1"));
        request.headers_mut().insert("forwarded", value("for=192.0.2.1"));
        println!("{peer} {forwarded:?}");
        match expected {
            None => drop(world.accepted_request(request, &call).await),
            Some(code) => drop(world.refused_unproven(request, code).await),
        }
    }
}

/// A layer that cannot tell where a request came from trusts nobody.
#[tokio::test]
async fn no_peer_address() {
    let world = World::new();
    let mut request = world.get("/").request();
    request.extensions_mut().remove::<taa_server::PeerAddress>();
    world.refused_unproven(request, Code::System).await;
}

#[tokio::test]
async fn paths_and_methods() {
    let world = Setup::default()
        .policy(
            any()
                .paths(PathRules::parse_list("/rest\n/a/b/").unwrap())
                .methods(MethodRules::parse_list("GET, POST").unwrap()),
        )
        .build();
    for good in ["/rest", "/rest/", "/rest/x?/../y", "/a/b/c", "/rest/%C3%A9"] {
        world.accepted(&world.get(good)).await;
    }
    for bad in [
        "/",
        "/restx",
        "/Rest",
        "/a/b",
        "/rest/../secure",
        "/rest/%2e%2e/secure",
        "/rest/..;/secure",
        "/rest//../secure",
        "/rest/%2F..%2Fsecure",
        "/rest/%5C..%5Csecure",
        "/rest/./x",
        "//rest",
        "/%72est/%252e%252e/secure",
    ] {
        let answer = world.refused(&world.get(bad), Code::BadUrl).await;
        assert_eq!(answer.params(), [bad], "the path as it was sent");
    }
    for method in [Method::DELETE, Method::from_bytes(b"get").unwrap(), Method::HEAD] {
        let call = world.call(method, "/rest");
        let answer = world.send(&call).await;
        assert_eq!((answer.status(), answer.code()), (403, Some(Code::BadUrl)));
    }
}

/// Who has one key could be either of two applications.
#[test]
fn a_key_under_two_ids_is_refused() {
    let one = application("one", &KEYS[0], policy(any()));
    let two = application("two", &KEYS[0], policy(any()));
    let error = Directory::new([one.clone(), two]).unwrap_err();
    assert!(matches!(error, DirectoryError::KeyUnderTwoIds { .. }), "{error}");
    let same = Directory::new([one, application("one", &KEYS[1], policy(any()))]).unwrap_err();
    assert_eq!(same, DirectoryError::SameId(app_id("one")));
}

/// A policy that was made for another server can name a longer timeout than this server remembers nonces for. It is
/// refused when it is set, and counts no longer than the server's greatest if it comes in later.
#[tokio::test]
async fn no_policy_outlives_the_nonces() {
    let greatest = GreatestTimeout::new(Duration::from_secs(300)).unwrap();
    let generous = || -> Policy { any().timeout(Duration::from_secs(300)).build(greatest).unwrap() };
    let record = || {
        let client = client_identity(WIKI, &KEYS[0]);
        Directory::new([Application::new(providers()[0], client.certificate(), generous()).unwrap()]).unwrap()
    };
    let identity = server_identity("jira", "https://t.example/", stored_key());
    let refused = taa_server::Trust::builder(identity, record(), super::world::Users::default()).build();
    assert!(refused.unwrap_err().to_string().contains("greatest_timeout"));

    let world = World::new();
    world.trust.replace_directory(record());
    let aged = world.get("/").created(world.now().minus(Duration::from_secs(61)));
    for _ in 0..2 {
        world.refused(&aged, Code::OldCert).await;
    }
}
