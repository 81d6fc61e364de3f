//! The bundled vector files with each provider, and any others that are named from outside.

use std::path::{Path, PathBuf};

use taa_tests::harness::providers;
use taa_tests::vectors::{Report, Tally, VectorFile, files_of, run_file, taa4};

/// Names vector files and folders of them, separated as in `PATH`.
const EXTRA: &str = "TAA_EXTRA_VECTORS";

fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

/// A path as the person meant it who typed it at the top of the workspace; cargo runs tests one folder below.
fn from_the_top(path: PathBuf) -> PathBuf {
    match Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|top| top.join(&path)) {
        Some(below_top) if below_top.exists() => below_top,
        _ => path,
    }
}

fn print(path: &Path, report: &Report) {
    println!("{}: {}, {} cases", path.display(), report.kind, report.cases);
    for (group, count) in &report.counts {
        println!("    {count:5} {group}");
    }
}

fn taa4_with(provider: &str) {
    let provider =
        providers().into_iter().find(|one| one.name() == provider).expect("built with this provider");
    let path = bundled("taa4.json");
    let file = VectorFile::read(&path).unwrap();
    let mut tally = Tally::default();
    taa4::run_with(provider, &file, &mut tally).unwrap();
    match tally.finish(&path, taa4::KIND.name) {
        Ok(report) => print(&path, &report),
        Err(failure) => panic!("{failure}"),
    }
}

#[cfg(feature = "aws-lc")]
#[test]
fn version_4_with_aws_lc() {
    taa4_with("aws-lc");
}

#[test]
fn version_4_with_rust_crypto() {
    taa4_with("rust-crypto");
}

/// Files from elsewhere: `TAA_EXTRA_VECTORS=path1:path2 cargo test -p taa-tests -- --nocapture extra`.
#[test]
fn extra() {
    #[allow(clippy::disallowed_methods, reason = "a test is told by its environment what else to run")]
    let paths = std::env::var_os(EXTRA).unwrap_or_default();
    let mut failures = Vec::new();
    let named = std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty());
    for path in named.map(from_the_top) {
        let files = match files_of(&path) {
            Ok(files) => files,
            Err(failure) => {
                failures.push(failure.to_string());
                continue;
            }
        };
        for file in files {
            match run_file(&file) {
                Ok(report) => print(&file, &report),
                Err(failure) => {
                    println!("{failure}");
                    failures.push(failure.to_string());
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A wrong name, an unknown shape, a broken file and an empty one are failures that name the file, never a pass.
#[test]
fn what_cannot_run_is_a_failure_that_names_the_file() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vectors");
    let inner = folder.join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    for (name, content, why) in [
        ("unknown.json", "{\"something\": 1}", "not a kind of vector file"),
        ("broken.json", "{", "EOF"),
        ("other-form.json", r#"{"sessions": [{"client_signing_key": 1}]}"#, "invalid type"),
        ("empty.json", r#"{"sessions": []}"#, "no case"),
    ] {
        let path = inner.join(name);
        std::fs::write(&path, content).unwrap();
        let failure = run_file(&path).unwrap_err().to_string();
        assert!(failure.contains(name) && failure.contains(why), "{failure}");
    }
    let found = files_of(&folder).unwrap();
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(run_file(&inner.join("none.json")).unwrap_err().to_string().contains("none.json"));

    let nothing = folder.join("nothing");
    std::fs::create_dir_all(&nothing).unwrap();
    for path in [nothing.as_path(), Path::new("no/such/folder/")] {
        let failure =
            files_of(path).and_then(|files| files.iter().try_for_each(|file| run_file(file).map(drop)));
        assert!(failure.is_err(), "{}", path.display());
    }
}

/// Every other bundled file, whatever kinds there are.
#[test]
fn bundled_files() {
    let files = files_of(&bundled("")).unwrap();
    for path in files.iter().filter(|path| !path.ends_with("taa4.json")) {
        match run_file(path) {
            Ok(report) => print(path, &report),
            Err(failure) => panic!("{failure}"),
        }
    }
}

/// A runner that passes everything would pass: each of these changes makes exactly one case wrong.
#[test]
fn the_runner_notices_a_wrong_value() {
    let good = VectorFile::read(&bundled("taa4.json")).unwrap();
    let accepted = good.content["certificates"]["accepted"][0].clone();
    let changes: [(&str, serde_json::Value); 12] = [
        ("/sessions/0/refusals/0/code", "MALFORMED".into()),
        ("/sessions/0/refusals/1/method", "GET".into()),
        ("/sessions/0/client_key_thumbprint", "x".into()),
        ("/sessions/0/salt_hex", "00".into()),
        ("/sessions/0/response_key_hex", "00".into()),
        ("/sessions/0/requests/0/aad_hex", "00".into()),
        ("/sessions/0/requests/0/user", "somebody".into()),
        ("/sessions/0/requests/3/body_base64", "AA==".into()),
        ("/sessions/0/requests/0/responses/0/proof", "AAAAAAAAAAAAAAAAAAAAAA".into()),
        ("/sessions/0/requests/0/responses/0/http_status", 418.into()),
        ("/certificates/accepted/0/fingerprint", "AAAA".into()),
        ("/certificates/refused/0", accepted),
    ];
    let provider = providers()[0];
    for (pointer, value) in changes {
        let mut content = good.content.clone();
        // One session with the one case, so that this stays quick.
        content["sessions"].as_array_mut().unwrap().truncate(1);
        *content.pointer_mut(pointer).expect(pointer) = value;
        let at: Vec<&str> = pointer.split('/').collect();
        for list in ["requests", "refusals"] {
            if at[3] != list {
                content["sessions"][0][list].as_array_mut().unwrap().clear();
            }
        }
        if at[1] != "certificates" {
            content.as_object_mut().unwrap().remove("certificates");
        }
        let file = VectorFile { path: pointer.into(), content };
        let mut tally = Tally::default();
        taa4::run_with(provider, &file, &mut tally).unwrap();
        let failure = tally.finish(&file.path, "altered").expect_err(pointer).to_string();
        assert!(failure.contains(": 1 failures in "), "{failure}");
    }
}
