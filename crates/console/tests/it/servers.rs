//! Servers that are called.

use http::StatusCode;
use taa_core::envelope::Lifetime;
use taa_core::id::AppId;
use taa_core::policy::Protocol;
use taa_store::model::{Actor, NewServer, ServerUpdate};

use crate::html::Page;
use crate::peers::Peer;
use crate::world::World;

async fn with_server() -> (World, Peer) {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    world.trust(&peer, false, true).await;
    (world, peer)
}

fn fields<'a>(version: &'a str, changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("id", "wiki:1"),
        ("version", version),
        ("name", "Wiki"),
        ("base_url", "https://wiki.example/confluence"),
        ("protocol", "4"),
        ("lifetime", "120"),
    ];
    for (name, value) in changed {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields
}

#[tokio::test]
async fn changed_switched_deleted() {
    let (world, _peer) = with_server().await;
    world.page("/servers").await.says("Engineering wiki").says("version 4, sessions of 300 s");
    let page = world.page("/server?id=wiki:1").await;
    assert_eq!((page.heading(), page.value("lifetime").unwrap().as_str()), ("Engineering wiki", "300"));
    let version = page.value("version").unwrap();
    let done = world
        .post("/server?id=wiki:1", &fields(&version, &[("require_content_digest", "true")]))
        .await
        .location();
    world.page(&done).await.says("It is in force for the next request.");
    let snapshot = world.store.snapshot();
    let server = snapshot.server("wiki:1").unwrap();
    assert_eq!(server.base_url.as_str(), "https://wiki.example/confluence");
    assert_eq!((server.lifetime.as_secs(), server.require_content_digest, server.enabled), (120, true, true));

    world.post("/server/disable", &[("id", "wiki:1")]).await.location();
    let snapshot = world.store.snapshot();
    let server = snapshot.server("wiki:1").unwrap();
    assert_eq!((server.enabled, server.lifetime.as_secs()), (false, 120), "nothing else has changed");
    world.page("/servers").await.says("Off");
    // A change of what is off leaves it off.
    let version = world.page("/server?id=wiki:1").await.value("version").unwrap();
    world.post("/server?id=wiki:1", &fields(&version, &[])).await.location();
    assert!(!world.store.snapshot().server("wiki:1").unwrap().enabled);
    world.post("/server/enable", &[("id", "wiki:1")]).await.location();
    assert!(world.store.snapshot().server("wiki:1").unwrap().enabled);

    assert_eq!(world.page("/server/delete?id=wiki:1").await.heading(), "Delete Wiki?");
    assert_eq!(
        world.post("/server/delete", &[("id", "wiki:1")]).await.location(),
        "/servers?done=server-removed"
    );
    assert!(world.store.snapshot().servers.is_empty());
    for path in ["/server?id=wiki:1", "/server/delete?id=wiki:1"] {
        assert_eq!(world.get(path).await.status, StatusCode::NOT_FOUND);
    }
    for path in ["/server/enable", "/server/disable", "/server/delete"] {
        assert_eq!(world.post(path, &[("id", "wiki:1")]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn every_rule_of_a_field_is_told_at_the_field() {
    let (world, _peer) = with_server().await;
    let version = world.page("/server?id=wiki:1").await.value("version").unwrap();
    let before = world.generation();
    for (name, value) in [
        ("name", ""),
        ("base_url", ""),
        ("base_url", "wiki.example"),
        ("base_url", "ftp://wiki.example/"),
        ("base_url", "https://user:pw@wiki.example/"),
        ("base_url", "https://wiki.example/?x"),
        ("base_url", "https://wiki.example/a;b"),
        ("base_url", "http://wiki.example/"),
        ("lifetime", "0"),
        ("lifetime", "901"),
        ("lifetime", "soon"),
    ] {
        let answer = world.post("/server?id=wiki:1", &fields(&version, &[(name, value)])).await;
        let page = answer.is(StatusCode::UNPROCESSABLE_ENTITY).page();
        let errors = page.errors();
        assert_eq!(errors.len(), 1, "{name} {value:?}: {errors:?}");
        assert_eq!(errors[0].0, format!("f-{name}-error"), "{value:?}");
        assert_eq!(page.value(name).unwrap(), value);
    }
    for value in ["", "1", "5", "v4"] {
        let answer = world.post("/server?id=wiki:1", &fields(&version, &[("protocol", value)])).await;
        let errors = answer.is(StatusCode::UNPROCESSABLE_ENTITY).page().errors();
        assert_eq!(errors, [("f-protocol-error".to_owned(), "The version is 2, 3 or 4.".to_owned())]);
    }
    let both = fields(&version, &[("protocol", "5"), ("base_url", "http://wiki.example/")]);
    let page = world.post("/server?id=wiki:1", &both).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
    assert_eq!(page.errors().len(), 2, "all are told together");
    assert_eq!(world.store.poll().await.unwrap().generation, before);
    // Plain http has to be asked for.
    let plain = [("base_url", "http://wiki.example/"), ("insecure_allow_http", "true")];
    world.post("/server?id=wiki:1", &fields(&version, &plain)).await.location();
    world.page("/servers").await.says("Plain http");
}

fn chosen(page: &Page) -> String {
    let chosen: Vec<_> = page.all("option").filter(|tag| tag.has("selected")).collect();
    assert_eq!(chosen.len(), 1, "{chosen:?}");
    chosen[0].get("value").to_owned()
}

#[tokio::test]
async fn another_version() {
    let (world, _peer) = with_server().await;
    let page = world.page("/server?id=wiki:1").await;
    page.says("Versions 2 and 3 sign neither method nor content");
    assert_eq!(chosen(&page), "4");
    let mut version = page.value("version").unwrap();
    for protocol in ["3", "2", "4"] {
        let all = fields(&version, &[("protocol", protocol)]);
        let done = world.post("/server?id=wiki:1", &all).await.location();
        let page = world.page(&done).await;
        assert_eq!(chosen(&page), protocol);
        assert_eq!(page.shows("Older versions"), protocol != "4", "a remark at a glance");
        world.page("/servers").await.says(&format!("version {protocol}, sessions of 120 s"));
        world.page("/audit").await.says("protocol");
        version = page.value("version").unwrap();
    }
}

#[tokio::test]
async fn a_server_of_the_older_versions_learns_version_4() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    let older = NewServer {
        id: AppId::parse("wiki:1").unwrap(),
        name: "Wiki".into(),
        base_url: peer.at.url.clone(),
        certificate: None,
        protocol: Protocol::V3,
        lifetime: Lifetime::default(),
        insecure_allow_http: false,
        require_content_digest: false,
    };
    world.store.add_server(older, &Actor::new("anna")).await.unwrap();
    let page = world.page("/server?id=wiki:1").await;
    assert_eq!(chosen(&page), "3");
    let version = page.value("version").unwrap();
    let four = [("protocol", "4"), ("base_url", peer.url())];
    let answer = world.post("/server?id=wiki:1", &fields(&version, &four)).await;
    let page = answer.is(StatusCode::UNPROCESSABLE_ENTITY).page();
    assert_eq!(page.errors()[0].0, "f-protocol-error");
    page.says("Version 4 needs its certificate, and none is held.");
    // Its keys are taken over, which changes no version.
    world.trust(&peer, false, false).await;
    let page = world.page("/server?id=wiki:1").await;
    page.says(&peer.fingerprint());
    assert_eq!(chosen(&page), "3");
    let version = page.value("version").unwrap();
    world.post("/server?id=wiki:1", &fields(&version, &four)).await.location();
    assert_eq!(world.store.snapshot().server("wiki:1").unwrap().protocol, Protocol::V4);
}

#[tokio::test]
async fn a_client_cannot_be_called_in_version_4() {
    let (world, mut peer) = with_server().await;
    let version = world.page("/server?id=wiki:1").await.value("version").unwrap();
    let three = [("protocol", "3"), ("base_url", peer.url())];
    world.post("/server?id=wiki:1", &fields(&version, &three)).await.location();
    peer.say(|says| (says.seq, says.decryption) = (2, None));
    world.trust(&peer, false, false).await;
    let version = world.page("/server?id=wiki:1").await.value("version").unwrap();
    let answer = world.post("/server?id=wiki:1", &fields(&version, &[("protocol", "4")])).await;
    let page = answer.is(StatusCode::UNPROCESSABLE_ENTITY).page();
    assert_eq!(page.errors()[0].0, "f-protocol-error");
    page.says("no current decryption key");
}

#[tokio::test]
async fn two_at_once_lose_nothing() {
    let (world, _peer) = with_server().await;
    let first = world.page("/server?id=wiki:1").await.value("version").unwrap();
    let snapshot = world.store.snapshot();
    let known = snapshot.server("wiki:1").unwrap();
    let update = ServerUpdate { name: "Bert's".into(), ..ServerUpdate::of(known) };
    world.store.update_server(&known.id, update, &Actor::new("bert")).await.unwrap();
    let page = world.post("/server?id=wiki:1", &fields(&first, &[])).await.is(StatusCode::CONFLICT).page();
    page.says("Somebody else has changed this meanwhile").says("bert changed it").says("Bert's");
    assert_eq!(page.value("name").unwrap(), "Wiki");
    assert_eq!(world.store.snapshot().server("wiki:1").unwrap().name, "Bert's");
    let second = page.value("version").unwrap();
    world.post("/server?id=wiki:1", &fields(&second, &[])).await.location();
    assert_eq!(world.store.snapshot().server("wiki:1").unwrap().name, "Wiki");
}

#[tokio::test]
async fn its_certificate_is_fetched_again() {
    let (world, mut peer) = with_server().await;
    peer.say(|says| says.seq = 2);
    let done = world.post("/refresh", &[("id", "wiki:1"), ("from", "server")]).await.location();
    assert_eq!(done, "/server?id=wiki%3A1&done=refresh-taken");
    world.page(&done).await.says("number 2");
    let second = world.post("/look-again", &[("id", "wiki:1"), ("from", "server")]).await.location();
    world.page(&second).await.says("The two are the same.");
    let fingerprint = peer.fingerprint();
    let fields = [("fingerprint", fingerprint.as_str()), ("compared", "true"), ("direction", "keys")];
    let done = world.post(second.split('?').next().unwrap(), &fields).await.location();
    assert_eq!(done, "/server?id=wiki%3A1&done=keys-taken");
    assert_eq!(world.post("/refresh", &[("id", "nobody")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.post("/look-again", &[("id", "nobody")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_broken_record_can_only_be_deleted() {
    let (world, _peer) = with_server().await;
    world.sql("UPDATE taa_servers SET base_url = 'nonsense'").await;
    world.sql("UPDATE taa_state SET generation = generation + 1").await;
    world.page("/servers").await.says("Broken");
    world.get("/server?id=wiki:1").await.is(StatusCode::CONFLICT);
    world.post("/server/enable", &[("id", "wiki:1")]).await.is(StatusCode::CONFLICT);
    world.page("/server/delete?id=wiki:1").await;
    world.post("/server/delete", &[("id", "wiki:1")]).await.location();
    assert!(world.store.snapshot().servers.is_empty());
}
