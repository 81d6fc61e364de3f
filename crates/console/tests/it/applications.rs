//! One trusted application: its rules, its keys, and what can be done to it.

use http::StatusCode;
use taa_core::certificate::{KeyStatus, KeyUse};
use taa_store::model::{Actor, ApplicationUpdate};

use crate::peers::Peer;
use crate::world::World;

async fn with_wiki() -> (World, Peer) {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    world.trust(&peer, true, false).await;
    (world, peer)
}

/// The form of the application, with other values for some fields.
fn fields<'a>(version: &'a str, changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("id", "wiki:1"),
        ("version", version),
        ("name", "Wiki"),
        ("addresses", "192.0.2.0/24"),
        ("paths", "/rest"),
        ("methods", "GET HEAD"),
        ("never_as", ""),
        ("timeout", "30000"),
        ("min_protocol", "4"),
    ];
    for (name, value) in changed {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields
}

async fn version(world: &World) -> String {
    world.page("/application?id=wiki:1").await.value("version").unwrap()
}

#[tokio::test]
async fn rules_are_changed() {
    let (world, _peer) = with_wiki().await;
    let page = world.page("/application?id=wiki:1").await;
    assert_eq!(page.heading(), "Engineering wiki");
    assert_eq!(page.value("methods").unwrap(), "GET HEAD POST PUT DELETE", "on one line");
    assert!(page.value("id").is_some() && page.field("f-id").is_none(), "the id cannot be edited");
    let version = page.value("version").unwrap();
    let typed = fields(
        &version,
        &[("addresses", "192.0.2.7, 2001:db8::/64\r\n10.0.*.*"), ("never_as", "admin\r\nMary Ann")],
    );
    let done = world.post("/application?id=wiki:1", &typed).await.location();
    assert_eq!(done, "/application?id=wiki%3A1&done=saved");
    let page = world.page(&done).await;
    page.says("It is in force for the next request.");
    assert_eq!(page.value("addresses").unwrap(), "192.0.2.7\n2001:db8::/64\n10.0.*.*");
    assert_eq!(page.value("never_as").unwrap(), "admin\nMary Ann");
    let snapshot = world.store.snapshot();
    let known = snapshot.application("wiki:1").unwrap();
    assert_eq!((known.name.as_str(), known.rules.timeout.as_millis()), ("Wiki", 30_000));
    assert_eq!(known.updated.by.as_str(), "anna");
    // What was read back is the same: saving it once more changes nothing.
    let version = page.value("version").unwrap();
    let names = ["name", "addresses", "paths", "methods", "never_as", "timeout"];
    let same: Vec<_> = names.iter().map(|name| (*name, page.value(name).unwrap())).collect();
    let mut again = vec![("id", "wiki:1"), ("version", version.as_str()), ("min_protocol", "4")];
    again.extend(same.iter().map(|(name, value)| (*name, value.as_str())));
    let before = snapshot.application("wiki:1").unwrap().rules.clone();
    world.post("/application?id=wiki:1", &again).await.location();
    assert_eq!(world.store.snapshot().application("wiki:1").unwrap().rules, before);
}

#[tokio::test]
async fn every_rule_of_a_field_is_told_at_the_field() {
    let (world, _peer) = with_wiki().await;
    let version = version(&world).await;
    let before = world.generation();
    for (name, value) in [
        ("name", " "),
        ("name", "x\u{7}y"),
        ("addresses", ""),
        ("addresses", "blah"),
        ("addresses", "1.2.3.4.5.6"),
        ("addresses", "299.299.299.299"),
        ("addresses", "192,168,1,1"),
        ("addresses", "192.168.?.1"),
        ("addresses", "10.0.0.0/33"),
        ("paths", ""),
        ("paths", "rest"),
        ("paths", "/rest/*"),
        ("paths", "/rest/../admin"),
        ("paths", "/rest?x=1"),
        ("methods", ""),
        ("methods", "GET;POST"),
        ("methods", "get"),
        ("never_as", "a\u{202e}b"),
        ("timeout", ""),
        ("timeout", "0"),
        ("timeout", "-1"),
        ("timeout", "ten"),
        ("timeout", "60001"),
        ("timeout", "99999999999999999999"),
        ("min_protocol", "1"),
        ("min_protocol", ""),
    ] {
        let answer = world.post("/application?id=wiki:1", &fields(&version, &[(name, value)])).await;
        let page = answer.is(StatusCode::UNPROCESSABLE_ENTITY).page();
        let errors = page.errors();
        assert_eq!(errors.len(), 1, "{name} {value:?}: {errors:?}");
        assert_eq!(errors[0].0, format!("f-{name}-error"), "{value:?}");
        assert!(
            errors[0].1.ends_with(['.', '!', '?']) && errors[0].1.len() > 12,
            "{name} {value:?}: {errors:?}"
        );
        if name != "min_protocol" {
            assert_eq!(page.value(name).unwrap(), value, "what was typed is there still");
        }
    }
    let answer = world
        .post("/application?id=wiki:1", &fields(&version, &[("min_protocol", "2"), ("addresses", "any")]))
        .await;
    assert_eq!(answer.is(StatusCode::UNPROCESSABLE_ENTITY).page().errors()[0].0, "f-addresses-error");
    assert_eq!(world.store.poll().await.unwrap().generation, before);
}

#[tokio::test]
async fn two_at_once_lose_nothing() {
    let (world, _peer) = with_wiki().await;
    let first = version(&world).await;
    let snapshot = world.store.snapshot();
    let known = snapshot.application("wiki:1").unwrap();
    let mut rules = known.rules.clone();
    rules.paths = ["/other".parse().unwrap()].into_iter().collect();
    let update = ApplicationUpdate { version: known.version, name: "Bert's wiki".into(), rules };
    world.store.update_application(&known.id, update, &Actor::new("bert")).await.unwrap();

    let page =
        world.post("/application?id=wiki:1", &fields(&first, &[])).await.is(StatusCode::CONFLICT).page();
    page.says("Somebody else has changed this meanwhile")
        .says("bert changed it")
        .says("Bert's wiki")
        .says("/other");
    assert_eq!(page.value("name").unwrap(), "Wiki", "what Anna typed is in the form");
    assert_eq!(page.value("paths").unwrap(), "/rest");
    assert_eq!(world.store.snapshot().application("wiki:1").unwrap().name, "Bert's wiki");
    // Having seen it, she may go on.
    let second = page.value("version").unwrap();
    assert_ne!(second, first);
    world.post("/application?id=wiki:1", &fields(&second, &[])).await.location();
    assert_eq!(world.store.snapshot().application("wiki:1").unwrap().name, "Wiki");
}

#[tokio::test]
async fn switched_off_and_on() {
    let (world, _peer) = with_wiki().await;
    let page = world.page("").await;
    assert!(page.links().contains(&"/admin/trust/application/disable"));
    assert_eq!(world.post("/application/disable", &[("id", "wiki:1")]).await.location(), "?done=disabled");
    assert!(!world.store.snapshot().application("wiki:1").unwrap().enabled);
    let page = world.page("").await;
    page.says("Off");
    assert!(page.links().contains(&"/admin/trust/application/enable"));
    world.post("/application/enable", &[("id", "wiki:1")]).await.location();
    assert!(world.store.snapshot().application("wiki:1").unwrap().enabled);
    for path in ["/application/enable", "/application/disable", "/application/delete"] {
        assert_eq!(world.post(path, &[("id", "other:1")]).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(world.post(path, &[("id", "../x")]).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(world.post(path, &[]).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn deleted_after_a_question() {
    let (world, _peer) = with_wiki().await;
    let page = world.page("/application/delete?id=wiki:1").await;
    assert_eq!(page.heading(), "Delete Engineering wiki?");
    page.says("wiki:1");
    assert!(world.store.snapshot().application("wiki:1").is_some());
    assert_eq!(world.post("/application/delete", &[("id", "wiki:1")]).await.location(), "?done=removed");
    assert!(world.store.snapshot().application("wiki:1").is_none());
    for path in ["/application?id=wiki:1", "/application/delete?id=wiki:1", "/application?id="] {
        world.get(path).await.is(StatusCode::NOT_FOUND).page().says("There is no such application.");
    }
}

#[tokio::test]
async fn a_broken_record_can_only_be_deleted() {
    let (world, _peer) = with_wiki().await;
    world.sql("UPDATE taa_applications SET rules = '{\"addresses\": [\"blah\"]}'").await;
    world.sql("UPDATE taa_state SET generation = generation + 1").await;
    world.page("").await.says("Broken").says("It counts as unknown:");
    world.page("/system").await.says("The record of the application wiki:1 cannot be read");
    world.get("/application?id=wiki:1").await.is(StatusCode::CONFLICT).page().says("It can only be deleted.");
    world.post("/application?id=wiki:1", &fields("1", &[])).await.is(StatusCode::CONFLICT);
    world.page("/application/delete?id=wiki:1").await.says("Engineering wiki");
    world.post("/application/delete", &[("id", "wiki:1")]).await.location();
    assert!(world.store.snapshot().applications.is_empty());
}

#[tokio::test]
async fn a_key_is_revoked_after_a_question() {
    let (world, mut peer) = with_wiki().await;
    peer.say(|says| {
        says.seq = 2;
        says.signing = vec![(0, KeyStatus::Current, None), (2, KeyStatus::Next, None)];
    });
    assert!(world.post("/refresh", &[("id", "wiki:1")]).await.location().ends_with("done=refresh-taken"));
    assert!(world.post("/refresh", &[("id", "wiki:1")]).await.location().ends_with("done=refresh-same"));
    let snapshot = world.store.snapshot();
    let held = snapshot.application("wiki:1").unwrap().keys.certificate.clone().unwrap();
    let next = held
        .content()
        .all(KeyUse::Signing)
        .find(|key| key.status == KeyStatus::Next)
        .unwrap()
        .public
        .id()
        .to_string();
    let path = format!("/application/revoke-key?id=wiki:1&key={next}");
    let page = world.page(&path).await;
    page.says(&next).says("no certificate brings the key back");
    let done = world.post("/application/revoke-key", &[("id", "wiki:1"), ("key", &next)]).await.location();
    assert!(done.ends_with("done=key-revoked"));
    let revoked = &world.store.snapshot().application("wiki:1").unwrap().revoked_keys.clone();
    assert_eq!(revoked.iter().map(ToString::to_string).collect::<Vec<_>>(), vec![next.clone()]);
    world.page("/application?id=wiki:1").await.says("revoked");
    assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND, "it is revoked already");
    for bad in ["x", &"A".repeat(43)] {
        let status = world.get(&format!("/application/revoke-key?id=wiki:1&key={bad}")).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{bad}");
    }
}

#[tokio::test]
async fn what_a_person_sees_at_a_glance() {
    let (world, mut peer) = with_wiki().await;
    let now = taa_core::time::Clock::wall(&*world.clock).unwrap();
    peer.say(|says| {
        says.seq = 2;
        says.signing = vec![(0, KeyStatus::Current, Some(now.seconds() + 10 * 86_400))];
    });
    world.post("/refresh", &[("id", "wiki:1")]).await.location();
    world.page("").await.says("Key ends soon").says("Its signing key ends in 10 days");
    world.pass(std::time::Duration::from_secs(11 * 86_400));
    world.page("").await.says("Key ended");
    let snapshot = world.store.snapshot();
    let known = snapshot.application("wiki:1").unwrap();
    let key =
        known.keys.certificate.as_ref().unwrap().content().current(KeyUse::Signing).unwrap().public.id();
    let used = taa_core::time::Clock::wall(&*world.clock).unwrap();
    world.store.note_use(&[(known.id.clone(), Some(key), used)]).await.unwrap();
    let page = world.page("").await;
    assert!(!page.shows("Never used"));
    page.says("2 Oct 2026, 14:13 UTC");
    // It moved, or somebody made a clone of it.
    peer.say(|says| {
        says.seq = 3;
        says.base_url = "https://staging.example/".into();
        says.signing = vec![(0, KeyStatus::Current, None)];
    });
    world.post("/refresh", &[("id", "wiki:1")]).await.location();
    world.page("").await.says("Possible clone").says("https://staging.example/");
    world.page("/system").await.says("wiki:1 may have a clone at https://staging.example/.");
}

#[tokio::test]
async fn a_path_is_put_into_the_form_and_not_saved() {
    let (world, _peer) = with_wiki().await;
    let before = world.generation();
    let page = world.page("/application?id=wiki:1&add_path=/browse").await;
    page.says("It is not saved yet.");
    assert_eq!(page.value("paths").unwrap(), "/rest\n/sr\n/browse");
    assert_eq!(world.store.poll().await.unwrap().generation, before);
}
