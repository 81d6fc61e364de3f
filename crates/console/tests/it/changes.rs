//! What a change has to bring.

use http::{Method, StatusCode};
use taa_console::FormKey;

use crate::world::{Asking, World};

/// A change through a page, which is refused with this word or goes through.
async fn revoke(world: &World, fields: &[(&str, &str)], headers: &[(&'static str, &str)]) -> StatusCode {
    let mut request = Asking::form("/users", fields);
    if !headers.iter().any(|(name, _)| *name == "x-session") {
        request = request.anna();
    }
    for (name, value) in headers {
        request = request.field(name, value);
    }
    world.send(request).await.status
}

#[tokio::test]
async fn a_form_brings_the_token_of_its_session() {
    let world = World::new().await;
    let (token, other) = (world.token().await, world.token_of("anna/2").await);
    let before = world.generation();
    let longer = format!("{token}x");
    let (front, back) = token.split_at(20);
    let swapped = format!("{back}{front}");
    for wrong in ["", "1", other.as_str(), longer.as_str(), swapped.as_str()] {
        let status = revoke(&world, &[("token", wrong), ("pattern", "fred")], &[]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{wrong:?}");
    }
    for fields in [
        &[("pattern", "fred")][..],
        &[("token", &token), ("token", &token), ("pattern", "fred")],
        &[("TOKEN", &token), ("pattern", "fred")],
    ] {
        assert_eq!(revoke(&world, fields, &[]).await, StatusCode::FORBIDDEN, "{fields:?}");
    }
    // A session of somebody else who has the same cookie jar, or an older name.
    for session in ["anna/2", "bert/1"] {
        let status =
            revoke(&world, &[("token", &token), ("pattern", "fred")], &[("x-session", session)]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{session}");
    }
    assert_eq!(world.store.poll().await.unwrap().generation, before);
    assert_eq!(revoke(&world, &[("token", &token), ("pattern", "fred")], &[]).await, StatusCode::SEE_OTHER);
    assert_eq!(world.generation(), before + 1);
}

#[tokio::test]
async fn nodes_that_share_the_key_take_each_others_forms() {
    let (one, other) = (World::new().await, World::new().await);
    let stranger = World::with(crate::world::BASE, |console| console.form_key(FormKey::new([8; 32]))).await;
    let token = one.token().await;
    let fields = [("token", token.as_str()), ("pattern", "fred")];
    assert_eq!(revoke(&other, &fields, &[]).await, StatusCode::SEE_OTHER);
    assert_eq!(revoke(&stranger, &fields, &[]).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_form_does_not_come_from_another_site() {
    let world = World::new().await;
    let token = world.token().await;
    let fields = [("token", token.as_str()), ("pattern", "fred")];
    for refused in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://tracker.example")],
    ] {
        assert_eq!(revoke(&world, &fields, refused).await, StatusCode::FORBIDDEN, "{refused:?}");
    }
    assert!(world.store.poll().await.unwrap().revoked_users.is_empty());
    for taken in [
        &[][..],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://tracker.example")],
    ] {
        assert_eq!(revoke(&world, &fields, taken).await, StatusCode::SEE_OTHER, "{taken:?}");
    }
}

#[tokio::test]
async fn a_form_is_a_form_and_not_too_long() {
    let world = World::new().await;
    let token = world.token().await;
    let mut request = Asking::form("/users", &[("token", &token), ("pattern", "fred")]).anna();
    for media_type in ["text/plain", "multipart/form-data", "application/json", ""] {
        request.fields.retain(|(name, _)| *name != "content-type");
        let request = request.clone().field("content-type", media_type);
        assert_eq!(world.send(request).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media_type}");
    }
    let long = "x".repeat(300 * 1024);
    let request = Asking::form("/users", &[("token", &token), ("pattern", &long)]).anna();
    let page = world.send(request).await.is(StatusCode::PAYLOAD_TOO_LARGE).page();
    assert_eq!(page.heading(), "Too long");
    let mut request = Asking::new(Method::POST, "/api/revoked-users").anna().field("x-taa-console", "1");
    request = request.field("content-type", "application/json");
    request.content = format!("{{\"pattern\":\"{long}\"}}");
    assert_eq!(world.send(request).await.is(StatusCode::PAYLOAD_TOO_LARGE).json()["error"], "too_large");
    assert!(world.store.poll().await.unwrap().revoked_users.is_empty());
}

#[tokio::test]
async fn rest_brings_its_field() {
    let world = World::new().await;
    let token = world.token().await;
    let call = |fields: &[(&'static str, &str)]| {
        let mut request = Asking::new(Method::POST, "/api/revoked-users").anna();
        request = request.field("content-type", "application/json");
        request.content = "{\"pattern\":\"fred\"}".into();
        for (name, value) in fields {
            request = request.field(name, value);
        }
        request
    };
    for refused in [
        &[][..],
        &[("x-taa-console", "")],
        &[("x-taa-console", "0")],
        &[("x-taa-console", "true")],
        &[("x-taa-console", "1"), ("x-taa-console", "1")],
        &[("x-taa-console", "1"), ("sec-fetch-site", "cross-site")],
        &[("x-taa-console", "1"), ("origin", "https://evil.example")],
    ] {
        assert_eq!(world.send(call(refused)).await.status, StatusCode::FORBIDDEN, "{refused:?}");
    }
    assert!(world.store.poll().await.unwrap().revoked_users.is_empty());
    for taken in [&[("x-taa-console", "1")][..], &[("x-taa-console", token.as_str())]] {
        assert_eq!(world.send(call(taken)).await.status, StatusCode::CREATED, "{taken:?}");
    }
    // A form cannot be JSON: its media type is refused even with the field.
    let mut form = call(&[("x-taa-console", "1")]);
    form.fields.retain(|(name, _)| *name != "content-type");
    let form = form.field("content-type", "text/plain");
    assert_eq!(
        world.send(form).await.is(StatusCode::UNSUPPORTED_MEDIA_TYPE).json()["error"],
        "unsupported_media_type"
    );
}

#[tokio::test]
async fn safe_methods_change_nothing() {
    let world = World::new().await;
    world.trust(&crate::peers::Peer::wiki().await, true, true).await;
    let token = world.token().await;
    let before = world.store.poll().await.unwrap().generation;
    let rows = world.store.verify_audit().await.unwrap().rows;
    let query = format!(
        "?token={token}&id=wiki:1&pattern=fred&purpose=signing&at_once=true&base_url=https://x.example/&name=x&key={}",
        "A".repeat(43)
    );
    for path in [
        "/users",
        "/users/restore",
        "/application",
        "/application/enable",
        "/application/disable",
        "/application/delete",
        "/application/revoke-key",
        "/server",
        "/server/enable",
        "/server/disable",
        "/server/delete",
        "/set-up",
        "/refresh",
        "/look-again",
        "/own/profile",
        "/own/publish",
        "/own/promote",
        "/own/revoke",
        "/own/remove-ended",
        "/api/applications/wiki:1/enable",
        "/api/applications/wiki:1/disable",
        "/api/applications/wiki:1/refresh",
        "/api/revoked-users/restore",
        "/api/own/keys/promote",
        "/api/own/profile",
    ] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let mut request =
                Asking::form(&format!("{path}{query}"), &[("token", &token), ("pattern", "fred")]).anna();
            request.method = method.clone();
            let request = request.field("x-taa-console", "1");
            let status = world.send(request).await.status;
            let known = [StatusCode::OK, StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_FOUND];
            assert!(known.contains(&status), "{method} {path}: {status}");
        }
    }
    assert_eq!(world.store.poll().await.unwrap().generation, before);
    assert_eq!(world.store.verify_audit().await.unwrap().rows, rows);
}
