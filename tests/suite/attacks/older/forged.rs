//! Weaknesses 1 to 8: requests that nobody signed, or not like this.

use super::*;

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
