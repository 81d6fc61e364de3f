use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use taa_core::answer::Code;
use taa_core::certificate::KeyStatus;
use taa_core::crypto::{AwsLc, Random, SystemRandom};
use taa_core::id::{AppId, UserName};
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::legacy::LegacySigningKey;
use taa_core::policy::{AddressRules, MethodRules, NeverAs, PathRules, Protocol};
use taa_store::model::{
    Actor, OwnIdentity, PeerKeys, PeerLegacyKey, RevokedUser, Row, Rules, Stamp, TrustedApplication,
};

use super::*;

static SIGNING: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(&AwsLc, KeySize::Rsa2048).unwrap());
static DECRYPTION: LazyLock<DecryptingKey> =
    LazyLock::new(|| DecryptingKey::generate(&AwsLc, KeySize::Rsa2048).unwrap());
static LEGACY: LazyLock<LegacySigningKey> =
    LazyLock::new(|| LegacySigningKey::generate(&mut |out: &mut [u8]| SystemRandom.fill(out)).unwrap());

const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

fn stamp() -> Stamp {
    Stamp { at: NOW, by: Actor::new("admin") }
}

/// An identity whose signing key ends then.
fn identity(id: &str, exp: Option<u64>) -> Identity {
    let profile = Profile {
        id: AppId::parse(id).unwrap(),
        name: "Wiki".into(),
        base_url: "https://wiki.example/".parse().unwrap(),
        seq: 1,
        iat: 1,
        older_protocols: vec![],
    };
    let signing = OwnKey { key: SIGNING.clone(), status: KeyStatus::Current, exp };
    Identity::new(profile, vec![signing], vec![OwnKey::current(DECRYPTION.clone())]).unwrap()
}

fn wiki(exp: Option<u64>) -> TrustedApplication {
    TrustedApplication {
        id: AppId::parse("wiki:1").unwrap(),
        name: "Wiki".into(),
        base_url: "https://wiki.example/".parse().unwrap(),
        keys: PeerKeys { certificate: Some(identity("wiki:1", exp).certificate().clone()), legacy: None },
        rules: Rules {
            addresses: AddressRules::parse_list("10.1.0.0/16 2001:db8::1").unwrap(),
            paths: PathRules::parse_list("/rest").unwrap(),
            methods: MethodRules::read_only(),
            never_as: NeverAs::parse_list("admin, svc-*").unwrap(),
            timeout: Duration::from_secs(10),
            min_protocol: Protocol::V4,
            allow_repeats: false,
        },
        enabled: true,
        seen_v4: false,
        version: 1,
        created: stamp(),
        updated: stamp(),
        last_used: None,
        keys_last_used: HashMap::new(),
        refreshed: None,
        revoked_keys: Vec::new(),
    }
}

fn snapshot(application: TrustedApplication) -> Snapshot {
    let own = OwnIdentity {
        certificate: identity("tracker", None).certificate().clone(),
        older_protocols: vec![],
        keys: vec![],
    };
    let broken =
        Row::Broken { id: "broken:1".into(), name: "Old".into(), problem: "its key is no key".into() };
    Snapshot {
        generation: 1,
        trail: String::new(),
        set_back: None,
        own: Some(own),
        secrets: None,
        applications: vec![broken, Row::Good(Box::new(application))],
        servers: vec![],
        revoked_users: vec![RevokedUser { pattern: "gone*".parse().unwrap(), revoked: stamp() }],
    }
}

fn question() -> Question {
    Question {
        application: "wiki:1".into(),
        user: "fred".into(),
        method: "GET".into(),
        target: "/rest/api/2/search?jql=x".into(),
        address: Some("10.1.2.3".parse().unwrap()),
        protocol: 4,
    }
}

fn asked(snapshot: &Snapshot, question: &Question) -> Vec<Step> {
    judge(snapshot, question, GreatestTimeout::default())
}

/// The codes of the steps that fail, with their sentences together.
fn failures(steps: &[Step]) -> (Vec<(u8, Code)>, String) {
    let failed = |step: &&Step| matches!(step.verdict, Verdict::Fails(_));
    let codes = steps.iter().filter(failed).map(|step| match step.verdict {
        Verdict::Fails(code) => (step.number, code),
        _ => unreachable!(),
    });
    let sentences = steps.iter().filter(failed).map(|step| step.because.as_str());
    (codes.collect(), sentences.collect::<Vec<_>>().join(" "))
}

fn step<'s>(steps: &'s [Step], check: &str) -> &'s Step {
    steps.iter().find(|step| step.check == check).unwrap()
}

#[test]
fn a_request_that_rules_allow() {
    let steps = asked(&snapshot(wiki(None)), &question());
    assert!(first_failure(&steps).is_none(), "{steps:?}");
    let mut numbers: Vec<u8> = steps.iter().map(|step| step.number).collect();
    assert!(numbers.is_sorted());
    numbers.dedup();
    assert_eq!(numbers, [0, 2, 3, 4, 6, 8, 9, 10, 11, 12]);
    for (check, says) in [
        ("address", "10.1.0.0/16 allows 10.1.2.3"),
        ("path", "/rest allows /rest/api/2/search"),
        ("method", "GET"),
        ("time", "10000 ms"),
    ] {
        assert!(step(&steps, check).because.contains(says), "{:?}", step(&steps, check));
    }
    for check in ["time", "user base", "content"] {
        assert_eq!(step(&steps, check).verdict, Verdict::Unknown);
    }
}

#[test]
fn each_rule_names_itself() {
    type Change = fn(&mut Question);
    let cases: [(Change, u8, Code, &str); 16] = [
        (|q| q.protocol = 1, 0, Code::BadProtocolVersion, "authenticates nobody"),
        (|q| q.protocol = 9, 0, Code::BadProtocolVersion, "no version 9"),
        (|q| q.method = "G(T".into(), 0, Code::Malformed, "no method"),
        (|q| q.method = "CONNECT".into(), 0, Code::Malformed, "CONNECT"),
        (|q| q.target = "rest".into(), 0, Code::Malformed, "origin-form"),
        (|q| q.application = "stranger".into(), 2, Code::AppUnknown, "stranger"),
        (|q| q.application = String::new(), 2, Code::AppIdNotFound, "No application id"),
        (|q| q.application = "a b".into(), 2, Code::AppUnknown, "no application id"),
        (|q| q.application = "broken:1".into(), 2, Code::AppUnknown, "its key is no key"),
        (|q| q.protocol = 3, 2, Code::BadProtocolVersion, "lowest version is 4"),
        (|q| q.address = Some("10.2.0.1".parse().unwrap()), 3, Code::BadRemoteIp, "BAD_XFORWARD_IP"),
        (|q| q.user = " fred".into(), 6, Code::Malformed, "no user's name"),
        (|q| q.method = "POST".into(), 9, Code::BadUrl, "GET, HEAD"),
        (|q| q.target = "/restx".into(), 9, Code::BadUrl, "No rule allows /restx"),
        (|q| q.target = "/rest/../admin".into(), 9, Code::BadUrl, ". or .. segment"),
        (|q| q.user = "SVC-build".into(), 10, Code::PermissionDenied, "svc-* forbids SVC-build"),
    ];
    let snapshot = snapshot(wiki(None));
    for (change, number, code, says) in cases {
        let mut question = question();
        change(&mut question);
        let (codes, sentences) = failures(&asked(&snapshot, &question));
        assert_eq!(codes.first(), Some(&(number, code)), "{question:?}: {sentences}");
        assert!(sentences.contains(says), "{question:?}: {sentences}");
    }
    let mut question = question();
    question.user = "Gone.Girl".into();
    let (codes, sentences) = failures(&asked(&snapshot, &question));
    assert_eq!(codes, [(10, Code::PermissionDenied)]);
    assert!(sentences.contains("gone* forbids Gone.Girl") && sentences.contains("by admin"), "{sentences}");
}

#[test]
fn after_the_first_failure_the_others_are_shown() {
    let mut question = question();
    question.address = Some("192.0.2.1".parse().unwrap());
    question.method = "DELETE".into();
    question.target = "/admin".into();
    question.user = "admin".into();
    let steps = asked(&snapshot(wiki(None)), &question);
    assert_eq!(first_failure(&steps).map(|step| step.number), Some(3));
    let (codes, _) = failures(&steps);
    let wanted = [(3, Code::BadRemoteIp), (9, Code::BadUrl), (9, Code::BadUrl), (10, Code::PermissionDenied)];
    assert_eq!(codes, wanted);
}

#[test]
fn switched_off_and_rules_that_cannot_be_in_force() {
    let mut off = wiki(None);
    off.enabled = false;
    let (codes, sentences) = failures(&asked(&snapshot(off), &question()));
    assert_eq!(codes, [(2, Code::AppUnknown)]);
    assert!(sentences.contains("switched off"), "{sentences}");

    let mut slow = wiki(None);
    slow.rules.timeout = Duration::from_secs(61);
    let steps = asked(&snapshot(slow), &question());
    let (codes, sentences) = failures(&steps);
    assert_eq!(codes, [(2, Code::AppUnknown)]);
    assert!(sentences.contains("60000 ms"), "{sentences}");
    assert_eq!(step(&steps, "path").verdict, Verdict::Passes);
}

#[test]
fn keys_end_and_are_revoked() {
    let end = NOW.seconds() + 1;
    let ending = snapshot(wiki(Some(end)));
    let at = |now| {
        let known = Known { now, ..Known::default() };
        let steps = judge_with(&ending, &question(), GreatestTimeout::default(), &known);
        step(&steps, "keys").clone()
    };
    assert_eq!(at(None).verdict, Verdict::Unknown);
    assert_eq!(at(Some(NOW)).verdict, Verdict::Passes);
    let ended = at(Some(UnixMillis(end * 1000)));
    assert_eq!(ended.verdict, Verdict::Fails(Code::BadSignature));
    assert!(ended.because.contains("has ended at 2026-09-21"), "{ended:?}");

    let mut revoked = wiki(None);
    revoked.revoked_keys = vec![SIGNING.id()];
    let (codes, sentences) = failures(&asked(&snapshot(revoked), &question()));
    assert_eq!(codes, [(4, Code::BadSignature)]);
    assert!(sentences.contains("was revoked"), "{sentences}");

    let mut nobody = snapshot(wiki(None));
    nobody.own = None;
    assert_eq!(failures(&asked(&nobody, &question())).0, [(4, Code::BadSignature)]);
}

#[test]
fn what_the_user_base_says() {
    let snapshot = snapshot(wiki(None));
    let said = |answer: Result<Resolution, ResolveError>| {
        let known = Known { user_base: Some(&answer), ..Known::default() };
        failures(&judge_with(&snapshot, &question(), GreatestTimeout::default(), &known))
    };
    let name = |name| Ok(Resolution::Known(UserName::parse(name).unwrap()));
    assert_eq!(said(name("fred")).0, []);
    assert_eq!(said(Ok(Resolution::MayNotLogIn)).0, [(11, Code::PermissionDenied)]);
    assert_eq!(said(Ok(Resolution::Unknown)).0, [(11, Code::UserUnknown)]);
    assert_eq!(said(Err(ResolveError::new("down"))).0, [(11, Code::System)]);
    // The rules hold for the name the user base has, too.
    assert_eq!(said(name("admin")).0, [(10, Code::PermissionDenied)]);
    assert_eq!(said(name("gone")).0, [(10, Code::PermissionDenied)]);
}

#[test]
fn older_versions() {
    let mut older = wiki(None);
    older.rules.min_protocol = Protocol::V2;
    let mut question = question();
    question.protocol = 2;
    let (codes, sentences) = failures(&asked(&snapshot(older.clone()), &question));
    assert_eq!(codes, [(4, Code::AppUnknown)], "{sentences}");

    older.keys.legacy = Some(PeerLegacyKey(LEGACY.verifying_key().clone()));
    let steps = asked(&snapshot(older.clone()), &question);
    assert!(first_failure(&steps).is_none(), "{steps:?}");
    assert!(step(&steps, "time").because.contains("900000 ms"));
    question.user = "\u{7}".into();
    assert_eq!(failures(&asked(&snapshot(older.clone()), &question)).0, [(6, Code::UserUnknown)]);
    question.user = "fred".into();

    older.seen_v4 = true;
    let (codes, sentences) = failures(&asked(&snapshot(older), &question));
    assert_eq!(codes, [(2, Code::BadProtocolVersion)]);
    assert!(sentences.contains("has spoken version 4"), "{sentences}");
}

#[test]
fn nothing_that_is_typed_is_a_fault() {
    let snapshot = snapshot(wiki(None));
    let rubbish =
        ["", "\0", "\u{202e}", "é", "any", "*", "//", "http://", "%", "\n", "{0}", &"x".repeat(100_000)];
    for text in rubbish {
        for protocol in [0, 2, 4, 255] {
            let question = Question {
                application: text.into(),
                user: text.into(),
                method: text.into(),
                target: text.into(),
                address: None,
                protocol,
            };
            let steps = asked(&snapshot, &question);
            assert!(first_failure(&steps).is_some());
            for step in steps {
                assert!(
                    !step.because.is_empty() && !step.because.contains(['\0', '\u{202e}', '\n']),
                    "{step:?}"
                );
            }
        }
    }
}
