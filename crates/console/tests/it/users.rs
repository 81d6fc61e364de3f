//! Users no application may name.

use http::{Method, StatusCode};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn added_and_taken_off() {
    let world = World::new().await;
    assert_eq!(
        world.post("/users", &[("pattern", "  Bert Left ")]).await.location(),
        "/users?done=user-revoked"
    );
    world.post("/users", &[("pattern", "svc-*")]).await.location();
    let page = world.page("/users?done=user-revoked").await;
    page.says("Bert Left").says("svc-*").says("21 Sep 2026, 14:13 UTC").says("anna");
    assert_eq!(world.store.snapshot().revoked_users.len(), 2);
    world.post("/users/restore", &[("pattern", "Bert Left")]).await.location();
    assert_eq!(world.store.snapshot().revoked_users.len(), 1);
    world.post("/users/restore", &[("pattern", "nobody")]).await.is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_name_is_told() {
    let world = World::new().await;
    for bad in ["", " ", "a\u{200b}b", "a\u{7}", &"x".repeat(256)] {
        let page =
            world.post("/users", &[("pattern", bad)]).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
        assert_eq!(page.field("f-pattern").unwrap().get("aria-invalid"), "true", "{bad:?}");
        let json = world.call(Method::POST, "/revoked-users", Some(json!({"pattern": bad}))).await;
        assert_eq!(json.is(StatusCode::UNPROCESSABLE_ENTITY).json()["fields"][0]["field"], "pattern");
    }
    assert!(world.store.snapshot().revoked_users.is_empty());
}

#[tokio::test]
async fn rest_does_the_same() {
    let world = World::new().await;
    let list = world.call(Method::POST, "/revoked-users", Some(json!({"pattern": "svc-*"}))).await;
    let list = list.is(StatusCode::CREATED).json();
    assert_eq!(list["users"][0]["pattern"], "svc-*");
    assert_eq!(list["users"][0]["revoked"], json!({"at": "2026-09-21T14:13:20.000Z", "by": "anna"}));
    assert_eq!(world.json("/revoked-users").await, list);
    let list = world.call(Method::POST, "/revoked-users/restore", Some(json!({"pattern": "svc-*"}))).await;
    assert_eq!(list.is(StatusCode::OK).json()["users"], json!([]));
    let gone = world.call(Method::POST, "/revoked-users/restore", Some(json!({"pattern": "svc-*"}))).await;
    gone.is(StatusCode::NOT_FOUND);
}
