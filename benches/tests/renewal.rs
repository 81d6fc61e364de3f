//! Who waits for whom: requests in a session for nobody, neither for each other nor for the next session.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use taa_benches::{Client, Site, client_identity, parts, providers};
use taa_client::{ServerRecord, Signer};
use taa_core::crypto::{Random, RandomError, SystemRandom};
use taa_core::time::{Clock, ClockError, ManualClock, SystemClock, UnixMillis};

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
        let now = SystemClock::new().wall().unwrap();
        let (gate, clock) = (Arc::new(Gate::default()), Arc::new(ManualClock::new(now)));
        let client = client(gate.clone(), clock.clone());
        sign(&client);
        Self { gate, clock, client }
    }

    /// Signs a request, and names its session.
    fn sign(&self) -> [u8; 32] {
        sign(&self.client)
    }
}

fn client(random: Arc<dyn Random>, clock: Arc<dyn Clock>) -> Client {
    let [provider, _] = providers();
    let identity = client_identity(&*provider, 2048, "confluence:6512");
    let record = ServerRecord::builder(Site::new().trust().identity().certificate()).build().unwrap();
    let signer = Signer::builder(identity).provider(provider).random(random).clock(clock).server(record);
    Client::of(signer.build().unwrap())
}

fn sign(client: &Client) -> [u8; 32] {
    let pending = client.sign(&mut parts("GET", URL), None);
    *pending.session().unwrap().name()
}

#[test]
fn no_request_waits_for_a_renewal() {
    let setting = Setting::new();
    let old = setting.sign();
    setting.clock.advance(Duration::from_secs(250));
    setting.gate.closed.store(true, Ordering::SeqCst);
    // The next session is begun and cannot be finished. No request stands before the gate, or none of these would return.
    std::thread::scope(|scope| {
        let requests: Vec<_> = (0..4).map(|_| scope.spawn(|| [(); 25].map(|()| setting.sign()))).collect();
        for request in requests {
            assert!(request.join().unwrap().iter().all(|session| *session == old));
        }
    });
    setting.gate.someone();
    assert_eq!(*setting.gate.waiting.lock().unwrap(), 1, "one at a time makes a session");
    setting.gate.open();
    let clock = SystemClock::new();
    while setting.sign() == old {
        assert!(clock.monotonic() < LONG, "the next session never comes");
        std::thread::yield_now();
    }
    assert_eq!(*setting.gate.waiting.lock().unwrap(), 1);
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

/// A place in the middle of signing where everybody waits until a hundred are there.
#[derive(Debug, Default)]
struct Meeting {
    place: Mutex<Option<Place>>,
    there: Mutex<usize>,
    changed: Condvar,
}

/// What signing a request asks for on its way, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    WallClock,
    Randomness,
    OtherClock,
}

const HUNDRED: usize = 100;

impl Meeting {
    fn pass(&self, place: Place) {
        if *self.place.lock().unwrap() != Some(place) {
            return;
        }
        let mut there = self.there.lock().unwrap();
        *there += 1;
        self.changed.notify_all();
        let (_guard, wait) =
            self.changed.wait_timeout_while(there, LONG, |there| *there % HUNDRED != 0).unwrap();
        assert!(!wait.timed_out(), "somebody cannot come");
    }
}

/// Clock and randomness that lead through the place of the meeting.
#[derive(Debug)]
struct Leading(Arc<Meeting>, SystemClock);

impl Random for Leading {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0.pass(Place::Randomness);
        SystemRandom.fill(out)
    }
}

impl Clock for Leading {
    fn wall(&self) -> Result<UnixMillis, ClockError> {
        self.0.pass(Place::WallClock);
        self.1.wall()
    }

    fn monotonic(&self) -> Duration {
        self.0.pass(Place::OtherClock);
        self.1.monotonic()
    }
}

/// A lock that is held across one of these places would let one of the hundred in and never the second.
#[test]
fn a_hundred_requests_of_one_session_are_under_way_at_once() {
    let meeting = Arc::new(Meeting::default());
    let leading = Arc::new(Leading(Arc::clone(&meeting), SystemClock::new()));
    let client = client(leading.clone(), leading);
    let session = sign(&client);
    for place in [Place::WallClock, Place::Randomness, Place::OtherClock] {
        *meeting.place.lock().unwrap() = Some(place);
        std::thread::scope(|scope| {
            let requests: Vec<_> = (0..HUNDRED).map(|_| scope.spawn(|| sign(&client))).collect();
            assert!(requests.into_iter().all(|request| request.join().unwrap() == session), "{place:?}");
        });
    }
    assert_eq!(*meeting.there.lock().unwrap(), 3 * HUNDRED, "each request comes through each place once");
}
