//! The help of every command, and the manual that is made of it.

use std::path::Path;

use crate::home::{Home, run};

const MANUAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");

/// After a change of the command line: `taa help-markdown > docs/cli.md`.
#[test]
fn the_manual_is_the_help() {
    let made = run(Path::new("."), &["help-markdown"], None).fine().stdout;
    let kept = std::fs::read_to_string(MANUAL).unwrap();
    let differs = made.lines().zip(kept.lines()).position(|(made, kept)| made != kept);
    assert!(made == kept, "line {differs:?} differs: make docs/cli.md anew with `taa help-markdown`");
}

#[test]
fn every_command_has_examples() {
    let manual = std::fs::read_to_string(MANUAL).unwrap();
    let sections: Vec<&str> = manual.split("\n## ").skip(1).collect();
    assert!(sections.len() > 40, "{}", sections.len());
    for section in sections {
        let (name, help) = section.split_once('\n').unwrap();
        let groups = help.contains("\nCommands:\n");
        assert!(groups || help.contains("Examples:\n"), "{name} has no examples");
    }
}

#[test]
fn exit_codes_are_told() {
    let help = run(Path::new("."), &["--help"], None).fine();
    help.says(&["Exit codes:", "  0  ", "  3  ", "  6  "]);
    run(Path::new("."), &[], None).ends(2);
    run(Path::new("."), &["nonsense"], None).ends(2);
    run(Path::new("."), &["--version"], None).fine().says(&["taa "]);
}

#[test]
fn completions() {
    let home = Home::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        home.taa(&["completions", shell]).fine().says(&["taa", "doctor"]);
    }
    home.taa(&["completions", "tcsh"]).ends(2);
}
