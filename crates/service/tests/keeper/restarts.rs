//! What one process accepted, the next one does not.

use taa_core::answer::Code;

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
