//! What outlives the process, and what a node does that cannot reach what it depends on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use taa_core::answer::Code;
use taa_core::directory::{Application, Directory};
use taa_core::durable::Mark;
use taa_core::id::{AppId, UserName};
use taa_core::nonce::{NonceError, NonceKey, NonceStore, Seen};
use taa_core::policy::{NeverAs, PathRules, Protocol};
use taa_core::time::{ManualClock, UnixMillis};
use taa_server::nonce::Nonces;
use taa_server::{Resolution, Trust, TrustError};
use taa_tests::harness::providers;

use super::disk::Disk;
use super::world::{
    Call, Caller, KEYS, START, Setup, Users, WIKI, World, any, app_id, application, client_identity,
    directory, fresh_key, policy, server_identity, stored_key,
};

const SECOND: Duration = Duration::from_secs(1);

/// A server that is started now, by this clock, and reads its marks from this disk.
fn start(disk: &Arc<Disk>, clock: &Arc<ManualClock>, setup: Setup) -> World {
    let marks = disk.marks();
    let disk = Arc::clone(disk);
    Setup { up: Duration::ZERO, ..setup }.build_on(Arc::clone(clock), |builder| builder.durable(disk, marks))
}

#[tokio::test]
async fn after_a_restart_nothing_is_accepted_again_and_what_is_new_at_once() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let before = start(&disk, &clock, Setup::default());
    // Within what clocks may differ, and in any order.
    let calls: Vec<_> = [-3_i64, 0, -30, 2, 1]
        .map(|ahead| before.get("/").created(UnixMillis(START.0.saturating_add_signed(ahead * 1000))))
        .into();
    for call in &calls {
        before.accepted(call).await;
    }
    clock.advance(4 * SECOND);
    let after = start(&disk, &clock, Setup::default());
    for call in &calls {
        after.handler.take();
        let answer = after.send(call).await;
        answer.check_refusal(Code::Replayed, Some((before.caller.keys(), &call.iv)));
        assert!(after.handler.take().is_empty());
    }
    after.accepted(&after.get("/")).await;
    // And so on after each restart, whatever was accepted meanwhile.
    for _ in 0..3 {
        let call = after.get("/");
        after.accepted(&call).await;
        clock.advance(3 * SECOND);
        let again = start(&disk, &clock, Setup::default());
        assert_eq!(again.send(&call).await.code(), Some(Code::Replayed));
        again.accepted(&again.get("/")).await;
    }
}

/// To the process after this one a key that this one made is an old one.
#[tokio::test]
async fn marks_are_written_for_keys_of_this_process_too() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let world = start(&disk, &clock, Setup { key: fresh_key(), ..Setup::default() });
    world.accepted(&world.get("/")).await;
    assert_eq!(disk.mark(WIKI, Protocol::V4), Some(START.plus(2 * SECOND)));
}

#[tokio::test]
async fn what_moves_the_mark() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let rules = any().paths(PathRules::parse_list("/rest").unwrap());
    let world = start(&disk, &clock, Setup::default().policy(rules));
    let mark = || disk.mark(WIKI, Protocol::V4);
    // Nothing that is not genuine, of this time and new.
    let mut forged = world.get("/rest").request();
    forged.headers_mut().insert(taa_core::fields::CERT, "A".repeat(64).parse().unwrap());
    world.refused_unproven(forged, Code::BadSignature).await;
    world.refused(&world.get("/rest").created(START.plus(31 * SECOND)), Code::OldCert).await;
    world.refused(&world.get("/rest").created(START.minus(61 * SECOND)), Code::OldCert).await;
    assert_eq!((mark(), disk.writes()), (None, 0));
    // What passed step 8 does, whatever comes of it.
    world.refused(&world.get("/elsewhere"), Code::BadUrl).await;
    assert_eq!(mark(), Some(START.plus(2 * SECOND)));
    let ahead = world.get("/rest").created(START.plus(20 * SECOND)).user("nobody");
    world.refused(&ahead, Code::UserUnknown).await;
    assert_eq!(mark(), Some(START.plus(22 * SECOND)));
    world.refused(&ahead, Code::Replayed).await;
    world.accepted(&world.get("/rest")).await;
    assert_eq!((mark(), disk.writes()), (Some(START.plus(22 * SECOND)), 2));
}

/// An application that is busy causes one write in about two seconds.
#[tokio::test]
async fn one_write_in_two_seconds() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let world = start(&disk, &clock, Setup::default());
    for _ in 0..10 {
        let calls: Vec<_> = (0..20).map(|_| world.get("/")).collect();
        let answers = futures_util::future::join_all(calls.iter().map(|call| world.send(call))).await;
        assert!(answers.iter().all(|answer| answer.code().is_none()));
        clock.advance(SECOND);
    }
    assert!((4..=6).contains(&disk.writes()), "{}", disk.writes());
}

#[tokio::test]
async fn a_disk_that_fails_lets_nobody_in() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let world = start(&disk, &clock, Setup::default());
    disk.break_down(true);
    let answer = world.refused(&world.get("/"), Code::System).await;
    assert!(!format!("{answer:?}").contains("secret-host"), "{answer:?}");
    disk.break_down(false);
    world.accepted(&world.get("/")).await;
    // While the mark is still ahead nothing has to be written.
    disk.break_down(true);
    clock.advance(SECOND);
    world.accepted(&world.get("/")).await;
    clock.advance(2 * SECOND);
    world.refused(&world.get("/"), Code::System).await;
}

/// The marks are asked whatever keeps the nonces, because the process before may have kept them in memory. Written they
/// are only where they are needed.
#[tokio::test]
async fn marks_with_shared_nonces() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let before = start(&disk, &clock, Setup::default());
    let call = before.get("/");
    before.accepted(&call).await;
    clock.advance(3 * SECOND);
    let writes = disk.writes();
    let after = Setup { up: Duration::ZERO, ..Setup::default() }.build_on(Arc::clone(&clock), |builder| {
        let nonces = Nonces::store(Arc::new(Flushable::default()));
        builder.durable(disk.clone(), disk.marks()).shared_nonces(nonces)
    });
    assert_eq!(after.send(&call).await.code(), Some(Code::Replayed));
    after.accepted(&after.get("/")).await;
    clock.advance(10 * SECOND);
    after.accepted(&after.get("/")).await;
    assert_eq!(disk.writes(), writes);
}

#[tokio::test]
async fn a_mark_for_all_applications() {
    let clock = Arc::new(ManualClock::new(START));
    let mark = Mark { application: None, protocol: Protocol::V4, at: START };
    let world = Setup { up: Duration::ZERO, ..Setup::default() }
        .build_on(Arc::clone(&clock), |builder| builder.durable(Arc::new(Disk::default()), [mark]));
    world.refused(&world.get("/"), Code::Replayed).await;
    clock.advance(Duration::from_millis(1));
    world.accepted(&world.get("/")).await;
}

#[tokio::test]
async fn version_4_is_remembered_durably() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let rules = || any().min_protocol(Protocol::V2);
    let world = start(&disk, &clock, Setup::default().policy(rules()));
    let allows_older =
        |world: &World| world.trust.directory().application(WIKI).unwrap().ratchet().allows(Protocol::V2);
    // The mark first, so that what fails next is the floor.
    disk.break_down(true);
    world.refused(&world.get("/"), Code::System).await;
    assert!(!allows_older(&world), "refused from the moment on that version 4 was seen");
    world.refused(&world.get("/"), Code::System).await;
    assert!(disk.floors().is_empty());
    disk.break_down(false);
    world.accepted(&world.get("/")).await;
    world.accepted(&world.get("/")).await;
    assert_eq!(disk.floors(), [app_id(WIKI)], "written once");

    let again =
        Application::new(providers()[0], client_identity(WIKI, &KEYS[0]).certificate(), policy(rules()));
    let directory = Directory::new([again.unwrap().having_seen_v4()]).unwrap();
    let after = start(&disk, &clock, Setup { directory, ..Setup::default() });
    assert!(!allows_older(&after));
    clock.advance(3 * SECOND);
    after.accepted(&after.get("/")).await;
    assert_eq!(disk.floors().len(), 1);
    // Nothing is written for an application that may speak version 4 alone.
    let strict = start(&disk, &clock, Setup::default());
    clock.advance(3 * SECOND);
    strict.accepted(&strict.get("/")).await;
    assert_eq!(disk.floors().len(), 1);
}

#[tokio::test]
async fn good_requests_are_told() {
    let (disk, clock) = (Arc::new(Disk::default()), Arc::new(ManualClock::new(START)));
    let world = start(&disk, &clock, Setup::default());
    world.accepted(&world.get("/")).await;
    let own = (app_id(super::world::TRACKER), Some(stored_key().id()), START);
    assert_eq!(disk.take_used(), [(app_id(WIKI), Some(KEYS[0].id()), START), own]);
    world.refused(&world.get("/").user("nobody"), Code::UserUnknown).await;
    assert!(disk.take_used().is_empty());
}

#[tokio::test]
async fn without_its_lease_a_node_trusts_nobody() {
    let clock = Arc::new(ManualClock::new(START.minus(super::world::UP)));
    let world = Setup { up: Duration::ZERO, ..Setup::default() }.build_on(Arc::clone(&clock), |builder| {
        builder.lease(5 * SECOND).durable(Arc::<Disk>::default(), [])
    });
    let caller = || Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    let send = async || {
        let caller = caller();
        world.send(&Call::new(&caller, http::Method::GET, "/", world.now())).await.code()
    };
    assert_eq!(send().await, None, "what it was built with was just read");
    clock.advance(5 * SECOND);
    assert_eq!(send().await, None);
    clock.advance(Duration::from_millis(1));
    assert!(world.trust.lease_is_over());
    assert_eq!(send().await, Some(Code::System));
    // By the clock that does not jump.
    clock.set_wall(START.minus(super::world::UP));
    assert_eq!(send().await, Some(Code::System));
    world.refused_unproven(world.get("/").request(), Code::System).await;
    world.trust.renew_lease();
    assert_eq!(send().await, None);

    let identity = server_identity("jira", "https://t.example/", stored_key());
    let zero = Trust::builder(identity, directory(any()), Users::default()).lease(Duration::ZERO).build();
    assert_eq!(zero.unwrap_err(), TrustError::Lease);
}

/// A shared store that can lose its memory, as one that is restarted does.
#[derive(Debug, Default)]
struct Flushable {
    seen: std::sync::Mutex<std::collections::HashSet<NonceKey>>,
    forgotten: AtomicBool,
    cannot_resume: AtomicBool,
    resumed: AtomicUsize,
}

impl Flushable {
    fn flush(&self) {
        self.seen.lock().unwrap().clear();
        self.forgotten.store(true, Ordering::SeqCst);
    }
}

impl NonceStore for Flushable {
    async fn record(&self, _: &AppId, key: NonceKey, _: Duration) -> Result<Seen, NonceError> {
        if self.forgotten.load(Ordering::SeqCst) {
            return Err(NonceError::Forgotten);
        }
        Ok(if self.seen.lock().unwrap().insert(key) { Seen::First } else { Seen::Before })
    }
    async fn contains(&self, key: NonceKey) -> Result<bool, NonceError> {
        Ok(self.seen.lock().unwrap().contains(&key))
    }
    fn is_shared(&self) -> bool {
        true
    }
    async fn resume(&self) -> Result<(), NonceError> {
        if self.cannot_resume.load(Ordering::SeqCst) {
            return Err(NonceError::Unavailable("down again".into()));
        }
        self.resumed.fetch_add(1, Ordering::SeqCst);
        self.forgotten.store(false, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn a_shared_store_needs_no_fence_until_it_forgets() {
    let store = Arc::new(Flushable::default());
    let node = || {
        let nonces = Nonces::store(store.clone());
        Setup { up: Duration::ZERO, ..Setup::default() }
            .build_with(|builder| builder.shared_nonces(nonces).replicas(2))
    };
    let world = node();
    let call = world.get("/");
    world.accepted(&call).await;
    let ahead = world.get("/").created(world.now().plus(30 * SECOND));
    world.accepted(&ahead).await;
    assert_eq!(node().send(&call).await.code(), Some(Code::Replayed), "another process");

    store.flush();
    store.cannot_resume.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        world.refused(&world.get("/"), Code::System).await;
    }
    store.cannot_resume.store(false, Ordering::SeqCst);
    world.refused(&call, Code::System).await;
    assert_eq!(store.resumed.load(Ordering::SeqCst), 1);
    // Whatever was accepted before, here or by a node whose clock is 30 s ahead.
    for call in [&call, &ahead, &world.get("/"), &world.get("/").created(world.now().plus(30 * SECOND))] {
        world.refused(call, Code::Replayed).await;
    }
    world.clock.advance(91 * SECOND);
    let caller = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    let later = Call::new(&caller, http::Method::GET, "/", world.now());
    assert_eq!(world.send(&later).await.code(), None);
}

#[tokio::test]
async fn a_revoked_user_is_nobody_s() {
    // The user base knows `root` under another name as well.
    let users = Users::new(|name| {
        let known = if name.as_str() == "toor" { UserName::parse("Root").unwrap() } else { name.clone() };
        Ok(Resolution::Known(known))
    });
    let world = Setup::default().users(users).build();
    for user in ["root", "toor", "fred"] {
        world.accepted(&world.get("/").user(user)).await;
    }
    let revoked = directory(any()).with_revoked_users(NeverAs::parse_list("root, svc-*").unwrap());
    world.trust.replace_directory(revoked);
    for user in ["root", "ROOT", "toor", "svc-build"] {
        let answer = world.refused(&world.get("/").user(user), Code::PermissionDenied).await;
        let refusal = answer.head.extensions.get::<taa_core::decision::Refusal>().unwrap();
        assert_eq!(refusal.reason(), taa_core::decision::Reason::UserRevoked);
    }
    world.accepted(&world.get("/").user("fred")).await;
    world.trust.replace_directory(directory(any()));
    world.accepted(&world.get("/").user("root")).await;
}

#[tokio::test]
async fn a_revoked_key_is_never_used() {
    let world = World::new();
    let call = world.get("/");
    world.accepted(&world.get("/")).await;
    let record = application(WIKI, &KEYS[0], policy(any())).without_keys(&[KEYS[0].id()]);
    assert!(record.key(KEYS[0].id().short()).is_none());
    world.trust.replace_directory(Directory::new([record]).unwrap());
    // The session is known, and of no use.
    world.refused_unproven(call.request(), Code::BadSignature).await;
    let kept = application(WIKI, &KEYS[0], policy(any())).without_keys(&[KEYS[1].id()]);
    world.trust.replace_directory(Directory::new([kept]).unwrap());
    world.accepted(&call).await;
    // The same for the key of the older versions.
    let older = crate::attacks::legacy_key().verifying_key();
    let record = application(WIKI, &KEYS[0], policy(any())).with_legacy_key(older.clone());
    assert!(record.clone().without_keys(&[KEYS[0].id()]).legacy_key().is_some());
    assert!(record.without_keys(&[older.thumbprint()]).legacy_key().is_none());
}
