//! The bundled vector files with each provider, and any others that are named from outside.

use std::path::{Path, PathBuf};

use taa_tests::harness::providers;
use taa_tests::vectors::{Report, Tally, VectorFile, files_of, run_file, taa4};

/// Names vector files and folders of them, separated as in `PATH`.
const EXTRA: &str = "TAA_EXTRA_VECTORS";

fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
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
    for path in std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()) {
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

#[test]
fn a_file_of_no_known_kind_is_a_failure_that_names_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/none.json");
    assert!(run_file(&path).unwrap_err().to_string().contains("none.json"));
    let folder = files_of(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path());
    assert!(folder.unwrap_err().to_string().contains("no .json file"));
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
