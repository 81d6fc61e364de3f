//! The audit trail on pages and over REST.

use std::time::Duration;

use http::StatusCode;
use taa_store::model::{Actor, ApplicationUpdate};

use crate::peers::Peer;
use crate::world::World;

#[tokio::test]
async fn filters_and_old_beside_new() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    world.trust(&peer, true, false).await;
    world.pass(Duration::from_secs(3600));
    let snapshot = world.store.snapshot();
    let known = snapshot.application("wiki:1").unwrap();
    let mut rules = known.rules.clone();
    rules.paths = ["/rest", "/browse"].iter().map(|path| path.parse().unwrap()).collect();
    let update = ApplicationUpdate { version: known.version, name: "Wiki two".into(), rules };
    world.store.update_application(&known.id, update, &Actor::new("bert")).await.unwrap();

    let page = world.page("/audit").await;
    page.says("Application: changed")
        .says("Engineering wiki → became Wiki two")
        .says("/rest, /sr → became /rest, /browse")
        .says("Application: added")
        .says("Identity: made")
        .says("cli:root");
    for (query, there, not) in [
        ("actor=bert", "Application: changed", "Application: added "),
        ("action=application.added", "/rest", "became"),
        ("subject=tracker:1", "Identity", "became"),
        ("since=2026-09-21+15:00", "became", "cli:root"),
        ("until=2026-09-21T15:00:00Z", "cli:root", "became"),
        ("since=2026-09-21&until=2026-09-22&actor=bert", "became", "cli:root"),
    ] {
        let page = world.page(&format!("/audit?{query}")).await;
        let rows = page.text.split("Details").nth(1).unwrap();
        assert!(rows.contains(there), "{query}: {rows}");
        assert!(!rows.contains(not), "{query}: {rows}");
        page.says("Show all");
        let name = query.split('=').next().unwrap();
        if name != "action" {
            assert!(!page.value(name).unwrap().is_empty(), "{query}: the filter is in its form still");
        }
        let rest = world.json(&format!("/audit?{query}")).await;
        assert!(!rest["entries"].as_array().unwrap().is_empty(), "{query}");
    }
    world.page("/audit?actor=nobody").await.says("No row fits");
    for (query, fields) in [("since=soon", 1), ("action=eaten&until=x&before_seq=y", 3)] {
        let page = world.get(&format!("/audit?{query}")).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
        assert!(page.errors().len() >= fields.min(2), "{query}");
        let json =
            world.get(&format!("/api/audit?{query}")).await.is(StatusCode::UNPROCESSABLE_ENTITY).json();
        assert_eq!(json["fields"].as_array().unwrap().len(), fields);
    }
}

#[tokio::test]
async fn pages_go_on_where_the_last_ended() {
    let world = World::new().await;
    for number in 0..120 {
        world
            .store
            .revoke_user(format!("user-{number}").parse().unwrap(), &Actor::new("anna"))
            .await
            .unwrap();
    }
    let rows = world.store.verify_audit().await.unwrap().rows;
    let (mut path, mut seen) = ("/audit?actor=anna".to_owned(), Vec::new());
    for page in 1.. {
        let shown = world.page(&path).await;
        let subjects = shown.all("code").map(|tag| tag.text.clone());
        seen.extend(subjects);
        assert_eq!(shown.shows("Newest"), page > 1, "{path}");
        let older = shown.all("a").find(|tag| tag.text == "Older").map(|tag| tag.get("href").to_owned());
        match older {
            Some(older) => path = older.strip_prefix(world.base).unwrap().to_owned(),
            None => {
                assert_eq!(page, 3);
                break;
            }
        }
        assert!(path.contains("actor=anna") && path.contains("before_seq="), "{path}");
    }
    let expected: Vec<_> = (0..120).rev().map(|number| format!("user-{number}")).collect();
    assert_eq!(seen, expected, "newest first, each once");

    let (mut query, mut count) = ("limit=50".to_owned(), 0);
    loop {
        let page = world.json(&format!("/audit?{query}")).await;
        count += page["entries"].as_array().unwrap().len();
        match page["next_before_seq"].as_u64() {
            Some(before) => query = format!("limit=50&before_seq={before}"),
            None => break,
        }
    }
    assert_eq!(u64::try_from(count).unwrap(), rows);
}

#[tokio::test]
async fn verified() {
    let world = World::new().await;
    world.store.revoke_user("fred".parse().unwrap(), &Actor::new("anna")).await.unwrap();
    let page = world.page("/audit/verify").await;
    page.says("The trail is whole");
    let report = world.json("/audit/verify").await;
    assert_eq!((report["whole"].as_bool(), report["problems"].as_array().unwrap().len()), (Some(true), 0));
    page.says(report["head"]["hash"].as_str().unwrap());
    world.sql("DROP TRIGGER taa_audit_keeps").await;
    world.sql("UPDATE taa_audit SET actor = 'mallory' WHERE seq = 1").await;
    world.page("/audit/verify").await.says("The trail was changed").says("row 1 was changed");
    let report = world.json("/audit/verify").await;
    assert_eq!(report["whole"], false);
}
