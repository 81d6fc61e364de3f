//! Several processes on one store.

use std::time::Duration;

use taa_service::Problem;

use super::world::*;

/// Runs until this process has said again that it is there, and then falls silent, as one that is killed does.
async fn beat(tracker: &Tracker) {
    let now = tracker.clock.wall().unwrap();
    let task = tokio::spawn(tracker.keeper.run());
    let said = async || tracker.store.nodes().await.unwrap().iter().any(|node| node.last_seen == now);
    while !said().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It looks at the others after that.
    tokio::time::sleep(Duration::from_millis(50)).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn another_process_with_nonces_of_its_own_is_told() {
    let place = Place::new();
    let one = place.start().await;
    beat(&one).await;
    place.clock.advance(3 * SECOND);
    // The one before may have been killed: it has said nothing since.
    let other = place.start().await;
    beat(&other).await;
    assert!(other.keeper.problems().is_empty(), "{:?}", other.keeper.problems());
    let nodes = other.store.nodes().await.unwrap();
    assert_eq!(nodes.len(), 2);
    assert!(nodes.iter().all(|node| !node.shared_nonces));

    place.clock.advance(SECOND);
    beat(&one).await;
    place.clock.advance(SECOND);
    beat(&other).await;
    for tracker in [&one, &other] {
        assert!(
            matches!(&*tracker.keeper.problems(), [Problem::AnotherNode { .. }]),
            "{:?}",
            tracker.keeper.problems()
        );
    }
    // It says that it goes.
    one.keeper.run_until(std::future::ready(())).await;
    assert_eq!(other.store.nodes().await.unwrap().len(), 1);
    place.clock.advance(SECOND);
    beat(&other).await;
    assert!(other.keeper.problems().is_empty());
}

/// Who only calls others answers for nobody.
#[tokio::test]
async fn a_process_without_a_server_is_no_node() {
    let place = Place::new();
    let keeper = taa_service::Keeper::new(place.initialised().await, provider()).unwrap();
    keeper.signer().unwrap();
    let task = tokio::spawn(keeper.run());
    tokio::time::sleep(Duration::from_millis(100)).await;
    task.abort();
    assert!(keeper.store().nodes().await.unwrap().is_empty());
}

/// The lease is renewed while it runs, whatever the clock does.
#[tokio::test]
async fn while_it_runs_the_store_is_followed() {
    let place = Place::new();
    let tracker = place.start().await;
    tokio::spawn(tracker.keeper.run());
    place.clock.advance(6 * SECOND);
    while tracker.trust.lease_is_over() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let elsewhere = place.open().await;
    elsewhere.set_application_enabled(&id(WIKI), false, &admin()).await.unwrap();
    while tracker.trust.directory().application(WIKI).unwrap().is_enabled() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Two nodes with one database: what an administrator changes at one is in force at the other within a second.
#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn a_change_reaches_every_node() {
    use sqlx::any::install_default_drivers;
    use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
    use taa_core::crypto::Random;

    let server = std::env::var_os("TAA_TEST_POSTGRES").map(|url| url.into_string().unwrap());
    let server = server.unwrap_or_else(|| "postgres://root@127.0.0.1:5432/test".into());
    let mut random = [0; 8];
    taa_core::crypto::SystemRandom.fill(&mut random).unwrap();
    let schema = format!("taa_keeper_{}", u64::from_be_bytes(random));
    install_default_drivers();
    let mut connection = AnyConnection::connect(&server).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).await.unwrap();
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-csearch_path%3D{schema}");

    let node = async || {
        let store = taa_store::Store::open(taa_store::OpenOptions::new(url.parse().unwrap(), provider()));
        let store = store.await.unwrap();
        if store.snapshot().own.is_none() {
            let new = taa_store::model::NewIdentity {
                id: id(TRACKER),
                name: "Tracker".into(),
                base_url: "https://tracker.example/".parse().unwrap(),
                key_size: taa_core::key::KeySize::Rsa2048,
            };
            store.init(new, &admin()).await.unwrap();
            store.add_application(application(wiki().certificate(), rules()), &admin()).await.unwrap();
        }
        let tracker = Tracker::start(store, |builder| builder).await;
        let running = tokio::spawn(tracker.keeper.run());
        (tracker, running)
    };
    let (one, running) = node().await;
    let (other, also_running) = node().await;
    // One at a time: they do not share nonces, and the test has them tell.
    let caller = other.caller();
    assert_eq!(other.get(&caller, "/rest/x", "fred").await, None);
    let clock = taa_core::time::SystemClock::new();
    one.store.set_application_enabled(&id(WIKI), false, &admin()).await.unwrap();
    let changed = taa_core::time::Clock::monotonic(&clock);
    while other.get(&caller, "/rest/x", "fred").await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = taa_core::time::Clock::monotonic(&clock).saturating_sub(changed);
    assert!(took < SECOND, "{took:?}");
    // Both say that they are there, and that they should not be.
    while one.keeper.problems().is_empty() || other.keeper.problems().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.abort();
    also_running.abort();
    one.store.close().await;
    other.store.close().await;
    connection.execute(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).await.unwrap();
}

#[cfg(feature = "redis")]
mod redis {
    use taa_core::answer::Code;
    use taa_service::{Keeper, KeeperError};
    use taa_store::redis::RedisOptions;

    use super::*;

    fn url() -> String {
        let given = std::env::var_os("TAA_TEST_REDIS").map(|url| url.into_string().unwrap());
        given.unwrap_or_else(|| "redis://127.0.0.1:6379/".into())
    }

    /// Two nodes with a store and a Redis: a request is good once in all, through restarts, and nobody waits.
    #[tokio::test]
    #[ignore = "needs Redis"]
    async fn nodes_that_share_nonces() {
        let place = Place::new();
        let store = place.open().await;
        let new = taa_store::model::NewIdentity {
            // Redis is shared by all tests.
            id: id(&format!("tracker-{}", uuid())),
            name: "Tracker".into(),
            base_url: "https://tracker.example/".parse().unwrap(),
            key_size: taa_core::key::KeySize::Rsa2048,
        };
        store.init(new, &admin()).await.unwrap();
        store.add_application(application(wiki().certificate(), rules()), &admin()).await.unwrap();
        let start = async || {
            let store = place.open().await;
            let keeper = Keeper::new(store.clone(), provider()).unwrap();
            keeper.redis_nonces(&url(), RedisOptions::default()).await.unwrap();
            let users = taa_server::resolver::StaticUsers::new(["fred"]);
            let trust = keeper.trust(users, |builder| builder.replicas(2)).await.unwrap();
            let late = keeper.redis_nonces(&url(), RedisOptions::default()).await;
            assert!(matches!(late, Err(KeeperError::TrustMade)));
            let clock = std::sync::Arc::clone(store.clock());
            Tracker { store, keeper, trust, clock }
        };
        let (one, other) = (start().await, start().await);
        let caller = one.caller();
        let captured = one.sign(&caller, "/rest/x", "fred");
        assert_eq!(one.send(&captured).await, None);
        assert_eq!(other.send(&captured).await, Some(Code::Replayed));
        assert_eq!(other.get(&caller, "/rest/x", "fred").await, None);
        beat(&one).await;
        place.clock.advance(SECOND);
        beat(&other).await;
        assert!(other.keeper.problems().is_empty());
        assert!(other.store.nodes().await.unwrap().iter().all(|node| node.shared_nonces));
        assert!(store.nonce_epoch().await.unwrap().is_some());
        let third = start().await;
        assert_eq!(third.send(&captured).await, Some(Code::Replayed));
        assert_eq!(third.get(&caller, "/rest/x", "fred").await, None);

        // What the store remembers is not what Redis has: it lost its memory while nobody was there.
        store.set_nonce_epoch("another one").await.unwrap();
        let fourth = start().await;
        assert_eq!(fourth.get(&caller, "/rest/x", "fred").await, Some(Code::System));
        assert_eq!(fourth.get(&caller, "/rest/x", "fred").await, Some(Code::Replayed));
    }

    fn uuid() -> String {
        use taa_core::crypto::Random;
        let mut bytes = [0; 8];
        taa_core::crypto::SystemRandom.fill(&mut bytes).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
