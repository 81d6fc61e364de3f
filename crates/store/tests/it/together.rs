//! Several tasks, several processes.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use taa_store::model::{KeyPurpose, Snapshot};
use taa_store::{Store, StoreError};

use crate::peers::{application, certificate};
use crate::place::{Place, admin, id};

on_both!(
    one_sees_what_the_other_did,
    followed,
    observers_see_it_before_the_change_returns,
    observers_never_see_an_older_one,
    many_changes_at_once,
    many_changes_in_two_processes,
    a_caller_that_goes_away,
    one_of_two_edits_wins,
    a_snapshot_does_not_change,
);

async fn one_sees_what_the_other_did(place: Place) {
    let (here, there) = (place.initialised().await, place.open().await);
    here.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    assert!(there.snapshot().application("a:1").is_none(), "not yet");
    assert!(there.poll().await.unwrap().application("a:1").is_some());
    there.set_application_enabled(&id("a:1"), false, &admin()).await.unwrap();
    there.publish_next_key(KeyPurpose::Signing, &admin()).await.unwrap();
    let seen = here.poll().await.unwrap();
    assert!(!seen.application("a:1").unwrap().enabled);
    assert_eq!(seen.own.as_ref().unwrap().keys.len(), 3);
    assert_eq!(seen.generation, there.snapshot().generation);
    // Nothing new: the same snapshot.
    assert!(Arc::ptr_eq(&seen, &here.poll().await.unwrap()));
}

/// Waits until it is so. The time is only the end of patience.
async fn until(what: &str, so: impl Fn() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

async fn followed(place: Place) {
    let (here, there) = (place.open().await, place.open().await);
    // SQLite is polled; PostgreSQL announces, so that the polling in an hour's time plays no part.
    let every = if place.is_sqlite() { Duration::from_millis(20) } else { Duration::from_secs(3600) };
    let polled = Arc::new(AtomicU64::new(0));
    there.observe({
        let polled = Arc::clone(&polled);
        move |_| {
            polled.fetch_add(1, Ordering::SeqCst);
        }
    });
    let following = tokio::spawn({
        let there = there.clone();
        async move { there.follow(every).await }
    });
    // It polls once at the beginning, and once more as soon as it listens.
    if !place.is_sqlite() {
        until("it listens", || polled.load(Ordering::SeqCst) >= 2).await;
    }
    for number in 0..3 {
        here.revoke_user(format!("user-{number}").parse().unwrap(), &admin()).await.unwrap();
        let wanted = here.snapshot().generation;
        let seen = tokio::time::timeout(Duration::from_secs(1), async {
            while there.snapshot().generation < wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(seen.await.is_ok(), "within a second");
    }
    following.abort();
}

async fn observers_see_it_before_the_change_returns(place: Place) {
    let store = place.open().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..2 {
        let seen = Arc::clone(&seen);
        store.observe(move |snapshot: &Arc<Snapshot>| seen.lock().unwrap().push(snapshot.generation));
    }
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [1, 1]);
    store.poll().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [1, 1, 1, 1], "confirmed");
    store.remove_application("z:1", &admin()).await.unwrap_err();
    assert_eq!(seen.lock().unwrap().len(), 4);
    store.close().await;
    store.poll().await.unwrap_err();
    assert_eq!(seen.lock().unwrap().len(), 4, "a failed poll confirms nothing");
}

async fn observers_never_see_an_older_one(place: Place) {
    let store = place.open().await;
    let last = Arc::new(AtomicU64::new(0));
    store.observe({
        let last = Arc::clone(&last);
        move |snapshot| assert!(last.swap(snapshot.generation, Ordering::SeqCst) <= snapshot.generation)
    });
    let tasks: Vec<_> = (0..30)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                if number % 3 == 0 {
                    store.poll().await.map(drop)
                } else {
                    let after = store.revoke_user(format!("u{number}").parse().unwrap(), &admin()).await?;
                    assert!(
                        after.revoked_users.iter().any(|user| user.pattern.as_str() == format!("u{number}"))
                    );
                    Ok::<(), StoreError>(())
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(last.load(Ordering::SeqCst), 20);
}

async fn many_changes_at_once(place: Place) {
    let store = place.open().await;
    let tasks: Vec<_> = (0..60)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(
                async move { store.revoke_user(format!("u{number}").parse().unwrap(), &admin()).await },
            )
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(store.snapshot().revoked_users.len(), 60);
    assert_whole(&place, &store, 60).await;
}

async fn many_changes_in_two_processes(place: Place) {
    let stores = [place.open().await, place.open().await];
    let tasks: Vec<_> = (0..40)
        .map(|number: usize| {
            let store = stores[number % 2].clone();
            tokio::spawn(
                async move { store.revoke_user(format!("u{number}").parse().unwrap(), &admin()).await },
            )
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for store in &stores {
        assert_eq!(store.poll().await.unwrap().revoked_users.len(), 40);
    }
    assert_whole(&place, &stores[0], 40).await;
}

/// The trail is whole, and every generation has its row.
async fn assert_whole(place: &Place, store: &Store, rows: u64) {
    use sqlx::Row;
    let report = store.verify_audit().await.unwrap();
    assert_eq!((report.rows, report.problems), (rows, vec![]));
    let counted = place.rows("SELECT count(DISTINCT generation) AS n FROM taa_audit").await;
    assert_eq!(u64::try_from(counted[0].get::<i64, _>("n")).unwrap(), rows);
    assert_eq!(store.poll().await.unwrap().generation, rows);
}

/// Polls a future so many times and then drops it. True when it came to its end.
async fn dropped_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn a_caller_that_goes_away(place: Place) {
    let store = place.open().await;
    let held = certificate("a:1", 1, 0);
    let mut finished = false;
    let mut polls = 0;
    while !finished {
        polls += 1;
        assert!(polls < 500);
        finished = dropped_after(polls, store.add_application(application(&held), &admin())).await;
        // Either all of it is there or nothing, whenever the caller went.
        // What is being carried through holds the turn of this process, so this comes after it.
        let after = store.revoke_user(format!("u{polls}").parse().unwrap(), &admin()).await.unwrap();
        let there = after.application("a:1").is_some();
        let rows = place.rows("SELECT seq FROM taa_audit WHERE action = 'application.added'").await.len();
        assert_eq!(rows, usize::from(there), "after {polls} polls");
        assert_eq!(place.count("taa_peer_keys").await, if there { 2 } else { 0 });
        assert!(there || !finished);
        if there {
            break;
        }
    }
    assert!(store.verify_audit().await.unwrap().problems.is_empty());
    assert_eq!(place.count("taa_audit").await, i64::try_from(store.snapshot().generation).unwrap());
}

async fn one_of_two_edits_wins(place: Place) {
    let stores = [place.open().await, place.open().await];
    let seen = stores[0].add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let edit = |name: &str| taa_store::model::ApplicationUpdate {
        version: seen.generation,
        name: name.into(),
        rules: crate::peers::rules(),
    };
    let peer = id("a:1");
    let by = admin();
    let (first, second) = tokio::join!(
        stores[0].update_application(&peer, edit("first"), &by),
        stores[1].update_application(&peer, edit("second"), &by)
    );
    let name = match (first, second) {
        (Ok(_), Err(StoreError::Changed)) => "first",
        (Err(StoreError::Changed), Ok(_)) => "second",
        other => panic!("{other:?}"),
    };
    assert_eq!(stores[0].poll().await.unwrap().application("a:1").unwrap().name, name);
}

async fn a_snapshot_does_not_change(place: Place) {
    let store = place.open().await;
    let before = store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let after = store.remove_application("a:1", &admin()).await.unwrap();
    assert!(before.application("a:1").is_some() && after.application("a:1").is_none());
    assert!(before.generation < after.generation);
}

/// Services run on several threads.
#[test]
fn everything_can_move_between_threads() {
    fn moves<T: Send>(_: impl FnOnce() -> T) {}
    fn all<T>() -> T {
        unreachable!("it is only looked at by the compiler")
    }
    moves(|| Store::open(all()));
    moves(|| all::<&Store>().poll());
    moves(|| all::<&Store>().follow(Duration::ZERO));
    moves(|| all::<&Store>().init(all(), all()));
    moves(|| all::<&Store>().change_profile(all(), all(), all()));
    moves(|| all::<&Store>().publish_next_key(all(), all()));
    moves(|| all::<&Store>().promote_key(all(), all(), all()));
    moves(|| all::<&Store>().revoke_own_key(all(), all()));
    moves(|| all::<&Store>().remove_ended_keys(all()));
    moves(|| all::<&Store>().import_key(all(), all()));
    moves(|| all::<&Store>().export_key(all(), all()));
    moves(|| all::<&Store>().reseal(all(), all()));
    moves(|| all::<&Store>().add_pending(all()));
    moves(|| all::<&Store>().pending(all()));
    moves(|| all::<&Store>().add_both(all(), all(), all()));
    moves(|| all::<&Store>().update_application(all(), all(), all()));
    moves(|| all::<&Store>().remove_application(all(), all()));
    moves(|| all::<&Store>().revoke_application_key(all(), all(), all()));
    moves(|| all::<&Store>().update_server(all(), all(), all()));
    moves(|| all::<&Store>().replace_certificate(all(), all(), all(), all()));
    moves(|| all::<&Store>().note_refresh(all(), all()));
    moves(|| all::<&Store>().audit(all()));
    moves(|| all::<&Store>().verify_audit());
    moves(|| all::<&Store>().raise_floor(all()));
    moves(|| all::<&Store>().note_use(all()));
    moves(|| all::<&Store>().note_node(all()));
}

#[cfg(feature = "postgres")]
mod postgres_only {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs PostgreSQL"]
    async fn whatever_level_the_server_is_set_to() {
        let mut place = Place::postgres().await;
        place.url.push_str("%20-cdefault_transaction_isolation=serializable");
        many_changes_in_two_processes(place).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs PostgreSQL"]
    async fn after_the_server_was_away() {
        let mut place = Place::postgres().await;
        let here = place.open().await;
        // Those that are cut off are found by their name.
        let name = format!("away_{}", std::process::id());
        place.url.push_str(&format!("&application_name={name}"));
        let there = place.open().await;
        let following = tokio::spawn({
            let there = there.clone();
            async move { there.follow(Duration::from_millis(200)).await }
        });
        for round in 0..3 {
            here.revoke_user(format!("u{round}").parse().unwrap(), &admin()).await.unwrap();
            let wanted = here.snapshot().generation;
            until("it follows", || there.snapshot().generation >= wanted).await;
            let cut =
                "SELECT pg_terminate_backend(pid)::text AS cut FROM pg_stat_activity WHERE application_name";
            place.rows(&format!("{cut} = '{name}' AND pid <> pg_backend_pid()")).await;
        }
        let changed = there.revoke_user("after".parse().unwrap(), &admin()).await.unwrap();
        assert_eq!(changed.revoked_users.len(), 4);
        following.abort();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs PostgreSQL"]
    async fn two_stores_in_one_database() {
        let (one, other) = (Place::postgres().await, Place::postgres().await);
        let stores = [one.open().await, other.open().await];
        let mut listener = sqlx::postgres::PgListener::connect(&one.url).await.unwrap();
        let channels = [channel(&one).await, channel(&other).await];
        listener.listen_all(channels.iter().map(String::as_str)).await.unwrap();
        // Announcements come in the order of the changes, and each on the channel of its store.
        for at in [0, 1, 1, 0] {
            let user = format!("u{}", stores[at].snapshot().generation);
            stores[at].revoke_user(user.parse().unwrap(), &admin()).await.unwrap();
            let heard = tokio::time::timeout(Duration::from_secs(5), listener.recv()).await.unwrap().unwrap();
            let generation = stores[at].snapshot().generation.to_string();
            assert_eq!((heard.channel(), heard.payload()), (channels[at].as_str(), generation.as_str()));
        }
    }

    async fn channel(place: &Place) -> String {
        use sha2::{Digest, Sha256};
        use sqlx::Row;
        let schema: String = place.rows("SELECT current_schema()::text AS name").await[0].get("name");
        let digest: String =
            Sha256::digest(schema).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("taa_changed_{digest}")
    }
}
