//! The signer: servers and own keys from the store.

use http::{HeaderValue, Request};
use taa_client::{SignError, Signer};
use taa_core::envelope::Lifetime;
use taa_core::id::UserName;
use taa_core::policy::Protocol;
use taa_service::{Keeper, Problem};
use taa_store::model::{KeyPurpose, NewServer, Promotion, ServerUpdate};
use taa_store::{Store, StoreError};

use super::world::*;

fn sign(signer: &Signer, url: &str) -> Result<http::request::Parts, SignError> {
    let (mut head, ()) = Request::get(url).body(()).unwrap().into_parts();
    signer.sign(&mut head, &UserName::parse("fred").unwrap(), None)?;
    Ok(head)
}

fn session(signer: &Signer, url: &str) -> HeaderValue {
    sign(signer, url).unwrap().headers[taa_core::fields::KEY].clone()
}

async fn update(store: &Store, name: &str, change: impl FnOnce(&mut ServerUpdate)) {
    let snapshot = store.snapshot();
    let held = snapshot.server(name).unwrap();
    let mut update = ServerUpdate::of(held);
    change(&mut update);
    store.update_server(&id(name), update, &admin()).await.unwrap();
}

const ONE: &str = "https://one.example/a";
const TWO: &str = "https://two.example/a";

#[tokio::test]
async fn servers_come_and_go_with_the_store() {
    let place = Place::new();
    let store = place.initialised().await;
    let keeper = Keeper::new(store.clone(), provider()).unwrap();
    let signer = keeper.signer().unwrap();
    assert_eq!(sign(&signer, ONE).err(), Some(SignError::UnknownServer));
    for (name, url, number) in [("one", "https://one.example/", 0), ("two", "https://two.example/", 1)] {
        store.add_server(server(peer(name, url, 1, number).certificate()), &admin()).await.unwrap();
    }
    let (one, two) = (session(&signer, ONE), session(&signer, TWO));
    // One that has changed begins a new session, the other goes on with its own.
    update(&store, "one", |update| update.lifetime = Lifetime::from_secs(60).unwrap()).await;
    assert_ne!(session(&signer, ONE), one);
    assert_eq!(session(&signer, TWO), two);
    let one = session(&signer, ONE);
    store.note_use(&[]).await.unwrap();
    store.poll().await.unwrap();
    update(&store, "two", |update| update.name = "Second".into()).await;
    assert_eq!((session(&signer, ONE), session(&signer, TWO)), (one, two), "a name is nothing to the wire");

    update(&store, "two", |update| update.enabled = false).await;
    assert_eq!(sign(&signer, TWO).err(), Some(SignError::UnknownServer));
    update(&store, "two", |update| update.enabled = true).await;
    session(&signer, TWO);
    // Moved.
    update(&store, "two", |update| update.base_url = "https://new.example/".parse().unwrap()).await;
    assert_eq!(sign(&signer, TWO).err(), Some(SignError::UnknownServer));
    session(&signer, "https://new.example/a");
    store.remove_server("one", &admin()).await.unwrap();
    assert_eq!(sign(&signer, ONE).err(), Some(SignError::UnknownServer));
    assert!(keeper.problems().is_empty());
    assert_eq!(keeper.signer().unwrap().servers().len(), 1, "the same signer");
}

/// A store with one server in it.
async fn calling_one(place: &Place) -> Store {
    let store = place.initialised().await;
    let one = server(peer("one", "https://one.example/", 1, 0).certificate());
    store.add_server(one, &admin()).await.unwrap();
    store
}

#[tokio::test]
async fn a_rotated_signing_key_signs_the_next_session() {
    let place = Place::new();
    let store = calling_one(&place).await;
    let signer = Keeper::new(store.clone(), provider()).unwrap();
    let (keeper, signer) = (signer.clone(), signer.signer().unwrap());
    let before = session(&signer, ONE);
    let next = store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    assert_eq!(session(&signer, ONE), before, "it is only published");
    store.promote_key(KeyPurpose::Signing, Promotion::InsecureAtOnce, &admin()).await.unwrap();
    let (mut head, ()) = Request::get(ONE).body(()).unwrap().into_parts();
    let pending = signer.sign(&mut head, &UserName::parse("fred").unwrap(), None).unwrap();
    assert_eq!(pending.session().unwrap().head().signing_key, next.short());
    // That it was used is noted for the server.
    keeper.run_until(std::future::ready(())).await;
    let snapshot = store.poll().await.unwrap();
    assert_eq!(snapshot.server("one").unwrap().last_used, Some(START));
}

fn version(signer: &Signer, url: &str) -> HeaderValue {
    sign(signer, url).unwrap().headers[taa_core::fields::VERSION].clone()
}

#[tokio::test]
async fn a_changed_version_is_spoken_in_the_next_request() {
    let place = Place::new();
    let store = place.initialised().await;
    store.publish_next_key(KeyPurpose::Legacy, &admin()).await.unwrap();
    for (name, url, number) in [("one", "https://one.example/", 0), ("two", "https://two.example/", 1)] {
        store.add_server(server(peer(name, url, 1, number).certificate()), &admin()).await.unwrap();
    }
    let keeper = Keeper::new(store.clone(), provider()).unwrap();
    let signer = keeper.signer().unwrap();
    let (first, two) = (session(&signer, ONE), session(&signer, TWO));
    for protocol in [Protocol::V3, Protocol::V2, Protocol::V4] {
        update(&store, "one", |update| update.protocol = protocol).await;
        assert_eq!(version(&signer, ONE), protocol.to_string());
        assert_eq!(session(&signer, TWO), two, "the other goes on with its own");
    }
    assert_ne!(session(&signer, ONE), first, "a new session");
    assert!(keeper.problems().is_empty());
}

/// As with one that is added: it stands in the store, and is left out until there is a key.
#[tokio::test]
async fn an_older_version_without_a_key_is_not_spoken_and_nothing_else_is() {
    let place = Place::new();
    let store = calling_one(&place).await;
    let keeper = Keeper::new(store.clone(), provider()).unwrap();
    let signer = keeper.signer().unwrap();
    assert_eq!(version(&signer, ONE), "4");
    for protocol in [Protocol::V3, Protocol::V2] {
        update(&store, "one", |update| update.protocol = protocol).await;
        assert_eq!(sign(&signer, ONE).err(), Some(SignError::UnknownServer), "nor in version 4");
        assert!(matches!(&*keeper.problems(), [Problem::ServerLeftOut { id, .. }] if id == "one"));
    }
    store.publish_next_key(KeyPurpose::Legacy, &admin()).await.unwrap();
    assert_eq!(version(&signer, ONE), "2");
    update(&store, "one", |update| update.protocol = Protocol::V4).await;
    assert_eq!(version(&signer, ONE), "4");
    assert!(keeper.problems().is_empty());
}

/// A server of an older version cannot be called before there is a key for that.
#[tokio::test]
async fn a_server_that_cannot_be_used_is_left_out() {
    let place = Place::new();
    let store = place.initialised().await;
    let older = NewServer {
        certificate: None,
        protocol: Protocol::V3,
        ..server(peer("old", "https://old.example/", 1, 0).certificate())
    };
    store.add_server(older, &admin()).await.unwrap();
    let keeper = Keeper::new(store.clone(), provider()).unwrap();
    let signer = keeper.signer().unwrap();
    assert!(matches!(&*keeper.problems(), [Problem::ServerLeftOut { id, .. }] if id == "old"));
    let legacy = store.publish_next_key(KeyPurpose::Legacy, &admin()).await.unwrap();
    assert!(keeper.problems().is_empty());
    let head = sign(&signer, "https://old.example/a").unwrap();
    assert_eq!(head.headers[taa_core::fields::VERSION], "3");
    // And no more when that key is gone.
    match store.revoke_own_key(legacy, &admin()).await {
        Ok(snapshot) if snapshot.secrets.as_ref().unwrap().legacy.is_none() => {
            assert_eq!(sign(&signer, "https://old.example/a").err(), Some(SignError::UnknownServer));
            assert_eq!(keeper.problems().len(), 1);
        }
        Ok(_) => drop(sign(&signer, "https://old.example/a").unwrap()),
        Err(error) => assert!(matches!(error, StoreError::Key(_)), "{error}"),
    }
}
