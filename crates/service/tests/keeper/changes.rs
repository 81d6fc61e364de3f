//! Changes of trust, of own keys, and a store that cannot be reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use taa_core::answer::Code;
use taa_core::policy::{PathRules, Protocol};
use taa_service::{Keeper, KeeperError, Problem};
use taa_store::StoreError;
use taa_store::model::{ApplicationUpdate, KeyPurpose, Promotion, Rules};
use tower::{Layer, ServiceExt};

use super::world::*;

async fn update(tracker: &Tracker, rules: Rules) {
    let version = tracker.store.snapshot().application(WIKI).unwrap().version;
    let update = ApplicationUpdate { version, name: "Wiki".into(), rules };
    tracker.store.update_application(&id(WIKI), update, &admin()).await.unwrap();
}

#[tokio::test]
async fn every_change_is_in_force_for_the_next_request() {
    let place = Place::new();
    let tracker = Tracker::start(place.initialised().await, |builder| builder).await;
    let wiki_calls = tracker.caller();
    let get = async || tracker.get(&wiki_calls, "/rest/x", "fred").await;
    let (store, by, wiki_id) = (&tracker.store, &admin(), &id(WIKI));

    assert_eq!(get().await, Some(Code::AppUnknown));
    store.add_application(application(wiki().certificate(), rules()), by).await.unwrap();
    assert_eq!(get().await, None);

    update(&tracker, Rules { paths: PathRules::parse_list("/other").unwrap(), ..rules() }).await;
    assert_eq!(get().await, Some(Code::BadUrl));
    update(&tracker, rules()).await;
    assert_eq!(get().await, None);

    store.set_application_enabled(wiki_id, false, by).await.unwrap();
    assert_eq!(get().await, Some(Code::AppUnknown));
    store.set_application_enabled(wiki_id, true, by).await.unwrap();
    assert_eq!(get().await, None);

    let fred: taa_core::policy::NamePattern = "FRED".parse().unwrap();
    store.revoke_user(fred.clone(), by).await.unwrap();
    assert_eq!(get().await, Some(Code::PermissionDenied));
    assert_eq!(tracker.get(&wiki_calls, "/rest/x", "admin").await, None);
    store.restore_user(&fred, by).await.unwrap();
    assert_eq!(get().await, None);

    store.remove_application(WIKI, by).await.unwrap();
    assert_eq!(get().await, Some(Code::AppUnknown));
    store.add_application(application(wiki().certificate(), rules()), by).await.unwrap();
    assert_eq!(get().await, None);
    store.revoke_application_key(wiki_id, signing_key(0).id(), by).await.unwrap();
    assert_eq!(get().await, Some(Code::BadSignature));
    let another = tracker.caller();
    assert_eq!(tracker.get(&another, "/rest/x", "fred").await, Some(Code::BadSignature));
}

/// A change by another process is in force after the next look.
#[tokio::test]
async fn changes_of_another_process() {
    let place = Place::new();
    let tracker = place.start().await;
    let wiki_calls = tracker.caller();
    assert_eq!(tracker.get(&wiki_calls, "/rest/x", "fred").await, None);
    let elsewhere = place.open().await;
    elsewhere.set_application_enabled(&id(WIKI), false, &admin()).await.unwrap();
    tracker.store.poll().await.unwrap();
    assert_eq!(tracker.get(&wiki_calls, "/rest/x", "fred").await, Some(Code::AppUnknown));
}

/// Both own keys are rotated while requests go on, by callers that hold the certificate of before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_refused_while_own_keys_are_rotated() {
    let place = Place::new();
    let tracker = Arc::new(place.start().await);
    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let before = tracker.trust.identity();
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let (tracker, over, sent) = (Arc::clone(&tracker), Arc::clone(&over), Arc::clone(&sent));
            let caller = tracker.caller();
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    assert_eq!(tracker.get(&caller, "/rest/x", "fred").await, None);
                    sent.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let goes_on = async || {
        let seen = sent.load(Ordering::SeqCst);
        while sent.load(Ordering::SeqCst) < seen + 10 && !callers.iter().any(|task| task.is_finished()) {
            tokio::task::yield_now().await;
        }
    };
    for purpose in [KeyPurpose::Decryption, KeyPurpose::Signing] {
        goes_on().await;
        tracker.store.publish_next_key(purpose, &admin()).await.unwrap();
        goes_on().await;
        tracker.store.promote_key(purpose, Promotion::InsecureAtOnce, &admin()).await.unwrap();
        goes_on().await;
    }
    over.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.unwrap();
    }
    let after = tracker.trust.identity();
    assert_ne!(after.signing_key().id(), before.signing_key().id());
    assert_eq!(tracker.get(&tracker.caller(), "/rest/x", "fred").await, None, "with the new certificate");

    // A key that may have leaked is of no use at once, to sessions that are open as well.
    let held = tracker.caller();
    assert_eq!(tracker.get(&held, "/rest/x", "fred").await, None);
    let key = after.certificate().content().current(taa_core::certificate::KeyUse::Decryption).unwrap();
    tracker.store.revoke_own_key(key.public.id(), &admin()).await.unwrap();
    assert_eq!(tracker.get(&held, "/rest/x", "fred").await, Some(Code::BadSignature));
    assert_eq!(tracker.get(&tracker.caller(), "/rest/x", "fred").await, None);
}

async fn page(layer: &taa_server::CertificateLayer, path: &str) -> Option<String> {
    let missing = tower::service_fn(async |_: Request<()>| {
        let nothing = Response::builder().status(404).body(Empty::<bytes::Bytes>::new()).unwrap();
        Ok::<_, std::convert::Infallible>(nothing)
    });
    let answer = layer.layer(missing).oneshot(Request::get(path).body(()).unwrap()).await.unwrap();
    let found = answer.status() == 200;
    let content = answer.into_body().collect().await.unwrap().to_bytes();
    found.then(|| String::from_utf8(content.to_vec()).unwrap())
}

#[tokio::test]
async fn the_certificate_is_the_one_in_the_store() {
    let place = Place::new();
    let tracker = place.start().await;
    let layer = tracker.keeper.certificate_layer();
    let document = async || page(&layer, "/.well-known/taa-certificate").await.unwrap();
    let held = || tracker.store.snapshot().own.as_ref().unwrap().certificate.document().to_owned();
    let first = document().await;
    assert_eq!(first, held());
    tracker.store.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    assert_ne!(document().await, first);
    assert_eq!(document().await, held());
    assert_eq!(page(&layer, "/admin/appTrustCertificate").await, None);
    tracker.store.publish_next_key(KeyPurpose::Legacy, &admin()).await.unwrap();
    let older = page(&layer, "/admin/appTrustCertificate").await.unwrap();
    assert!(older.contains(TRACKER), "{older}");
    let again = place.start().await;
    let layer = again.keeper.certificate_layer();
    assert_eq!(page(&layer, "/admin/appTrustCertificate").await, Some(older));
}

#[tokio::test]
async fn a_store_that_cannot_be_reached() {
    let place = Place::new();
    let tracker = place.start().await;
    let wiki_calls = tracker.caller();
    let get = async || tracker.get(&wiki_calls, "/rest/x", "fred").await;
    assert_eq!(get().await, None);
    place.clock.advance(4 * SECOND);
    tracker.store.poll().await.unwrap();
    place.clock.advance(4 * SECOND);
    assert_eq!(get().await, None, "it was confirmed four seconds ago");
    assert!(tracker.keeper.problems().is_empty());

    tracker.store.close().await;
    assert!(tracker.store.poll().await.is_err());
    assert_eq!(get().await, None, "the mark is still ahead");
    place.clock.advance(2 * SECOND);
    assert_eq!(get().await, Some(Code::System));
    assert_eq!(tracker.keeper.problems(), [Problem::StoreUnreached]);
}

/// Rules that do not fit this server: the application is unknown, and the person who runs it is told.
#[tokio::test]
async fn an_application_whose_rules_do_not_fit_is_left_out() {
    let place = Place::new();
    let store = place.initialised().await;
    let long = Rules { timeout: Duration::from_secs(200), ..rules() };
    store.add_application(application(wiki().certificate(), long.clone()), &admin()).await.unwrap();
    let tracker = Tracker::start(store, |builder| builder).await;
    assert_eq!(tracker.get(&tracker.caller(), "/rest/x", "fred").await, Some(Code::AppUnknown));
    let problems = tracker.keeper.problems();
    let [Problem::ApplicationLeftOut { id: left_out, .. }] = &*problems else { panic!("{problems:?}") };
    assert_eq!(*left_out, id(WIKI));
    update(&tracker, rules()).await;
    assert_eq!(tracker.get(&tracker.caller(), "/rest/x", "fred").await, None);
    assert!(tracker.keeper.problems().is_empty());
    update(&tracker, long).await;
    assert_eq!(tracker.keeper.problems(), problems);

    // A server that allows more takes it.
    let other = Tracker::start(place.open().await, |builder| builder.greatest_timeout(greatest(300))).await;
    assert!(other.keeper.problems().is_empty());
    place.clock.advance(3 * SECOND);
    assert_eq!(other.get(&other.caller(), "/rest/x", "fred").await, None);
}

#[tokio::test]
async fn what_a_keeper_needs() {
    let place = Place::new();
    let empty = Keeper::new(place.open().await, provider());
    assert!(matches!(empty, Err(KeeperError::Store(StoreError::NoIdentity))), "{empty:?}");
    let tracker = place.start().await;
    let users = taa_server::resolver::StaticUsers::default();
    let second = tracker.keeper.trust(users, |builder| builder).await;
    assert!(matches!(second, Err(KeeperError::TrustMade)), "{second:?}");
}

/// What is in force follows the record, not the order of requests: the floor falls when a person lowers it.
#[tokio::test]
async fn the_floor_is_kept_until_a_person_lowers_it() {
    let place = Place::new();
    let tracker = place.start().await;
    let older = Rules { min_protocol: Protocol::V2, ..rules() };
    update(&tracker, older.clone()).await;
    let allows_older =
        |tracker: &Tracker| tracker.trust.directory().application(WIKI).unwrap().accepts(Protocol::V3);
    assert!(allows_older(&tracker));
    assert_eq!(tracker.get(&tracker.caller(), "/rest/x", "fred").await, None);
    assert!(!allows_older(&tracker));
    assert!(tracker.store.snapshot().application(WIKI).unwrap().seen_v4);
    // Another change of the directory leaves it where it is, and so does another process.
    tracker.store.revoke_user("nobody".parse().unwrap(), &admin()).await.unwrap();
    assert!(!allows_older(&tracker));
    let after = place.start().await;
    assert!(!allows_older(&after));
    update(&after, rules()).await;
    update(&after, older).await;
    assert!(allows_older(&after));
}
