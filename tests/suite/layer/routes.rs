//! What a route does with a refused request.

use http::{Method, Response, StatusCode, header};
use taa_core::answer::Code;
use taa_core::fields;
use taa_server::{Outcome, TrustLayer};

use super::world::{Handler, Setup, World, full};

fn anonymous() -> Setup {
    let handler = Handler::new(|seen| {
        assert!(
            seen.principal().is_none() || matches!(seen.parts.extensions.get(), Some(Outcome::Trusted(_)))
        );
        Response::builder()
            .status(StatusCode::ACCEPTED)
            .header(header::SET_COOKIE, "a=b")
            .header(header::CACHE_CONTROL, "public")
            .body(full("for anybody"))
            .unwrap()
    });
    Setup::default().handler(handler).route(TrustLayer::anonymous_on_refusal)
}

#[tokio::test]
async fn safe_methods_go_on_as_nobody_and_the_fields_tell() {
    let world = anonymous().build();
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
        // Before step 5: no proof.
        let call = world.call(method.clone(), "/a");
        let mut request = world.call(method.clone(), "/a").uri("/b").request();
        request.headers_mut().insert(header::COOKIE, "JSESSIONID=1".parse().unwrap());
        request.headers_mut().insert(header::AUTHORIZATION, "Basic YTpi".parse().unwrap());
        let answer = world.send_request(request).await;
        assert_eq!((answer.status(), answer.code()), (202, Some(Code::BadSignature)));
        assert_eq!(answer.field(fields::STATUS), Some("ERROR"));
        assert!(!answer.is_proven(world.caller.keys(), &call.iv));
        assert_eq!(answer.field(header::CACHE_CONTROL), Some("no-store, no-transform"));
        assert_eq!(answer.field(header::SET_COOKIE), None);
        let seen = world.handler.only();
        assert!(seen.principal().is_none());
        assert!(matches!(seen.parts.extensions.get(), Some(Outcome::Refused(Code::BadSignature))));
        assert!(
            seen.parts.headers.is_empty(),
            "no other way of logging in is tried: {:?}",
            seen.parts.headers
        );

        // After step 5: with one.
        let call = world.call(method, "/a").user("nobody");
        let answer = world.send(&call).await;
        assert_eq!((answer.status(), answer.code()), (202, Some(Code::UserUnknown)));
        assert!(answer.is_proven(world.caller.keys(), &call.iv));
        assert!(world.handler.only().principal().is_none());
    }
    let call = world.get("/a");
    world.accepted(&call).await;
}

#[tokio::test]
async fn unsafe_methods_are_rejected_all_the_same() {
    let world = anonymous().build();
    for method in
        [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::from_bytes(b"get").unwrap()]
    {
        world.refused(&world.call(method.clone(), "/").user("nobody"), Code::UserUnknown).await;
        world.refused_unproven(world.call(method, "/").uri("/b").request(), Code::BadSignature).await;
    }
}

#[tokio::test]
async fn some_codes_reject_even_then() {
    let world = anonymous().build();
    let mut request = world.get("/").request();
    request.headers_mut().append(fields::CERT, "AAAA".parse().unwrap());
    world.refused_unproven(request, Code::Malformed).await;
    world.refused(&world.get("/").content("text/plain", "a").body("b"), Code::BadDigest).await;
    world.refused(&world.get("/").content("text/plain", "").digest("sha-512=:AA==:"), Code::BadDigest).await;

    let broken = anonymous().users(super::users::failing()).build();
    broken.refused(&broken.get("/"), Code::System).await;
    let panicking = anonymous().users(super::users::panicking()).build();
    panicking.refused(&panicking.get("/"), Code::System).await;
    let busy = anonymous().build_with(|builder| {
        builder.nonce_limits(taa_server::nonce::NonceLimits { total: 1, ..Default::default() })
    });
    busy.accepted(&busy.get("/")).await;
    busy.refused(&busy.get("/"), Code::Busy).await;
}

/// By default nothing goes on.
#[tokio::test]
async fn reject_is_the_default() {
    let world = World::new();
    world.refused(&world.get("/").user("nobody"), Code::UserUnknown).await;
    world.refused_unproven(world.get("/").uri("/b").request(), Code::BadSignature).await;
}

/// The reason stands in the answer's extensions for layers outside, and not on the wire.
#[tokio::test]
async fn layers_outside_learn_the_reason() {
    use taa_core::decision::{Reason, Refusal};
    let world = World::new();
    let answer = world.refused_unproven(world.get("/").uri("/b").request(), Code::BadSignature).await;
    let refusal = answer.head.extensions.get::<Refusal>().unwrap();
    assert!(matches!(refusal.reason(), Reason::Sealed(_)), "{refusal:?}");
}
