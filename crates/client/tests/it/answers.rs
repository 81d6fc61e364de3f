use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use taa_client::{BodyCheck, Retry, ServerRecord, TrustStatus};
use taa_core::answer::Code;
use taa_core::fields;
use taa_core::id::UserName;

use crate::tracker::*;

fn after(manners: Manners, request: http::request::Parts) -> taa_client::TrustAnswer {
    let clock = clock();
    let tracker = Tracker::new(&clock);
    *tracker.manners.lock().unwrap() = manners;
    let (pending, answer) = exchange(&signer(&clock), &tracker, request);
    pending.read(&answer)
}

#[test]
fn each_status() {
    let trust = after(Manners { knows_nobody: true, ..Manners::default() }, get());
    assert_eq!((trust.status(), trust.is_proven()), (&TrustStatus::ApplicationUnknown, false));
    let trust = after(Manners { silent: true, ..Manners::default() }, get());
    assert_eq!((trust.status(), trust.retry()), (&TrustStatus::NotSupported, Retry::ByCaller));
    let trust = after(Manners { no_proof: true, ..Manners::default() }, get());
    assert_eq!((trust.status(), trust.retry()), (&TrustStatus::Unproven { claim: None }, Retry::ByCaller));
    let trust = after(Manners { busy: true, ..Manners::default() }, get());
    assert_eq!((trust.status().code(), trust.retry()), (Some(Code::Busy), Retry::ByCaller));
    assert!(matches!(trust.status(), TrustStatus::Refused { .. }) && trust.is_proven());

    let clock = clock();
    let mut request = get();
    let nobody = UserName::parse("nobody").unwrap();
    let pending = signer(&clock).sign(&mut request, &nobody, None).unwrap();
    let trust = pending.read(&ask(&Tracker::new(&clock), &request));
    assert_eq!((trust.status(), trust.retry()), (&TrustStatus::UserUnknown, Retry::No));
    assert!(trust.is_proven());
}

#[test]
fn tabs_that_became_blanks() {
    let clock = clock();
    let tracker = Tracker::new(&clock);
    *tracker.manners.lock().unwrap() = Manners { tabs_to_blanks: true, busy: true, ..Manners::default() };
    let (pending, answer) = exchange(&signer(&clock), &tracker, get());
    assert!(!answer.headers[fields::ERROR].as_bytes().contains(&b'\t'));
    assert_eq!(pending.read(&answer).status().code(), Some(Code::Busy));
    assert!(pending.read(&answer).is_proven());
}

#[test]
fn whatever_is_altered_is_not_believed() {
    let clock = clock();
    let (signer, tracker) = (signer(&clock), Tracker::new(&clock));
    let (pending, good) = exchange(&signer, &tracker, get());
    assert!(pending.read(&good).status().is_trusted());

    let set = |name: &HeaderName, value: &'static str| {
        let mut answer = good.clone();
        answer.headers.insert(name, HeaderValue::from_static(value));
        answer
    };
    let without = |name: &HeaderName| {
        let mut answer = good.clone();
        answer.headers.remove(name);
        answer
    };
    let twice = |name: &HeaderName, value: &'static [u8]| {
        let mut answer = good.clone();
        answer.headers.append(name, HeaderValue::from_bytes(value).unwrap());
        answer
    };
    let mut created = good.clone();
    created.status = StatusCode::CREATED;
    let altered = [
        created,
        without(&fields::PROOF),
        without(&fields::CONTENT_DIGEST),
        set(&fields::ERROR, "USER_UNKNOWN;\tx;\t[]"),
        set(&fields::ERROR, "APP_UNKNOWN;\tx;\t[]"),
        set(&fields::STATUS, "ERROR"),
        set(&fields::PROOF, "AAAAAAAAAAAAAAAAAAAAAA"),
        set(&fields::PROOF, "?"),
        twice(&fields::STATUS, b"OK"),
        twice(&fields::PROOF, b"AAAAAAAAAAAAAAAAAAAAAA"),
        twice(&fields::ERROR, b"\xe9"),
    ];
    for (number, answer) in altered.into_iter().enumerate() {
        let trust = pending.read(&answer);
        assert!(matches!(trust.status(), TrustStatus::Unproven { .. }), "{number}: {:?}", trust.status());
        assert!(!trust.is_proven() && trust.content_digest().is_none());
    }
    // The answer to one request proves nothing about another.
    let (other, _) = exchange(&signer, &tracker, get());
    assert!(matches!(other.read(&good).status(), TrustStatus::Unproven { .. }));
    // Without any field of the protocol it is as if the server had none.
    let mut answer = good;
    for name in [fields::STATUS, fields::PROOF] {
        answer.headers.remove(name);
    }
    assert_eq!(pending.read(&answer).status(), &TrustStatus::NotSupported);
}

#[test]
fn unsafe_methods_are_not_repeated() {
    for manners in [
        Manners { silent: true, ..Manners::default() },
        Manners { no_proof: true, ..Manners::default() },
        Manners { busy: true, ..Manners::default() },
        Manners { knows_nobody: true, ..Manners::default() },
    ] {
        assert_eq!(after(manners, post()).retry(), Retry::No, "{manners:?}");
        let mut put = get();
        put.method = Method::PUT;
        assert_eq!(after(manners, put).retry(), Retry::No);
        assert_eq!(after(manners, get()).retry(), Retry::ByCaller);
    }
}

#[test]
fn content_without_a_digest() {
    let clock = clock();
    let tracker = Tracker::new(&clock);
    *tracker.manners.lock().unwrap() = Manners { no_digest: true, ..Manners::default() };
    let (pending, answer) = exchange(&signer(&clock), &tracker, get());
    assert_eq!(pending.read(&answer).body_check(), BodyCheck::Nothing);

    let strict = ServerRecord::builder(&certificate("tracker", "https://tracker.example/jira"))
        .require_content_digest(true)
        .build()
        .unwrap();
    let signer = builder(&clock).server(strict).build().unwrap();
    let (pending, answer) = exchange(&signer, &tracker, get());
    let trust = pending.read(&answer);
    assert!(trust.status().is_trusted());
    assert_eq!(trust.body_check(), BodyCheck::Empty);
    // An answer to HEAD has fields about a content that it does not have.
    *tracker.manners.lock().unwrap() = Manners::default();
    let request = head(Request::head("https://tracker.example/jira/x"));
    let (pending, answer) = exchange(&signer, &tracker, request);
    assert_eq!(pending.read(&answer).body_check(), BodyCheck::Nothing);
}
