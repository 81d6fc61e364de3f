//! Certificates of peers, fetched again.

use std::time::Duration;

use taa_core::certificate::{Certificate, SuccessionError};
use taa_store::model::{Actor, AuditFilter, Refreshed};
use taa_store::{Store, StoreError};

use crate::peers::{announcing, application, certificate, server};
use crate::place::{Place, START, admin, id};

on_both!(
    wherever_the_peer_stands,
    only_what_may_follow,
    a_person_may_more,
    keys_of_others_are_refused,
    a_refresh_is_in_nobodys_way,
    a_peer_that_moved,
    how_a_refresh_went,
    without_a_certificate_nothing_follows,
);

async fn both(place: &Place, held: &Certificate) -> Store {
    let store = place.open().await;
    store.add_both(application(held), server(held), &admin()).await.unwrap();
    store
}

async fn last_action(store: &Store) -> (String, serde_json::Value) {
    let row = store.audit(&AuditFilter { limit: 1, ..AuditFilter::default() }).await.unwrap().remove(0);
    (row.action, row.detail)
}

async fn wherever_the_peer_stands(place: Place) {
    let store = both(&place, &announcing("a:1", 1, 0, 1)).await;
    let newer = announcing("a:1", 2, 1, 2);
    let snapshot = store.replace_certificate(&newer, None, false, &Actor::system()).await.unwrap();
    assert_eq!(snapshot.application("a:1").unwrap().keys.certificate.as_ref(), Some(&newer));
    assert_eq!(snapshot.server("a:1").unwrap().certificate.as_ref(), Some(&newer));
    let (action, detail) = last_action(&store).await;
    assert_eq!(action, "certificate.refreshed");
    assert_eq!(detail["seq"], serde_json::json!({ "old": 1, "new": 2 }));
    assert_eq!(detail["by_person"], false);
    assert!(!detail["keys"].is_null() && !detail["fingerprint"].is_null());
    // The keys it had are free for nobody else, those it has not any more are.
    assert_eq!(place.count("taa_peer_keys").await, 3);
    // The same again is nothing new.
    let same = store.replace_certificate(&newer, None, false, &Actor::system()).await.unwrap();
    assert_eq!(same.generation, snapshot.generation);
    // Where it stands in one list only, that one changes.
    store.remove_application("a:1", &admin()).await.unwrap();
    let third = announcing("a:1", 3, 1, 2);
    let snapshot = store.replace_certificate(&third, None, false, &Actor::system()).await.unwrap();
    assert!(snapshot.applications.is_empty());
    assert_eq!(snapshot.server("a:1").unwrap().certificate.as_ref(), Some(&third));
}

async fn only_what_may_follow(place: Place) {
    let store = both(&place, &announcing("a:1", 5, 0, 1)).await;
    let before = store.snapshot().generation;
    for (certificate, why) in [
        (certificate("a:1", 6, 2), SuccessionError::Signer),
        (announcing("a:1", 4, 0, 1), SuccessionError::LowerSequence),
        (announcing("a:1", 5, 0, 2), SuccessionError::SameSequence),
    ] {
        let error = store.replace_certificate(&certificate, None, false, &Actor::system()).await.unwrap_err();
        assert!(matches!(&error, StoreError::Succession(found) if *found == why), "{error}");
    }
    let stranger = store.replace_certificate(&certificate("z:1", 1, 2), None, false, &Actor::system()).await;
    assert!(matches!(stranger, Err(StoreError::NotFound(_))));
    assert_eq!(store.poll().await.unwrap().generation, before);
}

async fn a_person_may_more(place: Place) {
    let store = both(&place, &announcing("a:1", 5, 0, 1)).await;
    let other = certificate("a:1", 1, 2);
    place.advance(Duration::from_secs(9));
    let snapshot = store.replace_certificate(&other, None, true, &admin()).await.unwrap();
    let held = snapshot.application("a:1").unwrap();
    assert_eq!(held.keys.certificate.as_ref(), Some(&other));
    assert_eq!((held.version, held.updated.at), (snapshot.generation, START.plus(Duration::from_secs(9))));
    assert_eq!(last_action(&store).await.1["by_person"], true);
}

async fn keys_of_others_are_refused(place: Place) {
    let store = both(&place, &announcing("a:1", 1, 0, 1)).await;
    store.add_application(application(&certificate("b:1", 1, 2)), &admin()).await.unwrap();
    for by_person in [false, true] {
        let taken = announcing("a:1", 2, 0, 2);
        let error = store.replace_certificate(&taken, None, by_person, &admin()).await.unwrap_err();
        assert!(matches!(&error, StoreError::KeyInUse { other, .. } if other == "b:1"), "{error}");
    }
    assert_eq!(
        store.snapshot().application("a:1").unwrap().keys.certificate.as_ref().unwrap().content().seq,
        1
    );
    assert_eq!(place.count("taa_peer_keys").await, 5);
}

async fn a_refresh_is_in_nobodys_way(place: Place) {
    let store = both(&place, &announcing("a:1", 1, 0, 1)).await;
    let seen = store.snapshot().application("a:1").unwrap().version;
    store.replace_certificate(&announcing("a:1", 2, 0, 1), None, false, &Actor::system()).await.unwrap();
    let gone_well = Refreshed { at: START, problem: None, other_base_url: None };
    store.note_refresh(&id("a:1"), gone_well).await.unwrap();
    let update = taa_store::model::ApplicationUpdate {
        version: seen,
        name: "New".into(),
        rules: crate::peers::rules(),
    };
    assert!(store.update_application(&id("a:1"), update, &admin()).await.is_ok());
}

async fn a_peer_that_moved(place: Place) {
    let store = both(&place, &certificate("a:1", 1, 0)).await;
    let url = "https://elsewhere.example/".parse().unwrap();
    let snapshot =
        store.replace_certificate(&certificate("a:1", 2, 0), Some(&url), true, &admin()).await.unwrap();
    assert_eq!(snapshot.application("a:1").unwrap().base_url, url);
    assert_eq!(snapshot.server("a:1").unwrap().base_url, url);
    let (_, detail) = last_action(&store).await;
    assert_eq!(detail["base_url"], serde_json::json!({ "old": "https://a-1.example/", "new": url.as_str() }));
}

async fn how_a_refresh_went(place: Place) {
    let store = both(&place, &certificate("a:1", 1, 0)).await;
    let note = async |at: u64, problem: Option<&str>, other: Option<&str>| {
        let refreshed = Refreshed {
            at: START.plus(Duration::from_secs(at)),
            problem: problem.map(ToOwned::to_owned),
            other_base_url: other.map(|url| url.parse().unwrap()),
        };
        store.note_refresh(&id("a:1"), refreshed.clone()).await.unwrap();
        let snapshot = store.snapshot();
        assert_eq!(snapshot.application("a:1").unwrap().refreshed.as_ref(), Some(&refreshed));
        assert_eq!(snapshot.server("a:1").unwrap().refreshed.as_ref(), Some(&refreshed));
        let rows = place.count("taa_audit").await;
        // Both were added by one change, with two rows; then each change has one.
        assert_eq!(snapshot.generation + 1, u64::try_from(rows).unwrap(), "what went as before is no change");
        rows
    };
    assert_eq!(note(1, None, None).await, 2, "it went as before");
    assert_eq!(note(2, Some("no answer"), None).await, 3);
    assert_eq!(last_action(&store).await.0, "certificate.refused");
    assert_eq!(note(3, Some("no answer"), None).await, 3, "still the same");
    assert_eq!(note(4, Some("moved"), Some("https://b.example/")).await, 4);
    assert_eq!(note(5, None, None).await, 5);
    assert_eq!(last_action(&store).await.0, "certificate.refreshed");
    assert!(store.verify_audit().await.unwrap().problems.is_empty());
    let stranger = Refreshed { at: START, problem: None, other_base_url: None };
    assert!(matches!(store.note_refresh(&id("z:1"), stranger).await, Err(StoreError::NotFound(_))));
}

async fn without_a_certificate_nothing_follows(place: Place) {
    let store = place.open().await;
    let mut old = server(&certificate("a:1", 1, 0));
    (old.certificate, old.protocol) = (None, taa_core::policy::Protocol::V2);
    store.add_server(old, &admin()).await.unwrap();
    let first = certificate("a:1", 1, 0);
    let error = store.replace_certificate(&first, None, false, &Actor::system()).await.unwrap_err();
    assert!(matches!(error, StoreError::Succession(SuccessionError::Signer)), "{error}");
    let snapshot = store.replace_certificate(&first, None, true, &admin()).await.unwrap();
    assert_eq!(snapshot.server("a:1").unwrap().certificate.as_ref(), Some(&first));
    assert_eq!(
        snapshot.server("a:1").unwrap().protocol,
        taa_core::policy::Protocol::V2,
        "that does not change by itself"
    );
}
