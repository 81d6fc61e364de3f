//! This application's own certificate and keys.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use taa_core::certificate::KeyStatus;
use taa_store::model::KeyPurpose;

use crate::world::World;

fn keys(world: &World, purpose: KeyPurpose) -> Vec<(KeyStatus, String)> {
    let snapshot = world.store.snapshot();
    let keys = snapshot.own.as_ref().unwrap().keys.iter().filter(|key| key.purpose == purpose);
    keys.map(|key| (key.status, key.id.to_string())).collect()
}

fn fingerprint(world: &World) -> String {
    world.store.snapshot().own.as_ref().unwrap().certificate.fingerprint().to_string()
}

#[tokio::test]
async fn what_others_compare() {
    let world = World::new().await;
    let page = world.page("/own").await;
    page.says(&fingerprint(&world))
        .says("tracker:1")
        .says("https://tracker.example/jira/.well-known/taa-certificate")
        .says("The private keys are not sealed at rest");
    let document = world.store.snapshot().own.as_ref().unwrap().certificate.document().to_owned();
    page.says(&document);
    assert_eq!(keys(&world, KeyPurpose::Signing).len(), 1);
}

#[tokio::test]
async fn a_key_is_rotated_after_a_day() {
    let world = World::new().await;
    let before = fingerprint(&world);
    assert_eq!(
        world.post("/own/publish", &[("purpose", "signing")]).await.location(),
        "/own?done=key-published"
    );
    world
        .page("/own?done=key-published")
        .await
        .says("A next key was made")
        .says("from 22 Sep 2026, 14:13 UTC on");
    let next = keys(&world, KeyPurpose::Signing).into_iter().find(|key| key.0 == KeyStatus::Next).unwrap().1;
    // A second one is too many.
    world
        .post("/own/publish", &[("purpose", "signing")])
        .await
        .is(StatusCode::CONFLICT)
        .page()
        .says("This was not done");

    let ask = world.page("/own/promote?purpose=signing").await;
    ask.says(&next).says("It was published less than a day ago");
    assert!(ask.checked("at_once").is_empty());
    world.post("/own/promote", &[("purpose", "signing")]).await.is(StatusCode::CONFLICT);
    assert_eq!(fingerprint(&world), before);

    world.pass(Duration::from_secs(86_400));
    let ask = world.page("/own/promote?purpose=signing").await;
    assert!(!ask.shows("less than a day") && ask.value("at_once").is_none());
    world.post("/own/promote", &[("purpose", "signing")]).await.location();
    let all = keys(&world, KeyPurpose::Signing);
    assert!(all.contains(&(KeyStatus::Current, next)) && all.iter().any(|key| key.0 == KeyStatus::Previous));
    assert_ne!(fingerprint(&world), before);

    assert!(world.post("/own/remove-ended", &[]).await.location().ends_with("no-ended-keys"));
    world.pass(Duration::from_secs(86_400 + 16 * 60));
    world.page("/own").await.says("ended").says("Delete ended keys");
    assert!(world.post("/own/remove-ended", &[]).await.location().ends_with("keys-removed"));
    assert_eq!(keys(&world, KeyPurpose::Signing).len(), 1);
    assert!(!world.page("/own").await.shows("Delete ended keys"));
}

#[tokio::test]
async fn at_once_only_when_it_is_said() {
    let world = World::new().await;
    assert_eq!(
        world.get("/own/promote?purpose=decryption").await.status,
        StatusCode::NOT_FOUND,
        "there is no next key"
    );
    world.post("/own/publish", &[("purpose", "decryption")]).await.location();
    world.post("/own/promote", &[("purpose", "decryption"), ("at_once", "")]).await.is(StatusCode::CONFLICT);
    let done = world.post("/own/promote", &[("purpose", "decryption"), ("at_once", "true")]).await.location();
    assert_eq!(done, "/own?done=key-promoted");
    for (path, purpose) in [("/own/publish", "x"), ("/own/promote", "")] {
        assert_eq!(world.post(path, &[("purpose", purpose)]).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_key_that_leaked_is_revoked() {
    let world = World::new().await;
    let (before, leaked) = (fingerprint(&world), keys(&world, KeyPurpose::Signing)[0].1.clone());
    let page = world.page(&format!("/own/revoke?key={leaked}")).await;
    page.says(&leaked).says("This is for emergencies").says("Tell the administrators of all peers");
    assert_eq!(world.post("/own/revoke", &[("key", &leaked)]).await.location(), "/own?done=key-revoked");
    assert_ne!(fingerprint(&world), before);
    let now = keys(&world, KeyPurpose::Signing);
    assert_eq!(now.len(), 1);
    assert!(now[0].0 == KeyStatus::Current && now[0].1 != leaked);
    for key in [leaked.as_str(), "x", ""] {
        assert_eq!(world.get(&format!("/own/revoke?key={key}")).await.status, StatusCode::NOT_FOUND, "{key}");
        assert_eq!(world.post("/own/revoke", &[("key", key)]).await.status, StatusCode::NOT_FOUND, "{key}");
    }
}

#[tokio::test]
async fn a_key_of_the_older_versions_is_made_once() {
    let world = World::new().await;
    world.page("/own").await.says("Make a key for versions 2 and 3");
    world.post("/own/publish", &[("purpose", "legacy")]).await.location();
    let page = world.page("/own").await;
    page.says("https://tracker.example/jira/admin/appTrustCertificate");
    assert!(!page.shows("Make a key for versions 2 and 3"));
    world.post("/own/publish", &[("purpose", "legacy")]).await.is(StatusCode::CONFLICT);
}

#[tokio::test]
async fn name_and_base_url() {
    let world = World::new().await;
    for (fields, wrong) in [
        ([("name", ""), ("base_url", "https://x.example/")], &["f-name-error"][..]),
        ([("name", "T"), ("base_url", "x.example")], &["f-base_url-error"]),
        ([("name", " "), ("base_url", "")], &["f-name-error", "f-base_url-error"]),
    ] {
        let page = world.post("/own/profile", &fields).await.is(StatusCode::UNPROCESSABLE_ENTITY).page();
        let errors: Vec<_> = page.errors().into_iter().map(|(id, _)| id).collect();
        assert_eq!(errors, wrong);
        assert!(page.all("details").any(|tag| tag.has("open")), "the fields are seen");
    }
    world.post("/own/profile", &[("name", "New"), ("base_url", "https://new.example/")]).await.location();
    let snapshot = world.store.snapshot();
    let content = snapshot.own.as_ref().unwrap().certificate.content().clone();
    assert_eq!(
        (content.name.as_str(), content.base_url.as_str(), content.seq),
        ("New", "https://new.example/", 2)
    );
}

#[tokio::test]
async fn rest_does_the_same_and_no_answer_has_a_secret() {
    let world = World::new().await;
    let made = world.call(Method::POST, "/own/keys", Some(json!({"purpose": "signing"}))).await;
    let made = made.is(StatusCode::CREATED).json();
    assert_eq!((&made["status"], &made["purpose"]), (&json!("next"), &json!("signing")));
    assert_eq!(made["promotable_at"], "2026-09-22T14:13:20.000Z");
    let early = json!({"purpose": "signing"});
    let answer = world.call(Method::POST, "/own/keys/promote", Some(early.clone())).await;
    assert_eq!(answer.is(StatusCode::CONFLICT).json()["error"], "conflict");
    world.pass(Duration::from_secs(86_400));
    let answer = world.call(Method::POST, "/own/keys/promote", Some(early)).await.is(StatusCode::OK).json();
    assert_eq!((&answer["id"], &answer["status"]), (&made["id"], &json!("current")));
    let at_once = json!({"purpose": "decryption", "insecure_at_once": true});
    world.call(Method::POST, "/own/keys/promote", Some(at_once)).await.is(StatusCode::CONFLICT);
    let id = made["id"].as_str().unwrap();
    let own =
        world.call(Method::POST, &format!("/own/keys/{id}/revoke"), None).await.is(StatusCode::OK).json();
    assert_eq!(own["fingerprint"], fingerprint(&world));
    let removed = world.call(Method::POST, "/own/keys/remove-ended", None).await.json();
    assert_eq!(removed, json!({"removed": 0}));
    let profile = json!({"name": "N", "base_url": "https://n.example/"});
    let own = world.call(Method::PUT, "/own/profile", Some(profile)).await.is(StatusCode::OK).json();
    assert_eq!(own["certificate"]["name"], "N");
    let bad = world.call(Method::PUT, "/own/profile", Some(json!({"name": "", "base_url": "x"}))).await;
    let bad = bad.is(StatusCode::UNPROCESSABLE_ENTITY).json();
    assert_eq!(
        (&bad["fields"][0]["field"], &bad["fields"][1]["field"]),
        (&json!("name"), &json!("base_url"))
    );

    // The private parts as they lie in the database, in the forms they could be shown in.
    use sqlx::{ConnectOptions, Row};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&world.database);
    let mut connection = options.connect().await.unwrap();
    let rows = sqlx::query("SELECT private FROM taa_own_keys").fetch_all(&mut connection).await.unwrap();
    assert!(!rows.is_empty());
    let middles: Vec<Vec<u8>> = rows
        .iter()
        .map(|row| {
            let private: Vec<u8> = row.get(0);
            private[private.len() / 2..private.len() / 2 + 24].to_vec()
        })
        .collect();
    for path in ["/own", "/audit", "/system", "/api/own", "/api/audit", "/api/system", "/api/applications"] {
        let text = world.get(path).await.text;
        assert!(!text.contains("PRIVATE KEY"), "{path}");
        for middle in &middles {
            let hex: String = middle.iter().map(|byte| format!("{byte:02x}")).collect();
            // Base64 at each of the three offsets; the ends depend on their neighbours.
            let base64 = (0..3).map(|offset| base64_of(&middle[offset..offset + 21]));
            for form in base64.chain([hex]) {
                assert!(!text.contains(&form), "{path}");
            }
        }
    }
}

fn base64_of(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0usize, |number, byte| number << 8 | usize::from(*byte));
        for shift in [18, 12, 6, 0] {
            text.push(char::from(LETTERS[number >> shift & 63]));
        }
    }
    text
}
