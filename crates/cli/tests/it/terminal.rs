//! Where a person answers: on a terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::home::Home;

/// Runs the command on a terminal of this width and types a line; its exit code, and what stood on the screen.
fn on_terminal(home: &Home, width: u16, typed: &str, args: &[&str]) -> (i32, String) {
    typed_on_terminal(home, width, Shown::Yes, typed, args)
}

/// Whether the line is typed at once, or when the terminal shows no more what is typed.
#[derive(PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

fn typed_on_terminal(home: &Home, width: u16, shown: Shown, typed: &str, args: &[&str]) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    tcsetwinsize(&slave, Winsize { ws_row: 40, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let end = || Stdio::from(OwnedFd::from(slave.try_clone().unwrap()));
    // In a session of its own, whose terminal this is: a passphrase is read from there, wherever standard input leads.
    let mut child = Command::new("setsid")
        .args(["--ctty", "--wait"])
        .arg(assert_cmd::cargo::cargo_bin("taa"))
        .current_dir(home.path("."))
        .args(args)
        .env_remove("TAA_STORE")
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    drop(slave);
    let mut master = File::from(master);
    let mut patience = 6_000;
    while shown == Shown::No && tcgetattr(&master).unwrap().local_modes.contains(LocalModes::ECHO) {
        patience -= 1;
        assert!(patience > 0, "what is typed would still be shown");
        std::thread::sleep(Duration::from_millis(5));
    }
    master.write_all(typed.as_bytes()).unwrap();
    let mut screen = Vec::new();
    let mut chunk = [0; 4096];
    // Reading fails once nobody has the terminal open any more.
    while let Ok(length @ 1..) = master.read(&mut chunk) {
        screen.extend_from_slice(&chunk[..length]);
    }
    (child.wait().unwrap().code().unwrap(), String::from_utf8(screen).unwrap())
}

fn without_colours(screen: &str) -> String {
    let mut text = String::new();
    let mut rest = screen;
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        rest = escape.split_once('m').unwrap().1;
    }
    text + rest
}

#[test]
fn only_yes_is_one() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    let add = ["trust", "add", wiki.base_url(), "--addresses", "127.0.0.1"];
    for typed in ["no\n", "y\n", "\n", "\u{4}"] {
        let (code, screen) = on_terminal(&tracker, 100, typed, &add);
        assert_eq!(code, 5, "{screen}");
        assert!(screen.contains("nothing was changed"), "{screen}");
    }
    assert_eq!(tracker.taa(&["trust", "list", "--json"]).fine().stdout.trim(), "[]");
    let (code, screen) = on_terminal(&tracker, 100, "yes\n", &add);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains(&wiki.fingerprint()) && screen.contains("any user"), "{screen}");
    assert!(screen.contains("wiki:1 is trusted now"), "{screen}");
    let (code, screen) = on_terminal(&tracker, 100, "yes\n", &["trust", "remove", "wiki:1"]);
    assert_eq!(code, 0, "{screen}");
}

#[test]
fn a_passphrase_is_typed_and_not_shown() {
    let home = Home::empty();
    let file = home.file("pass.txt", "correct horse\n");
    let init = ["init", "--id", "w:1", "--name", "W", "--base-url", "https://w.example", "--bits", "2048"];
    home.taa(&[&["--passphrase-file", &file], &init[..]].concat()).fine();
    let ask = |typed: &str| typed_on_terminal(&home, 100, Shown::No, typed, &["key", "list"]);
    let (code, screen) = ask("correct horse\n");
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Passphrase") && screen.contains("signing"), "{screen}");
    assert!(!screen.contains("horse"), "{screen}");
    let (code, screen) = ask("battery staple\n");
    assert_eq!(code, 6, "{screen}");
    assert!(screen.contains("does not open") && !screen.contains("staple"), "{screen}");
    let (code, screen) = ask("\n");
    assert_eq!(code, 6, "{screen}");
    // Nobody is asked for what is in a file, nor where nobody is.
    let (code, screen) = on_terminal(&home, 100, "", &["--passphrase-file", &file, "key", "list"]);
    assert!(code == 0 && !screen.contains("Passphrase"), "{screen}");
    home.taa(&["key", "list"]).ends(6).remarks(&["--passphrase-file"]);
}

#[test]
fn a_new_passphrase_is_typed_twice() {
    let home = Home::empty();
    let init = ["init", "--id", "w:1", "--name", "W", "--base-url", "https://w.example", "--bits", "2048"];
    let init = &[&init[..], &["--new-passphrase"]].concat();
    home.taa(init).ends(2);
    for (typed, code) in [("one\nother\n", 5), ("\n", 6), ("one\n\n", 6)] {
        let (ended, screen) = typed_on_terminal(&home, 100, Shown::No, typed, init);
        assert_eq!(ended, code, "{screen}");
        assert!(!home.path("taa.db").exists(), "nothing was made");
    }
    let (code, screen) = typed_on_terminal(&home, 100, Shown::No, "horse\nhorse\n", init);
    assert!(code == 0 && !screen.contains("not sealed") && !screen.contains("horse"), "{screen}");
    let (code, screen) = on_terminal(&home, 100, "", init);
    assert!(code == 1 && screen.contains("already"), "{screen}");

    let horse = home.file("horse.txt", "horse");
    let reseal = ["--passphrase-file", &horse, "key", "reseal", "--to-new-passphrase"];
    let (code, screen) = typed_on_terminal(&home, 100, Shown::No, "staple\nstaple\n", &reseal);
    assert_eq!(code, 0, "{screen}");
    home.taa(&["--passphrase-file", &horse, "key", "list"]).ends(6);
    home.taa(&["--passphrase-file", &home.file("staple.txt", "staple"), "key", "list"]).fine();
}

#[test]
fn everything_fits() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker
        .trust(&wiki, &["--both", "--never-as", "admin, svc-*, somebody-with-a-very-long-user-name-indeed"]);
    wiki.call(&tracker);
    let url =
        format!("{}/rest/api/2/search?jql=project%20%3D%20HSP%20order%20by%20created", tracker.base_url());
    let headers = wiki.taa(&["sign", "GET", &url, "--user", "fred", "--raw"]).fine().stdout;
    let (_, target) = url.split_once("/rest").unwrap();
    let request = tracker.file("request.txt", format!("GET /rest{target} HTTP/1.1\n{headers}"));
    for width in [60, 80, 120] {
        for args in [
            &["trust", "list"][..],
            &["trust", "show", "wiki:1"],
            &["server", "list"],
            &["server", "show", "wiki:1"],
            &["key", "list"],
            &["key", "rotate"],
            &["certificate", "show"],
            &["audit", "list"],
            &["doctor", "--offline"],
            &["explain", &request, "--from", "127.0.0.1"],
            &["explain", &request, "--no-store"],
            &["check", "wiki:1", "GET", "/rest/api/2/search", "--user", "fred"],
        ] {
            let (_, screen) = on_terminal(&tracker, width, "", args);
            let text = without_colours(&screen);
            let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(widest.chars().count() <= usize::from(width), "{width} {args:?}: {widest:?}");
        }
    }
}

#[test]
fn colours_only_where_they_are_seen() {
    let home = Home::of("wiki:1");
    let (_, screen) = on_terminal(&home, 80, "", &["doctor", "--offline"]);
    assert!(screen.contains("\u{1b}["), "{screen}");
    let (_, screen) = on_terminal(&home, 80, "", &["doctor", "--offline", "--json"]);
    assert!(!screen.contains("\u{1b}["), "{screen}");
    assert!(!home.taa(&["doctor", "--offline"]).fine().stdout.contains("\u{1b}["));
}
