#![cfg(feature = "aws-lc")]

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::*;
use crate::answer::Code;
use crate::crypto::{AwsLc, SystemRandom};
use crate::decision::{CertificateSpace, NoSessions, NonceOutcome, Presented, Reason, open};
use crate::directory::{Application, Directory};
use crate::envelope::{self, Lifetime};
use crate::id::{AppId, UserName};
use crate::identity::{Identity, OwnKey, Profile};
use crate::key::{DecryptingKey, EncryptingKey, KeySize, SigningKey};
use crate::policy::{AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, Policy, Protocol, Skew};
use crate::request::{self, ContentDigest, Covered, Target};

const NOW: UnixMillis = UnixMillis(1_790_000_000_000);
const TARGET: &str = "/rest/api/2/search?jql=a";

struct World {
    wiki: Identity,
    tracker: Identity,
    to_tracker: EncryptingKey,
}

fn identity(id: &str, decryption: Vec<OwnKey<DecryptingKey>>) -> Identity {
    let signing = OwnKey::current(SigningKey::generate(&AwsLc, KeySize::Rsa2048).unwrap());
    let profile = Profile {
        id: AppId::parse(id).unwrap(),
        name: format!("The {id}"),
        base_url: format!("https://{id}.example/").parse().unwrap(),
        seq: 1,
        iat: NOW.seconds(),
        older_protocols: Vec::new(),
    };
    Identity::new(profile, vec![signing], decryption).unwrap()
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let decryption = DecryptingKey::generate(&AwsLc, KeySize::Rsa2048).unwrap();
    let to_tracker = EncryptingKey::new(&AwsLc, decryption.public().clone()).unwrap();
    let tracker = identity("tracker", vec![OwnKey::current(decryption)]);
    World { wiki: identity("wiki", Vec::new()), tracker, to_tracker }
});

fn policy() -> Policy {
    Policy::builder()
        .addresses(AddressRules::parse_list("192.0.2.0/24").unwrap())
        .paths(PathRules::parse_list("/rest").unwrap())
        .methods(MethodRules::parse_list("GET POST").unwrap())
        .never_as(NeverAs::parse_list("admin, svc-*").unwrap())
        .build(GreatestTimeout::default())
        .unwrap()
}

fn directory(policy: Policy) -> Directory {
    Directory::new([Application::new(&AwsLc, WORLD.wiki.certificate(), policy).unwrap()]).unwrap()
}

/// A request and where it came from.
struct Case {
    method: Method,
    target: String,
    headers: HeaderMap,
    content: Option<Vec<u8>>,
    from: Option<&'static str>,
    now: UnixMillis,
    directory: Directory,
}

impl Case {
    fn new() -> Self {
        Self::of("fred", NOW, b"")
    }

    fn of(user: &str, created: UnixMillis, content: &[u8]) -> Self {
        let World { wiki, tracker, to_tracker } = &*WORLD;
        let method = if content.is_empty() { Method::GET } else { Method::POST };
        let sealed = envelope::seal(
            wiki.id(),
            wiki.signing_key(),
            tracker.id(),
            to_tracker,
            NOW,
            Lifetime::default(),
            &SystemRandom,
        )
        .unwrap();
        let digest = if content.is_empty() { String::new() } else { ContentDigest::of(content).to_field() };
        let target = Target::parse(TARGET).unwrap();
        let covered = Covered { method: &method, target, content_type: "", content_digest: &digest };
        let cert = request::seal(&sealed.keys, &covered, created, &UserName::parse(user).unwrap(), &[7; 16]);
        let mut headers = HeaderMap::new();
        let values = [
            "4".into(),
            "wiki".into(),
            B64.encode(sealed.envelope),
            B64.encode(sealed.signature),
            B64.encode(cert),
        ];
        for (name, value) in crate::fields::REQUEST.into_iter().zip(values) {
            headers.insert(name, value.parse().unwrap());
        }
        if !digest.is_empty() {
            headers.insert("content-digest", digest.parse().unwrap());
        }
        Self {
            method,
            target: TARGET.into(),
            headers,
            content: Some(content.to_vec()),
            from: Some("192.0.2.7"),
            now: NOW,
            directory: directory(policy()),
        }
    }

    fn set(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    fn known(&self) -> Known<'_> {
        Known {
            context: Context {
                identity: &WORLD.tracker,
                directory: &self.directory,
                sessions: &NoSessions,
                random: &SystemRandom,
                skew: Skew::default(),
                greatest_timeout: GreatestTimeout::default(),
            },
            client: self
                .from
                .map(|addr| Ok(ClientAddress { addr: addr.parse::<IpAddr>().unwrap(), forwarded: false })),
        }
    }

    fn recorded(&self) -> Recorded<'_> {
        Recorded {
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            content: self.content.as_deref(),
        }
    }

    fn explain(&self) -> Explanation {
        explain(&self.recorded(), Some(&self.known()), self.now)
    }

    /// What the server would answer up to step 10.
    fn decided(&self) -> Option<Code> {
        let known = self.known();
        let decide = || {
            let mut space = CertificateSpace::new();
            let presented = Presented::parse(&self.method, &self.target, &self.headers, &mut space)?;
            let (proven, _) = open(presented, &known.context, known.client.unwrap(), self.now)?.prove()?;
            proven.allow(&known.context, NonceOutcome::First, None, self.now)
        };
        decide().err().map(|refusal| refusal.code())
    }
}

/// Number and code of the check that fails.
fn failing(explanation: &Explanation) -> Option<(u8, Code)> {
    explanation.failure().map(|(step, refusal)| (step.number, refusal.code()))
}

fn value(explanation: &Explanation, name: &str) -> Option<(String, Standing)> {
    let mut shown = explanation.steps.iter().flat_map(|step| &step.shown);
    shown.find(|shown| shown.name == name).map(|shown| (shown.value.to_string(), shown.standing))
}

#[test]
fn a_good_request() {
    let case = Case::new();
    let explanation = case.explain();
    assert_eq!(failing(&explanation), None);
    assert!(explanation.proven);
    assert_eq!(explanation.unknown(), [LIMITS, RUNNING_SERVER, USER_BASE]);
    assert_eq!(value(&explanation, "user"), Some(("fred".into(), Standing::Proven)));
    assert_eq!(value(&explanation, "target"), Some((TARGET.into(), Standing::Proven)));
    assert_eq!(value(&explanation, "created"), Some((format!("{} ms", NOW.0), Standing::Proven)));
    assert_eq!(value(&explanation, "name"), Some(("The wiki".into(), Standing::Own)));
    let numbers: Vec<u8> = explanation.steps.iter().map(|step| step.number).collect();
    assert!(numbers.is_sorted() && numbers.first() == Some(&0) && numbers.last() == Some(&12));
}

#[test]
fn the_first_check_that_fails_is_the_one_the_server_stops_at() {
    use Code::*;
    let late = |by| UnixMillis(NOW.0 + by);
    let mut cases = vec![
        (Case::new().set("x-seraph-trusted-app-version", "5"), 0, BadProtocolVersion),
        (Case::new().set("x-seraph-trusted-app-id", ""), 0, AppIdNotFound),
        (Case::new().set("x-seraph-trusted-app-key", ""), 0, SecretKeyNotFound),
        (Case::new().set("x-seraph-trusted-app-key", "AAAA"), 0, Malformed),
        (Case::new().set("x-seraph-trusted-app-cert", "AAAA"), 0, Malformed),
        (Case::new().set("connection", "x-seraph-trusted-app-id"), 0, Malformed),
        (Case::new().set("x-rewrite-url", "/"), 0, Malformed),
        (Case::new().set("x-seraph-trusted-app-id", "nobody"), 2, AppUnknown),
        (Case { target: "/rest/api/2/search?jql=b".into(), ..Case::new() }, 5, BadSignature),
        (Case { target: "*".into(), ..Case::new() }, 0, Malformed),
        (Case { method: Method::HEAD, ..Case::new() }, 5, BadSignature),
        (Case { from: Some("198.51.100.1"), ..Case::new() }, 3, BadRemoteIp),
        (Case { now: late(61_000), ..Case::new() }, 8, OldCert),
        (Case { now: late(301_000), ..Case::new() }, 8, OldCert),
        (Case { now: late(601_000), ..Case::new() }, 4, OldCert),
        (Case::of("fred", late(31_000), b""), 8, OldCert),
        (Case::of("Admin", NOW, b""), 10, PermissionDenied),
        (Case::of("svc-backup", NOW, b""), 10, PermissionDenied),
    ];
    let methods = |text| {
        Policy::builder()
            .addresses(AddressRules::any())
            .paths(PathRules::parse_list("/other").unwrap())
            .methods(MethodRules::parse_list(text).unwrap())
            .build(GreatestTimeout::default())
            .unwrap()
    };
    cases.push((Case { directory: directory(methods("POST")), ..Case::new() }, 9, BadUrl));
    cases.push((Case { directory: directory(methods("GET")), ..Case::new() }, 9, BadUrl));
    let disabled = Application::new(&AwsLc, WORLD.wiki.certificate(), policy()).unwrap().enabled(false);
    cases.push((Case { directory: Directory::new([disabled]).unwrap(), ..Case::new() }, 2, AppUnknown));
    let revoked = NeverAs::parse_list("fred").unwrap();
    cases.push((
        Case { directory: directory(policy()).with_revoked_users(revoked), ..Case::new() },
        10,
        PermissionDenied,
    ));
    for (case, number, code) in cases {
        let explanation = case.explain();
        assert_eq!(failing(&explanation), Some((number, code)), "{explanation:#?}");
        assert_eq!(case.decided(), Some(code));
        let at = explanation.steps.iter().position(|step| matches!(step.outcome, Outcome::Failed(_)));
        let after = &explanation.steps[at.unwrap() + 1..];
        assert!(after.iter().all(|step| step.outcome == Outcome::NotReached), "{explanation:#?}");
        let (_, refusal) = explanation.failure().unwrap();
        assert!(!advice(refusal.reason()).is_empty());
    }
}

#[test]
fn unproven_until_the_tag_was_found_good() {
    for case in [
        Case { target: "/rest/x".into(), ..Case::new() },
        Case::new().set("x-seraph-trusted-app-id", "nobody"),
        Case::new().set("x-seraph-trusted-app-version", "5"),
    ] {
        let explanation = case.explain();
        assert!(!explanation.proven);
        assert_eq!(value(&explanation, "user"), None);
        let shown = explanation.steps.iter().flat_map(|step| &step.shown);
        assert!(shown.into_iter().all(|shown| shown.standing != Standing::Proven));
        assert_eq!(value(&explanation, "issued").unwrap().1, Standing::Unproven);
    }
}

#[test]
fn a_late_request_or_one_from_elsewhere_is_opened_all_the_same() {
    for case in [
        Case { now: UnixMillis(NOW.0 + 86_400_000), ..Case::new() },
        Case { from: Some("198.51.100.1"), ..Case::new() },
    ] {
        let explanation = case.explain();
        assert!(explanation.failure().is_some());
        assert_eq!(value(&explanation, "user"), Some(("fred".into(), Standing::Proven)));
    }
}

#[test]
fn content() {
    let case = |content: Option<&[u8]>| {
        Case { content: content.map(<[u8]>::to_vec), ..Case::of("fred", NOW, b"{}") }.explain()
    };
    assert_eq!(failing(&case(Some(b"{}"))), None);
    assert_eq!(failing(&case(Some(b"{} "))), Some((12, Code::BadDigest)));
    let unknown = case(None);
    assert_eq!(failing(&unknown), None);
    assert!(unknown.unknown().contains(&NO_CONTENT));
    let added = Case { content: Some(b"{}".to_vec()), ..Case::new() }.explain();
    assert_eq!(added.failure().unwrap().1.reason(), Reason::DigestAbsent);
}

#[test]
fn what_is_not_known_does_not_stop_it() {
    let explanation = Case { from: None, ..Case::new() }.explain();
    assert_eq!(failing(&explanation), None);
    assert!(explanation.unknown().contains(&NO_ADDRESS));
    assert_eq!(value(&explanation, "allowed").unwrap().0, "192.0.2.0/24");

    let case = Case::new();
    let alone = explain(&case.recorded(), None, case.now);
    assert_eq!(failing(&alone), None);
    assert_eq!(alone.unknown(), [NO_STORE]);
    let known = alone.steps.iter().filter(|step| step.outcome == Outcome::Passed);
    assert_eq!(known.map(|step| step.number).collect::<Vec<_>>(), [0, 0, 0, 1]);
    assert_eq!(value(&alone, "lifetime").unwrap().0, "300 s");

    let cut = Case::new().set("x-seraph-trusted-app-signature", "AAAA");
    assert_eq!(failing(&explain(&cut.recorded(), None, NOW)), Some((0, Code::Malformed)));
}

#[test]
fn nobody_tried() {
    let explanation = Case { headers: HeaderMap::new(), ..Case::new() }.explain();
    assert_eq!((explanation.rules, explanation.steps.len()), (CheckList::NoAttempt, 0));
}

#[test]
fn a_lost_version_field_is_not_version_0() {
    let mut case = Case::new();
    case.headers.remove("x-seraph-trusted-app-version");
    let explanation = case.explain();
    assert_eq!(explanation.rules, CheckList::Version4);
    assert_eq!(explanation.failure().unwrap().1.reason(), Reason::ProtocolAbsent);
}

#[test]
fn nothing_is_recorded() {
    let policy = Policy::builder()
        .min_protocol(Protocol::V2)
        .addresses(AddressRules::parse_list("192.0.2.0/24").unwrap())
        .paths(PathRules::any())
        .timeout(Duration::from_secs(60))
        .build(GreatestTimeout::default())
        .unwrap();
    let case = Case { directory: directory(policy), ..Case::new() };
    assert_eq!(failing(&case.explain()), None);
    let application = case.directory.application("wiki").unwrap();
    assert_eq!(application.ratchet().floor(), Protocol::V2);
    assert_eq!(case.decided(), None);
    assert_eq!(application.ratchet().floor(), Protocol::V4, "the decision itself does raise it");
}

#[cfg(feature = "legacy")]
mod older {
    use super::*;
    use crate::legacy::{
        CertificateKey, Claim, LegacySigningKey, SignedFields, insecure_encode_v0, insecure_encode_v1,
        sign_v2, sign_v3,
    };

    static KEY: LazyLock<LegacySigningKey> =
        LazyLock::new(|| LegacySigningKey::generate(&mut random).unwrap());

    fn random(out: &mut [u8]) -> Result<(), crate::crypto::RandomError> {
        crate::crypto::Random::fill(&SystemRandom, out)
    }

    fn policy() -> Policy {
        Policy::builder()
            .addresses(AddressRules::parse_list("192.0.2.0/24").unwrap())
            .paths(PathRules::parse_list("/rest").unwrap())
            .never_as(NeverAs::parse_list("admin").unwrap())
            .min_protocol(Protocol::V2)
            .build(GreatestTimeout::default())
            .unwrap()
    }

    fn case(user: &str, url: &str, sign: impl FnOnce(&Claim<'_>) -> SignedFields) -> Case {
        let id = AppId::parse("wiki").unwrap();
        let claim = Claim { app_id: &id, user, url, timestamp: NOW };
        let mut case = Case { headers: HeaderMap::new(), ..Case::new() };
        sign(&claim).insert_into(&mut case.headers);
        let key = KEY.verifying_key().clone();
        let application = Application::legacy(id.clone(), "The wiki".into(), key, policy());
        case.directory = Directory::new([application]).unwrap();
        case
    }

    fn secret() -> CertificateKey {
        CertificateKey::random(&mut random).unwrap()
    }

    fn v3(user: &str, url: &str) -> Case {
        case(user, url, |claim| sign_v3(&KEY, claim, &mut random).unwrap())
    }

    fn v2(user: &str, url: &str) -> Case {
        case(user, url, |claim| sign_v2(&KEY, claim, &secret(), &mut random).unwrap())
    }

    const URL: &str = "https://tracker.example/rest/api/2/search?jql=a";

    #[test]
    fn good_ones() {
        let explanation = v3("fred", URL).explain();
        assert_eq!(failing(&explanation), None);
        assert_eq!(explanation.rules, CheckList::Older);
        assert_eq!(value(&explanation, "user"), Some(("fred".into(), Standing::Proven)));
        assert!(explanation.steps.iter().all(|step| !matches!(step.number, 5 | 6)));

        let explanation = v2("fred", URL).explain();
        assert_eq!(failing(&explanation), None);
        assert!(explanation.proven);
        assert_eq!(value(&explanation, "user"), Some(("fred".into(), Standing::Unproven)), "not signed");
        assert_eq!(value(&explanation, "created").unwrap().1, Standing::Proven);
        assert_eq!(value(&explanation, "magic number").unwrap().0, "right");
        assert!(explanation.steps.iter().any(|step| step.number == 6));
    }

    #[test]
    fn bad_ones() {
        use Code::*;
        let late = |by| UnixMillis(NOW.0 + by);
        for (case, number, code) in [
            (v3("fred", URL).set("x-seraph-trusted-app-id", ""), 4, AppIdNotFound),
            (v2("fred", URL).set("x-seraph-trusted-app-key", ""), 5, SecretKeyNotFound),
            (v2("fred", URL).set("x-seraph-trusted-app-magic", ""), 6, MagicNumberNotFound),
            (v2("fred", URL).set("x-seraph-trusted-app-magic", "AQ=="), 8, BadMagic),
            (v3("fred", URL).set("x-seraph-trusted-app-cert", "AQ=="), 8, BadMagic),
            (v3("fred", URL).set("x-seraph-trusted-app-id", "nobody"), 7, AppUnknown),
            (v3("fred", URL).set("x-seraph-trusted-app-signature", "AQ=="), 14, BadSignature),
            (Case { now: late(60_001), ..v3("fred", URL) }, 9, OldCert),
            (Case { from: Some("198.51.100.1"), ..v3("fred", URL) }, 10, BadRemoteIp),
            (Case { target: "/secure".into(), ..v3("fred", URL) }, 12, BadUrl),
            (Case { target: "/rest".into(), ..v3("fred", URL) }, 14, BadSignature),
            (Case { method: Method::POST, ..v3("fred", URL) }, 12, BadUrl),
            (v3("Admin", URL), 15, PermissionDenied),
            (
                case("fred", URL, |c| insecure_encode_v0(&KEY, c, &secret(), &mut random).unwrap()),
                3,
                BadProtocolVersion,
            ),
            (
                case("fred", URL, |c| insecure_encode_v1(&KEY, c, &secret(), &mut random).unwrap()),
                3,
                BadProtocolVersion,
            ),
        ] {
            let explanation = case.explain();
            assert_eq!(failing(&explanation), Some((number, code)), "{explanation:#?}");
        }
        let mut unsigned = v3("fred", URL);
        unsigned.headers.remove("x-seraph-trusted-app-signature");
        assert_eq!(failing(&unsigned.explain()), Some((13, BadSignature)));
    }

    #[test]
    fn versions_0_and_1_are_decoded_and_prove_nothing() {
        for case in [
            case("fred", URL, |claim| insecure_encode_v0(&KEY, claim, &secret(), &mut random).unwrap()),
            case("fred", URL, |claim| insecure_encode_v1(&KEY, claim, &secret(), &mut random).unwrap()),
        ] {
            let explanation = case.explain();
            assert!(!explanation.proven);
            assert_eq!(value(&explanation, "user"), Some(("fred".into(), Standing::Unproven)));
            assert_eq!(value(&explanation, "created").unwrap().1, Standing::Unproven);
        }
    }

    #[test]
    fn a_signature_for_another_url_says_which() {
        let mut case = v3("fred", "http://proxy.example:8080/rest/api/2/search?jql=a");
        case.headers.insert("host", HeaderValue::from_static("proxy.example:8080"));
        let explanation = case.explain();
        assert_eq!(failing(&explanation), Some((14, Code::BadSignature)));
        assert_eq!(
            value(&explanation, "it is genuine for").unwrap().0,
            "http://proxy.example:8080/rest/api/2/search?jql=a"
        );
        assert_eq!(value(&explanation, "URL here").unwrap().0, URL);
    }

    #[test]
    fn without_a_store() {
        let case = v3("fred", URL);
        let explanation = explain(&case.recorded(), None, NOW);
        assert_eq!(failing(&explanation), None);
        assert_eq!(explanation.unknown(), [NO_STORE]);
        assert_eq!(value(&explanation, "user"), Some(("fred".into(), Standing::Unproven)));
    }
}
