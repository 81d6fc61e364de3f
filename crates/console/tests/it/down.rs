//! The database cannot be reached: nothing is shown that may be wrong, and no change seems to be one.

use http::{Method, StatusCode};
use serde_json::json;

use crate::peers::Peer;
use crate::world::World;

#[tokio::test]
async fn pages_and_changes_say_so() {
    let world = World::new().await;
    let peer = Peer::wiki().await;
    world.trust(&peer, true, true).await;
    let waiting =
        world.post("/set-up", &[("base_url", peer.url()), ("direction", "incoming")]).await.location();
    let token = world.token().await;
    world.store.close().await;
    for path in [
        "",
        "/servers",
        "/own",
        "/users",
        "/audit",
        "/audit/verify",
        "/system",
        "/what-if",
        "/application?id=wiki:1",
        "/server?id=wiki:1",
        "/application/delete?id=wiki:1",
        "/own/promote?purpose=signing",
        &waiting,
    ] {
        let page = world.get(path).await.is(StatusCode::SERVICE_UNAVAILABLE).page();
        assert_eq!(page.heading(), "The database cannot be reached", "{path}");
        page.says("nothing can be shown or changed now");
    }
    let rules = [
        ("name", "x"),
        ("addresses", "any"),
        ("paths", "any"),
        ("methods", "any"),
        ("timeout", "1"),
        ("min_protocol", "4"),
    ];
    let id = ("id", "wiki:1");
    let edit = [&[id, ("version", "1")], &rules[..]].concat();
    for (path, fields) in [
        ("/users", &[("pattern", "x")][..]),
        ("/users/restore", &[("pattern", "x")]),
        ("/application", &edit),
        ("/application/enable", &[id]),
        ("/application/disable", &[id]),
        ("/application/delete", &[id]),
        ("/server/disable", &[id]),
        ("/server/delete", &[id]),
        ("/refresh", &[id]),
        ("/set-up", &[("base_url", peer.url())]),
        ("/own/publish", &[("purpose", "signing")]),
        ("/own/promote", &[("purpose", "signing")]),
        ("/own/remove-ended", &[]),
        ("/own/profile", &[("name", "x"), ("base_url", "https://x.example/")]),
    ] {
        let fields = [&[("token", token.as_str())], fields].concat();
        let answer = world.send(crate::world::Asking::form(path, &fields).anna()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", answer.text);
    }
    for (method, path, content) in [
        (Method::GET, "/applications", None),
        (Method::GET, "/own", None),
        (Method::GET, "/system", None),
        (Method::GET, "/audit", None),
        (Method::DELETE, "/applications/wiki:1", None),
        (Method::POST, "/revoked-users", Some(json!({"pattern": "x"}))),
        (Method::POST, "/own/keys", Some(json!({"purpose": "signing"}))),
    ] {
        let answer = world.call(method, path, content).await.is(StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.json()["error"], "store_unavailable", "{path}");
    }
    // What needs no database is there.
    assert_eq!(world.get("/style.css").await.status, StatusCode::OK);
}
