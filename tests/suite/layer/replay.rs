//! Each request once, and never by a clock that cannot be trusted.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use taa_core::answer::Code;
use taa_core::id::AppId;
use taa_core::nonce::{NonceError, NonceKey, NonceStore, Seen};
use taa_core::time::{Clock, ClockError, ManualClock, UnixMillis};
use taa_server::nonce::{NonceLimits, Nonces};
use taa_server::{Trust, TrustError};
use taa_tests::harness::providers;

use super::world::{
    Call, Caller, KEYS, Setup, TRACKER, UP, Users, WIKI, World, any, application, directory, encode,
    fresh_key, policy, server_identity, stored_key, value,
};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_request_many_times_at_once_is_accepted_once() {
    let world = Arc::new(World::new());
    // For a session that is not known yet, then for one that is.
    for round in 0..4 {
        let call = world.post("/", "{}");
        let (keys, iv) = (world.caller.keys(), call.iv);
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let (service, request) = (world.service(), call.request());
                tokio::spawn(async move {
                    let response = tower::ServiceExt::oneshot(service, request).await.unwrap();
                    super::world::Answer::collect(response).await
                })
            })
            .collect();
        let mut accepted = 0;
        for task in tasks {
            let answer = task.await.unwrap();
            match answer.code() {
                None => accepted += 1,
                Some(_) => {
                    answer.check_refusal(Code::Replayed, Some((keys, &iv)));
                    assert_eq!(answer.params(), [world.now().0.to_string()]);
                }
            }
        }
        assert_eq!((accepted, world.handler.take().len()), (1, 1), "round {round}");
    }
}

/// A known envelope under another signature is refused, although the signature is a good one.
#[tokio::test]
async fn an_envelope_has_one_signature() {
    let world = World::new();
    let provider = *providers().first().unwrap();
    let [key, ..] = &*KEYS;
    let (_, der) = pkcs8::SecretDocument::from_pem(&key.expose_pkcs8_pem()).unwrap();
    let signer = provider.signer(der.as_bytes()).unwrap();
    let names = |id: &str| [&u16::try_from(id.len()).unwrap().to_be_bytes()[..], id.as_bytes()].concat();
    let envelope = &world.caller.sealed.envelope;
    let message = [b"TAA4 envelope\0", &names(WIKI)[..], &names(TRACKER)[..], envelope].concat();
    let again = value(&encode(&signer.sign(&message).unwrap()));

    let with = |call: &Call<'_>| {
        let mut request = call.request();
        request.headers_mut().insert(taa_core::fields::SIGNATURE, again.clone());
        request
    };
    // Which of the two comes first does not matter; the other is refused.
    for _ in 0..2 {
        let call = world.get("/");
        world.accepted_request(with(&call), &call).await;
        world.refused_unproven(world.get("/").request(), Code::BadSignature).await;
    }
    // Forgotten, it is a new one again.
    world.trust.end_sessions(&AppId::parse(WIKI).unwrap());
    world.accepted(&world.get("/")).await;
    world.refused_unproven(with(&world.get("/")), Code::BadSignature).await;
}

/// One iv in one session is one request, whatever else it says; in another session it is another.
#[tokio::test]
async fn session_and_iv_are_what_counts() {
    let world = World::new();
    let first = world.get("/");
    world.accepted(&first).await;
    let mut second = world.post("/elsewhere", "{}").user("admin");
    second.iv = first.iv;
    world.refused(&second, Code::Replayed).await;
    let other = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    let mut call = Call::new(&other, Method::GET, "/", world.now());
    call.iv = first.iv;
    assert_eq!(world.send(&call).await.code(), None);
}

/// A request that was refused after step 7 is used up; one that was refused before is not.
#[tokio::test]
async fn what_uses_a_request_up() {
    let world = World::new();
    let call = world.get("/").user("nobody");
    world.refused(&call, Code::UserUnknown).await;
    world.refused(&call, Code::Replayed).await;
    let call = world.get("/");
    let mut request = call.request();
    request.headers_mut().append("content-encoding", "gzip".parse().unwrap());
    world.refused_unproven(request, Code::Malformed).await;
    world.accepted(&call).await;
}

/// Ended sessions, evicted ones, changed rules: the nonces stay.
#[tokio::test]
async fn nonces_survive_sessions_and_changes() {
    let limits = taa_server::session::SessionLimits { total: 1, per_application: 1 };
    let world = Setup::default().build_with(|builder| builder.session_limits(limits));
    let call = world.get("/");
    world.accepted(&call).await;
    world.trust.end_sessions(&super::world::app_id(WIKI));
    world.refused(&call, Code::Replayed).await;
    let other = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    assert_eq!(world.send(&Call::new(&other, Method::GET, "/", world.now())).await.code(), None);
    world.refused(&call, Code::Replayed).await;
    world.trust.replace_directory(directory(any().timeout(Duration::from_secs(30))));
    world.refused(&call, Code::Replayed).await;
    // Until it is too old, and after that too, as long as that can be told.
    for _ in 0..12 {
        world.clock.advance(Duration::from_secs(10));
        let answer = world.send(&call).await;
        assert!(matches!(answer.code(), Some(Code::Replayed | Code::OldCert)), "{answer:?}");
    }
}

/// The ages at which a request is good, to the millisecond.
#[tokio::test]
async fn the_window() {
    let world = World::new();
    for (age, good) in [(-30_001, false), (-30_000, true), (0, true), (60_000, true), (60_001, false)] {
        // A session of its own for each, so that its envelope is valid then.
        let created = UnixMillis(world.now().0.checked_sub_signed(age).unwrap());
        let caller = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
        let call = Call::new(&caller, Method::GET, "/", created);
        let answer = world.send(&call).await;
        assert_eq!(answer.code(), (!good).then_some(Code::OldCert), "{age}");
        assert!(answer.is_proven(caller.keys(), &call.iv));
        if !good {
            assert_eq!(answer.params(), [world.now().0.to_string()], "the server's time");
        }
    }
}

/// A server that was just started does not know what it accepted before.
#[tokio::test]
async fn the_fence_after_a_start() {
    let setup = || Setup { up: Duration::ZERO, ..Setup::default() };
    let world = setup().build();
    let start = world.now();
    for created in [start.minus(Duration::from_secs(1)), start, start.plus(Duration::from_secs(29))] {
        world.refused(&world.get("/").created(created), Code::Replayed).await;
    }
    world.clock.advance(MINUTE);
    world.refused(&world.get("/"), Code::Replayed).await;
    world.clock.advance(Duration::from_millis(1));
    world.accepted(&world.get("/")).await;

    // A key that this process made was never used before.
    let world = Setup { key: fresh_key(), ..setup() }.build();
    let call = world.get("/");
    world.accepted(&call).await;
    world.refused(&call, Code::Replayed).await;
}

/// What a server accepted is not accepted again by the one that is started after it, with the same keys.
#[tokio::test]
async fn a_restart_at_any_moment() {
    let clock = Arc::new(ManualClock::new(super::world::START));
    let before = Setup::default().build_on(Arc::clone(&clock), |builder| builder);
    let calls: Vec<_> = [-30_i64, 0, 29]
        .map(|ahead| before.get("/").created(UnixMillis(before.now().0.saturating_add_signed(ahead * 1000))))
        .into();
    for call in &calls {
        before.accepted(call).await;
    }
    let after =
        Setup { up: Duration::ZERO, ..Setup::default() }.build_on(Arc::clone(&clock), |builder| builder);
    for step in 0..130 {
        for call in &calls {
            let answer = after.send(call).await;
            assert!(
                matches!(answer.code(), Some(Code::Replayed | Code::OldCert)),
                "after {step} s: {answer:?}"
            );
        }
        clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_full_nonce_table_is_busy_and_forgets_nothing() {
    let limits = NonceLimits { total: 3, per_application: 2, ..NonceLimits::default() };
    let rules = || policy(any());
    let both = taa_core::directory::Directory::new([
        application(WIKI, &KEYS[0], rules()),
        application("other", &KEYS[1], rules()),
    ]);
    let world = Setup { directory: both.unwrap(), ..Setup::default() }.build_with(|b| b.nonce_limits(limits));
    let calls = [world.get("/1"), world.get("/2")];
    for call in &calls {
        world.accepted(call).await;
    }
    let third = world.get("/3");
    world.refused(&third, Code::Busy).await;
    for call in &calls {
        world.refused(call, Code::Replayed).await;
    }
    // Another application has its own share, up to the bound for all.
    let other = Caller::new("other", &KEYS[1], &world.trust.identity(), world.now());
    let send = async || world.send(&Call::new(&other, Method::GET, "/", world.now())).await.code();
    assert_eq!(send().await, None);
    assert_eq!(send().await, Some(Code::Busy));
    // What is refused here was not used up, and is accepted when there is room again.
    world.clock.advance(Duration::from_secs(400));
    let caller = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    assert_eq!(world.send(&Call::new(&caller, Method::GET, "/", world.now())).await.code(), None);
}

/// A store that other processes share, and that can be made to fail.
#[derive(Debug, Default)]
struct Shared {
    seen: std::sync::Mutex<std::collections::HashSet<NonceKey>>,
    down: AtomicBool,
    panics: AtomicBool,
    asked: AtomicUsize,
}

impl NonceStore for Shared {
    async fn record(&self, _: &AppId, key: NonceKey, keep: Duration) -> Result<Seen, NonceError> {
        tokio::task::yield_now().await;
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics.load(Ordering::SeqCst), "a store that panics");
        assert!(keep >= MINUTE, "kept for {keep:?}");
        if self.down.load(Ordering::SeqCst) {
            return Err(NonceError::Unavailable("secret-host:6379 is down".into()));
        }
        Ok(if self.seen.lock().unwrap().insert(key) { Seen::First } else { Seen::Before })
    }

    async fn contains(&self, key: NonceKey) -> Result<bool, NonceError> {
        Ok(self.seen.lock().unwrap().contains(&key))
    }

    fn is_shared(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_nonce_store_that_fails_lets_nobody_in() {
    let store = Arc::new(Shared::default());
    let nonces = Nonces::store(store.clone());
    let world = Setup::default().build_with(|builder| builder.shared_nonces(nonces));
    let call = world.get("/");
    store.down.store(true, Ordering::SeqCst);
    let answer = world.refused(&call, Code::System).await;
    assert!(!format!("{answer:?}").contains("secret-host"), "{answer:?}");
    store.down.store(false, Ordering::SeqCst);
    store.panics.store(true, Ordering::SeqCst);
    world.refused(&world.get("/"), Code::System).await;
    store.panics.store(false, Ordering::SeqCst);
    world.accepted(&call).await;
    assert_eq!(store.asked.load(Ordering::SeqCst), 3);
}

/// Two nodes of one server id with one store: what one accepted the other refuses.
#[tokio::test]
async fn nodes_share_what_was_used() {
    let store = Arc::new(Shared::default());
    let node = || {
        let nonces = Nonces::store(store.clone());
        Setup::default().build_with(|builder| builder.shared_nonces(nonces).replicas(2))
    };
    let (one, other) = (node(), node());
    let call = one.get("/");
    one.accepted(&call).await;
    assert_eq!(other.send(&call).await.code(), Some(Code::Replayed));
    // No session is shared: the other one opens it from the request.
    let call = one.get("/");
    assert_eq!(other.send(&call).await.code(), None);
    assert_eq!(one.send(&call).await.code(), Some(Code::Replayed));
}

/// A certificate that can never be valid does not take room.
#[tokio::test]
async fn what_can_never_be_valid_is_not_recorded() {
    let store = Arc::new(Shared::default());
    let nonces = Nonces::store(store.clone());
    let world = Setup::default().build_with(|builder| builder.shared_nonces(nonces));
    for (created, code) in [
        // There is no fence where nonces outlive the process.
        (UnixMillis(0), Code::OldCert),
        (UnixMillis(u64::MAX), Code::OldCert),
        (world.now().minus(Duration::from_millis(60_001)), Code::OldCert),
    ] {
        let call = world.get("/").created(created);
        for _ in 0..2 {
            world.refused(&call, code).await;
        }
    }
    assert_eq!(store.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn several_nodes_without_a_shared_store_do_not_start() {
    let build = |replicas, nonces: Option<Nonces>| {
        let identity = server_identity("jira", "https://t.example/", stored_key());
        let builder = Trust::builder(identity, directory(any()), Users::default()).replicas(replicas);
        let builder = match nonces {
            Some(nonces) => builder.shared_nonces(nonces),
            None => builder,
        };
        builder.build().map(drop)
    };
    let error = build(2, None).unwrap_err();
    assert_eq!(error, TrustError::ReplicasWithoutSharedNonces(2));
    assert!(error.to_string().contains("shared_nonces") && error.to_string().contains("replicas"), "{error}");
    let memory = taa_server::nonce::MemoryNonces::new(
        Arc::new(ManualClock::default()),
        [0; 16],
        NonceLimits::default(),
    );
    assert!(
        build(2, Some(Nonces::memory(Arc::new(memory)))).is_err(),
        "memory is not shared by calling it so"
    );
    assert!(build(0, None).is_err());
    assert!(build(1, None).is_ok());
    assert!(build(3, Some(Nonces::store(Arc::new(Shared::default())))).is_ok());
}

/// A clock that can fail.
#[derive(Debug)]
struct Failing {
    clock: ManualClock,
    down: AtomicBool,
}

impl Clock for Failing {
    fn wall(&self) -> Result<UnixMillis, ClockError> {
        if self.down.load(Ordering::SeqCst) { Err(ClockError) } else { self.clock.wall() }
    }
    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

#[tokio::test]
async fn a_clock_that_fails_lets_nobody_in() {
    let clock = Arc::new(Failing {
        clock: ManualClock::new(super::world::START.minus(UP)),
        down: AtomicBool::new(false),
    });
    let inner = Arc::clone(&clock);
    let world = Setup::default().build_with(|builder| builder.clock(clock.clone()));
    inner.clock.advance(UP);
    world.accepted(&world.get("/")).await;
    inner.down.store(true, Ordering::SeqCst);
    world.refused_unproven(world.get("/").request(), Code::System).await;
    let identity = server_identity("jira", "https://t.example/", stored_key());
    let refused = Trust::builder(identity, directory(any()), Users::default()).clock(clock).build();
    assert_eq!(refused.unwrap_err(), TrustError::Clock);
}

/// By how much the wall clock goes back, and whether what was accepted before can be seen as new again.
#[tokio::test]
async fn a_wall_clock_that_goes_back() {
    let world = World::new();
    let call = world.get("/");
    world.accepted(&call).await;
    // Up to 30 s nothing happens; the nonce is kept long enough for that.
    world.clock.set_wall(world.now().minus(Duration::from_secs(30)));
    world.refused(&call, Code::Replayed).await;
    world.accepted(&world.get("/")).await;

    // An hour: by the time the clock has caught up, the nonce is long gone.
    world.clock.set_wall(world.now().minus(Duration::from_secs(3600)));
    let caller = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    let fresh = Call::new(&caller, Method::GET, "/", world.now());
    let answer = world.send(&fresh).await;
    answer.check_refusal(Code::Replayed, Some((caller.keys(), &fresh.iv)));
    for _ in 0..360 {
        world.clock.advance(Duration::from_secs(10));
        let answer = world.send(&call).await;
        assert!(answer.code().is_some(), "accepted a second time: {answer:?}");
    }
    world.clock.advance(2 * MINUTE);
    let caller = Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now());
    assert_eq!(world.send(&Call::new(&caller, Method::GET, "/", world.now())).await.code(), None);
}

fn forge_signature(request: &mut http::Request<super::world::BoxBody>) {
    let zeros = "A".repeat(request.headers()[taa_core::fields::SIGNATURE].len());
    request.headers_mut().insert(taa_core::fields::SIGNATURE, zeros.parse().unwrap());
}

/// Limits of what unknown envelopes may cost; known sessions have none.
#[tokio::test]
async fn rate_limits() {
    let limit = |most| NonZeroU32::new(most).unwrap();
    let world = Setup::default()
        .build_with(|builder| builder.signature_checks_per_second(limit(5)).decryptions_per_second(limit(3)));
    world.accepted(&world.get("/")).await;
    let other =
        |caller: &Caller, peer: &str| Call::new(caller, Method::GET, "/", world.now()).peer(peer).request();
    let callers: Vec<_> =
        (0..4).map(|_| Caller::new(WIKI, &KEYS[0], &world.trust.identity(), world.now())).collect();

    // Garbage from one address: five checks a second, the first of which was the session above.
    let mut forged = world.get("/").request();
    forge_signature(&mut forged);
    let headers = forged.headers().clone();
    let forged = |peer: &str| {
        let mut request = world.get("/").peer(peer).request();
        *request.headers_mut() = headers.clone();
        request
    };
    for _ in 0..4 {
        world.refused_unproven(forged("127.0.0.1"), Code::BadSignature).await;
    }
    for _ in 0..10 {
        let answer = world.refused_unproven(forged("127.0.0.1"), Code::Busy).await;
        assert_eq!(answer.field(http::header::RETRY_AFTER), Some("1"));
    }
    world.refused_unproven(forged("::ffff:127.0.0.1"), Code::Busy).await;
    // A new session from there has to wait; one that is known never does, nor does another address.
    world.refused_unproven(other(&callers[0], "127.0.0.1"), Code::Busy).await;
    for _ in 0..100 {
        world.accepted(&world.get("/")).await;
    }
    for caller in &callers[..2] {
        assert_eq!(world.send_request(other(caller, "192.0.2.1")).await.code(), None);
    }
    // An IPv6 /64 is one party.
    for last in 1..=5 {
        world.refused_unproven(forged(&format!("2001:db8::{last}")), Code::BadSignature).await;
    }
    world.refused_unproven(forged("2001:db8::ffff:1"), Code::Busy).await;
    world.refused_unproven(forged("2001:db8:0:1::1"), Code::BadSignature).await;
    // The application's own limit: three sessions a second from wherever. It holds for those with a good signature.
    world.handler.take();
    world.refused_unproven(other(&callers[2], "192.0.2.2"), Code::Busy).await;
    world.clock.advance(Duration::from_secs(1));
    let answer = world.send_request(other(&callers[2], "192.0.2.2")).await;
    assert_eq!(answer.code(), None);
}

/// One session of an application that opens many does not push out those of others.
#[tokio::test]
async fn one_application_does_not_push_out_another_s_session() {
    let limits = taa_server::session::SessionLimits { total: 4, per_application: 2 };
    let both = taa_core::directory::Directory::new([
        application(WIKI, &KEYS[0], policy(any())),
        application("other", &KEYS[1], policy(any())),
    ]);
    let world = Setup { directory: both.unwrap(), ..Setup::default() }
        .build_with(|b| b.session_limits(limits).signature_checks_per_second(NonZeroU32::new(100).unwrap()));
    world.accepted(&world.get("/")).await;
    for _ in 0..20 {
        let other = Caller::new("other", &KEYS[1], &world.trust.identity(), world.now());
        assert_eq!(world.send(&Call::new(&other, Method::GET, "/", world.now())).await.code(), None);
    }
    // Still known: were it not, this flood would have used up the checks of its address.
    let mut busy = 0;
    for _ in 0..200 {
        let mut request = world.get("/").request();
        forge_signature(&mut request);
        busy += usize::from(world.send_request(request).await.code() == Some(Code::Busy));
    }
    assert!(busy > 0);
    world.handler.take();
    world.accepted(&world.get("/")).await;
}
