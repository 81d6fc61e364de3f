//! The extractors for axum.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use taa_core::answer::Code;
use taa_server::{Principal, PrincipalRejection, TrustLayer};
use tower::ServiceExt;

use super::world::{Answer, World};

async fn who(principal: Principal) -> String {
    format!("{} by {}", principal.user(), principal.application())
}

async fn perhaps(principal: Option<Principal>) -> String {
    principal.map_or("nobody".to_owned(), |principal| principal.user().to_string())
}

fn routes() -> Router {
    Router::new().route("/who", get(who)).route("/perhaps", get(perhaps))
}

async fn send(router: Router, request: Request<super::world::BoxBody>) -> Answer {
    Answer::collect(router.oneshot(request.map(Body::new)).await.unwrap()).await
}

fn plain(path: &str) -> Request<super::world::BoxBody> {
    Request::get(path).body(super::world::full("")).unwrap()
}

#[tokio::test]
async fn a_trusted_request_gives_the_principal() {
    let world = World::new();
    let router = routes().layer(world.trust.layer());
    let answer = send(router.clone(), world.get("/who").request()).await;
    assert_eq!((answer.status(), &*answer.body), (200, &b"fred by confluence:6512"[..]));
    let answer = send(router, world.get("/perhaps").request()).await;
    assert_eq!(&*answer.body, b"fred");
}

#[tokio::test]
async fn nobody_is_401_or_none() {
    let world = World::new();
    let router = routes().layer(world.trust.layer().anonymous_on_refusal());
    let answer = send(router.clone(), plain("/who")).await;
    assert_eq!((answer.status(), answer.field("www-authenticate")), (401, Some("TAA")));
    let answer = send(router.clone(), plain("/perhaps")).await;
    assert_eq!(&*answer.body, b"nobody");
    // Refused, on a route that goes on.
    let answer = send(router.clone(), world.get("/perhaps").user("nobody").request()).await;
    assert_eq!((answer.code(), &*answer.body), (Some(Code::UserUnknown), &b"nobody"[..]));
    let answer = send(router, world.get("/who").user("nobody").request()).await;
    assert_eq!((answer.status(), answer.code()), (401, Some(Code::UserUnknown)));
}

/// A route that somebody forgot to put behind the layer lets nobody in, says so to the log, and nothing to the caller.
#[tokio::test]
async fn a_missing_layer_is_500() {
    let world = World::new();
    for path in ["/who", "/perhaps"] {
        for request in [plain(path), world.get(path).request()] {
            let answer = send(routes(), request).await;
            assert_eq!((answer.status(), answer.body.len()), (StatusCode::INTERNAL_SERVER_ERROR.as_u16(), 0));
        }
    }
    assert!(PrincipalRejection::LayerMissing.to_string().contains("TrustLayer"));
}

/// A principal in the extensions is worth nothing without what the layer says of it.
#[tokio::test]
async fn a_principal_alone_is_not_believed() {
    let world = World::new();
    let principal = world.accepted(&world.get("/")).await.principal().unwrap().clone();
    let mut request = plain("/who");
    request.extensions_mut().insert(principal);
    assert_eq!(send(routes(), request).await.status(), 500);
}

/// Two layers: the inner one decides again, and finds no field any more.
#[tokio::test]
async fn the_layer_twice_is_nobody() {
    let world = World::new();
    let twice: fn(_) -> TrustLayer<_> = |layer| layer;
    let router = routes().layer(world.trust.layer()).layer(twice(world.trust.layer()));
    let answer = send(router, world.get("/perhaps").request()).await;
    assert_eq!(&*answer.body, b"nobody");
}
