//! Nobody but an administrator gets any further, on no path.

use std::collections::BTreeSet;
use std::path::Path;

use http::{Method, StatusCode};

use crate::world::{Asking, World};

/// Every path the source names, with something in place of its parameters, and some that lead nowhere.
fn paths() -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page"), &mut |text| {
        for part in text.split(".route(\"").skip(1) {
            paths.insert(part.split('"').next().unwrap().to_owned());
        }
    });
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api"), &mut |text| {
        for part in text.split("path = \"").skip(1) {
            paths.insert(format!("/api{}", part.split('"').next().unwrap()));
        }
    });
    assert!(paths.len() > 50, "{paths:?}");
    for known in
        ["/", "/set-up/{id}", "/own/revoke", "/style.css", "/api/applications/{id}", "/api/audit/verify"]
    {
        assert!(paths.contains(known), "{known}");
    }
    paths.extend(
        ["/api/openapi.json", "/api", "/api/", "/nowhere", "/api/nowhere", "/api/../own"].map(str::to_owned),
    );
    let filled = |path: String| path.replace("{id}", &"0".repeat(32)).replace("{key}", &"A".repeat(43));
    paths.into_iter().map(filled).collect()
}

fn read(folder: &Path, each: &mut impl FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, each);
        } else {
            each(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[tokio::test]
async fn no_route_answers_without_an_administrator() {
    let world = World::new().await;
    let token = world.token().await;
    let before = world.generation();
    let methods = [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::TRACE,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::from_bytes(b"QUERY").unwrap(),
    ];
    for path in paths() {
        for method in &methods {
            for (session, status) in [
                (None, None),
                (Some("nobody"), Some(StatusCode::UNAUTHORIZED)),
                (Some("user"), Some(StatusCode::FORBIDDEN)),
                (Some("panic"), Some(StatusCode::INTERNAL_SERVER_ERROR)),
                (Some("error"), Some(StatusCode::INTERNAL_SERVER_ERROR)),
                (Some("blank"), Some(StatusCode::INTERNAL_SERVER_ERROR)),
            ] {
                let rest = path.starts_with("/api");
                // Somebody's token does not help.
                let mut request = Asking::form(&path, &[("token", &token), ("id", "x"), ("pattern", "x")])
                    .field("x-taa-console", "1")
                    .field("sec-fetch-site", "same-origin");
                request.method = method.clone();
                if let Some(session) = session {
                    request = request.field("x-session", session);
                }
                let answer = world.send(request).await;
                let browses = method.is_safe() && !rest;
                let wanted =
                    status.unwrap_or(if browses { StatusCode::SEE_OTHER } else { StatusCode::UNAUTHORIZED });
                assert_eq!(answer.status, wanted, "{method} {path} {session:?}");
                if wanted == StatusCode::SEE_OTHER {
                    // The check sees the path as it came in.
                    let path = if path == "/" { "" } else { path.as_str() };
                    let page = format!("/login?page={}{path}", world.base);
                    assert_eq!(answer.header("location"), page, "{method} {path}");
                }
                for inside in ["tracker:1", "Own certificate", "fingerprint", "<form", "name=\"token\""] {
                    assert!(!answer.text.contains(inside), "{method} {path} {session:?} shows {inside}");
                }
            }
        }
    }
    assert_eq!(world.store.poll().await.unwrap().generation, before, "and nothing has changed");
}

#[tokio::test]
async fn what_is_said_to_whom() {
    let world = World::new().await;
    let page = world.send(Asking::get("/").field("x-session", "nobody")).await.page();
    assert_eq!(page.heading(), "Log in first");
    let page = world.send(Asking::get("/").field("x-session", "user")).await.page();
    assert_eq!(page.heading(), "Administrators only");
    page.says("Back to Tracker <1>");
    let page = world.send(Asking::get("/").field("x-session", "panic")).await.page();
    assert_eq!(page.heading(), "Something went wrong");
    // What was to be changed is not sent on elsewhere.
    let page = world.send(Asking::form("/users", &[("pattern", "x")])).await.page();
    assert!(page.links().contains(&"/login?page=/admin/trust/users"), "{:?}", page.links());

    let json = world.send(Asking::get("/api/applications")).await.is(StatusCode::UNAUTHORIZED).json();
    assert_eq!(
        (&json["error"], &json["at"]),
        (&"not_logged_in".into(), &"/login?page=/admin/trust/api/applications".into())
    );
    let json = world.send(Asking::get("/api/applications").field("x-session", "user")).await.json();
    assert_eq!(json["error"], "not_administrator");
    let json = world.send(Asking::get("/api/nowhere").field("x-session", "error")).await.json();
    assert_eq!(json["error"], "internal");
}

#[tokio::test]
async fn who_has_to_confirm_may_look_and_change_nothing() {
    let world = World::new().await;
    let before = world.generation();
    let look = world.send(Asking::get("/users").field("x-session", "stale")).await.is(StatusCode::OK);
    let page = look.page();
    page.says("Confirm who you are before you change anything.");
    assert!(page.links().contains(&"/login/confirm"));
    let token = page.value("token").unwrap();
    let change =
        Asking::form("/users", &[("token", &token), ("pattern", "fred")]).field("x-session", "stale");
    let page = world.send(change).await.is(StatusCode::FORBIDDEN).page();
    assert_eq!(page.heading(), "Confirm who you are");
    assert!(page.links().contains(&"/login/confirm"));
    let mut call = Asking::new(Method::POST, "/api/revoked-users")
        .field("x-session", "stale")
        .field("x-taa-console", "1")
        .field("content-type", "application/json");
    call.content = "{\"pattern\":\"fred\"}".into();
    let json = world.send(call).await.is(StatusCode::FORBIDDEN).json();
    assert_eq!((&json["error"], &json["at"]), (&"confirmation_required".into(), &"/login/confirm".into()));
    assert_eq!(world.store.poll().await.unwrap().generation, before);
}
