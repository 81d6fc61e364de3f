use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderValue;
use taa_client::{ServerRecord, Signer};
use taa_core::crypto::{Random, RandomError, SystemRandom};
use taa_core::envelope::Lifetime;
use taa_core::fields;
use taa_core::time::{Clock, ManualClock, SystemClock};

use crate::tracker::*;

/// Counts the secrets of new sessions, and can hold one up, refuse them, or fail badly.
#[derive(Debug)]
struct Gate {
    tries: AtomicUsize,
    secrets: AtomicUsize,
    closed: AtomicBool,
    broken: AtomicBool,
    panics: AtomicBool,
    entered: Mutex<Sender<()>>,
    open: Mutex<Receiver<()>>,
}

impl Gate {
    fn new() -> (Arc<Self>, Receiver<()>, Sender<()>) {
        let (entered, has_entered) = channel();
        let (let_go, open) = channel();
        let gate = Self {
            tries: AtomicUsize::new(0),
            secrets: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            entered: Mutex::new(entered),
            open: Mutex::new(open),
        };
        (Arc::new(gate), has_entered, let_go)
    }

    fn sessions(&self) -> usize {
        self.secrets.load(Ordering::SeqCst)
    }

    fn tries(&self) -> usize {
        self.tries.load(Ordering::SeqCst)
    }
}

impl Random for Gate {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        // A secret has 32 bytes, the nonce of a request 16.
        if out.len() == 32 {
            self.tries.fetch_add(1, Ordering::SeqCst);
            assert!(!self.panics.load(Ordering::SeqCst), "a panic that belongs to the test");
            if self.broken.load(Ordering::SeqCst) {
                return Err(RandomError);
            }
            self.secrets.fetch_add(1, Ordering::SeqCst);
            if self.closed.swap(false, Ordering::SeqCst) {
                self.entered.lock().unwrap().send(()).unwrap();
                self.open.lock().unwrap().recv().unwrap();
            }
        }
        SystemRandom.fill(out)
    }
}

/// A signer that draws its secrets through a gate.
struct Gated {
    clock: Arc<ManualClock>,
    gate: Arc<Gate>,
    /// Somebody stands before the gate.
    entered: Receiver<()>,
    let_go: Sender<()>,
    signer: Signer,
}

fn gated() -> Gated {
    let clock = clock();
    let (gate, entered, let_go) = Gate::new();
    let signer = builder(&clock).random(gate.clone()).server(record()).build().unwrap();
    Gated { clock, gate, entered, let_go, signer }
}

fn key(signer: &Signer) -> HeaderValue {
    let mut request = get();
    signer.sign(&mut request, &fred(), None).unwrap();
    request.headers[fields::KEY].clone()
}

/// What takes longer than this is taken for something that never comes.
const LONG: Duration = Duration::from_secs(60);

/// Signs until `done` says so: what is made beside the requests comes when it comes.
fn sign_until(signer: &Signer, mut done: impl FnMut(&HeaderValue) -> bool) -> HeaderValue {
    let clock = SystemClock::new();
    loop {
        let key = key(signer);
        if done(&key) {
            return key;
        }
        assert!(clock.monotonic() < LONG, "it never comes");
        std::thread::yield_now();
    }
}

/// The next session.
fn renewed(signer: &Signer, old: &HeaderValue) -> HeaderValue {
    sign_until(signer, |key| key != old)
}

#[test]
fn renewed_a_minute_before_its_end() {
    let Gated { clock, gate, signer, .. } = &gated();
    let first = key(signer);
    clock.advance(Duration::from_millis(239_999));
    assert_eq!((key(signer), gate.tries()), (first.clone(), 1));
    clock.advance(Duration::from_millis(1));
    assert_eq!(key(signer), first, "the request that notices does not wait either");
    let second = renewed(signer, &first);
    assert_eq!((key(signer), gate.tries()), (second, 2));
}

#[test]
fn a_short_session_is_renewed_at_half_its_life() {
    let clock = clock();
    let record = ServerRecord::builder(&certificate("tracker", "https://tracker.example/jira"))
        .lifetime(Lifetime::from_secs(20).unwrap())
        .build()
        .unwrap();
    let signer = builder(&clock).server(record).build().unwrap();
    let first = key(&signer);
    clock.advance(Duration::from_millis(9_999));
    assert_eq!(key(&signer), first);
    clock.advance(Duration::from_millis(1));
    renewed(&signer, &first);
}

#[test]
fn nobody_waits_for_a_renewal() {
    let Gated { clock, gate, entered, let_go, signer } = &gated();
    let old = key(signer);
    clock.advance(Duration::from_secs(250));
    gate.closed.store(true, Ordering::SeqCst);
    assert_eq!(key(signer), old);
    entered.recv().unwrap();
    // The renewal is held up: all go on with the old session, at once.
    std::thread::scope(|scope| {
        let others: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..20).map(|_| key(signer)).collect::<Vec<_>>())).collect();
        for other in others {
            assert!(other.join().unwrap().iter().all(|used| *used == old));
        }
    });
    let_go.send(()).unwrap();
    renewed(signer, &old);
    assert_eq!(gate.sessions(), 2);
}

#[test]
fn a_first_session_is_made_once() {
    let Gated { gate, entered, let_go, signer, .. } = &gated();
    gate.closed.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8).map(|_| scope.spawn(|| key(signer))).collect();
        entered.recv().unwrap();
        let_go.send(()).unwrap();
        let used: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
        assert!(used.windows(2).all(|pair| pair[0] == pair[1]));
    });
    assert_eq!(gate.sessions(), 1);
}

#[test]
fn a_failed_renewal_leaves_the_old_session() {
    let Gated { clock, gate, signer, .. } = &gated();
    let old = key(signer);
    gate.broken.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(299));
    assert_eq!(key(signer), old);
    clock.advance(Duration::from_secs(1));
    let mut request = get();
    assert!(signer.sign(&mut request, &fred(), None).is_err(), "it is over now");
}

#[test]
fn a_failed_renewal_is_tried_again_after_a_pause() {
    let Gated { clock, gate, signer, .. } = &gated();
    let old = key(signer);
    clock.advance(Duration::from_secs(250));
    for (failing, tries) in [(&gate.broken, 2), (&gate.panics, 3)] {
        failing.store(true, Ordering::SeqCst);
        assert_eq!(sign_until(signer, |_| gate.tries() == tries), old);
        for _ in 0..100 {
            assert_eq!(key(signer), old);
        }
        assert_eq!(gate.tries(), tries, "not by every request");
        failing.store(false, Ordering::SeqCst);
        clock.advance(Duration::from_secs(1));
    }
    renewed(signer, &old);
    assert_eq!((gate.tries(), gate.sessions()), (4, 2));
}

/// What a thread makes for a clock that proved wrong meanwhile is of no use.
#[test]
fn ended_by_the_server_while_the_next_is_made() {
    let Gated { clock, gate, entered, let_go, signer } = &gated();
    key(signer);
    clock.advance(Duration::from_secs(250));
    gate.closed.store(true, Ordering::SeqCst);
    key(signer);
    entered.recv().unwrap();

    let ahead = Arc::new(ManualClock::new(START.plus(Duration::from_secs(370))));
    let (pending, answer) = exchange(signer, &Tracker::new(&ahead), get());
    assert_eq!(pending.read(&answer).retry(), taa_client::Retry::SignAnew);
    let issued = || signer.sign(&mut get(), &fred(), None).unwrap().session().unwrap().head().issued;
    std::thread::scope(|scope| {
        let next = scope.spawn(issued);
        let_go.send(()).unwrap();
        assert_eq!(Ok(next.join().unwrap()), ahead.wall());
    });
    assert_eq!(Ok(issued()), ahead.wall());
    assert_eq!(gate.sessions(), 3);
}

#[test]
fn replaced_while_the_next_is_made() {
    let Gated { clock, gate, entered, let_go, signer } = &gated();
    let old = key(signer);
    clock.advance(Duration::from_secs(250));
    gate.closed.store(true, Ordering::SeqCst);
    key(signer);
    entered.recv().unwrap();

    let record = ServerRecord::builder(&rotated("https://tracker.example/jira")).build().unwrap();
    signer.replace_server(record).unwrap();
    let new = key(signer);
    assert_ne!(new, old, "nobody waits for the session of a server that is not there any more");
    let_go.send(()).unwrap();
    assert_eq!(key(signer), new);
    let (pending, answer) = exchange(signer, &Tracker::after_rotation(clock), get());
    assert!(pending.read(&answer).status().is_trusted());
}

#[test]
fn a_wall_clock_that_went_back_ends_it() {
    let clock = clock();
    let signer = signer(&clock);
    let first = key(&signer);
    clock.set_wall(START.minus(Duration::from_secs(5)));
    assert_eq!(key(&signer), first);
    clock.set_wall(START.minus(Duration::from_secs(6)));
    assert_ne!(key(&signer), first);
}

#[test]
fn a_new_signing_key_ends_it_and_the_clock_s_offset_stays() {
    let clock = clock();
    let signer = signer(&clock);
    let ahead = Arc::new(ManualClock::new(START.plus(Duration::from_secs(120))));
    let tracker = Tracker::new(&ahead);
    let (pending, answer) = exchange(&signer, &tracker, get());
    assert_eq!(pending.read(&answer).retry(), taa_client::Retry::SignAnew);
    let before = key(&signer);
    let id = |signer: &Signer| {
        let pending = signer.sign(&mut get(), &fred(), None).unwrap();
        (pending.session().unwrap().head().signing_key, pending.created())
    };
    let (signed_with, created) = id(&signer);

    signer.replace_identity(wiki()).unwrap();
    assert_eq!(key(&signer), before, "the same signing key: the session goes on");
    let rotated = rotated_wiki();
    signer.replace_identity(rotated.clone()).unwrap();
    assert_ne!(key(&signer), before);
    assert_ne!(id(&signer).0, signed_with);
    assert_eq!(id(&signer), (rotated.signing_key().id().short(), created), "by the server's clock still");
    assert_eq!(signer.servers().len(), 1);

    let other = Arc::new(stranger());
    assert_eq!(signer.replace_identity(other), Err(taa_client::BuildError::OtherIdentity));
    assert_eq!(id(&signer).0, rotated.signing_key().id().short());
}

#[test]
fn each_signed_request_is_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&told);
    let signer = builder(&clock())
        .server(record())
        .on_signed(move |id| into.lock().unwrap().push(id.clone()))
        .build()
        .unwrap();
    signer.sign(&mut get(), &fred(), None).unwrap();
    let mut elsewhere = head(http::Request::get("https://other.example/"));
    assert!(signer.sign(&mut elsewhere, &fred(), None).is_err());
    assert_eq!(*told.lock().unwrap(), [record().id().clone()]);
}

#[test]
fn a_new_decryption_key_ends_it() {
    let clock = clock();
    let signer = signer(&clock);
    let before = key(&signer);
    let record = ServerRecord::builder(&rotated("https://tracker.example/jira")).build().unwrap();
    signer.replace_server(record).unwrap();
    assert_ne!(key(&signer), before);
    let (pending, answer) = exchange(&signer, &Tracker::after_rotation(&clock), get());
    assert!(pending.read(&answer).status().is_trusted());
}
