//! Nothing that somebody typed, or another application said, becomes a part of a page.

use http::StatusCode;
use taa_store::model::{Actor, ApplicationUpdate};

use crate::peers::Peer;
use crate::world::World;

const NASTY: &str = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;</textarea>";

#[tokio::test]
async fn names_are_only_shown() {
    let world = World::new().await;
    let mut peer = Peer::new("wiki:1", NASTY, 0).await;
    world.trust(&peer, true, true).await;
    let by = Actor::new(NASTY);
    world.store.revoke_user("<script>*".parse().unwrap(), &by).await.unwrap();
    world.store.change_profile(NASTY, &"https://tracker.example/x".parse().unwrap(), &by).await.unwrap();
    let known = world.store.snapshot();
    let known = known.application("wiki:1").unwrap();
    let mut rules = known.rules.clone();
    rules.never_as = ["</textarea><script>".parse().unwrap()].into_iter().collect();
    let update = ApplicationUpdate { version: known.version, name: NASTY.into(), rules };
    world.store.update_application(&known.id, update, &by).await.unwrap();
    let broken = "INSERT INTO taa_applications SELECT '<script>&\"''', '<script>', base_url, certificate, legacy_key, \
                  '<script>', enabled, seen_v4, version, created_at, created_by, updated_at, updated_by, last_used, \
                  refreshed_at, refreshed_problem, refreshed_other_url FROM taa_applications WHERE app_id = 'wiki:1'";
    world.sql(broken).await;
    world.sql("UPDATE taa_applications SET refreshed_at = 1, refreshed_problem = '<script>problem' WHERE app_id = 'wiki:1'").await;
    world.sql("UPDATE taa_state SET generation = generation + 1").await;

    let broken_id = "%3Cscript%3E%26%22%27";
    let fetched = world.post("/set-up", &[("base_url", peer.url()), ("direction", "both")]).await.location();
    for path in [
        "",
        "/servers",
        "/own",
        "/users",
        "/audit",
        "/audit/verify",
        "/system",
        "/application?id=wiki:1",
        "/application?id=wiki:1&add_path=/%3Cscript%3E",
        "/application/delete?id=wiki:1",
        &format!("/application/delete?id={broken_id}"),
        "/server?id=wiki:1",
        "/server/delete?id=wiki:1",
        "/what-if?application=%3Cscript%3E&user=%3Cscript%3E&target=/%3Cscript%3E&method=%3Cscript%3E",
        "/what-if?application=wiki:1&user=%3Cscript%3E&address=%3Cscript%3E",
        "/audit?actor=%3Cscript%3E&subject=%22%3E%3Cscript%3E&since=%3Cscript%3E",
        &fetched,
    ] {
        let answer = world.get(path).await;
        assert!(!answer.text.contains("<script"), "{path}: {}", answer.text);
        assert!(!answer.text.contains("<img src=x"), "{path}");
        // It is a page still, and what was said is on it as text.
        let page = answer.page();
        let shown =
            page.shows("<script>") || page.tags.iter().any(|tag| tag.get("value").contains("<script>"));
        assert!(shown || path == "/system" || path == "/audit/verify", "{path}: {}", page.text);
    }
    // Failures say only what they say themselves.
    for path in
        ["/application?id=%3Cscript%3E", "/%3Cscript%3E", "/set-up/%3Cscript%3E", "/?done=%3Cscript%3E"]
    {
        let answer = world.get(path).await;
        assert!(!answer.text.contains("script>"), "{path}: {}", answer.text);
    }
    // A broken record with such an id can be deleted.
    let id = "<script>&\"'";
    world.post("/application/delete", &[("id", id)]).await.is(StatusCode::SEE_OTHER);
    assert!(!world.page("").await.shows("<script>&\"'"));
    peer.say(|says| says.seq = 2);
}
