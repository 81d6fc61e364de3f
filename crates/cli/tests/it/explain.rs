//! `explain` of requests of version 4.

use serde_json::Value;

use crate::home::Home;

struct Pair {
    tracker: Home,
    wiki: Home,
}

impl Pair {
    fn new(rules: &[&str]) -> Self {
        let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
        tracker.trust(&wiki, rules);
        wiki.call(&tracker);
        Self { tracker, wiki }
    }

    /// A request as a log has it.
    fn signed(&self, method: &str, target: &str, user: &str, more: &[&str]) -> String {
        let url = format!("{}{target}", self.tracker.base_url());
        let args = [&["sign", method, &url, "--user", user, "--raw"], more].concat();
        let headers = self.wiki.taa(&args).fine().stdout;
        format!("{method} {target} HTTP/1.1\nHost: tracker.example\n{headers}")
    }

    fn explain(&self, request: &str, more: &[&str]) -> (i32, Value) {
        let args = [&["explain", "--json", "--from", "127.0.0.1"], more].concat();
        let ran = self.tracker.taa_reading(&args, request);
        (ran.code, ran.json())
    }
}

fn value<'v>(report: &'v Value, name: &str) -> Option<&'v Value> {
    let mut values = report["steps"].as_array()?.iter().flat_map(|step| step["values"].as_array().unwrap());
    values.find(|value| value["name"] == name)
}

#[test]
fn signed_and_explained() {
    let pair = Pair::new(&[]);
    let request = pair.signed("GET", "/rest/api/2/search?jql=a", "fred", &[]);
    let (code, report) = pair.explain(&request, &[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!((&report["result"], &report["proven"]), (&"not refused here".into(), &true.into()));
    let user = value(&report, "user").unwrap();
    assert_eq!((&user["value"], &user["standing"]), (&"fred".into(), &"proven".into()));
    assert_eq!(value(&report, "path").unwrap()["value"], "/rest/api/2/search");
    assert!(
        value(&report, "signing key").unwrap()["text"]
            .as_str()
            .unwrap()
            .contains("current signing key of wiki:1")
    );

    // It may be explained again, in any form a log has it.
    let crlf = request.replace('\n', "\r\n");
    let curl: String = request.lines().map(|line| format!("> {line}\n")).collect();
    let curl =
        format!("* Trying 127.0.0.1…\n{curl}> \n< HTTP/1.1 200 OK\n< X-Seraph-Trusted-App-Status: OK\n");
    for form in [&request, &crlf, &curl] {
        assert_eq!(pair.explain(form, &[]).0, 0);
    }
    let file = pair.tracker.file("request.txt", &request);
    let text = pair.tracker.taa(&["explain", &file, "--from", "127.0.0.1"]).fine();
    text.says(&[
        " ok   5  ",
        "user                  fred",
        "  ?   7  ",
        "No check that can be made here fails",
    ]);
    let generation = |home: &Home| home.taa(&["audit", "list", "--json"]).fine().stdout;
    assert_eq!(generation(&pair.tracker), generation(&pair.tracker));
}

#[test]
fn the_first_check_that_fails() {
    let pair = Pair::new(&["--never-as", "admin", "--methods", "GET POST"]);
    let good = pair.signed("GET", "/rest/x", "fred", &[]);
    let without = |name: &str| -> String {
        good.lines().filter(|line| !line.starts_with(name)).map(|line| format!("{line}\n")).collect()
    };
    let now = "--now";
    for (request, more, step, code) in [
        (good.replace("App-Version: 4", "App-Version: 5"), &[][..], 0, "BAD_PROTOCOL_VERSION"),
        (without("X-Seraph-Trusted-App-ID"), &[], 0, "APP_ID_NOT_FOUND"),
        (without("X-Seraph-Trusted-App-Cert"), &[], 0, "MALFORMED"),
        (format!("{good}X-Rewrite-URL: /\n"), &[], 0, "MALFORMED"),
        (good.replace("App-ID: wiki:1", "App-ID: wiki:2"), &[], 2, "APP_UNKNOWN"),
        (good.clone(), &["--from", "192.0.2.1"], 3, "BAD_REMOTE_IP"),
        (format!("{good}X-Forwarded-For: 192.0.2.1\n"), &["--proxies", "127.0.0.1"], 3, "BAD_XFORWARD_IP"),
        (good.replace("/rest/x", "/rest/y"), &[], 5, "BAD_SIGNATURE"),
        (good.replace("GET /", "POST /"), &[], 5, "BAD_SIGNATURE"),
        (good.clone(), &[now, "2020-01-01"], 4, "OLD_CERT"),
        (pair.signed("DELETE", "/rest/x", "fred", &[]), &[], 9, "BAD_URL"),
        (pair.signed("GET", "/secure", "fred", &[]), &[], 9, "BAD_URL"),
        (pair.signed("GET", "/rest/x", "admin", &[]), &[], 10, "PERMISSION_DENIED"),
    ] {
        let here: &[&str] = if more.contains(&"--from") { &[] } else { &["--from", "127.0.0.1"] };
        let args = [&["explain", "--json"], here, more].concat();
        let report = pair.tracker.taa_reading(&args, &request).ends(3).json();
        assert_eq!(
            (report["step"].as_u64(), report["code"].as_str()),
            (Some(step), Some(code)),
            "{report:#}"
        );
        assert!(report["advice"].as_str().is_some_and(|advice| !advice.is_empty()));
    }
}

#[test]
fn what_to_do_about_it() {
    let pair = Pair::new(&[]);
    let remedy = |request: &str, more: &[&str]| {
        let (code, report) = pair.explain(request, more);
        assert_eq!(code, 3);
        report["remedy"].as_str().map(str::to_owned)
    };
    let elsewhere = pair.signed("GET", "/secure/x", "fred", &[]);
    assert_eq!(remedy(&elsewhere, &[]).unwrap(), "taa trust set wiki:1 --add-path /secure/x");
    let ambiguous = pair.signed("GET", "/rest/%2e%2e/x", "fred", &[]);
    assert_eq!(remedy(&ambiguous, &[]), None);
    let good = pair.signed("GET", "/rest", "fred", &[]);
    let again = remedy(&good, &["--now", "2020-01-01"]).unwrap();
    let at = again.split(' ').nth(3).unwrap().to_owned();
    assert_eq!(pair.explain(&good, &["--now", &at]).0, 0);
    pair.tracker.taa(&["trust", "disable", "wiki:1"]).fine();
    assert_eq!(remedy(&good, &[]).unwrap(), "taa trust enable wiki:1");
    pair.tracker.taa(&["trust", "enable", "wiki:1"]).fine();
    pair.tracker.taa(&["trust", "revoke-user", "fred"]).fine();
    let (_, report) = pair.explain(&good, &[]);
    assert_eq!((report["step"].as_u64(), report["code"].as_str()), (Some(10), Some("PERMISSION_DENIED")));
}

#[test]
fn keys_that_changed() {
    let pair = Pair::new(&[]);
    let old = pair.signed("GET", "/rest", "fred", &[]);
    let key = pair.wiki.key("signing", "current").unwrap();
    pair.tracker.taa(&["trust", "revoke-key", "wiki:1", &key, "--yes"]).fine();
    let (_, report) = pair.explain(&old, &[]);
    assert_eq!((report["step"].as_u64(), report["code"].as_str()), (Some(4), Some("BAD_SIGNATURE")));
    assert_eq!(report["remedy"], "taa trust refresh wiki:1");
    assert_eq!(report["proven"], false);

    // Sealed to a key the server does not have any more.
    let pair = Pair::new(&[]);
    let old = pair.signed("GET", "/rest", "fred", &[]);
    let key = pair.tracker.key("decryption", "current").unwrap();
    pair.tracker.taa(&["key", "revoke", &key, "--yes"]).fine();
    let (_, report) = pair.explain(&old, &[]);
    assert_eq!(report["step"], 4);
    assert_eq!(value(&report, "decryption key here").unwrap()["value"], "unknown, or has ended");
}

#[test]
fn content() {
    let pair = Pair::new(&[]);
    let head = pair.signed("POST", "/rest", "fred", &["--data", "{}", "--content-type", "application/json"]);
    for (tail, code) in [
        ("\n{}", 0),
        ("Content-Length: 2\n\n{}\n", 0),
        ("Content-Length: 2\n", 0),
        ("\n{} ", 3),
        ("Content-Length: 0\n\n", 3),
    ] {
        let (ended, report) = pair.explain(&format!("{head}{tail}"), &[]);
        assert_eq!(ended, code, "{tail:?}: {report:#}");
        if code == 3 {
            assert_eq!((&report["step"], &report["code"]), (&12.into(), &"BAD_DIGEST".into()));
        }
    }
}

#[test]
fn without_a_store() {
    let pair = Pair::new(&[]);
    let request = pair.signed("GET", "/rest", "fred", &[]);
    let away = Home::empty();
    for args in [&["explain", "--json", "--no-store"][..], &["explain", "--json"]] {
        let report = away.taa_reading(args, &request).fine().json();
        assert_eq!((&report["result"], &report["proven"]), (&"not refused here".into(), &false.into()));
        assert!(value(&report, "user").is_none());
        assert_eq!(value(&report, "application").unwrap()["standing"], "unproven");
        assert_eq!(value(&report, "lifetime").unwrap()["value"]["ms"], 300_000);
    }
    assert!(!away.path("taa.db").exists());
    let text = away.taa_reading(&["explain", "--no-store"], &request).fine();
    text.says(&["wiki:1 [unproven]", "It cannot be known here, because it takes the keys"]);
    away.taa_reading(&["explain", "--store", "sqlite:other.db"], &request).ends(4);
    let cut = request.replace("App-Signature: ", "App-Signature: !");
    away.taa_reading(&["explain", "--no-store"], &cut).ends(3).says(&["MALFORMED"]);
}

#[test]
fn at_the_wrong_end() {
    let pair = Pair::new(&[]);
    let request = pair.signed("GET", "/rest", "fred", &[]);
    let ran = pair.wiki.taa_reading(&["explain"], &request).ends(3);
    ran.says(&[
        "APP_UNKNOWN",
        "the current signing key of this application",
        "the current decryption key of tracker:1",
    ])
    .remarks(&["explain it there"]);
}

#[test]
fn nothing_to_explain() {
    let pair = Pair::new(&[]);
    let (code, report) = pair.explain("GET / HTTP/1.1\nHost: x\n", &[]);
    assert_eq!((code, &report["result"]), (4, &"no attempt".into()));
    for rubbish in ["", "rubbish", "GET\n", "GET / HTTP/1.1\nrubbish\n"] {
        pair.tracker.taa_reading(&["explain"], rubbish).ends(2);
    }
    pair.tracker.taa(&["explain", "nothing.txt"]).ends(1);
    for wrong in [&["--now", "soon"][..], &["--proxies", "any"], &["--prefix", "jira"], &["--skew", "61"]] {
        pair.tracker
            .taa_reading(&[&["explain", "--from", "127.0.0.1"], wrong].concat(), "GET / HTTP/1.1\n")
            .ends(2);
    }
}

#[test]
fn a_prefix_that_a_proxy_took_away() {
    let pair = Pair::new(&[]);
    pair.tracker.taa(&["trust", "set", "wiki:1", "--paths", "/jira"]).fine();
    let request = pair.signed("GET", "/jira/rest", "fred", &[]).replace("GET /jira/rest", "GET /rest");
    assert_eq!(pair.explain(&request, &[]).1["code"], "BAD_SIGNATURE");
    assert_eq!(pair.explain(&request, &["--prefix", "/jira"]).0, 0);
}

#[test]
fn a_terminal_is_not_played_with() {
    let pair = Pair::new(&[]);
    let request = "GET /\u{1b}[31m HTTP/1.1\nX-Seraph-Trusted-App-ID: a\u{202e}b\n";
    let ran = pair.tracker.taa_reading(&["explain"], request);
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stdout.contains('\u{202e}'), "{ran:?}");
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn no_secret_is_shown() {
    let pair = Pair::new(&[]);
    let request = pair.signed("GET", "/rest", "fred", &[]);
    let text = pair.tracker.taa_reading(&["explain", "--from", "127.0.0.1"], &request).fine().stdout;
    let json =
        pair.tracker.taa_reading(&["explain", "--json", "--from", "127.0.0.1"], &request).fine().stdout;
    for line in request.lines().filter(|line| line.starts_with("X-Seraph-Trusted-App-Cert")) {
        let (_, sealed) = line.split_once(": ").unwrap();
        assert!(!text.contains(sealed) && !json.contains(sealed));
    }
}
