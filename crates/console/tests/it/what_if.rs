//! Would this be allowed?

use http::StatusCode;
use taa_server::resolver::{NameTransform, StaticUsers};

use crate::peers::Peer;
use crate::world::{BASE, World};

async fn world() -> (World, Peer) {
    let users = StaticUsers::new(["fred"]).with_blocked("gone");
    let world = World::with(BASE, |console| console.users(users, NameTransform::LowerCase)).await;
    let peer = Peer::wiki().await;
    world.trust(&peer, true, false).await;
    (world, peer)
}

fn query(user: &str, method: &str, target: &str, address: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("application", "wiki:1"), ("user", user), ("method", method), ("target", target)])
        .extend_pairs([("address", address), ("version", "4")])
        .finish()
}

#[tokio::test]
async fn the_rule_that_decides() {
    let (world, _peer) = world().await;
    for (user, method, target, address, step, code) in [
        ("fred", "GET", "/rest/x?y=1", "127.0.0.1", 0, ""),
        ("FRED", "GET", "/rest", "127.0.0.1", 0, ""),
        ("fred", "GET", "/rest", "", 0, ""),
        ("fred", "GET", "/browse/X-1", "127.0.0.1", 9, "BAD_URL"),
        ("fred", "PATCH", "/rest", "127.0.0.1", 9, "BAD_URL"),
        ("fred", "GET", "/rest", "192.0.2.1", 3, "BAD_REMOTE_IP"),
        ("gone", "GET", "/rest", "127.0.0.1", 11, "PERMISSION_DENIED"),
        ("mary", "GET", "/rest", "127.0.0.1", 11, "USER_UNKNOWN"),
    ] {
        let query = query(user, method, target, address);
        let page = world.page(&format!("/what-if?{query}")).await;
        let json = world.json(&format!("/what-if?{query}")).await;
        assert_eq!(json["allowed"], code.is_empty(), "{query}: {json}");
        if code.is_empty() {
            page.says("Allowed, as far as rules decide");
            assert!(json["code"].is_null() && json["decided_by"].is_null());
        } else {
            page.says("Refused").says(&format!("Step {step} decides:")).says(code);
            assert_eq!(
                (json["decided_by"].as_u64(), json["code"].as_str()),
                (Some(step), Some(code)),
                "{query}"
            );
        }
        for step in json["steps"].as_array().unwrap() {
            page.says(step["because"].as_str().unwrap().get(1..20).unwrap_or_default());
        }
        // The form keeps what was asked.
        assert_eq!(
            (page.value("user").unwrap(), page.value("target").unwrap()),
            (user.to_owned(), target.to_owned())
        );
    }
}

#[tokio::test]
async fn a_path_that_is_missing_can_be_added() {
    let (world, _peer) = world().await;
    let page =
        world.page(&format!("/what-if?{}", query("fred", "GET", "/browse/X%2D1?x=y", "127.0.0.1"))).await;
    let add = page.all("a").find(|tag| tag.text.starts_with("Add the path")).unwrap();
    assert_eq!(add.get("href"), "/admin/trust/application?id=wiki%3A1&add_path=%2Fbrowse%2FX-1");
    let form = world.page(add.get("href").strip_prefix(BASE).unwrap()).await;
    assert_eq!(form.value("paths").unwrap(), "/rest\n/sr\n/browse/X-1");
    // What no rule could allow cannot be added, and a method is no path.
    for (method, target) in [("GET", "/browse/../x"), ("PATCH", "/rest"), ("GET", "//x")] {
        let page = world.page(&format!("/what-if?{}", query("fred", method, target, ""))).await;
        page.says("Refused");
        assert!(!page.shows("Add the path"), "{method} {target}");
    }
}

#[tokio::test]
async fn the_address_is_ones_own_until_it_is_changed() {
    let (world, _peer) = world().await;
    assert_eq!(world.page("/what-if").await.value("address").unwrap(), "192.0.2.77");
    let page = world.page("/what-if?application=wiki:1").await;
    assert_eq!(page.value("address").unwrap(), "192.0.2.77");
    let chosen: Vec<_> =
        page.all("option").filter(|tag| tag.has("selected")).map(|tag| tag.get("value")).collect();
    assert_eq!(chosen, ["wiki:1", "4"]);
}

#[tokio::test]
async fn what_cannot_be_judged_is_told() {
    let (world, _peer) = world().await;
    for (query, fields) in [
        ("application=&user=", &["application", "user"][..]),
        ("application=wiki:1&user=fred&address=here", &["address"]),
        ("application=wiki:1&user=fred&version=1", &["version"]),
    ] {
        let page = world.get(&format!("/what-if?{query}")).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
        let ids: Vec<_> = page.errors().into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, fields.iter().map(|field| format!("f-{field}-error")).collect::<Vec<_>>());
        let json =
            world.get(&format!("/api/what-if?{query}")).await.is(StatusCode::UNPROCESSABLE_ENTITY).json();
        assert_eq!(json["fields"].as_array().unwrap().len(), fields.len());
    }
    // Nobody of this id: a verdict, not an error.
    let page = world.page("/what-if?application=nobody:1&user=fred").await;
    page.says("Refused").says("APP_UNKNOWN");
    world.page("/what-if?application=%3F%3F&user=%00&method=%20&target=x").await.says("Refused");
}

#[tokio::test]
async fn without_a_user_base_step_11_is_not_known() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    world.trust(&peer, true, false).await;
    let page = world.page(&format!("/what-if?{}", query("mary", "GET", "/rest", "127.0.0.1"))).await;
    page.says("Allowed, as far as rules decide").says("for this service's user base to say");
}
