//! The older versions: set up from their pages, signed, explained.

use serde_json::Value;
use taa_core::id::AppId;
use taa_core::legacy::{
    CertificateKey, Claim, LegacySigningKey, SignedFields, insecure_encode_v0, insecure_encode_v1,
};
use taa_core::time::{Clock, SystemClock};

use crate::home::Home;

/// A tracker that trusts a wiki, both with keys of the older versions, and pages that say they speak this one.
fn pair(version: u8) -> (Home, Home) {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    for home in [&tracker, &wiki] {
        home.taa(&["key", "rotate", "--purpose", "legacy"]).fine();
        home.serve_page(version);
    }
    let (wikis, trackers) =
        (wiki.key("legacy", "current").unwrap(), tracker.key("legacy", "current").unwrap());
    let add =
        ["trust", "add", "--older-versions", wiki.base_url(), "--addresses", "127.0.0.1", "--paths", "/rest"];
    tracker.taa(&add).ends(5);
    // A thumbprint may begin like an option.
    tracker.taa(&[&add[..], &["--fingerprint", "-dab"]].concat()).ends(5);
    tracker.taa(&[&add[..], &["--fingerprint", &wikis.to_lowercase()]].concat()).ends(5);
    tracker.taa(&[&add[..], &["--fingerprint", &wikis]].concat()).fine().remarks(&["older versions"]);
    wiki.taa(&["server", "add", "--older-versions", tracker.base_url(), "--fingerprint", &trackers]).fine();
    (tracker, wiki)
}

fn explain(tracker: &Home, request: &str) -> (i32, Value) {
    let ran = tracker.taa_reading(&["explain", "--json", "--from", "127.0.0.1"], request);
    (ran.code, ran.json())
}

fn value<'v>(report: &'v Value, name: &str) -> Option<&'v Value> {
    let mut values = report["steps"].as_array()?.iter().flat_map(|step| step["values"].as_array().unwrap());
    values.find(|value| value["name"] == name)
}

#[test]
fn signed_and_explained() {
    for version in [2, 3] {
        let (tracker, wiki) = pair(version);
        let url = format!("{}/rest/x?y", tracker.base_url());
        let signed = wiki.taa(&["sign", "GET", &url, "--user", "fred", "--json"]).fine().json();
        assert_eq!(signed["version"], version);
        let headers = wiki.taa(&["sign", "GET", &url, "--user", "fred", "--raw"]).fine().stdout;
        let host = tracker.base_url().strip_prefix("http://").unwrap();
        let request = format!("GET /rest/x?y HTTP/1.1\nHost: {host}\n{headers}");
        let (code, report) = explain(&tracker, &request);
        assert_eq!((code, &report["checks"]), (0, &"older versions".into()), "{report:#}");
        let user = value(&report, "user").unwrap();
        let standing = if version == 3 { "proven" } else { "unproven" };
        assert_eq!((&user["value"], &user["standing"]), (&"fred".into(), &standing.into()));

        let without_signature: String = request
            .lines()
            .filter(|line| !line.starts_with("X-Seraph-Trusted-App-Signature"))
            .map(|line| format!("{line}\n"))
            .collect();
        for (request, code, step) in [
            (request.replace("/rest/x", "/rest/z"), "BAD_SIGNATURE", 14),
            (request.replace("/rest/x", "/secure"), "BAD_URL", 12),
            (request.replace("App-ID: wiki:1", "App-ID: wiki:2"), "APP_UNKNOWN", 7),
            (request.replace("App-Cert: ", "App-Cert: !"), "BAD_MAGIC", 8),
            (
                request.replace(&format!("App-Version: {version}"), "App-Version: 1"),
                "BAD_PROTOCOL_VERSION",
                3,
            ),
            (without_signature, "BAD_SIGNATURE", 13),
        ] {
            let (ended, report) = explain(&tracker, &request);
            assert_eq!(ended, 3);
            assert_eq!((&report["code"], &report["step"]), (&code.into(), &step.into()), "{report:#}");
        }
        let late = tracker
            .taa_reading(&["explain", "--json", "--now", "2020-01-01", "--from", "127.0.0.1"], &request);
        assert_eq!(late.ends(3).json()["code"], "OLD_CERT");
        let alone = tracker.taa_reading(&["explain", "--json", "--no-store"], &request).fine().json();
        let name = value(&alone, "user");
        assert_eq!(name.is_some(), version == 3, "version 2 hides it under the application's key");
    }
}

#[test]
fn a_server_that_learns_version_4() {
    let (tracker, wiki) = pair(3);
    let set = |version| wiki.taa(&["server", "set", "tracker:1", "--protocol", version]);
    let signed = || {
        let url = format!("{}/rest", tracker.base_url());
        wiki.taa(&["sign", "GET", &url, "--user", "fred", "--json"]).fine().json()["version"].clone()
    };
    set("4").ends(1).remarks(&["tracker:1 has no certificate", "fetch and compare it first"]);
    assert_eq!(signed(), 3);
    set("2").fine();
    assert_eq!(signed(), 2);
    wiki.call(&tracker);
    assert_eq!(signed(), 2, "it never rises by itself");
    set("4").fine();
    assert_eq!(signed(), 4);
    set("3").fine();
    assert_eq!(signed(), 3);
}

#[test]
fn a_base_url_that_differs_is_named() {
    let (tracker, wiki) = pair(3);
    let url = format!("{}/rest", tracker.base_url());
    let headers = wiki.taa(&["sign", "GET", &url, "--user", "fred", "--raw"]).fine().stdout;
    let host = tracker.base_url().strip_prefix("http://").unwrap();
    tracker.taa(&["certificate", "set", "--base-url", "https://tracker.example"]).fine();
    let (_, report) = explain(&tracker, &format!("GET /rest HTTP/1.1\nHost: {host}\n{headers}"));
    assert_eq!(report["code"], "BAD_SIGNATURE");
    assert_eq!(value(&report, "URL here").unwrap()["value"], "https://tracker.example/rest");
    assert_eq!(value(&report, "it is genuine for").unwrap()["value"], url.as_str());
}

#[test]
fn versions_0_and_1_are_decoded_and_refused() {
    let (tracker, wiki) = pair(2);
    let key = wiki.key("legacy", "current").unwrap();
    let pem = wiki.taa(&["key", "export", &key, "--stdout"]).fine().stdout;
    let key = LegacySigningKey::from_pkcs8_pem(&pem).unwrap();
    let id = AppId::parse("wiki:1").unwrap();
    let timestamp = SystemClock::new().wall().unwrap();
    let claim = Claim { app_id: &id, user: "fred", url: "https://tracker.example/rest", timestamp };
    let mut random = |out: &mut [u8]| -> Result<(), ()> {
        out.fill(7);
        Ok(())
    };
    let secret = CertificateKey::from_bytes([5; 16]).unwrap();
    let v0 = insecure_encode_v0(&key, &claim, &secret, &mut random).unwrap();
    let v1 = insecure_encode_v1(&key, &claim, &secret, &mut random).unwrap();
    for fields in [v0, v1] {
        let (code, report) = explain(&tracker, &written(&fields));
        assert_eq!((code, &report["code"]), (3, &"BAD_PROTOCOL_VERSION".into()), "{report:#}");
        let user = value(&report, "user").unwrap();
        assert_eq!((&user["value"], &user["standing"]), (&"fred".into(), &"unproven".into()));
        assert_eq!(report["proven"], false);
    }
}

fn written(fields: &SignedFields) -> String {
    let mut request = "GET /rest HTTP/1.1\nHost: tracker.example\n".to_owned();
    for (name, value) in fields.iter() {
        request.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    request
}
