//! What requests leave behind.

use std::time::Duration;

use taa_core::durable::Mark;
use taa_core::id::AppId;
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;
use taa_store::Store;
use taa_store::model::{KeyPurpose, Node};

use crate::peers::{application, certificate, decrypting, server, signing};
use crate::place::{Place, START, admin, id};

on_both!(
    marks_only_rise,
    marks_of_many_nodes,
    use_of_keys_and_records,
    use_is_no_change,
    nodes_come_and_go,
    the_epoch_of_the_nonces,
);

fn mark(application: Option<&str>, protocol: Protocol, at: u64) -> Mark {
    Mark { application: application.map(id), protocol, at: UnixMillis(at) }
}

async fn marks_only_rise(place: Place) {
    let store = place.open().await;
    assert!(store.marks().await.unwrap().is_empty());
    for (application, protocol, at) in [
        ("a:1", Protocol::V4, 10),
        ("a:1", Protocol::V4, 30),
        ("a:1", Protocol::V4, 20),
        ("a:1", Protocol::V2, 5),
        ("b:1", Protocol::V4, 7),
    ] {
        store.raise_mark(&id(application), protocol, UnixMillis(at)).await.unwrap();
    }
    let expected = [
        mark(Some("a:1"), Protocol::V2, 5),
        mark(Some("a:1"), Protocol::V4, 30),
        mark(Some("b:1"), Protocol::V4, 7),
    ];
    assert_eq!(place.open().await.marks().await.unwrap(), expected);
    // A time beyond all times stays one.
    store.raise_mark(&id("b:1"), Protocol::V4, UnixMillis(u64::MAX)).await.unwrap();
    assert_eq!(store.marks().await.unwrap()[2].at, UnixMillis(i64::MAX.unsigned_abs()));
    assert_eq!(store.snapshot().generation, 0, "no change");
}

async fn marks_of_many_nodes(place: Place) {
    let (first, second) = (place.open().await, place.open().await);
    let tasks: Vec<_> = (0..40_u64)
        .map(|number| {
            let store: Store = if number.is_multiple_of(2) { first.clone() } else { second.clone() };
            let mark = UnixMillis(1_000 + number * 37 % 40);
            tokio::spawn(async move { store.raise_mark(&id("a:1"), Protocol::V4, mark).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(first.marks().await.unwrap(), [mark(Some("a:1"), Protocol::V4, 1_039)]);
}

async fn use_of_keys_and_records(place: Place) {
    let store = place.initialised().await;
    let peer = certificate("a:1", 1, 0);
    store.add_both(application(&peer), server(&peer), &admin()).await.unwrap();
    let own = store.snapshot().own.clone().unwrap();
    let own_signing = own.keys.iter().find(|key| key.purpose == KeyPurpose::Signing).unwrap().id;
    let at = |seconds| START.plus(Duration::from_secs(seconds));
    let incoming = (id("a:1"), Some(signing(0).id()));
    let note = async |uses: &[(AppId, Option<taa_core::id::KeyId>, UnixMillis)]| {
        store.note_use(uses).await.unwrap();
        let snapshot = store.poll().await.unwrap();
        let application = snapshot.application("a:1").unwrap().clone();
        let server = snapshot.server("a:1").unwrap().last_used;
        (application.last_used, application.keys_last_used.get(&signing(0).id()).copied(), server)
    };
    assert_eq!(note(&[]).await, (None, None, None));
    let first = [(incoming.0.clone(), incoming.1, at(5)), (incoming.0.clone(), incoming.1, at(3))];
    assert_eq!(note(&first).await, (Some(at(5)), Some(at(5)), None));
    assert_eq!(note(&[(incoming.0.clone(), incoming.1, at(4))]).await.0, Some(at(5)), "it only rises");
    assert_eq!(note(&[(id("a:1"), None, at(6))]).await, (Some(at(5)), Some(at(5)), Some(at(6))));
    let sealed_to = (id("a:1"), Some(decrypting(0).id()), at(7));
    assert_eq!(note(&[sealed_to]).await, (Some(at(5)), Some(at(5)), Some(at(7))));
    // What is not there, is of another, or is not a key of theirs at all.
    let strange = [
        (id("z:1"), None, at(9)),
        (id("z:1"), Some(signing(0).id()), at(9)),
        (id("a:1"), Some(signing(1).id()), at(9)),
    ];
    assert_eq!(note(&strange).await, (Some(at(5)), Some(at(5)), Some(at(7))));
    assert_eq!(note(&[(id("own:1"), Some(own_signing), at(8))]).await.0, Some(at(5)));
    let own = place.open().await.snapshot().own.clone().unwrap();
    let used: Vec<_> = own.keys.iter().map(|key| key.last_used).collect();
    assert_eq!(used, [None, Some(at(8))]);
}

async fn use_is_no_change(place: Place) {
    let store = place.initialised().await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let before = store.snapshot();
    store.note_use(&[(id("a:1"), Some(signing(0).id()), START)]).await.unwrap();
    let after = store.poll().await.unwrap();
    assert_eq!(before.generation, after.generation);
    assert_eq!(after.application("a:1").unwrap().last_used, Some(START), "and it is seen all the same");
    let identity =
        |snapshot: &taa_store::model::Snapshot| snapshot.secrets.as_ref().unwrap().identity.clone();
    assert!(std::sync::Arc::ptr_eq(&identity(&before), &identity(&after)));
    assert_eq!(place.count("taa_audit").await, 2);
}

async fn nodes_come_and_go(place: Place) {
    let store = place.open().await;
    let node = |name: &str, last_seen: UnixMillis| Node {
        id: name.into(),
        label: format!("{name}.example 17"),
        software: "0.1.0".into(),
        shared_nonces: name == "n1",
        started: START,
        last_seen,
    };
    store.note_node(&node("n1", START)).await.unwrap();
    store.note_node(&node("n2", START)).await.unwrap();
    let other = place.open().await;
    assert_eq!(other.nodes().await.unwrap(), [node("n1", START), node("n2", START)]);
    place.advance(Duration::from_millis(Node::GONE_AFTER));
    store.note_node(&node("n1", place.now())).await.unwrap();
    assert_eq!(other.nodes().await.unwrap().len(), 2);
    place.advance(Duration::from_millis(1));
    assert_eq!(other.nodes().await.unwrap().len(), 1, "n2 has said nothing for too long");
    assert_eq!(place.count("taa_nodes").await, 2);
    store.note_node(&node("n1", place.now())).await.unwrap();
    assert_eq!(place.count("taa_nodes").await, 1, "deleted on the way");
    store.remove_node("n1").await.unwrap();
    store.remove_node("n7").await.unwrap();
    assert!(other.nodes().await.unwrap().is_empty());
    assert_eq!(store.snapshot().generation, 0, "no change");
}

async fn the_epoch_of_the_nonces(place: Place) {
    let store = place.open().await;
    assert_eq!(store.nonce_epoch().await.unwrap(), None);
    store.set_nonce_epoch("first").await.unwrap();
    store.set_nonce_epoch("second").await.unwrap();
    assert_eq!(place.open().await.nonce_epoch().await.unwrap().as_deref(), Some("second"));
}
