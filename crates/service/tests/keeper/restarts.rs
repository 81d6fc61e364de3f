//! What one process accepted, the next one does not.

use std::time::Duration;

use taa_core::answer::Code;
use taa_service::Problem;

use super::world::*;

#[tokio::test]
async fn what_was_captured_is_not_accepted_again_and_what_is_new_at_once() {
    let place = Place::new();
    let before = place.start().await;
    let wiki_calls = before.caller();
    let captured = before.sign(&wiki_calls, "/rest/x", "fred");
    assert_eq!(before.send(&captured).await, None);
    assert_eq!(before.send(&captured).await, Some(Code::Replayed));
    before.store.close().await;

    place.clock.advance(3 * SECOND);
    let after = place.start().await;
    assert_eq!(after.send(&captured).await, Some(Code::Replayed));
    assert_eq!(after.get(&wiki_calls, "/rest/x", "fred").await, None);
    place.clock.advance(3 * SECOND);
    let third = place.start().await;
    assert_eq!(third.send(&captured).await, Some(Code::Replayed));
    assert_eq!(third.get(&wiki_calls, "/rest/x", "fred").await, None);
}

#[tokio::test]
async fn what_was_used_is_noted() {
    let place = Place::new();
    let tracker = place.start().await;
    assert_eq!(tracker.get(&tracker.caller(), "/rest/x", "fred").await, None);
    tracker.keeper.run_until(std::future::ready(())).await;
    tracker.store.poll().await.unwrap();
    let snapshot = tracker.store.snapshot();
    let wiki = snapshot.application(WIKI).unwrap();
    assert_eq!(wiki.last_used, Some(START));
    assert_eq!(wiki.keys_last_used.get(&signing_key(0).id()), Some(&START));
    let own = &snapshot.own.as_ref().unwrap().keys;
    let used: Vec<_> = own.iter().filter(|key| key.last_used == Some(START)).map(|key| key.purpose).collect();
    assert_eq!(used, [taa_store::model::KeyPurpose::Decryption]);
}

/// Nonces were shared, and are in memory now: no mark tells what was accepted last.
#[tokio::test]
async fn from_shared_nonces_to_memory() {
    let place = Place::new();
    let store = place.initialised().await;
    store.add_application(application(wiki().certificate(), rules()), &admin()).await.unwrap();
    store.set_nonce_epoch("an epoch").await.unwrap();
    let tracker = Tracker::start(store, |builder| builder).await;
    let wiki_calls = tracker.caller();
    assert_eq!(tracker.get(&wiki_calls, "/rest/x", "fred").await, Some(Code::Replayed));
    place.clock.advance(61 * SECOND);
    tracker.store.poll().await.unwrap();
    assert_eq!(tracker.get(&wiki_calls, "/rest/x", "fred").await, None);
}

/// The marks that were written since the copy was made are gone with the rest: the process after this one must not accept
/// what they stood for.
#[tokio::test]
async fn an_older_copy_in_the_place_of_the_store() {
    let place = Place::new();
    let tracker = place.start().await;
    place
        .sql("CREATE TABLE state AS SELECT * FROM taa_state; CREATE TABLE trail AS SELECT * FROM taa_audit")
        .await;
    tracker.store.revoke_user("admin".parse().unwrap(), &admin()).await.unwrap();
    let wiki_calls = tracker.caller();
    let captured = tracker.sign(&wiki_calls, "/rest/x", "fred");
    assert_eq!(tracker.send(&captured).await, None);
    assert!(tracker.keeper.problems().is_empty());

    let tables = "DELETE FROM taa_audit; INSERT INTO taa_audit SELECT * FROM trail; \
                  DELETE FROM taa_state; INSERT INTO taa_state SELECT * FROM state; \
                  DELETE FROM taa_revoked_users; DELETE FROM taa_marks";
    place.sql(&format!("DROP TRIGGER taa_audit_stays; BEGIN; {tables}; COMMIT")).await;
    place.clock.advance(SECOND);
    tracker.store.poll().await.unwrap();
    let at = tracker.clock.wall().unwrap();
    assert_eq!(tracker.keeper.problems(), [Problem::StoreSetBack { at }]);
    // What the copy says counts, and what this process accepted it still knows.
    assert_eq!(tracker.get(&wiki_calls, "/rest/x", "admin").await, None);
    assert_eq!(tracker.send(&captured).await, Some(Code::Replayed));
    let running = tokio::spawn(tracker.keeper.run());
    let fenced = async {
        let marks = async || tracker.store.marks().await.unwrap();
        while marks().await.iter().filter(|mark| mark.application.is_none()).count() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), fenced).await.unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    tracker.store.close().await;

    place.sql("DELETE FROM taa_marks WHERE app_id <> ''").await;
    let after = place.start().await;
    assert!(after.keeper.problems().is_empty());
    assert_eq!(after.send(&captured).await, Some(Code::Replayed));
    place.clock.advance(61 * SECOND);
    after.store.poll().await.unwrap();
    assert_eq!(after.get(&wiki_calls, "/rest/x", "fred").await, None);
}
