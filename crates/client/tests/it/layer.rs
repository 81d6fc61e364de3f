use std::convert::Infallible;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use taa_client::{OnBehalfOf, Retry, ServiceError, SignError, SignLayer, TrustAnswer};
use taa_core::fields;
use taa_core::time::{ManualClock, UnixMillis};
use tower::{Layer, Service, ServiceExt};

use crate::tracker::*;

/// The way to the tracker. Like a real connection it must be asked whether it is ready before each request.
#[derive(Debug)]
struct Wire {
    tracker: Arc<Tracker>,
    ready: bool,
}

impl Clone for Wire {
    fn clone(&self) -> Self {
        Self { tracker: Arc::clone(&self.tracker), ready: false }
    }
}

impl Service<Request<Full<Bytes>>> for Wire {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been ready");
        let tracker = Arc::clone(&self.tracker);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let content = text(body).await.unwrap();
            Ok(tracker.answer(&head, content.as_bytes()))
        })
    }
}

fn pair(server_ahead: u64) -> (taa_client::SignService<Wire>, Arc<Tracker>) {
    let client = clock();
    let server = Arc::new(ManualClock::new(UnixMillis(START.0 + server_ahead)));
    let tracker = Arc::new(Tracker::new(&server));
    let wire = Wire { tracker: Arc::clone(&tracker), ready: false };
    (SignLayer::new(signer(&client)).body_limit(16).layer(wire), tracker)
}

fn request(content: &'static str) -> Request<Full<Bytes>> {
    Request::from_parts(if content.is_empty() { get() } else { post() }, Full::from(content))
}

fn as_fred(content: &'static str) -> Request<Full<Bytes>> {
    let mut request = request(content);
    request.extensions_mut().insert(OnBehalfOf(fred()));
    request
}

#[tokio::test]
async fn signed_answered_and_checked() {
    let (service, _) = pair(0);
    for content in ["", "{\"summary\":1}"] {
        let response = service.clone().oneshot(as_fred(content)).await.unwrap();
        assert!(response.extensions().get::<TrustAnswer>().unwrap().status().is_trusted());
        assert_eq!(text(response.into_body()).await.unwrap(), "hello fred");
    }
}

#[tokio::test]
async fn unsigned_without_a_user() {
    let (service, tracker) = pair(0);
    let mut request = request("");
    request.headers_mut().insert(fields::ID, "wiki".parse().unwrap());
    let response = service.oneshot(request).await.unwrap();
    assert!(response.extensions().get::<TrustAnswer>().is_none());
    assert!(!tracker.seen.lock().unwrap()[0].contains_key(fields::ID));
}

#[tokio::test]
async fn altered_content_is_an_error() {
    let (service, tracker) = pair(0);
    *tracker.manners.lock().unwrap() = Manners { alter_content: true, ..Manners::default() };
    let response = service.oneshot(as_fred("")).await.unwrap();
    assert!(text(response.into_body()).await.is_err());
}

#[tokio::test]
async fn signed_anew_once() {
    let (service, tracker) = pair(120_000);
    let response = service.clone().oneshot(as_fred("{}")).await.unwrap();
    assert!(response.extensions().get::<TrustAnswer>().unwrap().status().is_trusted());
    let seen = tracker.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0][fields::CERT], seen[1][fields::CERT]);

    // A server that never agrees is asked twice, not for ever.
    let (service, tracker) = pair(0);
    *tracker.manners.lock().unwrap() = Manners { clock_runs_away: true, ..Manners::default() };
    let response = service.oneshot(as_fred("")).await.unwrap();
    let trust = response.extensions().get::<TrustAnswer>().unwrap();
    assert_eq!((trust.retry(), tracker.requests()), (Retry::SignAnew, 2));
}

#[tokio::test]
async fn a_redirect_is_given_back() {
    let (service, tracker) = pair(0);
    *tracker.manners.lock().unwrap() = Manners { redirect: true, ..Manners::default() };
    let response = service.oneshot(as_fred("")).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(response.headers()["location"], "https://evil.example/");
    assert!(response.extensions().get::<TrustAnswer>().unwrap().status().is_trusted());
    assert_eq!(tracker.requests(), 1);
}

#[tokio::test]
async fn refused_before_sending() {
    let (service, tracker) = pair(0);
    let long = service.clone().oneshot(as_fred("more than sixteen bytes")).await;
    assert!(matches!(long, Err(ServiceError::BodyTooLong { limit: 16 })));
    let mut elsewhere = as_fred("");
    *elsewhere.uri_mut() = "https://evil.example/".parse().unwrap();
    let error = service.oneshot(elsewhere).await.unwrap_err();
    assert!(matches!(error, ServiceError::Sign(SignError::UnknownServer)), "{error:?}");
    assert_eq!(tracker.requests(), 0);
}
