//! Servers that only speak version 2 or 3.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Response};
use taa_client::{BuildError, Retry, ServerRecord, Signer, TrustStatus};
use taa_core::crypto::{Random, SystemRandom};
use taa_core::fields;
use taa_core::id::AppId;
use taa_core::legacy::{LegacySigningKey, Presented, SignedVersion, Window};
use taa_core::policy::Protocol;
use taa_core::time::Clock;

use crate::tracker::*;

static KEY: LazyLock<Arc<LegacySigningKey>> = LazyLock::new(|| {
    Arc::new(LegacySigningKey::generate(&mut |out: &mut [u8]| SystemRandom.fill(out)).unwrap())
});

fn old_record(version: SignedVersion) -> ServerRecord {
    let url = "https://tracker.example:443/jira".parse().unwrap();
    ServerRecord::insecure_legacy(AppId::parse("jira:1").unwrap(), url, version).build().unwrap()
}

fn old_signer(version: SignedVersion) -> Signer {
    builder(&clock()).legacy_key(KEY.clone()).server(old_record(version)).build().unwrap()
}

fn verified(headers: &HeaderMap) -> String {
    let now = clock().wall().unwrap();
    let presented = Presented::parse(headers).unwrap().unwrap();
    let opened = presented.open(KEY.verifying_key()).unwrap();
    let timely =
        opened.check_time(now, Window::new(Duration::from_secs(10), Duration::ZERO).unwrap()).unwrap();
    let proven = timely.verify("https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP").unwrap();
    proven.user().to_string()
}

#[test]
fn signed_as_the_record_says() {
    for (version, number) in [(SignedVersion::V2, "2"), (SignedVersion::V3, "3")] {
        let mut request = get();
        request.headers.insert(fields::MAGIC, HeaderValue::from_static("old"));
        let pending = old_signer(version).sign(&mut request, &fred(), None).unwrap();
        assert_eq!(request.headers[fields::VERSION], number);
        assert_eq!(request.headers.contains_key(fields::MAGIC), version == SignedVersion::V2);
        assert_eq!(verified(&request.headers), "fred");
        assert!(pending.session().is_none());
    }
    assert_eq!(old_record(SignedVersion::V3).protocol(), Protocol::V3);
}

#[test]
fn the_old_texts_count_only_here() {
    let answer = |error: &'static str| {
        let response = Response::builder().header(fields::STATUS, "ERROR").header(fields::ERROR, error);
        response.body(()).unwrap().into_parts().0
    };
    let mut request = get();
    let old = old_signer(SignedVersion::V3).sign(&mut request, &fred(), None).unwrap();
    let new = signer(&clock()).sign(&mut request, &fred(), None).unwrap();
    for (text, status) in [
        ("Unrecognized application", TrustStatus::ApplicationUnknown),
        ("Unrecognized user", TrustStatus::UserUnknown),
    ] {
        let trust = old.read(&answer(text));
        assert_eq!((trust.status(), trust.is_proven()), (&status, false));
        assert!(matches!(new.read(&answer(text)).status(), TrustStatus::Unproven { .. }));
    }
    // Nothing an older server says is proven: only the caller may repeat, and no time is learned.
    let trust = old.read(&answer("OLD_CERT;\tCertificate too old;\t[\"1\"]"));
    assert_eq!((trust.retry(), trust.server_time()), (Retry::ByCaller, None));
}

#[test]
fn the_key_can_be_replaced() {
    let signer = old_signer(SignedVersion::V3);
    let other = Arc::new(LegacySigningKey::generate(&mut |out: &mut [u8]| SystemRandom.fill(out)).unwrap());
    let signed_by = |key: &LegacySigningKey| {
        let mut request = get();
        signer.sign(&mut request, &fred(), None).unwrap();
        let now = clock().wall().unwrap();
        let opened = Presented::parse(&request.headers).unwrap().unwrap().open(key.verifying_key()).unwrap();
        let window = Window::new(Duration::from_secs(10), Duration::from_secs(1)).unwrap();
        let timely = opened.check_time(now, window).unwrap();
        timely.verify("https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP").is_ok()
    };
    assert!(signed_by(&KEY) && !signed_by(&other));
    signer.replace_legacy_key(Some(other.clone())).unwrap();
    assert!(signed_by(&other) && !signed_by(&KEY));
    let id = AppId::parse("jira:1").unwrap();
    assert_eq!(signer.replace_legacy_key(None), Err(BuildError::NoLegacyKey(id.clone())));
    let shared = Arc::new(LegacySigningKey::from_pkcs8_pem(&signing_key_pem()).unwrap());
    assert_eq!(signer.replace_legacy_key(Some(shared)), Err(BuildError::LegacyKeyInUse));
    assert!(signed_by(&other), "nothing has changed");
    assert!(signer.remove_server(&id) && !signer.remove_server(&id));
    signer.replace_legacy_key(None).unwrap();
}

#[test]
fn a_key_of_its_own() {
    let without = builder(&clock()).server(old_record(SignedVersion::V3)).build();
    assert_eq!(without.err(), Some(BuildError::NoLegacyKey(AppId::parse("jira:1").unwrap())));
    let pem = signing_key_pem();
    let shared = Arc::new(LegacySigningKey::from_pkcs8_pem(&pem).unwrap());
    assert_eq!(builder(&clock()).legacy_key(shared).build().err(), Some(BuildError::LegacyKeyInUse));
}
