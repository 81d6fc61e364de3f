//! Requests of every kind, and what the client makes of the answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use taa_client::reqwest::{RequestBuilderExt, ResponseExt};
use taa_client::{OnBehalfOf, TrustAnswer, TrustStatus};
use taa_core::answer::Code;
use taa_core::fields;
use taa_core::id::UserName;
use taa_core::time::{ManualClock, UnixMillis};
use tower::ServiceExt;

use super::net::{Hyper, hyper_client, reqwest_client, serve, serve_axum, signer, signer_with, world};
use crate::layer::world::{Handler, full, pieces};

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

/// Answers with what it was asked.
fn echo() -> Handler {
    Handler::new(|seen| {
        let who = seen.principal().map_or("nobody".to_owned(), |principal| principal.user().to_string());
        let body = seen.body.as_ref().unwrap();
        if seen.parts.method == Method::HEAD {
            return Response::new(full(""));
        }
        Response::new(full(format!("{who} {} {} {}", seen.parts.method, seen.parts.uri.path(), body.len())))
    })
}

async fn by_hyper(
    client: &Hyper,
    request: http::request::Builder,
    body: Bytes,
) -> (TrustAnswer, StatusCode, Bytes) {
    let request: Request<Full<Bytes>> =
        request.extension(OnBehalfOf(user("Fred"))).body(Full::new(body)).unwrap();
    let response = client.clone().oneshot(request).await.unwrap();
    let trust = response.extensions().get::<TrustAnswer>().unwrap().clone();
    let status = response.status();
    (trust, status, response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn every_method_by_every_way() {
    let world = world(echo());
    let addresses = [serve(world.service()).await, serve_axum(&world).await];
    for address in addresses {
        for http2 in [false, true] {
            let hyper = hyper_client(signer(&world, address), http2);
            let reqwest = reqwest_client(signer(&world, address), http2);
            for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                for body in [Bytes::new(), Bytes::from_static(b"{}"), Bytes::from(vec![b'x'; 300_000])] {
                    let url = format!("http://{address}/a%20b;c?d=%2F&e");
                    let told = format!("fred {method} /a%20b;c {}", body.len());
                    let request = Request::builder()
                        .method(method.clone())
                        .uri(&url)
                        .header(header::CONTENT_TYPE, "application/json");
                    let (trust, status, content) = by_hyper(&hyper, request, body.clone()).await;
                    assert_eq!((trust.status(), status), (&TrustStatus::Trusted, StatusCode::OK));
                    assert!(trust.is_proven() && trust.content_digest().is_some());
                    assert_eq!(content, told);

                    let request = reqwest
                        .request(method.clone(), &url)
                        .header(header::CONTENT_TYPE, "application/json")
                        .body(body)
                        .on_behalf_of(&user("fred"));
                    let response = request.send().await.unwrap();
                    let version = response.version();
                    assert_eq!(version == http::Version::HTTP_2, http2, "{version:?}");
                    assert_eq!(response.trust(), TrustStatus::Trusted);
                    assert_eq!(response.text().await.unwrap(), told);
                }
            }
            // HEAD has an answer without content, and a proof.
            let head = Request::builder().method(Method::HEAD).uri(format!("http://{address}/"));
            let (trust, _, content) = by_hyper(&hyper, head, Bytes::new()).await;
            assert_eq!((trust.status(), content.len()), (&TrustStatus::Trusted, 0));
            let response =
                reqwest.head(format!("http://{address}/")).on_behalf_of(&user("fred")).send().await.unwrap();
            assert_eq!(response.trust(), TrustStatus::Trusted);
            // Without a user nothing is signed.
            let response = reqwest.get(format!("http://{address}/x")).send().await.unwrap();
            assert!(response.trust_answer().is_none());
            assert_eq!(response.headers()["vary"], "X-Seraph-Trusted-App-Cert");
            assert_eq!(response.text().await.unwrap(), "nobody GET /x 0");
        }
    }
}

#[tokio::test]
async fn long_and_streaming_answers() {
    let handler = Handler::new(|seen| match seen.parts.uri.path() {
        "/long" => Response::new(full(vec![b'x'; 1_000_000])),
        _ => Response::new(pieces(["one ", "two ", "three"])),
    });
    let world = world(handler);
    let address = serve(world.service()).await;
    for http2 in [false, true] {
        let client = hyper_client(signer(&world, address), http2);
        for (path, length) in [("/long", 1_000_000), ("/streaming", 13)] {
            let request = Request::get(format!("http://{address}{path}"));
            let (trust, _, content) = by_hyper(&client, request, Bytes::new()).await;
            assert!(trust.is_proven() && trust.content_digest().is_none());
            assert_eq!(content.len(), length);
        }
    }
}

#[tokio::test]
async fn refusals_as_the_client_sees_them() {
    let world = world(echo());
    let address = serve(world.service()).await;
    let client = reqwest_client(signer(&world, address), false);
    let url = format!("http://{address}/");
    for (name, expected, status) in
        [("nobody", TrustStatus::UserUnknown, 403), ("fred", TrustStatus::Trusted, 200)]
    {
        let response = client.get(&url).on_behalf_of(&user(name)).send().await.unwrap();
        assert_eq!((response.trust(), response.status().as_u16()), (expected, status));
    }
    let response = client.get(&url).on_behalf_of(&user("blocked")).send().await.unwrap();
    assert!(response.trust_answer().unwrap().is_proven());
    assert_eq!(response.trust().code(), Some(Code::PermissionDenied));
    // A refusal of HEAD has no content, which HTTP/2 insists on.
    for http2 in [false, true] {
        let client = reqwest_client(signer(&world, address), http2);
        let response = client.head(&url).on_behalf_of(&user("nobody")).send().await.unwrap();
        assert_eq!((response.trust(), response.status().as_u16()), (TrustStatus::UserUnknown, 403));
        assert!(response.bytes().await.unwrap().is_empty());
    }
    world.trust.replace_directory(taa_core::directory::Directory::default());
    let response = client.get(&url).on_behalf_of(&user("fred")).send().await.unwrap();
    assert_eq!(response.trust(), TrustStatus::ApplicationUnknown);
    assert!(!response.trust_answer().unwrap().is_proven());
}

/// A redirect is an answer: nothing goes where it points to, and nothing is signed for there.
#[tokio::test]
async fn a_redirect_is_given_back_and_not_followed() {
    let elsewhere = Handler::default();
    let other = serve(elsewhere.clone()).await;
    for status in [301, 302, 303, 307, 308] {
        let handler = Handler::new(move |_| {
            Response::builder()
                .status(status)
                .header(header::LOCATION, format!("http://{other}/caught"))
                .body(full("moved"))
                .unwrap()
        });
        let world = world(handler);
        let address = serve(world.service()).await;
        for method in [Method::GET, Method::POST] {
            let url = format!("http://{address}/");
            let client = reqwest_client(signer(&world, address), false);
            let response =
                client.request(method.clone(), &url).on_behalf_of(&user("fred")).send().await.unwrap();
            assert_eq!((response.status().as_u16(), response.trust()), (status, TrustStatus::Trusted));
            let client = hyper_client(signer(&world, address), false);
            let (trust, got, _) =
                by_hyper(&client, Request::builder().method(method).uri(&url), Bytes::new()).await;
            assert_eq!((got.as_u16(), trust.status()), (status, &TrustStatus::Trusted));
        }
        // Who follows it by hand cannot take the signature along.
        let client = reqwest_client(signer(&world, address), false);
        let there = format!("http://{other}/caught");
        assert!(client.get(&there).on_behalf_of(&user("fred")).send().await.is_err());
        assert!(elsewhere.take().is_empty(), "the other server got something");
        let stale = world.get("/").headers();
        client.get(&there).headers(stale).send().await.unwrap();
        let got = elsewhere.only();
        assert!(got.parts.headers.keys().all(|name| !name.as_str().starts_with(fields::PREFIX)), "{got:?}");
    }
}

/// A server whose clock is two minutes away: the first proven refusal teaches the difference.
#[tokio::test]
async fn the_offset_of_a_server_s_clock_is_learned() {
    for ahead in [-120_i64, 120] {
        for (method, by_itself) in [(Method::GET, true), (Method::POST, ahead < 0)] {
            let world = world(echo());
            let address = serve(world.service()).await;
            let client_time = UnixMillis(world.now().0.saturating_add_signed(ahead * 1000));
            let clock = Arc::new(ManualClock::new(client_time));
            let client = reqwest_client(signer_with(&world, address, clock, 300), false);
            let send = async || {
                let request = client.request(method.clone(), format!("http://{address}/"));
                request.on_behalf_of(&user("fred")).send().await.unwrap()
            };
            let response = send().await;
            if by_itself {
                assert_eq!(response.trust(), TrustStatus::Trusted, "{ahead} {method}");
            } else {
                // It was early: it may still become valid, so what is not safe is not sent again.
                assert_eq!(response.trust().code(), Some(Code::OldCert), "{ahead} {method}");
                assert!(response.trust_answer().unwrap().is_proven());
                assert!(world.handler.take().is_empty());
                assert_eq!(send().await.trust(), TrustStatus::Trusted, "what was learned holds for the next");
            }
            assert_eq!(world.handler.take().len(), 1, "carried out once");
        }
    }
}

/// Many requests at once while sessions of two seconds end and begin: every one is accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_renewed_under_load() {
    let world = world(echo());
    let address = serve(world.service()).await;
    let signer = signer_with(&world, address, world.clock.clone(), 2);
    let name = || {
        let (mut parts, ()) = Request::get(format!("http://{address}/")).body(()).unwrap().into_parts();
        *signer
            .sign(&mut parts, &user("fred"), None)
            .unwrap()
            .session()
            .expect("version 4 has a session")
            .name()
    };
    let mut sessions = std::collections::BTreeSet::new();
    for http2 in [false, true] {
        let client = hyper_client(signer.clone(), http2);
        for _ in 0..10 {
            sessions.insert(name());
            let tasks: Vec<_> = (0..10)
                .map(|_| {
                    let client = client.clone();
                    tokio::spawn(async move {
                        by_hyper(&client, Request::get(format!("http://{address}/")), Bytes::new()).await
                    })
                })
                .collect();
            world.clock.advance(Duration::from_millis(400));
            for task in tasks {
                let (trust, ..) = task.await.unwrap();
                assert_eq!(*trust.status(), TrustStatus::Trusted);
            }
        }
    }
    assert_eq!(world.handler.take().len(), 200);
    assert!(sessions.len() >= 4, "{}", sessions.len());
}
