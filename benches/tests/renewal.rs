//! Who waits when a session is renewed: nobody but the one call that makes the next one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use taa_benches::{Client, Site, client_identity, parts, providers};
use taa_client::{ServerRecord, Signer};
use taa_core::crypto::{Random, RandomError, SystemRandom};
use taa_core::time::{Clock, ManualClock, SystemClock};

/// How many requests may wait for the RSA operations of a renewal. The goal is none: whoever makes sessions beside the
/// requests lowers it.
const WAITING: usize = 1;

const URL: &str = "https://tracker.example/jira/rest/api/2/search";
/// A request that waits longer than this is taken for one that waits for ever.
const LONG: Duration = Duration::from_secs(60);

/// Stops whoever draws the secret of a session, which is the only thing that has 32 bytes, until it is told to go on.
#[derive(Debug, Default)]
struct Gate {
    closed: AtomicBool,
    waiting: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
        let _guard = self.waiting.lock().unwrap();
        self.changed.notify_all();
    }

    /// Waits until somebody stands before the gate.
    fn someone(&self) {
        let guard = self.waiting.lock().unwrap();
        let (_guard, wait) = self.changed.wait_timeout_while(guard, LONG, |waiting| *waiting == 0).unwrap();
        assert!(!wait.timed_out(), "nobody makes a session");
    }
}

impl Random for Gate {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        if out.len() == 32 && self.closed.load(Ordering::SeqCst) {
            let mut waiting = self.waiting.lock().unwrap();
            *waiting += 1;
            self.changed.notify_all();
            let _guard = self.changed.wait_while(waiting, |_| self.closed.load(Ordering::SeqCst)).unwrap();
        }
        SystemRandom.fill(out)
    }
}

struct Setting {
    gate: Arc<Gate>,
    clock: Arc<ManualClock>,
    client: Client,
}

impl Setting {
    /// A client whose session of 300 s is open.
    fn new() -> Self {
        let [provider, _] = providers();
        let now = SystemClock::new().wall().unwrap();
        let (gate, clock) = (Arc::new(Gate::default()), Arc::new(ManualClock::new(now)));
        let identity = client_identity(&*provider, 2048, "confluence:6512");
        let record = ServerRecord::builder(Site::new().trust().identity().certificate()).build().unwrap();
        let (random, time): (Arc<dyn Random>, Arc<dyn Clock>) = (gate.clone(), clock.clone());
        let signer = Signer::builder(identity)
            .provider(provider)
            .random(random)
            .clock(time)
            .server(record)
            .build()
            .unwrap();
        let setting = Self { gate, clock, client: Client::of(signer) };
        setting.sign();
        setting
    }

    /// Signs a request, and names its session.
    fn sign(&self) -> [u8; 32] {
        let pending = self.client.sign(&mut parts("GET", URL), None);
        *pending.session().unwrap().name()
    }
}

#[test]
fn others_go_on_with_the_old_session() {
    let setting = Setting::new();
    let old = setting.sign();
    setting.clock.advance(Duration::from_secs(250));
    setting.gate.closed.store(true, Ordering::SeqCst);
    let new = std::thread::scope(|scope| {
        let renewing = scope.spawn(|| setting.sign());
        setting.gate.someone();
        // The next session is under way and cannot be finished. A hundred requests of other threads are signed.
        let others: Vec<_> = (0..4).map(|_| scope.spawn(|| [(); 25].map(|()| setting.sign()))).collect();
        for other in others {
            assert!(other.join().unwrap().iter().all(|session| *session == old));
        }
        let waiting = *setting.gate.waiting.lock().unwrap();
        assert!(waiting <= WAITING, "{waiting} requests wait for a session");
        setting.gate.open();
        renewing.join().unwrap()
    });
    // Whoever makes it uses it at once or at the latest with the next request.
    assert!(new == old || new == setting.sign());
    assert_ne!(setting.sign(), old);
}

#[test]
fn one_session_is_made_however_many_ask_for_the_first() {
    let setting = Setting::new();
    let old = setting.sign();
    // Beyond the end: there is no session to go on with, so these do wait, for one that is made.
    setting.clock.advance(Duration::from_secs(1_000));
    setting.gate.closed.store(true, Ordering::SeqCst);
    let sessions: Vec<[u8; 32]> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| setting.sign())).collect();
        setting.gate.someone();
        setting.gate.open();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(sessions.iter().all(|session| *session == sessions[0]));
    assert_ne!(sessions[0], old);
    assert_eq!(*setting.gate.waiting.lock().unwrap(), 1);
}
