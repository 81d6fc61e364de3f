//! Fetching a certificate from what may be anything.

use std::time::Duration;

use http::{Response, header};
use taa_client::fetch::{FetchError, Fetcher};
use taa_core::time::UnixMillis;
use taa_server::CertificateLayer;
use taa_tests::harness::providers;
use tower::Layer;
use url::Url;

use super::net::{serve, world};
use crate::layer::world::{Handler, full};

const NOW: UnixMillis = crate::layer::world::START;

async fn fetch(base: &str) -> Result<String, FetchError> {
    let base: Url = base.parse().unwrap();
    let got = Fetcher::new().unwrap().certificate(providers()[0], &base, NOW).await?;
    Ok(got.fingerprint().to_string())
}

async fn fetch_from(
    make: impl Fn() -> Response<crate::layer::world::BoxBody> + Send + Sync + 'static,
) -> FetchError {
    let address = serve(Handler::new(move |_| make())).await;
    fetch(&format!("http://{address}/")).await.unwrap_err()
}

#[tokio::test]
async fn a_certificate_below_a_base_path() {
    let world = world(Handler::default());
    let identity = world.trust.identity();
    let address = serve(CertificateLayer::new(&identity).layer(Handler::default())).await;
    let shown = identity.certificate().fingerprint().to_string();
    for base in ["", "/", "/jira", "/jira/"] {
        assert_eq!(fetch(&format!("http://{address}{base}")).await.unwrap(), shown);
    }
    // HEAD has no content, which HTTP/2 insists on.
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let response = client.head(format!("http://{address}/.well-known/taa-certificate")).send().await.unwrap();
    let length = identity.certificate().document().len().to_string();
    assert_eq!(response.headers()["content-length"], *length);
    assert!(response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_certificate() {
    let html = || {
        Response::builder()
            .header(header::CONTENT_TYPE, "text/html")
            .body(full("<!doctype html><title>Log in</title><form>a.b.c</form>"))
            .unwrap()
    };
    assert!(matches!(fetch_from(html).await, FetchError::Certificate(_)));
    for status in [404, 401, 500, 503] {
        let error = fetch_from(move || Response::builder().status(status).body(full("a.b.c")).unwrap()).await;
        assert!(matches!(error, FetchError::Status(got) if got == status), "{error}");
        assert_eq!(error.may_pass(), status == 503);
    }
    assert!(matches!(fetch_from(|| Response::new(full(vec![0xff, 0xfe]))).await, FetchError::NotText));
    for (length, too_long) in [(16 * 1024, false), (16 * 1024 + 1, true), (1_000_000, true)] {
        let error = fetch_from(move || Response::new(full(vec![b'a'; length]))).await;
        assert_eq!(matches!(error, FetchError::TooLong), too_long, "{length}: {error}");
    }
    let endless = || {
        let frames = futures_util::stream::repeat_with(|| {
            Ok::<_, crate::layer::world::BodyFault>(http_body::Frame::data(bytes::Bytes::from_static(
                &[b'a'; 1024],
            )))
        });
        Response::new(http_body_util::BodyExt::boxed_unsync(http_body_util::StreamBody::new(frames)))
    };
    assert!(matches!(fetch_from(endless).await, FetchError::TooLong));
    // A certificate with something altered.
    let world = world(Handler::default());
    let document = world.trust.identity().certificate().document().to_owned();
    let altered = document.replace('.', ".A");
    assert!(matches!(
        fetch_from(move || Response::new(full(altered.clone()))).await,
        FetchError::Certificate(_)
    ));
}

/// A redirect on the same origin is followed; one to another is an answer, and nobody is asked there.
#[tokio::test]
async fn redirects() {
    let world = world(Handler::default());
    let identity = world.trust.identity();
    let document = identity.certificate().document().to_owned();
    let elsewhere = {
        let document = document.clone();
        Handler::new(move |_| Response::new(full(document.clone())))
    };
    let other = serve(elsewhere.clone()).await;
    let away = move || {
        Response::builder()
            .status(302)
            .header(header::LOCATION, format!("http://{other}/"))
            .body(full(""))
            .unwrap()
    };
    assert!(matches!(fetch_from(away).await, FetchError::Status(302)));
    assert!(elsewhere.take().is_empty());

    let moved = Handler::new(move |seen| match seen.parts.uri.path() {
        "/new" => Response::new(full(document.clone())),
        "/loop/.well-known/taa-certificate" => {
            Response::builder().status(302).header(header::LOCATION, "?again").body(full("")).unwrap()
        }
        _ => Response::builder().status(301).header(header::LOCATION, "/new").body(full("")).unwrap(),
    });
    let address = serve(moved.clone()).await;
    assert_eq!(
        fetch(&format!("http://{address}/")).await.unwrap(),
        identity.certificate().fingerprint().to_string()
    );
    moved.take();
    assert!(matches!(fetch(&format!("http://{address}/loop")).await, Err(FetchError::Status(302))));
    assert!(moved.take().len() <= 6);
}

#[tokio::test]
async fn addresses_and_schemes_that_are_not_asked() {
    for (base, expected) in [
        ("http://tracker.example/", "plain http"),
        ("ftp://tracker.example/", "https"),
        ("https://169.254.169.254/", "metadata"),
        ("https://[fe80::1]/", "metadata"),
        ("https://[::ffff:169.254.169.254]/", "metadata"),
        ("https://0.0.0.0/", "metadata"),
    ] {
        let error = fetch(base).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{base}: {error}");
    }
}

/// A server that takes the connection and says nothing: five seconds, which pass at once here.
#[tokio::test(start_paused = true)]
async fn a_slow_server() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let silent = tokio::spawn(async move {
        let _held = listener.accept().await;
        std::future::pending::<()>().await;
    });
    let before = tokio::time::Instant::now();
    let error = fetch(&format!("http://{address}/")).await.unwrap_err();
    let FetchError::Connection(error) = error else { panic!("{error}") };
    assert!(error.is_timeout(), "{error}");
    assert!((Duration::from_secs(5)..Duration::from_secs(6)).contains(&before.elapsed()));
    silent.abort();
}
