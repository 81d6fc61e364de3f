use axum::body::Body;
use clap::Parser as _;
use example_support::write_secret_file;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use taa_store::model::Row;
use tower::ServiceExt as _;

use super::*;

const PASSWORD: &str = "correct-horse-battery";

/// The options of a tracker with a store in this folder.
fn options(dir: &tempfile::TempDir, more: &[&str]) -> Options {
    let store = format!("sqlite:{}", dir.path().join("taa.db").display());
    let own = ["tracker", "--listen", "127.0.0.1:0", "--store", &store];
    Options::try_parse_from(own.iter().chain(more)).unwrap()
}

async fn end(service: Service) {
    service.store().unwrap().close().await;
}

#[tokio::test]
async fn keys_and_place_survive() {
    let dir = tempfile::tempdir().unwrap();
    let first = Service::bind(options(&dir, &[])).await.unwrap();
    let (base_url, fingerprint) = (first.base_url().clone(), first.fingerprint().to_owned());
    assert_eq!(first.trust().identity().certificate().fingerprint().to_string(), fingerprint);
    end(first).await;
    let again = Service::bind(options(&dir, &[])).await.unwrap();
    assert_eq!((again.base_url(), again.fingerprint()), (&base_url, fingerprint.as_str()));
    end(again).await;
    let other = Service::bind(options(&dir, &["--id", "jira:other"])).await;
    assert!(other.unwrap_err().to_string().contains("jira:demo"));
}

#[tokio::test]
async fn several_processes_need_nonces_that_are_shared() {
    let dir = tempfile::tempdir().unwrap();
    let error = Service::bind(options(&dir, &["--replicas", "2"])).await.unwrap_err();
    assert!(format!("{error:#}").contains("nonce"), "{error:#}");
    let parsed = |args: &[&str]| Options::try_parse_from([&["tracker"], args].concat()).is_ok();
    assert!(parsed(&["--replicas", "1"]));
    for without_store in
        [&["--nonces", "redis://h"][..], &["--admin-password-file", "f"], &["--key-file", "f"]]
    {
        assert!(!parsed(without_store), "{without_store:?}");
    }
    assert!(!parsed(&["--store", "sqlite:x", "--key-dir", "y"]));
}

struct Answer {
    status: StatusCode,
    to: String,
    cookies: String,
    page: String,
}

async fn ask(service: &Service, request: http::request::Builder, body: String) -> Answer {
    let response = service.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status();
    let text = |name| {
        response.headers().get(name).map(|value: &http::HeaderValue| value.to_str().unwrap().to_owned())
    };
    let to = text(LOCATION).unwrap_or_default();
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let cookies = cookies
        .filter_map(|cookie| cookie.to_str().unwrap().split(';').next())
        .collect::<Vec<_>>()
        .join("; ");
    let page = response.into_body().collect().await.unwrap().to_bytes();
    Answer { status, to, cookies, page: String::from_utf8(page.to_vec()).unwrap() }
}

#[tokio::test]
async fn the_console_is_for_the_administrator() {
    let dir = tempfile::tempdir().unwrap();
    let without = Service::bind(options(&dir, &[])).await.unwrap();
    let answer = ask(&without, Request::get("/admin/trust"), String::new()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    end(without).await;

    let file = dir.path().join("password");
    write_secret_file(&file, PASSWORD).unwrap();
    let more = ["--admin-password-file", file.to_str().unwrap()];
    let service = Service::bind(options(&dir, &more)).await.unwrap();
    for path in ["/admin/trust", "/admin/trust/own", "/admin/trust/nothing"] {
        let answer = ask(&service, Request::get(path), String::new()).await;
        assert_eq!((answer.status, answer.to.as_str()), (StatusCode::SEE_OTHER, "/admin/login"), "{path}");
    }
    let api = ask(&service, Request::get("/admin/trust/api/applications"), String::new()).await;
    assert_eq!(api.status, StatusCode::UNAUTHORIZED);
    let form = ask(&service, Request::get("/admin/login"), String::new()).await;
    let token = form.page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let log_in = Request::post("/admin/login")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(COOKIE, &form.cookies);
    let inside = ask(&service, log_in, format!("name=admin&password={PASSWORD}&token={token}")).await;
    assert_eq!((inside.status, inside.to.as_str()), (StatusCode::SEE_OTHER, "/admin/trust"));
    let console =
        ask(&service, Request::get("/admin/trust").header(COOKIE, &inside.cookies), String::new()).await;
    assert_eq!(console.status, StatusCode::OK);
    assert!(console.page.contains("Incoming trust"), "{}", console.page);
    end(service).await;
}

#[tokio::test]
async fn rules_of_the_options_are_for_who_is_added() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    // Another tracker is as good an application to trust as any.
    let peer = Service::bind(options(&dirs[1], &["--id", "wiki:1"])).await.unwrap();
    let url = peer.base_url().to_string();
    let peer = tokio::spawn(peer.run(|_, _| {}));
    let more =
        ["--trust", &url, "--address", "10.0.0.0/8,127.0.0.1", "--path", "/rest", "--never-as", "admin"];
    let added = async |more: &[&str]| {
        let service = Service::bind(options(&dirs[0], more)).await.unwrap();
        let store = service.store().unwrap().clone();
        let (told, mut met) = tokio::sync::mpsc::unbounded_channel();
        let running = tokio::spawn(service.run(move |_, met| drop(told.send(met.id().to_string()))));
        assert_eq!(met.recv().await.unwrap(), "wiki:1");
        let snapshot = store.snapshot();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        let Some(Row::Good(known)) = snapshot.applications.first() else { panic!("it is not there") };
        (known.rules.clone(), known.version)
    };
    let (rules, version) = added(&more).await;
    let addresses: Vec<_> = rules.addresses.rules().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["10.0.0.0/8", "127.0.0.1"]);
    assert_eq!(rules.paths.rules().len(), 1);
    assert_eq!(rules.never_as.patterns()[0].as_str(), "admin");
    // Another time the options are others, and what is there stays.
    assert_eq!(added(&["--trust", &url, "--path", "any"]).await, (rules, version));
    peer.abort();
}
