//! Every page, as somebody with a screen reader, a keyboard or a small screen needs it.

use std::collections::{BTreeSet, HashSet};

use http::StatusCode;
use taa_store::model::{Actor, KeyPurpose};

use crate::html::Page;
use crate::peers::Peer;
use crate::world::{BASE, World};

/// A tracker that has a bit of everything.
async fn full(base: &'static str) -> (World, Vec<Peer>) {
    let world = World::with(base, |console| console).await;
    let by = Actor::new("anna");
    let peers = vec![Peer::wiki().await, Peer::new("build:2", "Build farm", 1).await];
    world.trust(&peers[0], true, true).await;
    world.trust(&peers[1], true, false).await;
    world.store.revoke_user("svc-*".parse().unwrap(), &by).await.unwrap();
    world.store.publish_next_key(KeyPurpose::Signing, &by).await.unwrap();
    world.sql("INSERT INTO taa_applications SELECT 'broken:1', 'Broken one', base_url, certificate, legacy_key, '{', \
               enabled, seen_v4, version, created_at, created_by, updated_at, updated_by, last_used, refreshed_at, \
               refreshed_problem, refreshed_other_url FROM taa_applications WHERE app_id = 'wiki:1'").await;
    world.sql("UPDATE taa_state SET generation = generation + 1").await;
    (world, peers)
}

#[track_caller]
fn usable(page: &Page, path: &str) {
    let lang = page.all("html").next().unwrap();
    assert_eq!(lang.get("lang"), "en", "{path}");
    assert!(!page.heading().trim().is_empty(), "{path}");
    assert!(page.all("title").next().unwrap().text.contains(" – Trust – Tracker <1>"), "{path}");
    for landmark in ["header", "main", "footer"] {
        assert_eq!(page.all(landmark).count(), 1, "{path}: {landmark}");
    }
    let skip = page.all("a").next().unwrap();
    assert_eq!(skip.get("href"), "#content", "{path}: the first link skips to the content");
    // Ids are there once, and what refers to one finds it.
    let mut ids = HashSet::new();
    for tag in &page.tags {
        if tag.has("id") {
            assert!(ids.insert(tag.get("id")), "{path}: the id {} stands twice", tag.get("id"));
        }
    }
    for tag in &page.tags {
        let refer = ["aria-describedby", "aria-labelledby", "for"].map(|attribute| tag.get(attribute));
        for id in refer.iter().flat_map(|ids| ids.split_whitespace()) {
            assert!(ids.contains(id), "{path}: {id} is referred to and not there");
        }
        if let Some(id) = tag.get("href").strip_prefix('#') {
            assert!(ids.contains(id), "{path}: a link leads to {id}, which is not there");
        }
    }
    let labelled: HashSet<_> = page.all("label").map(|label| label.get("for")).collect();
    for name in ["input", "select", "textarea"] {
        for field in page.all(name).filter(|field| field.get("type") != "hidden") {
            assert!(labelled.contains(field.get("id")), "{path}: a field without label: {field:?}");
        }
    }
    for heading in page.all("th") {
        assert!(!heading.get("scope").is_empty(), "{path}: {heading:?}");
    }
    for image in page.all("img") {
        assert!(image.has("alt"), "{path}");
    }
    for form in page.all("form") {
        let post = form.get("method") == "post";
        assert!(post || form.get("method") == "get", "{path}");
    }
    let posts = page.all("form").filter(|form| form.get("method") == "post").count();
    let tokens = page.all("input").filter(|field| field.get("name") == "token").count();
    assert_eq!(posts, tokens, "{path}: every form that changes something has a token");
    // Headings go down one step at a time.
    let mut before = 0;
    for tag in &page.tags {
        let Some(level) = tag.name.strip_prefix('h').and_then(|level| level.parse::<u8>().ok()) else {
            continue;
        };
        assert!(level <= before + 1, "{path}: {} after level {before}", tag.name);
        before = level;
    }
}

/// Follows every link of every page from the start; none may lead nowhere.
async fn crawl(world: &World) -> BTreeSet<String> {
    let mut waiting = vec!["/".to_owned(), "/what-if?application=wiki:1&user=fred&target=/other".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = world.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let page = answer.page();
        usable(&page, &path);
        let sources = page.all("a").map(|tag| tag.get("href"));
        let sources = sources.chain(page.all("link").map(|tag| tag.get("href")));
        for link in sources.chain(page.all("img").map(|tag| tag.get("src"))) {
            if link.starts_with('#') || link.starts_with("http") || link == "/" && !world.base.is_empty() {
                continue;
            }
            let inside = link.strip_prefix(world.base);
            let inside =
                inside.unwrap_or_else(|| panic!("{path} links to {link}, outside of {}", world.base));
            waiting.push(if inside.is_empty() { "/".to_owned() } else { inside.to_owned() });
        }
        for form in page.all("form") {
            assert!(form.get("action").starts_with(world.base), "{path}: {}", form.get("action"));
        }
    }
    seen
}

#[tokio::test]
async fn every_page_can_be_reached_and_used() {
    let (world, _peers) = full(BASE).await;
    let seen = crawl(&world).await;
    for path in [
        "/",
        "/servers",
        "/own",
        "/users",
        "/what-if",
        "/audit",
        "/audit/verify",
        "/system",
        "/style.css",
        "/icon.svg",
        "/api/openapi.json",
        "/application?id=wiki%3A1",
        "/application/delete?id=broken%3A1",
        "/server?id=wiki%3A1",
        "/server/delete?id=wiki%3A1",
        "/own/promote?purpose=signing",
        "/application?id=wiki%3A1&add_path=%2Fother",
    ] {
        assert!(seen.contains(path), "{path} is not in {seen:?}");
    }
    assert!(seen.iter().any(|path| path.starts_with("/application/revoke-key?")));
    assert!(seen.iter().any(|path| path.starts_with("/own/revoke?")));
}

#[tokio::test]
async fn links_are_right_under_any_mount_path() {
    for base in ["", "/x/y-z/trust"] {
        let (world, _peers) = full(base).await;
        assert!(crawl(&world).await.len() > 25, "{base}");
    }
}

#[tokio::test]
async fn a_proxy_may_remove_a_part_of_the_path() {
    let world = World::with("/trust", |console| console.base_path("/tracker/admin/trust/")).await;
    let page = world.page("").await;
    for link in page.links().into_iter().filter(|link| *link != "/" && !link.starts_with('#')) {
        assert!(link.starts_with("/tracker/admin/trust"), "{link}");
    }
    let answer = world.post("/users", &[("pattern", "fred")]).await;
    assert_eq!(answer.location(), "/tracker/admin/trust/users?done=user-revoked");
    world.page("/users?done=user-revoked").await.says("No application may name this user any more.");
}

#[tokio::test]
async fn the_list_says_what_there_is() {
    let world = World::new().await;
    let page = world.page("").await;
    page.says("No application is trusted yet").says("Trust begins with a person");
    world.page("/servers").await.says("No server is called yet");
    world.page("/users").await.says("Nobody stands here");

    let (world, _peers) = full(BASE).await;
    let page = world.page("").await;
    page.says("Engineering wiki")
        .says("wiki:1")
        .says("Never used")
        .says("127.0.0.1")
        .says("/rest, /sr")
        .says("GET, HEAD, POST, PUT, DELETE")
        .says("60,000 ms")
        .says("Broken")
        .says("It counts as unknown:");
    assert!(page.links().contains(&"/admin/trust/application/delete?id=broken%3A1"));
    assert!(
        !page.links().contains(&"/admin/trust/application?id=broken%3A1"),
        "what is broken cannot be edited"
    );
}

#[tokio::test]
async fn without_an_identity() {
    let world = World::empty().await;
    world.page("/own").await.says("This application has no identity yet").says("taa init");
    world.page("/system").await.says("This application has no identity yet");
    for path in ["", "/servers", "/audit", "/users", "/what-if"] {
        usable(&world.page(path).await, path);
    }
    assert_eq!(world.get("/own/promote?purpose=signing").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_path_with_a_slash_at_its_end() {
    let world = World::new().await;
    let (setup, store) = (world.setup.clone(), world.store.clone());
    let refresher =
        taa_service::refresh::Refresher::new(store.clone(), std::sync::Arc::new(taa_core::crypto::AwsLc))
            .unwrap();
    let console =
        taa_console::Console::builder(store, setup, refresher, crate::world::Check).build().unwrap();
    let router = axum::Router::new().merge(console.router_at(BASE).unwrap());
    let mut world = world;
    world.router = router;
    assert_eq!(world.get("/?").await.location(), "");
    assert_eq!(world.get("").await.status, StatusCode::OK);
    let nobody = world.send(crate::world::Asking::get("/?").field("x-session", "user")).await;
    assert_eq!(nobody.status, StatusCode::FORBIDDEN);
    for bad in ["", "/", "trust", "/trust/", "/{x}", "/a*", "//x"] {
        assert!(console.router_at(bad).is_err(), "{bad:?}");
    }
}
