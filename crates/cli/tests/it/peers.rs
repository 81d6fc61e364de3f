//! `trust` and `server`.

use crate::home::Home;

#[test]
fn nobody_is_trusted_without_a_person() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    let refused = tracker.taa(&["trust", "add", wiki.base_url()]).ends(5);
    refused.remarks(&["--fingerprint", "any user", &wiki.fingerprint()]);
    let other = tracker.fingerprint();
    tracker
        .taa(&["trust", "add", wiki.base_url(), "--fingerprint", &other])
        .ends(5)
        .remarks(&["another one"]);
    tracker.taa(&["trust", "add", wiki.base_url(), "--fingerprint", ""]).ends(5);
    tracker.taa_reading(&["trust", "add", wiki.base_url()], "yes\n").ends(5);
    tracker.taa(&["server", "add", wiki.base_url()]).ends(5);
    assert_eq!(tracker.taa(&["trust", "list", "--json"]).fine().stdout.trim(), "[]");
    assert_eq!(tracker.taa(&["server", "list", "--json"]).fine().stdout.trim(), "[]");

    // Letter case, blanks and dashes do not count.
    let typed = wiki.fingerprint().to_lowercase().replace(' ', "-");
    let done = tracker
        .taa(&[
            "--json",
            "trust",
            "add",
            wiki.base_url(),
            "--fingerprint",
            &typed,
            "--addresses",
            "127.0.0.1",
        ])
        .fine();
    assert_eq!(done.json()["trusted"], true);
    assert_eq!(done.json()["called"], false);
}

#[test]
fn rules_of_an_application() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    let fingerprint = wiki.fingerprint();
    let wrong = [
        "trust",
        "add",
        wiki.base_url(),
        "--fingerprint",
        &fingerprint,
        "--timeout",
        "0",
        "--addresses",
        "x",
    ];
    tracker.taa(&wrong).ends(2).remarks(&["timeout", "x"]);
    tracker.trust(&wiki, &["--never-as", "admin, svc-*", "--timeout", "30000", "--name", "Our wiki"]);
    let shown = tracker.taa(&["trust", "show", "wiki:1", "--json"]).fine().json();
    assert_eq!(shown["name"], "Our wiki");
    assert_eq!(shown["rules"]["addresses"], serde_json::json!(["127.0.0.1"]));
    assert_eq!(shown["rules"]["never_as"], serde_json::json!(["admin", "svc-*"]));
    assert_eq!(shown["rules"]["timeout_ms"], "30000");
    assert_eq!(shown["certificate"]["fingerprint"].as_str(), Some(fingerprint.as_str()));
    tracker.taa(&["trust", "show", "wiki:1"]).fine().says(&["Our wiki", "svc-*", "30000 ms", "/rest"]);

    let set = |args: &[&str]| tracker.taa(&[&["--json", "trust", "set", "wiki:1"], args].concat());
    let rules = set(&["--add-path", "/sr", "--remove-path", "/rest", "--add-never-as", "root"]).fine().json();
    assert_eq!(rules["rules"]["paths"], serde_json::json!(["/sr"]));
    assert_eq!(rules["rules"]["never_as"], serde_json::json!(["admin", "svc-*", "root"]));
    let rules = set(&["--remove-never-as", "svc-*", "--add-address", "2001:db8::/64"]).fine().json();
    assert_eq!(rules["rules"]["never_as"], serde_json::json!(["admin", "root"]));
    assert_eq!(rules["rules"]["addresses"], serde_json::json!(["127.0.0.1", "2001:db8::/64"]));
    let rules = set(&["--methods", "GET", "--min-protocol", "3", "--allow-repeats", "yes"]).fine().json();
    assert_eq!(rules["rules"]["methods"], serde_json::json!(["GET"]));
    assert_eq!(
        (&rules["rules"]["min_protocol"], &rules["rules"]["allow_repeats"]),
        (&3.into(), &true.into())
    );
    set(&["--remove-path", "/nothing"]).ends(4);
    set(&["--paths", "rest"]).ends(2);
    set(&["--addresses", "any", "--min-protocol", "2"]).ends(2);
    set(&["--paths", "/a", "--add-path", "/b"]).ends(2);
    set(&["--timeout", "120000"]).ends(2);
    set(&["--timeout", "120000", "--greatest-timeout", "300"]).fine();
    set(&["--add-path", "/x"]).fine();
    set(&["--greatest-timeout", "301"]).ends(2);
    tracker.taa(&["trust", "set", "nobody", "--timeout", "1"]).ends(4);
    tracker.taa(&["trust", "set", "wiki:1"]).ends(0).says(&["Our wiki"]);
}

#[test]
fn switched_off_and_forgotten() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &[]);
    tracker.taa(&["trust", "disable", "wiki:1"]).fine();
    tracker.taa(&["trust", "list"]).fine().says(&["wiki:1", "disabled"]);
    let enabled = tracker.taa(&["trust", "enable", "wiki:1", "--json"]).fine().json();
    assert_eq!(enabled["enabled"], true);
    tracker.taa(&["trust", "remove", "wiki:1"]).ends(5);
    tracker.taa(&["trust", "remove", "nobody", "--yes"]).ends(4);
    tracker.taa(&["trust", "remove", "wiki:1", "--yes"]).fine();
    tracker.taa(&["trust", "show", "wiki:1"]).ends(4);
    tracker.taa(&["trust", "list"]).fine().says(&["No application is trusted"]);
    for command in ["enable", "disable", "show"] {
        tracker.taa(&["trust", command, "wiki:1"]).ends(4);
    }
}

#[test]
fn keys_and_users_taken_back() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &[]);
    let key = wiki.key("signing", "current").unwrap();
    tracker.taa(&["trust", "revoke-key", "wiki:1", &key]).ends(5);
    tracker.taa(&["trust", "revoke-key", "wiki:1", "nokey", "--yes"]).ends(4);
    tracker.taa(&["trust", "revoke-key", "wiki:1", &key, "--yes", "--json"]).fine();
    tracker.taa(&["trust", "show", "wiki:1"]).fine().says(&["Revoked keys", &key]);

    tracker.taa(&["trust", "revoked-users"]).fine().says(&["No user is revoked"]);
    tracker.taa(&["trust", "revoke-user", "svc-*"]).fine();
    tracker.taa(&["trust", "revoke-user", " fred"]).ends(2);
    let users = tracker.taa(&["trust", "revoked-users", "--json"]).fine().json();
    assert_eq!(users[0]["user"], "svc-*");
    tracker.taa(&["trust", "revoked-users"]).fine().says(&["svc-*", "cli:"]);
    tracker.taa(&["trust", "restore-user", "svc-*", "--json"]).fine();
    tracker.taa(&["trust", "restore-user", "svc-*"]).ends(4);
}

#[test]
fn both_ways() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &["--both", "--lifetime", "600", "--require-content-digest"]);
    let server = tracker.taa(&["server", "show", "wiki:1", "--json"]).fine().json();
    assert_eq!((&server["lifetime_s"], &server["require_content_digest"]), (&600.into(), &true.into()));
    tracker.taa(&["trust", "add", wiki.base_url(), "--lifetime", "600"]).ends(2);
    let own = tracker.base_url();
    tracker.taa(&["trust", "add", own, "--fingerprint", &tracker.fingerprint()]).ends(1).remarks(&["own id"]);
}

#[test]
fn servers() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    wiki.taa(&["server", "list"]).fine().says(&["No server is called"]);
    wiki.call(&tracker);
    wiki.taa(&["server", "list"]).fine().says(&["tracker:1", "called", tracker.base_url()]);
    wiki.taa(&["server", "show", "tracker:1"]).fine().says(&["300 s", &tracker.fingerprint()]);
    let set = |args: &[&str]| wiki.taa(&[&["--json", "server", "set", "tracker:1"], args].concat());
    let changed =
        set(&["--lifetime", "120", "--name", "Issues", "--require-content-digest", "yes"]).fine().json();
    assert_eq!((&changed["lifetime_s"], &changed["name"]), (&120.into(), &"Issues".into()));
    assert_eq!(changed["require_content_digest"], true);
    let older =
        set(&["--protocol", "3"]).fine().remarks(&["Versions 2 and 3 sign neither method nor content"]);
    assert_eq!((&older.json()["protocol"], &older.json()["lifetime_s"]), (&3.into(), &120.into()));
    let newer = set(&["--protocol", "4"]).fine();
    assert_eq!((&newer.json()["protocol"], newer.stderr.as_str()), (&4.into(), ""));
    set(&["--protocol", "1"]).ends(2);
    set(&["--lifetime", "901"]).ends(2);
    set(&["--base-url", "http://127.0.0.1:1/jira"]).fine();
    set(&["--base-url", "jira"]).ends(2);
    wiki.taa(&["server", "disable", "tracker:1"]).fine();
    wiki.taa(&["server", "list"]).fine().says(&["disabled"]);
    wiki.taa(&["server", "enable", "tracker:1"]).fine();
    wiki.taa(&["server", "remove", "tracker:1"]).ends(5);
    wiki.taa(&["server", "remove", "tracker:1", "--yes", "--json"]).fine();
    for command in ["show", "enable", "disable"] {
        wiki.taa(&["server", command, "tracker:1"]).ends(4);
    }
    wiki.taa(&["server", "remove", "tracker:1", "--yes"]).ends(4);
}

#[test]
fn refreshed() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &["--both"]);
    tracker.taa(&["trust", "refresh"]).fine().says(&["is the one held"]);
    wiki.taa(&["key", "rotate", "--purpose", "signing"]).fine();
    wiki.serve();
    let taken = tracker.taa(&["trust", "refresh", "wiki:1", "--json"]).fine().json();
    assert_eq!(taken[0]["outcome"], "taken");
    let same = tracker.taa(&["server", "refresh", "--json"]).fine().json();
    assert_eq!(same[0]["outcome"], "same");

    // An emergency: the key that would announce the new one is gone.
    for status in ["next", "current"] {
        let key = wiki.key("signing", status).unwrap();
        wiki.taa(&["key", "revoke", &key, "--yes"]).fine();
    }
    wiki.serve();
    let kept = tracker.taa(&["trust", "refresh", "--json"]).ends(3).json();
    assert_eq!(kept[0]["outcome"], "kept");
    assert!(kept[0]["problem"].as_str().is_some());
    tracker.taa(&["trust", "refresh", "wiki:1", "--compare"]).ends(5);
    tracker.taa(&["trust", "refresh", "--compare"]).ends(2);
    tracker.taa(&["trust", "refresh", "wiki:1", "--fingerprint", &tracker.fingerprint()]).ends(5);
    tracker.taa(&["trust", "refresh", "wiki:1", "--fingerprint", &wiki.fingerprint()]).fine();
    tracker.taa(&["trust", "refresh"]).fine();
    let shown = tracker.taa(&["trust", "show", "wiki:1", "--json"]).fine().json();
    assert_eq!(shown["certificate"]["fingerprint"].as_str(), Some(wiki.fingerprint().as_str()));
    assert_eq!(shown["rules"]["paths"], serde_json::json!(["/rest"]), "its rules stay");

    wiki.serve_document(None);
    tracker.taa(&["trust", "refresh"]).ends(3).says(&["404"]);
    tracker.taa(&["trust", "list"]).fine().says(&["problem"]);
    tracker.taa(&["trust", "refresh", "nobody"]).ends(4);
    tracker.taa(&["trust", "refresh", "no body"]).ends(2);
}

#[test]
fn would_it_be_allowed() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &["--never-as", "admin"]);
    let check = |args: &[&str]| tracker.taa(&[&["--json", "check"], args].concat());
    let good = check(&["wiki:1", "GET", "/rest/x?y", "--user", "fred", "--from", "127.0.0.1"]).fine().json();
    assert_eq!(good["allowed"], true);
    for (args, code) in [
        (&["nobody", "GET", "/rest", "--user", "fred"][..], "APP_UNKNOWN"),
        (&["wiki:1", "GET", "/rest", "--user", "fred", "--from", "192.0.2.1"], "BAD_REMOTE_IP"),
        (&["wiki:1", "PATCH", "/rest", "--user", "fred"], "BAD_URL"),
        (&["wiki:1", "GET", "/restx", "--user", "fred"], "BAD_URL"),
        (&["wiki:1", "GET", "/rest", "--user", "Admin"], "PERMISSION_DENIED"),
        (&["wiki:1", "GET", "/rest", "--user", "fred", "--protocol", "3"], "BAD_PROTOCOL_VERSION"),
    ] {
        let refused = check(args).ends(3).json();
        assert_eq!(
            (refused["code"].as_str(), refused["allowed"].as_bool()),
            (Some(code), Some(false)),
            "{args:?}"
        );
    }
    tracker
        .taa(&["check", "wiki:1", "GET", "/restx", "--user", "fred"])
        .ends(3)
        .says(&[" no   9  path", "Refused: BAD_URL at step 9"]);
    tracker.taa(&["check", "wiki:1", "GET", "/rest", "--user", "fred", "--from", "here"]).ends(2);
    tracker.taa(&["trust", "revoke-user", "fred"]).fine();
    check(&["wiki:1", "GET", "/rest", "--user", "fred"]).ends(3);
}
