//! Weaknesses 9 to 16: genuine requests put to another use, and what else a caller may try.

use std::sync::Arc;

use taa_core::time::ManualClock;

use super::*;
use crate::layer::disk::Disk;
use crate::layer::world::{KEYS, START, WIKI, application};

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

/// After a restart the marks stand in for the nonces that are gone: what was caught is not accepted again, and nobody is
/// kept out who is not before them, whether a peer dates by its clock or 15 minutes ahead.
#[tokio::test]
async fn weakness_09_replay_after_a_restart() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let start = || {
        let both = |id: &str, key| {
            application(id, key, policy(any().min_protocol(Protocol::V2)))
                .with_legacy_key(legacy_key().verifying_key().clone())
        };
        let setup = Setup {
            directory: Directory::new([both(WIKI, &KEYS[0])]).unwrap(),
            up: Duration::ZERO,
            ..Setup::default()
        };
        let marks = disk.marks();
        setup.users(everybody()).build_on(Arc::clone(&clock), |builder| {
            builder.insecure_accept_older_versions().durable(disk.clone(), marks)
        })
    };
    let id = app_id(WIKI);
    let at = |time| Caught::of(sign_v3(legacy_key(), &claim(&id, "fred", URL, time), &mut random));
    let secret = || CertificateKey::random(&mut random).unwrap();
    let at_v2 =
        |time| Caught::of(sign_v2(legacy_key(), &claim(&id, "fred", URL, time), &secret(), &mut random));
    let ahead = Duration::from_secs(900);

    let before = start();
    let plain = [at(before.now()), at_v2(before.now())];
    for caught in &plain {
        caught.accepted(&before).await;
    }
    assert_eq!(disk.mark(WIKI, Protocol::V3), Some(START.plus(Duration::from_secs(2))));
    clock.advance(Duration::from_secs(3));
    let after = start();
    for caught in &plain {
        caught.refused(&after, Code::Replayed).await;
        assert_eq!(caught.send(&after).await.code(), Some(Code::Replayed));
    }
    for caught in [at(after.now()), at_v2(after.now())] {
        caught.accepted(&after).await;
    }

    // A peer that dates ahead, in version 2 and, updated, soon after in version 4.
    let dated = at_v2(after.now().plus(ahead));
    dated.accepted(&after).await;
    clock.advance(Duration::from_secs(3));
    let third = start();
    dated.refused(&third, Code::Replayed).await;
    at_v2(third.now().plus(ahead)).accepted(&third).await;
    at(third.now()).accepted(&third).await;
    third.accepted(&third.get("/")).await;
    // What cannot be written is not accepted.
    clock.advance(Duration::from_secs(3));
    let fourth = start();
    disk.break_down(true);
    assert_eq!(at(fourth.now()).send(&fourth).await.code(), Some(Code::System));
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
        serde_json::from_str(include_str!("../../../vectors/legacy/keys.json")).unwrap();
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
    let newer = application("wiki", &shared, rules());
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
