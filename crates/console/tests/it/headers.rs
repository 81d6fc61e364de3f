//! What every answer says to browsers.

use http::{Method, StatusCode};

use crate::world::{Answer, Asking, World};

#[track_caller]
fn guarded(answer: &Answer, what: &str) {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                  frame-ancestors 'none'";
    for (name, value) in [
        ("content-security-policy", policy),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        let all: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(all, [value], "{what}: {name}");
    }
    assert!(!answer.headers.contains_key("access-control-allow-origin"), "{what}");
    for inline in ["<script", "<style", " style=\"", "onclick", "javascript:"] {
        assert!(!answer.text.contains(inline), "{what}: {inline}");
    }
}

#[tokio::test]
async fn on_every_answer() {
    let world = World::new().await;
    let form = |session: &str| {
        Asking::form("/users", &[("token", "x"), ("pattern", "x")]).field("x-session", session)
    };
    let token = world.token().await;
    let lost = World::new().await;
    lost.store.close().await;
    let cases = [
        (StatusCode::OK, Asking::get("/").anna()),
        (StatusCode::OK, Asking::get("/style.css").anna()),
        (StatusCode::OK, Asking::get("/icon.svg").anna()),
        (StatusCode::OK, Asking::get("/api/openapi.json").anna()),
        (StatusCode::OK, Asking::new(Method::HEAD, "/own").anna()),
        (StatusCode::SEE_OTHER, Asking::get("/")),
        (StatusCode::SEE_OTHER, Asking::form("/users", &[("token", &token), ("pattern", "x")]).anna()),
        (StatusCode::UNAUTHORIZED, form("nobody")),
        (StatusCode::FORBIDDEN, form("user")),
        (StatusCode::FORBIDDEN, form("anna/1")),
        (StatusCode::FORBIDDEN, form("anna/1").field("sec-fetch-site", "cross-site")),
        (StatusCode::FORBIDDEN, form("stale")),
        (StatusCode::INTERNAL_SERVER_ERROR, Asking::get("/").field("x-session", "panic")),
        (StatusCode::INTERNAL_SERVER_ERROR, Asking::get("/api/own").field("x-session", "error")),
        (StatusCode::NOT_FOUND, Asking::get("/nowhere").anna()),
        (StatusCode::NOT_FOUND, Asking::get("/api/nowhere").anna()),
        (StatusCode::NOT_FOUND, Asking::get("/application?id=nobody").anna()),
        (StatusCode::METHOD_NOT_ALLOWED, Asking::get("/own/publish").anna()),
        (StatusCode::METHOD_NOT_ALLOWED, Asking::get("/api/own/keys").anna()),
        (StatusCode::UNPROCESSABLE_ENTITY, Asking::form("/users", &[("token", &token)]).anna()),
        (StatusCode::UNPROCESSABLE_ENTITY, Asking::get("/audit?since=soon").anna()),
        (StatusCode::BAD_REQUEST, Asking::get("/application/delete").anna()),
    ];
    for (status, request) in cases {
        let what = format!("{} {}", request.method, request.path);
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{what}");
        guarded(&answer, &what);
    }
    for path in ["/", "/api/applications"] {
        let answer = lost.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        guarded(&answer, path);
    }
}

#[tokio::test]
async fn failures_below_api_are_json() {
    let world = World::new().await;
    for (request, status, word) in [
        (Asking::get("/api/nowhere").anna(), StatusCode::NOT_FOUND, "not_found"),
        (Asking::get("/api").anna(), StatusCode::NOT_FOUND, "not_found"),
        (Asking::get("/api/own/keys").anna(), StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        (Asking::get("/api/audit?limit=x").anna(), StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields"),
        (Asking::get("/api/applications/x").anna(), StatusCode::NOT_FOUND, "not_found"),
        (Asking::get("/api/applications/%ff").anna(), StatusCode::BAD_REQUEST, "malformed"),
    ] {
        let answer = world.send(request.clone()).await.is(status);
        assert_eq!(answer.json()["error"], word, "{}", request.path);
    }
}
