//! Which store, what opens it, and what is said when it does not.

use crate::home::Home;

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let home = Home::empty();
    for args in [&["key", "list"][..], &["trust", "list"], &["audit", "verify"], &["certificate", "show"]] {
        home.taa(args).ends(4).remarks(&["there is no store", "taa init"]);
    }
    assert!(!home.path("taa.db").exists());
    home.taa(&["--store", "ftp://x", "key", "list"]).ends(2).remarks(&["sqlite:PATH"]);
}

#[test]
fn made_once() {
    let home = Home::of("wiki:1");
    let again =
        ["init", "--id", "wiki:1", "--name", "W", "--base-url", "https://wiki.example", "--bits", "2048"];
    home.taa(&again).ends(1).remarks(&["has an identity already"]);
    let mut with_key_file = again.to_vec();
    with_key_file.extend(["--new-key-file", "seal.key"]);
    home.taa(&with_key_file).ends(1).remarks(&["has an identity already"]);
    assert!(!home.path("seal.key").exists(), "no key file is left behind");
    for (id, base_url) in
        [("wi ki", "https://wiki.example"), ("wiki:1", "wiki.example"), ("wiki:1", "ftp://w")]
    {
        Home::empty().taa(&["init", "--id", id, "--name", "W", "--base-url", base_url]).ends(2);
    }
}

#[test]
fn sealed_under_a_passphrase() {
    let home = Home::empty();
    let (right, wrong) =
        (home.file("right.txt", "correct horse\r\n"), home.file("wrong.txt", "battery staple\n"));
    let init =
        ["init", "--id", "wiki:1", "--name", "W", "--base-url", "https://wiki.example", "--bits", "2048"];
    let made = home.taa(&[&["--json", "--passphrase-file", &right], &init[..]].concat()).fine();
    assert_eq!(made.json()["sealed"], true);
    assert!(!made.stderr.contains("not sealed"), "{made:?}");

    home.taa(&["key", "list"]).ends(6).remarks(&["are sealed"]);
    home.taa(&["--passphrase-file", &wrong, "key", "list"]).ends(6).remarks(&["does not open"]);
    home.taa(&["--passphrase-file", &right, "key", "list"]).fine();
    home.taa(&["--passphrase-file", &home.file("same.txt", "correct horse"), "key", "list"]).fine();
    home.taa(&["--passphrase-file", &home.file("empty.txt", "\n"), "key", "list"]).ends(2);
    home.taa(&["--passphrase-file", "nothing.txt", "key", "list"]).ends(1).remarks(&["nothing.txt"]);
    home.taa(&["--passphrase-file", &right, "--key-file", &right, "key", "list"]).ends(2);

    let failure = home.taa(&["--json", "--passphrase-file", &wrong, "key", "list"]).ends(6);
    let told: serde_json::Value = serde_json::from_str(&failure.stderr).unwrap();
    assert_eq!((told["exit"].as_i64(), failure.stdout.as_str()), (Some(6), ""));
    assert!(!failure.stderr.contains("battery"));
}

#[cfg(unix)]
#[test]
fn a_passphrase_that_others_can_read_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::empty();
    let file = home.file("pass.txt", "correct horse");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let init = ["init", "--id", "w", "--name", "W", "--base-url", "https://w.example", "--bits", "2048"];
    home.taa(&[&["--passphrase-file", &file], &init[..]].concat()).fine().remarks(&["chmod 600"]);
    home.taa(&["--passphrase-file", &file, "doctor", "--offline"]).ends(3).says(&["passphrase file"]);
}

#[test]
fn sealed_under_a_key_file_and_anew() {
    let home = Home::empty();
    home.taa(&[
        "init",
        "--id",
        "wiki:1",
        "--name",
        "W",
        "--base-url",
        "https://wiki.example",
        "--bits",
        "2048",
        "--new-key-file",
        "seal.key",
    ])
    .fine()
    .remarks(&["loses the private keys"]);
    assert_eq!(std::fs::read(home.path("seal.key")).unwrap().len(), 32);
    home.taa(&["key", "list"]).ends(6);
    home.taa(&["--key-file", "seal.key", "key", "list"]).fine();
    let bad = home.file("bad.key", [0; 31]);
    home.taa(&["--key-file", &bad, "key", "list"]).ends(6).remarks(&["32 bytes"]);

    let pass = home.file("pass.txt", "correct horse");
    home.taa(&["--key-file", "seal.key", "key", "reseal", "--to-passphrase-file", &pass, "--json"]).fine();
    home.taa(&["--key-file", "seal.key", "key", "list"]).ends(6);
    home.taa(&["--passphrase-file", &pass, "key", "list"]).fine();
    let taken = ["--passphrase-file", &pass, "key", "reseal", "--to-new-key-file", "seal.key"];
    home.taa(&taken).ends(6).remarks(&["key file"]);
    let unsealed = home.taa(&["--passphrase-file", &pass, "key", "reseal", "--insecure-unsealed"]).fine();
    unsealed.says(&["no longer sealed"]).remarks(&["Warning"]);
    home.taa(&["key", "list"]).fine();
    home.taa(&["key", "reseal"]).ends(2);
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("taa"))
        .arg("help-markdown")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
