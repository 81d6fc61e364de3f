use axum::body::Body;
use clap::Parser as _;
use example_support::write_secret_file;
use http::header::LOCATION;
use http::{Request, StatusCode};
use tower::ServiceExt as _;

use super::*;

/// The options of a wiki with a store in this folder.
fn options(dir: &tempfile::TempDir, more: &[&str]) -> Options {
    let store = format!("sqlite:{}", dir.path().join("taa.db").display());
    let own = ["wiki", "--listen", "127.0.0.1:0", "--store", &store];
    Options::try_parse_from(own.iter().chain(more)).unwrap()
}

#[tokio::test]
async fn a_tracker_is_named_once() {
    assert!(Options::try_parse_from(["wiki"]).is_err());
    let dir = tempfile::tempdir().unwrap();
    let error = Service::bind(options(&dir, &[])).await.unwrap_err();
    assert!(error.to_string().contains("--server"), "{error}");

    let tracker = tracker::service::Options::try_parse_from(["tracker", "--listen", "127.0.0.1:0"]).unwrap();
    let tracker = tracker::service::Service::bind(tracker).await.unwrap();
    let (url, shown) = (tracker.base_url().to_string(), tracker.fingerprint().to_owned());
    let tracker = tokio::spawn(tracker.run(|_, _| {}));
    let wiki = Service::bind(options(&dir, &["--server", &url])).await.unwrap();
    let (fingerprint, signer) = (wiki.fingerprint().to_owned(), wiki.signer.clone());
    let (told, mut met) = tokio::sync::mpsc::unbounded_channel();
    let running = tokio::spawn(wiki.run(move |_, met| drop(told.send(met.fingerprint()))));
    assert_eq!(met.recv().await.unwrap(), shown);
    assert_eq!(signer.servers().len(), 1);
    running.abort();
    let _cancelled = running.await;

    // Another time it knows the tracker, which need not be there.
    tracker.abort();
    let again = Service::bind(options(&dir, &[])).await.unwrap();
    assert_eq!(again.fingerprint(), fingerprint);
    let servers = again.signer.servers();
    assert_eq!(servers.iter().map(|server| server.base_url().as_str()).collect::<Vec<_>>(), [url]);
}

#[tokio::test]
async fn the_console_is_for_who_has_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    write_secret_file(&file, "correct-horse-battery").unwrap();
    let server = ["--server", "http://127.0.0.1:1/"];
    let status = async |more: &[&str]| {
        let wiki = Service::bind(options(&dir, &[&server, more].concat())).await.unwrap();
        let request = Request::get("/admin/trust").body(Body::empty()).unwrap();
        let answer = wiki.router.clone().oneshot(request).await.unwrap();
        let to = answer.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
        wiki.store().unwrap().close().await;
        (answer.status(), to)
    };
    assert_eq!(status(&[]).await, (StatusCode::NOT_FOUND, None));
    let to = Some("/login?page=%2Ftrust".to_owned());
    let file = ["--admin-password-file", file.to_str().unwrap()];
    assert_eq!(status(&file).await, (StatusCode::SEE_OTHER, to));
}
