//! Trust is set up in two steps, and only what was shown is saved.

use std::time::Duration;

use axum::Router;
use http::{Method, StatusCode};
use serde_json::json;
use taa_core::certificate::KeyStatus;
use taa_core::policy::Protocol;

use crate::html::Page;
use crate::peers::{Listening, Peer};
use crate::world::World;

/// First step: where the second one is.
async fn fetch(world: &World, base_url: &str, direction: &str) -> String {
    let location =
        world.post("/set-up", &[("base_url", base_url), ("direction", direction)]).await.location();
    location.split('?').next().unwrap().to_owned()
}

/// What the form of the second step holds, as a browser would send it.
fn filled(page: &Page) -> Vec<(String, String)> {
    let names = ["fingerprint", "name", "addresses", "paths", "methods", "never_as", "timeout", "lifetime"];
    let mut fields: Vec<_> = names
        .iter()
        .map(|name| ((*name).to_owned(), page.value(name).unwrap_or_else(|| panic!("{name}"))))
        .collect();
    let version = page.tags.iter().find(|tag| tag.name == "option" && tag.has("selected")).unwrap();
    fields.push(("min_protocol".into(), version.get("value").to_owned()));
    fields.push(("direction".into(), page.checked("direction").pop().unwrap()));
    fields
}

fn set(fields: &mut Vec<(String, String)>, name: &str, value: &str) {
    fields.retain(|(known, _)| known != name);
    fields.push((name.to_owned(), value.to_owned()));
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn fetched_compared_saved() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    let second = fetch(&world, &format!("  {}  ", peer.url()), "incoming").await;
    assert!(world.store.snapshot().applications.is_empty(), "nothing is trusted yet");
    let page = world.page(&second).await;
    page.says("Engineering wiki")
        .says("wiki:1")
        .says(peer.url())
        .says(&peer.fingerprint())
        .says("taa certificate show")
        .says("It will be able to act as any user that is not excluded below")
        .says("Go on only if you trust all of its code");
    assert_eq!(page.value("fingerprint").unwrap(), peer.fingerprint());
    assert_eq!(page.checked("direction"), ["incoming"]);
    assert!(page.checked("compared").is_empty(), "a person has to say it");

    let mut fields = filled(&page);
    set(&mut fields, "compared", "true");
    set(&mut fields, "never_as", "admin\r\nsvc-*");
    set(&mut fields, "paths", "/rest, /sr");
    let answer = world.post(&second, &borrowed(&fields)).await;
    assert_eq!(answer.location(), "?done=added");
    let snapshot = world.store.snapshot();
    let known = snapshot.application("wiki:1").unwrap();
    assert_eq!((known.name.as_str(), known.base_url.as_str()), ("Engineering wiki", peer.url()));
    assert_eq!((known.rules.paths.rules().len(), known.rules.never_as.patterns().len()), (2, 2));
    assert_eq!((known.rules.min_protocol, known.created.by.as_str()), (Protocol::V4, "anna"));
    assert!(snapshot.server("wiki:1").is_none());
    world.page("?done=added").await.says("It is in force for the next request.").says("Engineering wiki");
    // It waits no more.
    world.get(&second).await.is(StatusCode::NOT_FOUND).page().says("it was saved or given up");
    world.post(&second, &borrowed(&fields)).await.is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn both_ways_or_only_out() {
    for (direction, incoming, outgoing) in [("both", true, true), ("outgoing", false, true)] {
        let (world, peer) = (World::new().await, Peer::wiki().await);
        let second = fetch(&world, peer.url(), direction).await;
        let page = world.page(&format!("{second}?direction={direction}")).await;
        assert_eq!(page.checked("direction"), [direction]);
        let mut fields = filled(&page);
        set(&mut fields, "compared", "true");
        set(&mut fields, "lifetime", "120");
        set(&mut fields, "require_content_digest", "true");
        if !incoming {
            // What is not asked for is not looked at.
            set(&mut fields, "addresses", "nonsense");
        }
        let answer = world.post(&second, &borrowed(&fields)).await;
        assert!(answer.location().ends_with(if incoming {
            "?done=added"
        } else {
            "/servers?done=server-added"
        }));
        let snapshot = world.store.snapshot();
        assert_eq!(snapshot.application("wiki:1").is_some(), incoming);
        assert_eq!(snapshot.server("wiki:1").is_some(), outgoing);
        let server = snapshot.server("wiki:1").unwrap();
        assert_eq!((server.lifetime.as_secs(), server.require_content_digest), (120, true));
    }
}

#[tokio::test]
async fn nothing_is_saved_that_was_not_shown_and_compared() {
    let (world, mut peer) = (World::new().await, Peer::wiki().await);
    let second = fetch(&world, peer.url(), "incoming").await;
    let shown = peer.fingerprint();
    let mut fields = filled(&world.page(&second).await);
    let page = world.post(&second, &borrowed(&fields)).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
    page.says("Compare the fingerprint with the one the other application shows, and say so.");
    assert_eq!(page.field("f-compared").unwrap().get("aria-invalid"), "true");

    set(&mut fields, "compared", "true");
    peer.say(|says| says.signing = vec![(2, KeyStatus::Current, None)]);
    for other in [peer.fingerprint().as_str(), "", "AAAA BBBB"] {
        set(&mut fields, "fingerprint", other);
        let page = world.post(&second, &borrowed(&fields)).await.is(StatusCode::CONFLICT).page();
        page.says("The fingerprint shown is not that of the certificate that waits");
        assert_eq!(page.value("fingerprint").unwrap(), shown, "what waits is shown again");
    }
    assert!(world.store.snapshot().applications.is_empty());
    // What is saved is what was shown, whatever is served meanwhile.
    set(&mut fields, "fingerprint", &shown);
    world.post(&second, &borrowed(&fields)).await.location();
    let snapshot = world.store.snapshot();
    let held = snapshot.application("wiki:1").unwrap().keys.certificate.clone().unwrap();
    assert_eq!(held.fingerprint().to_string(), shown);
}

#[tokio::test]
async fn it_lapses_and_can_be_given_up() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    let second = fetch(&world, peer.url(), "incoming").await;
    let mut fields = filled(&world.page(&second).await);
    set(&mut fields, "compared", "true");
    world.pass(Duration::from_secs(3600));
    world.get(&second).await.is(StatusCode::NOT_FOUND).page().says("it waited more than an hour");
    world.post(&second, &borrowed(&fields)).await.is(StatusCode::NOT_FOUND);
    let third = fetch(&world, peer.url(), "incoming").await;
    assert!(world.post(&format!("{third}/give-up"), &[]).await.location().ends_with("?done=given-up"));
    world.get(&third).await.is(StatusCode::NOT_FOUND);
    for nonsense in ["/set-up/x", "/set-up/../own", "/set-up/00000000000000000000000000000000"] {
        assert_eq!(world.get(nonsense).await.status, StatusCode::NOT_FOUND, "{nonsense}");
    }
    assert!(world.store.snapshot().applications.is_empty());
}

#[tokio::test]
async fn errors_come_together_and_values_survive() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    let second = fetch(&world, peer.url(), "both").await;
    let mut fields = filled(&world.page(&second).await);
    for (name, value) in [
        ("name", ""),
        ("addresses", "10.0.0.1\n299.299.299.299"),
        ("paths", "/rest docs"),
        ("methods", "get"),
        ("never_as", "a\u{200b}b"),
        ("timeout", "0"),
        ("direction", "both"),
    ] {
        set(&mut fields, name, value);
    }
    let page = world.post(&second, &borrowed(&fields)).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
    assert!(page.all("title").next().unwrap().text.starts_with("Error: "));
    for name in ["name", "addresses", "paths", "methods", "never_as", "timeout", "compared"] {
        let id = format!("f-{name}");
        let field = page.field(&id).unwrap();
        assert_eq!(field.get("aria-invalid"), "true", "{name}");
        assert!(field.get("aria-describedby").contains(&format!("{id}-error")), "{name}");
        let link = page.all("a").find(|link| link.get("href") == format!("#{id}"));
        let message = page.field(&format!("{id}-error")).unwrap().text.clone();
        assert_eq!(link.unwrap().text, message, "{name}: the summary at the top says the same");
        assert_eq!(page.all("p").filter(|p| p.get("id") == format!("{id}-error")).count(), 1);
    }
    page.says("\"299.299.299.299\"").says("\"docs\"").says("for 7 reasons");
    assert_eq!(page.value("addresses").unwrap(), "10.0.0.1\n299.299.299.299");
    assert_eq!(
        (page.value("paths").unwrap().as_str(), page.value("timeout").unwrap().as_str()),
        ("/rest docs", "0")
    );
    assert_eq!(page.checked("direction"), ["both"]);

    set(&mut fields, "compared", "true");
    set(&mut fields, "lifetime", "901");
    let page = world.post(&second, &borrowed(&fields)).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
    assert_eq!(page.field("f-lifetime").unwrap().get("aria-invalid"), "true");
    assert_eq!(page.checked("compared"), ["true"], "what was said stays said");
    assert!(page.errors().len() >= 7, "{:?}", page.errors());
    assert!(world.store.snapshot().applications.is_empty());
}

#[tokio::test]
async fn older_versions_are_marked() {
    let (world, peer) = (World::new().await, Listening::older("jira:old").await);
    let fields = [("base_url", peer.url.as_str()), ("direction", "incoming"), ("older_versions", "true")];
    let second = world.post("/set-up", &fields).await.location();
    let second = second.split('?').next().unwrap().to_owned();
    let page = world.page(&second).await;
    page.says("Thumbprint of its key").says("It presents itself as the older versions do");
    let details: Vec<_> = page.all("details").filter(|tag| tag.has("open")).collect();
    assert_eq!(details.len(), 1, "the fields of the older versions are seen");
    let mut fields = filled(&page);
    set(&mut fields, "compared", "true");
    set(&mut fields, "addresses", "any");
    let page = world.post(&second, &borrowed(&fields)).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
    page.says("only accepted from named addresses");
    set(&mut fields, "addresses", "127.0.0.1");
    world.post(&second, &borrowed(&fields)).await.location();
    let snapshot = world.store.snapshot();
    assert!(snapshot.application("jira:old").unwrap().rules.min_protocol.is_legacy());
    world.page("").await.says("Older versions").says("2 and up");
    world.page("/application?id=jira:old").await.says("none: it speaks the older versions").says("legacy");
}

#[tokio::test]
async fn what_cannot_be_fetched_is_said_at_the_field() {
    let world = World::new().await;
    let nothing = Listening::serve(Router::new()).await;
    let html =
        Listening::serve(Router::new().fallback(async || axum::response::Html("<html>log in</html>"))).await;
    let gone = nothing.url.as_str().replace("127.0.0.1", "127.0.0.2");
    for (base_url, status, says) in [
        ("", StatusCode::UNPROCESSABLE_ENTITY, "required"),
        ("wiki.example", StatusCode::UNPROCESSABLE_ENTITY, "https://…"),
        ("file:///etc/passwd", StatusCode::UNPROCESSABLE_ENTITY, "https://"),
        ("http://169.254.169.254/", StatusCode::UNPROCESSABLE_ENTITY, ""),
        ("http://192.0.2.1/", StatusCode::UNPROCESSABLE_ENTITY, "http"),
        ("https://no-such-host.invalid/", StatusCode::UNPROCESSABLE_ENTITY, ""),
        (nothing.url.as_str(), StatusCode::BAD_GATEWAY, "404"),
        (html.url.as_str(), StatusCode::BAD_GATEWAY, ""),
        (gone.as_str(), StatusCode::BAD_GATEWAY, ""),
    ] {
        for direction in ["incoming", "outgoing"] {
            let answer =
                world.post("/set-up", &[("base_url", base_url), ("direction", direction)]).await.is(status);
            let page = answer.page();
            assert_eq!(page.value("base_url").unwrap(), base_url, "what was typed is there still");
            let field = page.field("f-base_url").unwrap();
            assert_eq!(field.get("aria-invalid"), "true", "{base_url}");
            let message = &page.field("f-base_url-error").unwrap().text;
            assert!(message.contains(says) && message.len() > 10, "{base_url}: {message}");
            let heading = if direction == "incoming" { "Incoming trust" } else { "Outgoing servers" };
            assert_eq!(page.heading(), heading);
        }
        let call = json!({"base_url": base_url});
        let json = world.call(Method::POST, "/set-ups", Some(call)).await.is(status).json();
        let word = if status == StatusCode::BAD_GATEWAY { "fetch_failed" } else { "invalid_fields" };
        assert_eq!(json["error"], word, "{base_url}: {json}");
    }
    assert!(world.store.verify_audit().await.unwrap().problems.is_empty());
}

#[tokio::test]
async fn its_own_certificate_is_not_a_peers() {
    let world = World::new().await;
    let peer = Peer::new("tracker:1", "A clone", 0).await;
    let second = fetch(&world, peer.url(), "incoming").await;
    let page = world.page(&second).await;
    page.says("It has this application's own id").says("It cannot be saved as it is.");
    assert!(page.value("compared").is_none());
    let fingerprint = peer.fingerprint();
    let fields = [("fingerprint", fingerprint.as_str()), ("compared", "true"), ("direction", "outgoing")];
    world.post(&second, &fields).await.is(StatusCode::CONFLICT);
    assert!(world.store.snapshot().servers.is_empty());
}

#[tokio::test]
async fn a_client_cannot_be_called() {
    let (world, mut peer) = (World::new().await, Peer::wiki().await);
    peer.say(|says| says.decryption = None);
    let second = fetch(&world, peer.url(), "both").await;
    let page = world.page(&format!("{second}?direction=both")).await;
    page.says("It has no decryption key");
    assert_eq!(page.checked("direction"), ["incoming"]);
    let choices: Vec<_> =
        page.all("input").filter(|tag| tag.get("name") == "direction").map(|tag| tag.get("value")).collect();
    assert_eq!(choices, ["incoming"]);
    let mut fields = filled(&page);
    set(&mut fields, "compared", "true");
    set(&mut fields, "direction", "both");
    world.post(&second, &borrowed(&fields)).await.is(StatusCode::CONFLICT);
    assert!(world.store.snapshot().applications.is_empty());
}

#[tokio::test]
async fn a_changed_certificate_is_shown_beside_the_one_held() {
    let (world, mut peer) = (World::new().await, Peer::wiki().await);
    world.trust(&peer, true, true).await;
    let old = peer.fingerprint();
    peer.say(|says| {
        says.seq = 2;
        says.signing = vec![(2, KeyStatus::Current, None)];
    });
    // It was not announced: by itself it is not taken over.
    let refreshed = world.post("/refresh", &[("id", "wiki:1")]).await.location();
    assert_eq!(refreshed, "/application?id=wiki%3A1&done=refresh-kept");
    let page = world.page(&refreshed).await;
    page.says("The certificate was fetched and not taken over: see below.")
        .says("Refresh problem")
        .says(&old);

    let second = world.post("/look-again", &[("id", "wiki:1")]).await.location();
    let page = world.page(&second).await;
    page.says(&peer.fingerprint()).says(&old).says("The two differ.").says("number 1");
    assert_eq!(page.checked("direction"), ["keys"]);
    let fingerprint = peer.fingerprint();
    let second = second.split('?').next().unwrap();
    let fields = [("fingerprint", fingerprint.as_str()), ("compared", "true"), ("direction", "keys")];
    let done = world.post(second, &fields).await.location();
    assert_eq!(done, "/application?id=wiki%3A1&done=keys-taken");
    let snapshot = world.store.snapshot();
    let (application, server) = (snapshot.application("wiki:1").unwrap(), snapshot.server("wiki:1").unwrap());
    for held in [application.keys.certificate.as_ref(), server.certificate.as_ref()] {
        assert_eq!(held.unwrap().fingerprint().to_string(), fingerprint);
    }
    assert_eq!(application.rules.paths.rules().len(), 2, "its rules stay");
    world.page(&done).await.says("Its keys were taken over.");
    // Only keys for nobody is nothing.
    let other = Peer::new("build:2", "Build farm", 1).await;
    let second = fetch(&world, other.url(), "keys").await;
    let fingerprint = other.fingerprint();
    let fields = [("fingerprint", fingerprint.as_str()), ("compared", "true"), ("direction", "keys")];
    world
        .post(&second, &fields)
        .await
        .is(StatusCode::UNPROCESSABLE_ENTITY)
        .page()
        .says("It is not known yet");
}
