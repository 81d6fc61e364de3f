//! Somebody on the path between client and server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use taa_client::{OnBehalfOf, Retry, TrustAnswer, TrustStatus};
use taa_core::answer::Code;
use taa_core::fields;
use taa_core::id::UserName;
use tower::ServiceExt;

use super::net::{hyper_client, serve, signer, world};
use crate::layer::world::Handler;

type Whole<T> = (T, Bytes);
type OnRequest = dyn Fn(&mut Whole<http::request::Parts>) + Send + Sync;
type OnResponse = dyn Fn(&mut Whole<http::response::Parts>) + Send + Sync;

/// Hands everything on, altered.
async fn proxy(
    to: SocketAddr,
    on_request: Arc<OnRequest>,
    on_response: Arc<OnResponse>,
    times: usize,
) -> SocketAddr {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    serve(tower::service_fn(move |request: Request<Incoming>| {
        let (client, on_request, on_response) =
            (client.clone(), Arc::clone(&on_request), Arc::clone(&on_response));
        async move {
            let (parts, body) = request.into_parts();
            let mut request = (parts, body.collect().await.unwrap().to_bytes());
            request.0.uri = format!("http://{to}{}", request.0.uri).parse().unwrap();
            on_request(&mut request);
            request.0.headers.remove(header::CONTENT_LENGTH);
            let mut last = None;
            for _ in 0..times {
                let request = Request::from_parts(request.0.clone(), Full::new(request.1.clone()));
                let (parts, body) = client.request(request).await.unwrap().into_parts();
                last = Some((parts, body.collect().await.unwrap().to_bytes()));
            }
            let mut response = last.unwrap();
            response.0.headers.remove(header::CONTENT_LENGTH);
            on_response(&mut response);
            Ok::<_, Infallible>(Response::from_parts(response.0, Full::new(response.1)))
        }
    }))
    .await
}

/// What the client makes of it: the status, and whether the content could be read.
struct Outcome {
    trust: TrustAnswer,
    content: Result<Bytes, String>,
    handled: usize,
}

async fn through(
    on_request: impl Fn(&mut Whole<http::request::Parts>) + Send + Sync + 'static,
    on_response: impl Fn(&mut Whole<http::response::Parts>) + Send + Sync + 'static,
    times: usize,
    user: &str,
) -> Outcome {
    let world = world(Handler::default());
    let address = serve(world.service()).await;
    let between = proxy(address, Arc::new(on_request), Arc::new(on_response), times).await;
    let client = hyper_client(signer(&world, between), false);
    let request = Request::post(format!("http://{between}/x?y"))
        .header(header::CONTENT_TYPE, "text/plain")
        .extension(OnBehalfOf(UserName::parse(user).unwrap()))
        .body(Full::new(Bytes::from_static(b"content")))
        .unwrap();
    let response = client.oneshot(request).await.unwrap();
    let trust = response.extensions().get::<TrustAnswer>().unwrap().clone();
    let content =
        response.into_body().collect().await.map(|all| all.to_bytes()).map_err(|error| error.to_string());
    Outcome { trust, content, handled: world.handler.take().len() }
}

fn put(headers: &mut HeaderMap, name: http::HeaderName, text: &str) {
    headers.insert(name, HeaderValue::from_str(text).unwrap());
}

/// The proxy alone changes nothing.
#[tokio::test]
async fn an_honest_proxy() {
    let outcome = through(|_| (), |_| (), 1, "fred").await;
    assert_eq!(*outcome.trust.status(), TrustStatus::Trusted);
    assert_eq!((outcome.content.unwrap(), outcome.handled), (Bytes::from("the answer"), 1));
    let outcome = through(|_| (), |_| (), 1, "nobody").await;
    assert_eq!((outcome.trust.status(), outcome.handled), (&TrustStatus::UserUnknown, 0));
}

/// Without the fields it is a request of nobody, and the client is told that nothing was proven.
#[tokio::test]
async fn fields_stripped_from_the_request() {
    let strip = |request: &mut Whole<http::request::Parts>| {
        for name in fields::REQUEST {
            request.0.headers.remove(name);
        }
    };
    let outcome = through(strip, |_| (), 1, "fred").await;
    assert_eq!(*outcome.trust.status(), TrustStatus::NotSupported);
    assert!(!outcome.trust.is_proven());
    // One alone is noticed by the server as well.
    for name in fields::REQUEST {
        let stripped = name.clone();
        let outcome =
            through(move |request| drop(request.0.headers.remove(&stripped)), |_| (), 1, "fred").await;
        assert!(matches!(outcome.trust.status(), TrustStatus::Unproven { claim: Some(_) }), "{name}");
        assert_eq!((outcome.handled, outcome.trust.retry()), (0, Retry::No));
    }
}

#[tokio::test]
async fn an_altered_request_is_not_carried_out() {
    type Change = (&'static str, fn(&mut Whole<http::request::Parts>));
    let changes: [Change; 5] = [
        ("method", |request| request.0.method = http::Method::PUT),
        ("target", |request| {
            let altered = request.0.uri.to_string().replace("x?y", "x?z");
            request.0.uri = altered.parse().unwrap();
        }),
        ("content type", |request| put(&mut request.0.headers, header::CONTENT_TYPE, "text/html")),
        ("digest", |request| {
            put(&mut request.0.headers, fields::CONTENT_DIGEST, "sha-256=:AA==:");
        }),
        ("connection", |request| put(&mut request.0.headers, header::CONTENT_ENCODING, "gzip")),
    ];
    for (what, change) in changes {
        let outcome = through(change, |_| (), 1, "fred").await;
        assert!(matches!(outcome.trust.status(), TrustStatus::Unproven { .. }), "{what}");
        assert_eq!(outcome.handled, 0, "{what}");
    }
    // The content alone: everything else is proven, so the answer is.
    let outcome = through(|request| request.1 = Bytes::from_static(b"Content"), |_| (), 1, "fred").await;
    assert_eq!(outcome.trust.status().code(), Some(Code::BadDigest));
    assert!(outcome.trust.is_proven());
    assert_eq!(outcome.handled, 0);
}

#[tokio::test]
async fn an_altered_answer_is_not_believed() {
    type Change = (&'static str, fn(&mut Whole<http::response::Parts>));
    let changes: [Change; 10] = [
        ("HTTP status", |answer| answer.0.status = StatusCode::CREATED),
        ("status", |answer| put(&mut answer.0.headers, fields::STATUS, "ERROR")),
        ("error", |answer| put(&mut answer.0.headers, fields::ERROR, "USER_UNKNOWN;\tUnknown user;\t[]")),
        ("proof", |answer| put(&mut answer.0.headers, fields::PROOF, "AAAAAAAAAAAAAAAAAAAAAA")),
        ("no proof", |answer| drop(answer.0.headers.remove(fields::PROOF))),
        ("no status", |answer| drop(answer.0.headers.remove(fields::STATUS))),
        ("digest", |answer| put(&mut answer.0.headers, fields::CONTENT_DIGEST, "sha-256=:AA==:")),
        ("no digest", |answer| drop(answer.0.headers.remove(fields::CONTENT_DIGEST))),
        ("status twice", |answer| {
            answer.0.headers.append(fields::STATUS, HeaderValue::from_static("OK"));
        }),
        ("proof twice", |answer| {
            let proof = answer.0.headers[fields::PROOF].clone();
            answer.0.headers.append(fields::PROOF, proof);
        }),
    ];
    for (what, change) in changes {
        let outcome = through(|_| (), change, 1, "fred").await;
        assert!(
            matches!(outcome.trust.status(), TrustStatus::Unproven { .. }),
            "{what}: {:?}",
            outcome.trust
        );
        assert_eq!((outcome.handled, outcome.trust.retry()), (1, Retry::No), "{what}");
    }
    // Refusals too: no other reason, and no success.
    let lie = |answer: &mut Whole<http::response::Parts>| {
        answer.0.status = StatusCode::OK;
        put(&mut answer.0.headers, fields::STATUS, "OK");
        answer.0.headers.remove(fields::ERROR);
    };
    let outcome = through(|_| (), lie, 1, "nobody").await;
    assert!(matches!(outcome.trust.status(), TrustStatus::Unproven { claim: None }));
    let lie = |answer: &mut Whole<http::response::Parts>| {
        put(&mut answer.0.headers, fields::ERROR, "OLD_CERT;\tCertificate too old;\t[\"1790000100000\"]");
    };
    let outcome = through(|_| (), lie, 1, "nobody").await;
    assert!(matches!(outcome.trust.status(), TrustStatus::Unproven { .. }));
    assert_eq!((outcome.trust.server_time(), outcome.handled), (None, 0), "nothing is learned from it");
    // All fields stripped: as if the server took no part, and nothing is proven.
    let strip = |answer: &mut Whole<http::response::Parts>| {
        for name in [fields::STATUS, fields::ERROR, fields::PROOF] {
            answer.0.headers.remove(name);
        }
    };
    let outcome = through(|_| (), strip, 1, "fred").await;
    assert_eq!(*outcome.trust.status(), TrustStatus::NotSupported);
}

#[tokio::test]
async fn altered_content_of_an_answer_cannot_be_read() {
    for content in ["The answer", "the answe", "the answer ", ""] {
        let outcome = through(|_| (), move |answer| answer.1 = Bytes::from(content), 1, "fred").await;
        assert_eq!(*outcome.trust.status(), TrustStatus::Trusted);
        assert!(outcome.content.unwrap_err().contains("does not match its proven digest"), "{content:?}");
    }
}

/// The answer to one request under another: each proof is for one iv.
#[tokio::test]
async fn an_answer_to_another_request() {
    let first: Arc<std::sync::Mutex<Option<HeaderMap>>> = Arc::default();
    let kept = Arc::clone(&first);
    let world = world(Handler::default());
    let address = serve(world.service()).await;
    let swap = move |answer: &mut Whole<http::response::Parts>| {
        let mut kept = kept.lock().unwrap();
        match &*kept {
            None => *kept = Some(answer.0.headers.clone()),
            Some(before) => answer.0.headers = before.clone(),
        }
    };
    let between = proxy(address, Arc::new(|_: &mut _| ()), Arc::new(swap), 1).await;
    let client = hyper_client(signer(&world, between), false);
    for expected in [true, false] {
        let request = Request::get(format!("http://{between}/x"))
            .extension(OnBehalfOf(UserName::parse("fred").unwrap()))
            .body(Full::new(Bytes::new()))
            .unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        assert_eq!(response.extensions().get::<TrustAnswer>().unwrap().status().is_trusted(), expected);
    }
    assert_eq!(world.handler.take().len(), 2);
}

/// Sent twice by somebody on the path: carried out once, and the second answer says so under a proof. The client does
/// not repeat what is not safe.
#[tokio::test]
async fn a_request_that_is_repeated_on_the_path() {
    let outcome = through(|_| (), |_| (), 2, "fred").await;
    assert_eq!(outcome.trust.status().code(), Some(Code::Replayed));
    assert!(outcome.trust.is_proven());
    assert_eq!((outcome.trust.retry(), outcome.handled), (Retry::No, 1));
}
