//! The system page.

use taa_core::policy::TrustedProxies;
use taa_core::time::UnixMillis;
use taa_store::model::Node;

use crate::world::{Asking, BASE, START, World};

#[tokio::test]
async fn what_it_says() {
    let world = World::with(BASE, |console| {
        console.older_versions_are_accepted(true).problems(|| vec!["The moon is full.".into()])
    })
    .await;
    let page = world.page("/system").await;
    page.says("192.0.2.77")
        .says("2026-09-21 14:13:20.000 UTC")
        .says(env!("CARGO_PKG_VERSION"))
        .says("2, 3, 4")
        .says("SQLite, for one process")
        .says("not sealed")
        .says("The private keys are not sealed at rest")
        .says("The moon is full.")
        .says("No process has said that it answers");
    let json = world.json("/system").await;
    assert_eq!(json["now"], "2026-09-21T14:13:20.000Z");
    assert_eq!(json["address"]["client"], "192.0.2.77");
    assert_eq!((&json["sealed"], &json["shared"]), (&false.into(), &false.into()));
    assert_eq!(json["problems"].as_array().unwrap().len(), 2);
    assert_eq!(json["generation"].as_u64(), Some(world.generation()));
}

#[tokio::test]
async fn nodes_and_their_nonces() {
    let world = World::new().await;
    for (id, shared_nonces, ago) in [("a", true, 1_000), ("b", false, 2_000)] {
        let node = Node {
            id: id.repeat(32),
            label: format!("tracker-{id}"),
            software: "0.1.0".into(),
            shared_nonces,
            started: UnixMillis(START.0 - 100_000),
            last_seen: UnixMillis(START.0 - ago),
        };
        world.store.note_node(&node).await.unwrap();
    }
    let page = world.page("/system").await;
    page.says("tracker-a").says("tracker-b").says("its own").says("2 seconds ago");
    page.says("2 nodes answer for this application, and 1 of them do not share their nonces");
    assert_eq!(world.json("/system").await["nodes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_address_that_counts() {
    let proxied = |console: taa_console::ConsoleBuilder| {
        console.trusted_proxies(TrustedProxies::parse_list("192.0.2.77").unwrap())
    };
    let world = World::with(BASE, proxied).await;
    let ask = |field: &str| Asking::get("/system").anna().field("x-forwarded-for", field);
    let page = world.send(ask("10.9.9.9, 198.51.100.4")).await.page();
    page.says("192.0.2.77 (a configured proxy)").says("198.51.100.4");
    let page = world.send(ask("unknown")).await.page();
    page.says("Address that counts none:");
    let stranger = World::new().await;
    let page = stranger.send(ask("10.9.9.9")).await.page();
    page.says("10.9.9.9 (not believed: the socket's address is no configured proxy)");
    let json =
        stranger.send(Asking::get("/api/system").anna().field("x-forwarded-for", "10.9.9.9")).await.json();
    assert_eq!(
        (&json["address"]["client"], &json["address"]["by_proxy"]),
        (&"192.0.2.77".into(), &false.into())
    );
}
