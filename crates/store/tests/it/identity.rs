//! Own id, own name, own certificate.

use std::sync::Arc;
use std::time::Duration;

use taa_core::certificate::{Certificate, KeyStatus, Succession};
use taa_store::StoreError;
use taa_store::model::{AuditFilter, KeyPurpose, NewIdentity};

use crate::peers;
use crate::place::{Place, START, admin, id, own_identity, provider};

on_both!(
    made_once,
    the_certificate_is_the_same_for_everybody,
    name_and_base_url_make_the_next_number,
    what_cannot_stand_in_a_certificate,
    a_peer_has_the_id,
    private_keys_are_opened_once,
);

async fn made_once(place: Place) {
    let store = place.open().await;
    assert!(store.snapshot().own.is_none() && store.snapshot().secrets.is_none());
    let no_identity = store.publish_next_key(KeyPurpose::Signing, &admin()).await;
    assert!(matches!(no_identity, Err(StoreError::NoIdentity)));
    let snapshot = store.init(own_identity(), &admin()).await.unwrap();
    assert_eq!(snapshot.generation, store.snapshot().generation);
    let own = snapshot.own.as_ref().unwrap();
    let content = own.certificate.content();
    assert_eq!((content.seq, content.iat, &content.iss), (1, START.seconds(), &id("own:1")));
    assert_eq!(
        (content.protocols.as_slice(), own.older_protocols.as_slice()),
        ([4].as_slice(), [].as_slice())
    );
    let keys: Vec<_> = own.keys.iter().map(|key| (key.purpose, key.status, key.exp, key.bits)).collect();
    let current = |purpose| (purpose, KeyStatus::Current, None, 2048);
    assert_eq!(keys, [current(KeyPurpose::Decryption), current(KeyPurpose::Signing)]);
    assert!(own.keys.iter().all(|key| key.created.at == START && key.created.by == admin()));
    let secrets = snapshot.secrets.as_ref().unwrap();
    assert!(secrets.legacy.is_none() && secrets.identity.can_open());
    assert_eq!(secrets.identity.certificate().content(), content);

    let twice = store.init(own_identity(), &admin()).await;
    assert!(matches!(twice, Err(StoreError::AlreadyInitialised(own)) if own == id("own:1")));
    let trail = store.audit(&AuditFilter::default()).await.unwrap();
    let rows: Vec<_> = trail.iter().map(|row| (row.action.as_str(), row.subject.as_str())).collect();
    assert_eq!(rows, [("identity.made", "own:1")]);
    assert_eq!(trail[0].detail["fingerprint"], own.certificate.fingerprint().to_string());
}

async fn the_certificate_is_the_same_for_everybody(place: Place) {
    let store = place.initialised().await;
    let own = store.snapshot().own.clone().unwrap();
    let again = place.open().await;
    let snapshot = again.snapshot();
    assert_eq!(snapshot.own.as_ref().unwrap().certificate.document(), own.certificate.document());
    let verified = Certificate::verify(&*provider(), own.certificate.document(), START).unwrap();
    assert_eq!(verified, own.certificate);
    // Each process signs for itself; what it signs is the same.
    let served = snapshot.secrets.as_ref().unwrap().identity.certificate().clone();
    assert_eq!(served.succeeds(&own.certificate, START), Ok(Succession::Same));
}

async fn name_and_base_url_make_the_next_number(place: Place) {
    let store = place.initialised().await;
    let before = store.snapshot().own.clone().unwrap().certificate;
    place.advance(Duration::from_secs(5));
    let url = "https://new.example/".parse().unwrap();
    let snapshot = store.change_profile("New", &url, &admin()).await.unwrap();
    let after = snapshot.own.as_ref().unwrap().certificate.clone();
    assert_eq!((after.content().seq, after.content().iat), (2, START.seconds() + 5));
    assert_eq!((after.content().name.as_str(), &after.content().base_url), ("New", &url));
    assert_eq!(after.content().keys, before.content().keys);
    assert_eq!(snapshot.secrets.as_ref().unwrap().identity.certificate().content(), after.content());
    let trail = store.audit(&AuditFilter { limit: 1, ..AuditFilter::default() }).await.unwrap();
    assert_eq!(trail[0].action, "identity.changed");
    assert_eq!(trail[0].detail["name"], serde_json::json!({ "old": "Own", "new": "New" }));
    // The same again is no change.
    let same = store.change_profile("New", &url, &admin()).await.unwrap();
    assert_eq!(same.generation, snapshot.generation);
}

async fn what_cannot_stand_in_a_certificate(place: Place) {
    let store = place.open().await;
    let bad = NewIdentity { name: " ".into(), ..own_identity() };
    assert!(matches!(store.init(bad, &admin()).await, Err(StoreError::Certificate(_))));
    let bad = NewIdentity { base_url: "https://u:p@own.example/".parse().unwrap(), ..own_identity() };
    assert!(matches!(store.init(bad, &admin()).await, Err(StoreError::Certificate(_))));
    for table in ["taa_own", "taa_own_keys", "taa_audit"] {
        assert_eq!(place.count(table).await, 0, "{table}");
    }
    store.init(own_identity(), &admin()).await.unwrap();
    let url = "ftp://own.example/".parse().unwrap();
    assert!(matches!(store.change_profile("Own", &url, &admin()).await, Err(StoreError::Certificate(_))));
    assert_eq!(store.poll().await.unwrap().own.as_ref().unwrap().certificate.content().seq, 1);
}

async fn a_peer_has_the_id(place: Place) {
    let store = place.open().await;
    store.add_application(peers::application(&peers::certificate("own:1", 1, 0)), &admin()).await.unwrap();
    let taken = store.init(own_identity(), &admin()).await;
    assert!(matches!(taken, Err(StoreError::AlreadyThere(peer)) if peer == id("own:1")));
}

async fn private_keys_are_opened_once(place: Place) {
    let store = place.initialised().await;
    let before = store.snapshot().secrets.clone().unwrap().identity;
    store.add_application(peers::application(&peers::certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let after = store.snapshot().secrets.clone().unwrap().identity;
    assert!(Arc::ptr_eq(&before, &after));
    store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    let changed = store.snapshot().secrets.clone().unwrap().identity;
    assert!(!Arc::ptr_eq(&before, &changed));
}
