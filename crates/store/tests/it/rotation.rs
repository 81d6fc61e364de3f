//! Keys follow one another.

use std::time::Duration;

use taa_core::certificate::{KeyStatus, KeyUse, Succession, SuccessionError};
use taa_core::durable::Mark;
use taa_core::id::KeyId;
use taa_core::legacy::LegacySigningKey;
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;
use taa_store::model::{AuditFilter, ImportedKey, KeyPurpose, OwnKeyInfo, Promotion};
use taa_store::{Store, StoreError};
use zeroize::Zeroizing;

use crate::peers;
use crate::place::{Place, START, admin};

on_both!(
    a_day_then_current_then_previous_then_gone,
    at_once_when_asked_for,
    one_next_key,
    a_leaked_key_and_its_successor,
    a_leaked_key_without_a_successor,
    next_and_previous_keys_can_leak_too,
    the_legacy_key_comes_and_goes,
    keys_from_outside,
    what_is_no_key,
    keys_that_stand_elsewhere,
    keys_for_outside,
);

const DAY: Duration = Duration::from_secs(24 * 3600);

fn keys(store: &Store, purpose: KeyPurpose) -> Vec<OwnKeyInfo> {
    let own = store.snapshot().own.clone().unwrap();
    own.keys.into_iter().filter(|key| key.purpose == purpose).collect()
}

fn key(store: &Store, purpose: KeyPurpose, status: KeyStatus) -> OwnKeyInfo {
    let found: Vec<_> = keys(store, purpose).into_iter().filter(|key| key.status == status).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// What the certificate says of a key: its status and end.
fn listed(store: &Store, key: KeyId) -> Option<(KeyStatus, Option<u64>)> {
    let own = store.snapshot().own.clone().unwrap();
    own.certificate.content().key(&key).map(|key| (key.status, key.exp))
}

fn seq(store: &Store) -> u64 {
    store.snapshot().own.as_ref().unwrap().certificate.content().seq
}

async fn last_action(store: &Store) -> String {
    store.audit(&AuditFilter { limit: 1, ..AuditFilter::default() }).await.unwrap()[0].action.clone()
}

fn pem(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

async fn a_day_then_current_then_previous_then_gone(place: Place) {
    place.initialised().await;
    for purpose in [KeyPurpose::Signing, KeyPurpose::Decryption] {
        let store = place.open().await;
        let (begun, before) = (seq(&store), store.snapshot().own.clone().unwrap().certificate);
        let old = key(&store, purpose, KeyStatus::Current).id;
        let next = store.publish_next_key(purpose, &admin()).await.unwrap();
        assert_eq!(listed(&store, next), Some((KeyStatus::Next, None)));
        assert_eq!(seq(&store), begun + 1);

        place.advance(DAY - Duration::from_millis(1));
        let early = store.promote_key(purpose, Promotion::AfterADay, &admin()).await.unwrap_err();
        let (StoreError::Key(message), text) = (&early, early.to_string()) else { panic!("{early:?}") };
        assert!(text == *message && text.contains("may become current from 2027-01-1"), "{text}");
        assert_eq!(seq(&store), begun + 1);

        place.advance(Duration::from_millis(1));
        assert_eq!(store.promote_key(purpose, Promotion::AfterADay, &admin()).await.unwrap(), next);
        let now = place.now();
        let end = (now.0 + (24 * 60 + 15) * 60_000).div_ceil(1000);
        assert_eq!(listed(&store, next), Some((KeyStatus::Current, None)));
        assert_eq!(listed(&store, old), Some((KeyStatus::Previous, Some(end))));
        assert_eq!(key(&store, purpose, KeyStatus::Previous).exp, Some(end));
        let after = store.snapshot().own.clone().unwrap().certificate;
        assert_eq!(after.content().iat, now.seconds());
        if purpose == KeyPurpose::Decryption {
            assert_eq!(after.succeeds(&before, now), Ok(Succession::Newer));
        }

        // Until its end it stays where it is, and another change leaves it out afterwards.
        assert_eq!(store.remove_ended_keys(&admin()).await.unwrap(), 0);
        place.clock.set_wall(UnixMillis(end * 1000));
        store.change_profile(&format!("Own {purpose}"), &after.content().base_url, &admin()).await.unwrap();
        assert_eq!(listed(&store, old), None);
        assert_eq!(keys(&store, purpose).len(), 2, "it stays until somebody removes it");
        let number = seq(&store);
        assert_eq!(store.remove_ended_keys(&admin()).await.unwrap(), 1);
        assert_eq!(keys(&store, purpose).len(), 1);
        assert_eq!(seq(&store), number, "the certificate did not name it any more");
        assert_eq!(last_action(&store).await, "key.removed");
    }
}

async fn at_once_when_asked_for(place: Place) {
    let store = place.initialised().await;
    let nothing = store.promote_key(KeyPurpose::Signing, Promotion::InsecureAtOnce, &admin()).await;
    assert!(matches!(nothing, Err(StoreError::Key(_))));
    let held = store.snapshot().own.clone().unwrap().certificate;
    let next = store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    store.promote_key(KeyPurpose::Signing, Promotion::InsecureAtOnce, &admin()).await.unwrap();
    let own = store.snapshot().own.clone().unwrap();
    assert_eq!(own.certificate.content().current(KeyUse::Signing).unwrap().public.id(), next);
    assert_eq!(own.certificate.succeeds(&held, START), Err(SuccessionError::Signer), "nobody had seen it");
    // An ended key that the certificate still names goes with a new certificate.
    place.advance(2 * DAY);
    let number = seq(&store);
    assert_eq!(store.remove_ended_keys(&admin()).await.unwrap(), 1);
    assert_eq!(seq(&store), number + 1);
}

async fn one_next_key(place: Place) {
    let store = place.initialised().await;
    store.publish_next_key(KeyPurpose::Decryption, &admin()).await.unwrap();
    let second = store.publish_next_key(KeyPurpose::Decryption, &admin()).await;
    assert!(matches!(second, Err(StoreError::Key(_))));
    // Neither when another process published it meanwhile.
    let behind = place.open().await;
    store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    let second = behind.publish_next_key(KeyPurpose::Signing, &admin()).await;
    assert!(matches!(second, Err(StoreError::Key(_))));
    assert_eq!(keys(&behind, KeyPurpose::Signing).len(), 2);
    // Newest first.
    assert_eq!(keys(&behind, KeyPurpose::Signing)[0].status, KeyStatus::Next);
}

async fn a_leaked_key_and_its_successor(place: Place) {
    let store = place.initialised().await;
    let leaked = key(&store, KeyPurpose::Signing, KeyStatus::Current).id;
    let next = store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    let private = store.export_key(leaked, &admin()).await.unwrap();
    store.revoke_own_key(leaked, &admin()).await.unwrap();
    assert_eq!(key(&store, KeyPurpose::Signing, KeyStatus::Current).id, next);
    assert_eq!(keys(&store, KeyPurpose::Signing).len(), 1);
    assert_eq!(listed(&store, leaked), None);
    assert_eq!(last_action(&store).await, "key.revoked");
    let gone = store.export_key(leaked, &admin()).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
    // It does not come back.
    let back = ImportedKey { purpose: KeyPurpose::Signing, pkcs8_pem: private };
    assert!(matches!(store.import_key(back, &admin()).await, Err(StoreError::Key(_))));
    let again = store.revoke_own_key(leaked, &admin()).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))));
}

async fn a_leaked_key_without_a_successor(place: Place) {
    let store = place.initialised().await;
    for purpose in [KeyPurpose::Signing, KeyPurpose::Decryption] {
        let leaked = key(&store, purpose, KeyStatus::Current).id;
        let number = seq(&store);
        let snapshot = store.revoke_own_key(leaked, &admin()).await.unwrap();
        let new = key(&store, purpose, KeyStatus::Current);
        assert!(new.id != leaked && new.bits == 2048);
        assert_eq!(listed(&store, new.id), Some((KeyStatus::Current, None)));
        assert_eq!(seq(&store), number + 1);
        assert_eq!(snapshot.own.as_ref().unwrap().certificate.content().keys.len(), 2);
    }
}

async fn next_and_previous_keys_can_leak_too(place: Place) {
    let store = place.initialised().await;
    let current = key(&store, KeyPurpose::Signing, KeyStatus::Current).id;
    let next = store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    store.revoke_own_key(next, &admin()).await.unwrap();
    assert_eq!(keys(&store, KeyPurpose::Signing).len(), 1);
    assert_eq!(key(&store, KeyPurpose::Signing, KeyStatus::Current).id, current);
    store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    store.promote_key(KeyPurpose::Signing, Promotion::InsecureAtOnce, &admin()).await.unwrap();
    store.revoke_own_key(current, &admin()).await.unwrap();
    assert_eq!(listed(&store, current), None);
    assert_eq!(keys(&store, KeyPurpose::Signing).len(), 1);
}

async fn the_legacy_key_comes_and_goes(place: Place) {
    let store = place.initialised().await;
    let key = store.publish_next_key(KeyPurpose::Legacy, &admin()).await.unwrap();
    let snapshot = store.snapshot();
    let own = snapshot.own.as_ref().unwrap();
    assert_eq!(own.older_protocols, [2, 3]);
    assert_eq!(own.certificate.content().protocols, [2, 3, 4]);
    assert_eq!(own.certificate.content().keys.len(), 2, "a certificate lists keys of version 4 only");
    let info = own.keys.iter().find(|info| info.id == key).unwrap();
    assert_eq!((info.status, info.bits, info.purpose), (KeyStatus::Current, 2048, KeyPurpose::Legacy));
    assert_eq!(snapshot.secrets.as_ref().unwrap().legacy.as_ref().unwrap().thumbprint(), key);
    let second = store.publish_next_key(KeyPurpose::Legacy, &admin()).await;
    assert!(matches!(second, Err(StoreError::Key(_))));
    let rotated = store.promote_key(KeyPurpose::Legacy, Promotion::InsecureAtOnce, &admin()).await;
    assert!(matches!(rotated, Err(StoreError::Key(_))));
    // Another process has it too.
    assert!(place.open().await.snapshot().secrets.as_ref().unwrap().legacy.is_some());
    let snapshot = store.revoke_own_key(key, &admin()).await.unwrap();
    let own = snapshot.own.as_ref().unwrap();
    assert!(own.older_protocols.is_empty() && own.certificate.content().protocols == [4]);
    assert!(snapshot.secrets.as_ref().unwrap().legacy.is_none());
    assert!(keys(&store, KeyPurpose::Legacy).is_empty());
}

async fn keys_from_outside(place: Place) {
    let store = place.initialised().await;
    let signing = peers::signing(0);
    let key = ImportedKey { purpose: KeyPurpose::Signing, pkcs8_pem: signing.expose_pkcs8_pem() };
    assert_eq!(store.import_key(key, &admin()).await.unwrap(), signing.id());
    assert_eq!(listed(&store, signing.id()), Some((KeyStatus::Next, None)));
    assert!(store.marks().await.unwrap().is_empty(), "nothing is accepted under a signing key");

    let decryption = peers::decrypting(0);
    let key = ImportedKey { purpose: KeyPurpose::Decryption, pkcs8_pem: decryption.expose_pkcs8_pem() };
    store.import_key(key, &admin()).await.unwrap();
    let mark = Mark { application: None, protocol: Protocol::V4, at: START.plus(Duration::from_secs(60)) };
    assert_eq!(store.marks().await.unwrap(), [mark]);

    let legacy = LegacySigningKey::generate(&mut |out: &mut [u8]| {
        taa_core::crypto::Random::fill(&taa_core::crypto::SystemRandom, out)
    })
    .unwrap();
    let text = legacy.expose_pkcs8_pem().unwrap();
    let key = ImportedKey { purpose: KeyPurpose::Legacy, pkcs8_pem: text };
    assert_eq!(store.import_key(key, &admin()).await.unwrap(), legacy.thumbprint());
    assert_eq!(last_action(&store).await, "key.imported");
    assert_eq!(place.open().await.snapshot().own.as_ref().unwrap().keys.len(), 5);
}

async fn what_is_no_key(place: Place) {
    let store = place.initialised().await;
    let before = store.snapshot().generation;
    for purpose in KeyPurpose::ALL {
        for bad in ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            let key = ImportedKey { purpose, pkcs8_pem: pem(bad) };
            let error = store.import_key(key, &admin()).await.unwrap_err();
            assert!(matches!(&error, StoreError::Key(why) if why.contains("no usable")), "{error}");
        }
    }
    assert_eq!(store.poll().await.unwrap().generation, before);
}

async fn keys_that_stand_elsewhere(place: Place) {
    let store = place.initialised().await;
    store.add_application(peers::application(&peers::certificate("a:1", 1, 0)), &admin()).await.unwrap();
    for (purpose, text) in [
        (KeyPurpose::Signing, peers::signing(0).expose_pkcs8_pem()),
        (KeyPurpose::Decryption, peers::decrypting(0).expose_pkcs8_pem()),
        (KeyPurpose::Legacy, peers::signing(0).expose_pkcs8_pem()),
    ] {
        let error = store.import_key(ImportedKey { purpose, pkcs8_pem: text }, &admin()).await.unwrap_err();
        assert!(matches!(&error, StoreError::KeyInUse { other, .. } if other == "a:1"), "{error:?}");
    }
    // One key, one purpose: own ones too.
    let own = key(&store, KeyPurpose::Signing, KeyStatus::Current).id;
    let text = store.export_key(own, &admin()).await.unwrap();
    for purpose in KeyPurpose::ALL {
        let key = ImportedKey { purpose, pkcs8_pem: text.clone() };
        let error = store.import_key(key, &admin()).await.unwrap_err();
        assert!(matches!(error, StoreError::KeyInUse { .. }), "{error:?}");
    }
}

async fn keys_for_outside(place: Place) {
    let store = place.initialised().await;
    let signing = key(&store, KeyPurpose::Signing, KeyStatus::Current).id;
    let text = store.export_key(signing, &admin()).await.unwrap();
    assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let trail = store.audit(&AuditFilter::default()).await.unwrap();
    assert_eq!((trail[0].action.as_str(), trail[0].subject.clone()), ("key.exported", signing.to_string()));
    assert!(trail.iter().all(|row| !row.detail.to_string().contains("PRIVATE")));
    assert_eq!(seq(&store), 1, "the certificate is the same");
    let unknown = store.export_key(KeyId::from_bytes([0; 32]), &admin()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
}
