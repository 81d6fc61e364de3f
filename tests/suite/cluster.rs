//! Two nodes of one tracker: trust in PostgreSQL, nonces in Redis, each with sockets of its own.

mod node;
mod schema;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use taa_store::model::{Actor, KeyPurpose, Promotion};
use tokio::time::{sleep, timeout};

use self::node::{Cluster, Wiki};

fn anna() -> Actor {
    Actor::new("anna")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis"]
async fn a_request_is_good_once_for_all_nodes() {
    let cluster = Cluster::start().await;
    let wiki = Wiki::trusted_by(&cluster).await;
    for _ in 0..5 {
        let request = wiki.sign("fred");
        let (first, second) = tokio::join!(cluster.one.send(&request), cluster.two.send(&request));
        let mut codes = [first, second];
        codes.sort();
        assert_eq!(codes, ["", "REPLAYED"], "exactly one node accepts it");
        assert_eq!(cluster.one.send(&request).await, "REPLAYED");
        assert_eq!(cluster.two.send(&request).await, "REPLAYED");
    }
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis"]
async fn what_is_revoked_at_one_node_is_in_force_at_the_other_within_a_second() {
    let cluster = Cluster::start().await;
    let wiki = Wiki::trusted_by(&cluster).await;
    assert_eq!(cluster.two.send(&wiki.sign("fred")).await, "");

    cluster.one.store.revoke_user("fred".parse().unwrap(), &anna()).await.unwrap();
    assert_eq!(cluster.one.send(&wiki.sign("fred")).await, "PERMISSION_DENIED", "here at once");
    within_a_second(async || cluster.two.send(&wiki.sign("fred")).await == "PERMISSION_DENIED").await;
    assert_eq!(cluster.two.send(&wiki.sign("admin")).await, "");

    cluster.one.store.set_application_enabled(wiki.id(), false, &anna()).await.unwrap();
    assert_eq!(cluster.one.send(&wiki.sign("admin")).await, "APP_UNKNOWN", "here at once");
    within_a_second(async || cluster.two.send(&wiki.sign("admin")).await == "APP_UNKNOWN").await;
    cluster.one.store.set_application_enabled(wiki.id(), true, &anna()).await.unwrap();
    within_a_second(async || cluster.two.send(&wiki.sign("admin")).await.is_empty()).await;

    let own = wiki.store.snapshot();
    let key =
        own.own.as_ref().unwrap().keys.iter().find(|key| key.purpose == KeyPurpose::Signing).unwrap().id;
    cluster.two.store.revoke_application_key(wiki.id(), key, &anna()).await.unwrap();
    assert_eq!(cluster.two.send(&wiki.sign("admin")).await, "BAD_SIGNATURE", "here at once");
    within_a_second(async || cluster.one.send(&wiki.sign("admin")).await == "BAD_SIGNATURE").await;
    cluster.end().await;
}

async fn within_a_second(holds: impl AsyncFn() -> bool) {
    let waited = timeout(Duration::from_secs(1), async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.expect("not in force within a second");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis"]
async fn keys_are_rotated_while_requests_run_and_none_is_refused() {
    let cluster = Arc::new(Cluster::start().await);
    let wiki = Arc::new(Wiki::trusted_by(&cluster).await);
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let running: Vec<_> = (0..4)
        .map(|number| {
            let (cluster, wiki) = (Arc::clone(&cluster), Arc::clone(&wiki));
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let node = if number % 2 == 0 { &cluster.one } else { &cluster.two };
                    let code = node.send(&wiki.sign("fred")).await;
                    assert_eq!(code, "", "request {}", sent.load(Ordering::Relaxed));
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();

    for purpose in [KeyPurpose::Decryption, KeyPurpose::Signing] {
        cluster.one.store.publish_next_key(purpose, &anna()).await.unwrap();
        wiki.store.publish_next_key(purpose, &anna()).await.unwrap();
    }
    some_more(&sent).await;
    wiki.refresh(&cluster).await;
    cluster.refresh(&wiki).await;
    // In life a day passes here: every peer has fetched, and every node holds the private part.
    sleep(Duration::from_secs(1)).await;
    for purpose in [KeyPurpose::Decryption, KeyPurpose::Signing] {
        cluster.two.store.promote_key(purpose, Promotion::InsecureAtOnce, &anna()).await.unwrap();
        some_more(&sent).await;
        wiki.store.promote_key(purpose, Promotion::InsecureAtOnce, &anna()).await.unwrap();
        some_more(&sent).await;
    }
    wiki.refresh(&cluster).await;
    cluster.refresh(&wiki).await;
    some_more(&sent).await;

    stop.store(true, Ordering::Relaxed);
    for requests in running {
        requests.await.expect("none is refused");
    }
    drop(wiki);
    Arc::into_inner(cluster).unwrap().end().await;
}

/// Waits until requests have come through since.
async fn some_more(sent: &AtomicU32) {
    let before = sent.load(Ordering::Relaxed);
    let more = async {
        while sent.load(Ordering::Relaxed) < before + 20 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), more).await.expect("requests go on");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis"]
async fn each_node_sees_the_other() {
    let cluster = Cluster::start().await;
    let both = async {
        while cluster.one.store.nodes().await.unwrap().len() < 2 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(5), both).await.expect("two nodes");
    assert!(cluster.one.store.nodes().await.unwrap().iter().all(|node| node.shared_nonces));
    assert!(cluster.one.keeper.problems().is_empty(), "{:?}", cluster.one.keeper.problems());
    cluster.end().await;
}
