//! An older copy is put in the place of the database under a store that is open.

use std::time::Duration;

use taa_core::policy::Protocol;
use taa_store::Store;
use taa_store::model::{KeyPurpose, Snapshot};

use crate::place::{Place, START, admin};

on_both!(
    the_copy_counts,
    the_same_number_and_another_past,
    more_changes_than_before,
    other_own_keys,
    changed_before_it_was_noticed,
    a_trail_that_lost_its_end,
);

async fn revoke(store: &Store, users: &[&str]) {
    for user in users {
        store.revoke_user(user.parse().unwrap(), &admin()).await.unwrap();
    }
}

fn revoked(snapshot: &Snapshot) -> Vec<String> {
    snapshot.revoked_users.iter().map(|user| user.pattern.to_string()).collect()
}

async fn the_copy_counts(place: Place) {
    let store = place.open().await;
    revoke(&store, &["u"]).await;
    place.copy().await;
    revoke(&store, &["v", "w"]).await;
    assert_eq!(store.poll().await.unwrap().set_back, None);
    place.put_back().await;
    place.advance(Duration::from_secs(9));
    let snapshot = store.poll().await.unwrap();
    let noticed = START.plus(Duration::from_secs(9));
    assert_eq!((snapshot.generation, snapshot.set_back), (1, Some(noticed)));
    assert_eq!(revoked(&snapshot), ["u"]);
    // It stays said, and nothing else is said of what comes after.
    place.advance(Duration::from_secs(9));
    revoke(&store, &["x"]).await;
    let snapshot = store.snapshot();
    assert_eq!((revoked(&snapshot), snapshot.set_back), (vec!["u".into(), "x".into()], Some(noticed)));
    assert_eq!(place.open().await.snapshot().set_back, None, "who comes later has seen nothing else");
}

async fn the_same_number_and_another_past(place: Place) {
    let store = place.open().await;
    revoke(&store, &["u"]).await;
    place.copy().await;
    revoke(&store, &["v"]).await;
    let before = store.snapshot();
    place.put_back().await;
    // Another process revokes somebody in what has become the database.
    revoke(&place.open().await, &["x"]).await;
    let snapshot = store.poll().await.unwrap();
    assert_eq!((snapshot.generation, revoked(&snapshot)), (before.generation, vec!["u".into(), "x".into()]));
    assert!(snapshot.set_back.is_some() && !snapshot.decides_as(&before));
}

async fn more_changes_than_before(place: Place) {
    let store = place.open().await;
    revoke(&store, &["u"]).await;
    place.copy().await;
    revoke(&store, &["v"]).await;
    place.put_back().await;
    revoke(&place.open().await, &["x", "y", "z"]).await;
    let snapshot = store.poll().await.unwrap();
    assert_eq!(revoked(&snapshot), ["u", "x", "y", "z"]);
    assert!(snapshot.set_back.is_some(), "a greater number does not hide it");
}

async fn other_own_keys(place: Place) {
    let store = place.initialised().await;
    place.copy().await;
    store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    place.put_back().await;
    let there = place.open().await;
    there.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    let (here, there) = (store.poll().await.unwrap(), there.snapshot());
    assert_eq!(here.generation, there.generation);
    assert!(here.own.is_some());
    assert_eq!(here.own.as_ref().unwrap().certificate, there.own.as_ref().unwrap().certificate);
    let keys = |snapshot: &Snapshot| {
        snapshot.secrets.as_ref().unwrap().identity.certificate().content().keys.clone()
    };
    assert_eq!(keys(&here), keys(&there));
}

async fn changed_before_it_was_noticed(place: Place) {
    let store = place.open().await;
    revoke(&store, &["u"]).await;
    place.copy().await;
    revoke(&store, &["v", "w"]).await;
    place.put_back().await;
    // The change is one of the copy's, with a lower number than the one that was seen last, and in force all the same.
    let snapshot = store.revoke_user("x".parse().unwrap(), &admin()).await.unwrap();
    assert_eq!(revoked(&snapshot), ["u", "x"]);
    assert!(snapshot.set_back.is_some());
    assert!(store.verify_audit().await.unwrap().problems.is_empty());
}

async fn a_trail_that_lost_its_end(place: Place) {
    let store = place.open().await;
    revoke(&store, &["u", "v"]).await;
    place.drop_triggers().await;
    place.sql("DELETE FROM taa_audit WHERE seq = 2").await;
    assert!(store.poll().await.unwrap().set_back.is_none(), "nothing was changed");
    store.raise_mark_for_all(Protocol::V4, START).await.unwrap();
    revoke(&store, &["w"]).await;
    assert!(store.snapshot().set_back.is_some());
}
