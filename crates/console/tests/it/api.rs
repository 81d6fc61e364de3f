//! REST: it does what the pages do, says what is wrong in one way, and is what its document says.

use std::collections::BTreeSet;
use std::path::Path;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use taa_console::Console;

use crate::peers::Peer;
use crate::world::{Asking, World};

fn rules() -> Value {
    json!({
        "addresses": ["192.0.2.0/24", "2001:db8::7"],
        "paths": ["/rest", "/a%2Cb"],
        "methods": ["GET", "HEAD"],
        "never_as": ["admin", "Mary Ann"],
        "timeout_ms": 30000,
        "min_protocol": 4,
        "allow_repeats": false,
    })
}

#[tokio::test]
async fn trust_from_first_to_last() {
    let (world, mut peer) = (World::new().await, Peer::wiki().await);
    let fetched = world.call(Method::POST, "/set-ups", Some(json!({"base_url": peer.url()}))).await;
    let fetched = fetched.is(StatusCode::CREATED).json();
    assert_eq!(fetched["fingerprint"], peer.fingerprint());
    assert_eq!((&fetched["application"], &fetched["can_be_saved"]), (&json!("wiki:1"), &json!(true)));
    assert_eq!(fetched["lapses_at"], "2026-09-21T15:13:20.000Z");
    assert_eq!(fetched["suggested_rules"]["addresses"], json!(["127.0.0.1"]));
    let id = fetched["id"].as_str().unwrap();
    assert_eq!(world.json(&format!("/set-ups/{id}")).await, fetched);

    let save = |fingerprint: &str, more: Value| {
        let mut save = json!({"fingerprint": fingerprint});
        save.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(save)
    };
    let path = format!("/set-ups/{id}/save");
    let both = json!({"incoming": {"name": "Wiki", "rules": rules()}, "outgoing": {"lifetime_s": 120}});
    let wrong =
        world.call(Method::POST, &path, save("AAAA", both.clone())).await.is(StatusCode::CONFLICT).json();
    assert_eq!(wrong["error"], "conflict");
    world.call(Method::POST, &path, Some(both.clone())).await.is(StatusCode::BAD_REQUEST);
    world.call(Method::POST, &path, save(&peer.fingerprint(), json!({}))).await.is(StatusCode::CONFLICT);
    let saved = world
        .call(Method::POST, &path, save(&peer.fingerprint(), both.clone()))
        .await
        .is(StatusCode::OK)
        .json();
    assert_eq!(saved["application"]["rules"], rules());
    assert_eq!(
        (&saved["application"]["name"], &saved["server"]["lifetime_s"]),
        (&json!("Wiki"), &json!(120))
    );
    assert_eq!(saved["server"]["name"], "Engineering wiki");
    world.call(Method::POST, &path, save(&peer.fingerprint(), both)).await.is(StatusCode::NOT_FOUND);

    // What is read can be sent back.
    let read = world.json("/applications/wiki:1").await;
    assert_eq!(world.json("/applications").await["applications"][0], read);
    let change = json!({"version": read["version"], "name": "Other", "rules": read["rules"]});
    let changed =
        world.call(Method::PUT, "/applications/wiki:1", Some(change.clone())).await.is(StatusCode::OK).json();
    assert_eq!(
        (&changed["name"], &changed["rules"], &changed["updated"]["by"]),
        (&json!("Other"), &rules(), &json!("anna"))
    );
    let stale =
        world.call(Method::PUT, "/applications/wiki:1", Some(change)).await.is(StatusCode::CONFLICT).json();
    assert_eq!(stale["error"], "changed");

    let off = world.call(Method::POST, "/applications/wiki:1/disable", None).await.json();
    assert_eq!((&off["enabled"], &off["conditions"][0]["kind"]), (&json!(false), &json!("off")));
    let on = world.call(Method::POST, "/applications/wiki:1/enable", None).await.json();
    assert_eq!(on["enabled"], true);

    peer.say(|says| says.seq = 2);
    let refreshed = world.call(Method::POST, "/applications/wiki:1/refresh", None).await.json();
    assert_eq!(refreshed, json!({"outcome": "taken", "message": null}));
    let refreshed = world.call(Method::POST, "/servers/wiki:1/refresh", None).await.json();
    assert_eq!(refreshed["outcome"], "same");
    peer.say(|says| says.seq = 1);
    let refreshed = world.call(Method::POST, "/servers/wiki:1/refresh", None).await.json();
    assert_eq!(refreshed["outcome"], "kept");
    assert!(refreshed["message"].as_str().unwrap().contains("older"));

    let again = world.call(Method::POST, "/set-ups/again", Some(json!({"application": "wiki:1"}))).await;
    let again = again.is(StatusCode::CREATED).json();
    let kinds: Vec<_> =
        again["remarks"].as_array().unwrap().iter().map(|remark| remark["kind"].clone()).collect();
    assert!(kinds.contains(&json!("known")) && kinds.contains(&json!("unannounced")), "{kinds:?}");
    let path = format!("/set-ups/{}", again["id"].as_str().unwrap());
    world.call(Method::DELETE, &path, None).await.is(StatusCode::NO_CONTENT);
    world.call(Method::GET, &path, None).await.is(StatusCode::NOT_FOUND);

    let keys = world.json("/applications/wiki:1").await["keys"].clone();
    let key = keys.as_array().unwrap().iter().find(|key| key["purpose"] == "signing").unwrap()["id"].clone();
    let path = format!("/applications/wiki:1/keys/{}/revoke", key.as_str().unwrap());
    let revoked = world.call(Method::POST, &path, None).await.is(StatusCode::OK).json();
    assert_eq!(revoked["revoked_keys"], json!([key]));

    let server = world.json("/servers/wiki:1").await;
    assert_eq!(world.json("/servers").await["servers"][0], server);
    let change = json!({
        "version": server["version"], "name": "S", "base_url": "https://wiki.example/", "protocol": 3, "lifetime_s": 60,
        "require_content_digest": true, "insecure_allow_http": false,
    });
    let changed =
        world.call(Method::PUT, "/servers/wiki:1", Some(change.clone())).await.is(StatusCode::OK).json();
    assert_eq!((&changed["base_url"], &changed["lifetime_s"]), (&json!("https://wiki.example/"), &json!(60)));
    assert_eq!(changed["protocol"], 3);
    world.call(Method::PUT, "/servers/wiki:1", Some(change)).await.is(StatusCode::CONFLICT);
    let off = world.call(Method::POST, "/servers/wiki:1/disable", None).await.json();
    assert_eq!((&off["enabled"], &off["lifetime_s"]), (&json!(false), &json!(60)));
    world.call(Method::POST, "/servers/wiki:1/enable", None).await.is(StatusCode::OK);
    for list in ["servers", "applications"] {
        world.call(Method::DELETE, &format!("/{list}/wiki:1"), None).await.is(StatusCode::NO_CONTENT);
        world.call(Method::DELETE, &format!("/{list}/wiki:1"), None).await.is(StatusCode::NOT_FOUND);
        assert_eq!(world.json(&format!("/{list}")).await[list], json!([]));
    }
    // Everything is in the trail, by name.
    let trail = world.json("/audit?actor=anna&limit=1000").await;
    let actions: BTreeSet<_> = trail["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect();
    for action in [
        "application.added",
        "application.changed",
        "application.disabled",
        "application.removed",
        "server.removed",
    ] {
        assert!(actions.contains(action), "{action}: {actions:?}");
    }
}

#[tokio::test]
async fn malformed_and_wrong_are_two_things() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    world.trust(&peer, true, true).await;
    let version = world.json("/applications/wiki:1").await["version"].clone();
    let before = world.generation();
    let send = async |content: &str| {
        let mut request =
            Asking::new(Method::PUT, "/api/applications/wiki:1").anna().field("x-taa-console", "1");
        request = request.field("content-type", "application/json; charset=utf-8");
        request.content = content.to_owned();
        world.send(request).await
    };
    let good = json!({"version": version, "name": "x", "rules": rules()});
    let without = |name: &str| {
        let mut less = good.clone();
        less["rules"].as_object_mut().unwrap().remove(name);
        less.to_string()
    };
    let mut more = good.clone();
    more["rules"]["min_protcol"] = json!(2);
    let mut twice = good.to_string();
    twice.insert_str(1, "\"name\":\"y\",");
    for content in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        "x=y",
        &without("never_as"),
        &without("min_protocol"),
        &without("addresses"),
        &without("allow_repeats"),
        &more.to_string(),
        &twice,
        &good.to_string().replace("30000", "-1"),
        &good.to_string().replace("30000", "\"30000\""),
        &good.to_string().replace("[\"GET\",\"HEAD\"]", "\"GET\""),
    ] {
        let json = send(content).await.is(StatusCode::BAD_REQUEST).json();
        assert_eq!(json["error"], "malformed", "{content}");
        assert_eq!(json["fields"], json!([]));
    }
    for (name, value, field) in [
        ("addresses", json!([]), "addresses"),
        ("addresses", json!(["blah"]), "addresses"),
        ("addresses", json!(["192.0.2.1,192.0.2.2"]), "addresses"),
        ("paths", json!(["/a,/b"]), "paths"),
        ("paths", json!(["/a", ""]), "paths"),
        ("paths", json!(["rest"]), "paths"),
        ("methods", json!(["GET POST"]), "methods"),
        ("never_as", json!(["a,b"]), "never_as"),
        ("timeout_ms", json!(0), "timeout_ms"),
        ("timeout_ms", json!(60_001), "timeout_ms"),
        ("min_protocol", json!(1), "min_protocol"),
        ("min_protocol", json!(5), "min_protocol"),
    ] {
        let mut wrong = good.clone();
        wrong["rules"][name] = value.clone();
        let json = send(&wrong.to_string()).await.is(StatusCode::UNPROCESSABLE_ENTITY).json();
        assert_eq!(
            (&json["error"], &json["fields"][0]["field"]),
            (&json!("invalid_fields"), &json!(field)),
            "{name} {value}"
        );
        assert!(!json["fields"][0]["message"].as_str().unwrap().is_empty());
    }
    for (path, content) in [
        ("/set-ups", json!({"base_url": "https://x", "base": 1})),
        ("/set-ups", json!({"url": "https://x"})),
        ("/revoked-users", json!({"user": "x"})),
        ("/own/keys", json!({"purpose": "exported"})),
        ("/own/keys/promote", json!({"purpose": "signing", "at_once": true})),
    ] {
        world.call(Method::POST, path, Some(content.clone())).await.is(StatusCode::BAD_REQUEST);
    }
    let server = json!({"version": 1, "name": "", "base_url": "x", "protocol": 1, "lifetime_s": 0, "require_content_digest": false, "insecure_allow_http": false});
    let json = world
        .call(Method::PUT, "/servers/wiki:1", Some(server))
        .await
        .is(StatusCode::UNPROCESSABLE_ENTITY)
        .json();
    let fields: Vec<_> =
        json["fields"].as_array().unwrap().iter().map(|field| field["field"].clone()).collect();
    assert_eq!(fields, ["name", "base_url", "protocol", "lifetime_s"]);
    assert_eq!(world.store.poll().await.unwrap().generation, before);
}

#[tokio::test]
async fn broken_records_are_listed_and_can_be_deleted() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    world.trust(&peer, true, true).await;
    world.sql("UPDATE taa_applications SET rules = '{', app_id = 'a/b?c'").await;
    world.sql("UPDATE taa_servers SET base_url = 'x'").await;
    world.sql("UPDATE taa_state SET generation = generation + 1").await;
    let list = world.json("/applications").await;
    assert_eq!((&list["applications"], &list["broken"][0]["id"]), (&json!([]), &json!("a/b?c")));
    world.call(Method::GET, "/applications/a%2Fb%3Fc", None).await.is(StatusCode::NOT_FOUND);
    world.call(Method::DELETE, "/applications/a%2Fb%3Fc", None).await.is(StatusCode::NO_CONTENT);
    assert_eq!(world.json("/servers").await["broken"][0]["id"], "wiki:1");
    world.call(Method::DELETE, "/servers/wiki:1", None).await.is(StatusCode::NO_CONTENT);
    assert_eq!(world.json("/applications").await["broken"], json!([]));
}

#[tokio::test]
async fn before_there_is_an_identity() {
    let world = World::empty().await;
    let json = world.call(Method::GET, "/own", None).await.is(StatusCode::CONFLICT).json();
    assert_eq!(json["error"], "conflict");
    assert!(json["message"].as_str().unwrap().contains("taa init"));
}

#[test]
fn the_document_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == Console::openapi().unwrap() + "\n",
        "openapi.json is out of date: cargo run -p taa-console --example openapi > crates/console/openapi.json"
    );
}

#[tokio::test]
async fn the_document_is_what_is_served() {
    let world = World::new().await;
    let served = world.json("/openapi.json").await;
    let document: Value = serde_json::from_str(&Console::openapi().unwrap()).unwrap();
    assert_eq!(served, document);
    assert_eq!(served["servers"][0]["url"], "../api");
    let (mut ids, mut operations) = (BTreeSet::new(), 0);
    for (path, item) in served["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} stands twice");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{id}");
            assert_eq!(
                operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"],
                "#/components/schemas/Error"
            );
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(
                    response["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{id} {status}"
                );
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let field = parameters.iter().any(|parameter| parameter["name"] == "X-TAA-Console");
            assert_eq!(field, method != "get", "{id}");
            // It is there: the router knows path and method.
            let path = path.replace("{id}", "x").replace("{key}", "y");
            let mut request =
                Asking::new(method.to_uppercase().parse().unwrap(), &format!("/api{path}")).anna();
            request = request.field("x-taa-console", "1").field("content-type", "application/json");
            let answer = world.send(request).await;
            let unknown = answer.status == StatusCode::NOT_FOUND
                && answer.json()["message"] == "There is no such page.";
            assert!(
                !unknown && answer.status != StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}: {}",
                answer.text
            );
        }
    }
    assert!(operations > 30, "{operations}");
    // Every schema that is referred to is there.
    let text = served.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(served["components"]["schemas"].get(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn answers_are_what_their_schemas_say() {
    let (world, peer) = (World::new().await, Peer::wiki().await);
    world.trust(&peer, true, true).await;
    world.store.revoke_user("x".parse().unwrap(), &taa_store::model::Actor::new("anna")).await.unwrap();
    let document: Value = serde_json::from_str(&Console::openapi().unwrap()).unwrap();
    for (path, schema) in [
        ("/applications", "ApplicationList"),
        ("/applications/wiki:1", "Application"),
        ("/servers", "ServerList"),
        ("/servers/wiki:1", "Server"),
        ("/own", "Own"),
        ("/revoked-users", "RevokedUserList"),
        ("/audit", "AuditPage"),
        ("/audit/verify", "AuditReport"),
        ("/what-if?application=wiki:1&user=fred", "WhatIf"),
        ("/system", "System"),
    ] {
        let answer = world.json(path).await;
        fits(&answer, &json!({"$ref": format!("#/components/schemas/{schema}")}), &document, path);
    }
    let error = world.call(Method::GET, "/applications/x", None).await.json();
    fits(&error, &json!({"$ref": "#/components/schemas/Error"}), &document, "error");
}

/// Whether a value has the members and types its schema names, and no others.
fn fits(value: &Value, schema: &Value, document: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return fits(value, &document["components"]["schemas"][name], document, &format!("{at} {name}"));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let null = choices.iter().any(|choice| choice["type"] == "null");
        if value.is_null() {
            assert!(null, "{at}: null");
            return;
        }
        if choices.iter().any(|choice| choice.get("enum").is_some()) {
            let fits =
                choices.iter().any(|choice| choice["enum"].as_array().is_some_and(|all| all.contains(value)));
            assert!(fits, "{at}: {value}");
            return;
        }
        let choice = choices.iter().find(|choice| choice["type"] != "null").unwrap();
        return fits(value, choice, document, at);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&kind), "{at}: {value} is no {types:?}");
    if let Some(all) = schema["enum"].as_array() {
        assert!(all.contains(value), "{at}: {value}");
    }
    if let (Some(items), Some(members)) = (value.as_array(), schema.get("items")) {
        for item in items {
            fits(item, members, document, at);
        }
    }
    if let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, member) in members {
            let property =
                properties.get(name).unwrap_or_else(|| panic!("{at}: {name} is not in the document"));
            fits(member, property, document, &format!("{at}.{name}"));
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(members.contains_key(name.as_str().unwrap()), "{at}: {name} is missing");
        }
    }
}
