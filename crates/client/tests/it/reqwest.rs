//! Over real connections to this machine.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest_middleware::ClientWithMiddleware;
use taa_client::reqwest::{RequestBuilderExt, RequestError, ResponseExt, client};
use taa_client::{ServerRecord, SignError, TrustStatus};
use taa_core::fields;
use taa_core::time::{ManualClock, UnixMillis};
use tokio::net::TcpListener;

use crate::tracker::*;

async fn start(tracker: Arc<Tracker>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tracker = Arc::clone(&tracker);
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let tracker = Arc::clone(&tracker);
                async move {
                    let (head, body) = request.into_parts();
                    let content = text(body).await?;
                    Ok::<_, hyper::Error>(tracker.answer(&head, content.as_bytes()))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

async fn pair(server_ahead: u64) -> (ClientWithMiddleware, Arc<Tracker>, String) {
    let client_clock = clock();
    let server_clock = Arc::new(ManualClock::new(UnixMillis(START.0 + server_ahead)));
    let tracker = Arc::new(Tracker::new(&server_clock));
    let base = format!("http://{}/jira", start(Arc::clone(&tracker)).await);
    let record = ServerRecord::builder(&certificate("tracker", &base)).build().unwrap();
    let signer = builder(&client_clock).server(record).build().unwrap();
    (client(signer, reqwest::Client::builder().no_proxy()).unwrap(), tracker, base)
}

#[tokio::test]
async fn signed_answered_and_checked() {
    let (client, _, base) = pair(0).await;
    let url = format!("{base}/rest/api/2/search?jql=project = HSP");
    let response = client.get(&url).on_behalf_of(&fred()).send().await.unwrap();
    assert_eq!(response.trust(), TrustStatus::Trusted);
    assert!(response.url().as_str().starts_with(&base), "the url is kept");
    assert_eq!(response.text().await.unwrap(), "hello fred");

    let response = client.post(&base).body("content").on_behalf_of(&fred()).send().await.unwrap();
    assert!(response.trust().is_trusted());
}

#[tokio::test]
async fn unsigned_without_a_user() {
    let (client, tracker, base) = pair(0).await;
    let response = client.get(&base).header(fields::ID, "wiki").send().await.unwrap();
    assert!(response.trust_answer().is_none());
    assert!(!tracker.seen.lock().unwrap()[0].contains_key(fields::ID));
}

#[tokio::test]
async fn altered_content_is_an_error() {
    let (client, tracker, base) = pair(0).await;
    *tracker.manners.lock().unwrap() = Manners { alter_content: true, ..Manners::default() };
    let response = client.get(&base).on_behalf_of(&fred()).send().await.unwrap();
    assert!(response.trust().is_trusted());
    assert!(response.text().await.is_err());
}

#[tokio::test]
async fn signed_anew_once() {
    let (client, tracker, base) = pair(120_000).await;
    let response = client.post(&base).body("content").on_behalf_of(&fred()).send().await.unwrap();
    assert!(response.trust().is_trusted());
    assert_eq!(tracker.requests(), 2);
}

#[tokio::test]
async fn a_redirect_is_given_back() {
    let (client, tracker, base) = pair(0).await;
    *tracker.manners.lock().unwrap() = Manners { redirect: true, ..Manners::default() };
    let response = client.get(&base).on_behalf_of(&fred()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), tracker.requests()), (302, 1));
}

#[tokio::test]
async fn refused_before_sending() {
    let (client, tracker, base) = pair(0).await;
    let why = |error: reqwest_middleware::Error| match error {
        reqwest_middleware::Error::Middleware(error) => error.downcast_ref::<RequestError>().cloned(),
        reqwest_middleware::Error::Reqwest(error) => panic!("{error}"),
    };
    let stream = reqwest::Body::wrap(http_body_util::Full::<bytes::Bytes>::from("content"));
    let error = client.post(&base).body(stream).on_behalf_of(&fred()).send().await.unwrap_err();
    assert_eq!(why(error), Some(RequestError::Stream));
    let error = client.get("http://127.0.0.1:1/x").on_behalf_of(&fred()).send().await.unwrap_err();
    assert_eq!(why(error), Some(RequestError::Sign(SignError::UnknownServer)));
    let error = client.get(&base).basic_auth("u", Some("p")).on_behalf_of(&fred()).send().await.unwrap_err();
    assert_eq!(why(error), Some(RequestError::Sign(SignError::Credentials)));
    let error = client.get(format!("{base}#f")).on_behalf_of(&fred()).send().await.unwrap_err();
    assert!(matches!(why(error), Some(RequestError::Sign(SignError::Target(_)))));
    assert_eq!(tracker.requests(), 0);
}
