//! `init`, `key` and `certificate`.

use crate::home::Home;

#[test]
fn made_and_listed() {
    let home = Home::empty();
    let made = home
        .taa(&[
            "--json",
            "init",
            "--id",
            "wiki:1",
            "--name",
            "Wiki",
            "--base-url",
            "https://wiki.example/c",
            "--bits",
            "2048",
        ])
        .fine()
        .remarks(&["not sealed"]);
    let json = made.json();
    assert_eq!((json["id"].as_str(), json["sealed"].as_bool()), (Some("wiki:1"), Some(false)));
    assert_eq!(json["fingerprint"].as_str(), Some(home.fingerprint().as_str()));
    home.taa(&["key", "list"]).fine().says(&["signing", "decryption", "current", "2048"]);
    let keys = home.taa(&["key", "list", "--json"]).fine().json();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    assert!(keys[0]["created_by"].as_str().unwrap().starts_with("cli:"));

    home.taa(&["certificate", "show"]).fine().says(&[
        "wiki:1",
        "https://wiki.example/c",
        &home.fingerprint(),
    ]);
    home.taa(&["certificate", "show", "--pem"]).fine().says(&["-----BEGIN PUBLIC KEY-----"]);
    let document = home.taa(&["certificate", "show", "--document"]).fine().stdout;
    assert_eq!(document.trim().split('.').count(), 3);
    let json = home.taa(&["certificate", "show", "--document", "--json"]).fine().json();
    assert_eq!(json["document"].as_str(), Some(document.trim()));
    home.taa(&["certificate", "show", "--page"]).ends(4).remarks(&["--purpose legacy"]);
}

#[test]
fn a_profile_changes() {
    let home = Home::of("wiki:1");
    assert_eq!(home.own("seq"), 1);
    home.taa(&["certificate", "set", "--name", "Engineering wiki"]).fine().says(&["Engineering wiki"]);
    assert_eq!((home.own("seq"), home.own("name")), (2.into(), "Engineering wiki".into()));
    let moved = home.taa(&["certificate", "set", "--base-url", "https://other.example", "--json"]).fine();
    assert_eq!(moved.json()["base_url"], "https://other.example/");
    moved.remarks(&["a person has to look"]);
    home.taa(&["certificate", "set", "--base-url", "other"]).ends(2);
    home.taa(&["certificate", "set"]).ends(2);
}

#[test]
fn rotated_in_two_steps() {
    let home = Home::of("wiki:1");
    let before = home.key("signing", "current").unwrap();
    home.taa(&["key", "rotate"]).fine().says(&["Nothing is due", "no key of the older versions"]);
    let due = home.taa(&["key", "rotate", "--purpose", "signing", "--json"]).fine().json();
    assert_eq!((due[0]["next"].as_str(), due.as_array().unwrap().len()), (Some("wait"), 1));
    let next = home.key("signing", "next").unwrap();
    assert_eq!(due[0]["next_key"].as_str(), Some(next.as_str()));
    home.taa(&["key", "rotate"]).fine().says(&["The next key is published", "--purpose signing --promote"]);
    home.taa(&["key", "rotate", "--purpose", "signing"]).ends(1);
    home.taa(&["key", "rotate", "--purpose", "signing", "--promote"]).ends(1);
    home.taa(&["key", "rotate", "--purpose", "signing", "--promote", "--insecure-at-once"]).fine();
    assert_eq!(home.key("signing", "current").unwrap(), next);
    assert_eq!(home.key("signing", "previous").unwrap(), before);
    home.taa(&["key", "remove-ended", "--json"]).fine().says(&["\"removed\": 0"]);
    home.taa(&["key", "rotate", "--promote"]).ends(2);
    home.taa(&["key", "rotate", "--insecure-at-once", "--purpose", "signing"]).ends(2);

    let both = home
        .taa(&["key", "rotate", "--purpose", "decryption", "--purpose", "signing", "--json"])
        .fine()
        .json();
    assert_eq!(both.as_array().unwrap().len(), 2);
}

#[test]
fn the_key_of_the_older_versions() {
    let home = Home::of("wiki:1");
    home.taa(&["key", "rotate", "--purpose", "legacy"]).fine().says(&["know no rotation"]);
    assert!(home.key("legacy", "current").is_some());
    home.taa(&["key", "rotate", "--purpose", "legacy"]).ends(1);
    let page = home.taa(&["certificate", "show", "--page"]).fine().stdout;
    assert_eq!(page.lines().collect::<Vec<_>>()[0], "wiki:1");
    home.taa(&["certificate", "show"]).fine().says(&["Key of the older versions"]);
}

#[test]
fn revoked_after_a_word() {
    let home = Home::of("wiki:1");
    let key = home.key("signing", "current").unwrap();
    home.taa(&["key", "revoke", &key]).ends(5).remarks(&["--yes"]);
    assert_eq!(home.key("signing", "current").unwrap(), key);
    home.taa(&["key", "revoke", "nosuchkey", "--yes"]).ends(4);
    home.taa(&["key", "revoke", "-nosuchkey", "--yes"]).ends(4);
    home.taa(&["key", "revoke", "", "--yes"]).ends(4);
    let begin: String = key.chars().take(11).collect();
    let done = home.taa(&["key", "revoke", &begin, "--yes", "--json"]).fine().remarks(&["--compare"]).json();
    assert_eq!((done["done"].as_str(), done["key"].as_str()), (Some("revoked"), Some(key.as_str())));
    assert_ne!(home.key("signing", "current").unwrap(), key);
    assert_eq!(done["fingerprint"].as_str(), Some(home.fingerprint().as_str()));
}

#[test]
fn exported_to_a_file_of_its_own_and_imported() {
    let home = Home::of("wiki:1");
    let key = home.key("decryption", "current").unwrap();
    home.taa(&["key", "export", &key]).ends(2);
    home.taa(&["key", "export", &key, "--out", "key.pem"]).fine();
    let pem = std::fs::read_to_string(home.path("key.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(home.path("key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    home.taa(&["key", "export", &key, "--out", "key.pem"]).ends(1).remarks(&["not overwritten"]);
    assert_eq!(home.taa(&["key", "export", &key, "--stdout"]).fine().stdout, pem);
    let to_file = home.taa(&["--json", "key", "export", &key, "--out", "other.pem"]).fine();
    assert!(!to_file.stdout.contains("PRIVATE"));
    home.taa(&["audit", "list", "--action", "key.exported"]).fine().says(&["key.exported"]);

    let other = Home::of("other:1");
    let file = other.file("key.pem", &pem);
    let imported = other.taa(&["key", "import", "--purpose", "decryption", &file, "--json"]).fine().json();
    assert_eq!(imported["key"].as_str(), Some(key.as_str()));
    assert_eq!(other.key("decryption", "next").unwrap(), key);
    let rubbish = other.file("rubbish.pem", "rubbish");
    let failed = other.taa(&["key", "import", "--purpose", "signing", &rubbish]).ends(1);
    assert!(!failed.stderr.contains("rubbish\n"));
    other.taa(&["key", "import", "--purpose", "signing", "nothing.pem"]).ends(1);
}

#[test]
fn a_peer_is_looked_at_and_not_saved() {
    let (home, peer) = (Home::of("tracker:1"), Home::of("wiki:1"));
    let seen =
        home.taa(&["certificate", "fetch", peer.base_url(), "--json"]).fine().remarks(&["Nothing was saved"]);
    assert_eq!(seen.json()["fingerprint"].as_str(), Some(peer.fingerprint().as_str()));
    home.taa(&["certificate", "fetch", peer.base_url()]).fine().says(&["wiki:1", &peer.fingerprint()]);
    home.taa(&["certificate", "fetch", peer.base_url(), "--document"]).fine();
    home.taa(&["certificate", "fetch", "http://192.0.2.1"]).ends(1);
    home.taa(&["certificate", "fetch", "wiki"]).ends(2);
    peer.serve_document(Some("<html>log in</html>"));
    home.taa(&["certificate", "fetch", peer.base_url()]).ends(1);
    peer.serve_document(None);
    home.taa(&["certificate", "fetch", peer.base_url()]).ends(1).remarks(&["404"]);
    assert_eq!(home.taa(&["trust", "list", "--json"]).fine().stdout.trim(), "[]");

    peer.taa(&["key", "rotate", "--purpose", "legacy"]).fine();
    peer.serve_page(2);
    let page =
        home.taa(&["certificate", "fetch", "--older-versions", peer.base_url(), "--json"]).fine().json();
    assert_eq!(page["legacy_key"].as_str(), peer.key("legacy", "current").as_deref());
}
