//! What was fetched waits for a person, for an hour.

use std::time::Duration;

use taa_core::legacy::{CertificatePage, LegacySigningKey, MAGIC};
use taa_store::model::{AuditFilter, Pending, PendingId, Presented, Stamp};
use taa_store::{Store, StoreError};

use crate::peers::certificate;
use crate::place::{Place, admin};

on_both!(kept_as_it_came, an_hour, pages_of_older_versions, fetching_is_in_the_trail);

fn pending(place: &Place, number: u8, presented: Presented) -> Pending {
    Pending {
        id: PendingId::from_bytes([number; 16]),
        base_url: "https://a.example/typed".parse().unwrap(),
        presented,
        insecure_http: number.is_multiple_of(2),
        fetched: Stamp { at: place.now(), by: admin() },
    }
}

fn some(place: &Place, number: u8) -> Pending {
    pending(place, number, Presented::Certificate(Box::new(certificate("a:1", 1, 0))))
}

async fn gone(store: &Store, number: u8) -> bool {
    matches!(store.pending(&PendingId::from_bytes([number; 16])).await, Err(StoreError::NotFound(_)))
}

async fn kept_as_it_came(place: Place) {
    let store = place.open().await;
    for number in [1, 2] {
        let new = some(&place, number);
        store.add_pending(new.clone()).await.unwrap();
        // Another node may get the second step.
        let held = place.open().await.pending(&new.id).await.unwrap();
        assert_eq!(
            (&held.id, &held.base_url, held.insecure_http),
            (&new.id, &new.base_url, new.insecure_http)
        );
        assert_eq!(new.fingerprint(), held.fingerprint());
        assert_eq!(held.fetched, new.fetched);
    }
    store.remove_pending(&PendingId::from_bytes([1; 16])).await.unwrap();
    store.remove_pending(&PendingId::from_bytes([9; 16])).await.unwrap();
    assert!(gone(&store, 1).await && !gone(&store, 2).await && gone(&store, 9).await);
    // What somebody put in its place is not believed.
    place.sql("UPDATE taa_pending SET body = 'x.y.z'").await;
    let damaged = store.pending(&PendingId::from_bytes([2; 16])).await;
    assert!(matches!(damaged, Err(StoreError::Unreadable(_))));
}

async fn an_hour(place: Place) {
    let store = place.open().await;
    store.add_pending(some(&place, 1)).await.unwrap();
    place.advance(Duration::from_millis(Pending::LAPSES_AFTER - 1));
    assert!(!gone(&store, 1).await);
    store.add_pending(some(&place, 2)).await.unwrap();
    place.advance(Duration::from_millis(1));
    assert!(gone(&store, 1).await && !gone(&store, 2).await);
    assert_eq!(place.count("taa_pending").await, 2);
    store.add_pending(some(&place, 3)).await.unwrap();
    assert_eq!(place.count("taa_pending").await, 2, "deleted on the way");
    place.advance(Duration::from_millis(Pending::LAPSES_AFTER));
    store.remove_pending(&PendingId::from_bytes([9; 16])).await.unwrap();
    assert_eq!(place.count("taa_pending").await, 0);
}

async fn pages_of_older_versions(place: Place) {
    let store = place.open().await;
    let key = LegacySigningKey::generate(&mut |out: &mut [u8]| {
        taa_core::crypto::Random::fill(&taa_core::crypto::SystemRandom, out)
    })
    .unwrap();
    let lines = format!("confluence:77\n{}", key.verifying_key().page_line());
    for (number, text) in
        [(1, lines.clone()), (2, format!("{lines}\n1\n{MAGIC}")), (3, format!("{lines}\n2\n{MAGIC}"))]
    {
        let page = CertificatePage::read(&text).unwrap();
        let new = pending(&place, number, Presented::LegacyPage(page.clone()));
        store.add_pending(new.clone()).await.unwrap();
        let held = store.pending(&new.id).await.unwrap();
        let Presented::LegacyPage(found) = &held.presented else { panic!("{held:?}") };
        assert_eq!(*found, page);
        assert_eq!(held.fingerprint(), key.thumbprint().to_string());
    }
}

async fn fetching_is_in_the_trail(place: Place) {
    let store = place.open().await;
    store.add_pending(some(&place, 1)).await.unwrap();
    store.remove_pending(&PendingId::from_bytes([1; 16])).await.unwrap();
    let trail = store.audit(&AuditFilter::default()).await.unwrap();
    assert_eq!(trail.len(), 1);
    assert_eq!((trail[0].action.as_str(), trail[0].subject.as_str()), ("certificate.fetched", "a:1"));
    assert_eq!(trail[0].detail["base_url"], "https://a.example/typed");
    assert!(!trail[0].detail.to_string().contains(&"01".repeat(16)), "the id is not for everybody");
}
