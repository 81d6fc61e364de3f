use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::request::Parts;
use taa_benches::{
    Client, KnownSessions, Older, Site, Verifier, client_identity, handler, parts, providers, received,
};
use taa_core::answer::ProvenAnswer;
use taa_core::decision::{self, NoSessions, Sessions};
use taa_core::fields;
use taa_core::legacy::SignedVersion;
use taa_core::nonce::NonceKey;
use taa_core::request::ContentDigest;
use tower::{Layer, ServiceExt, service_fn};

/// How often each operation is counted.
pub(crate) const TIMES: u64 = 64;
/// Rounds before, which are not counted: they open sessions, draw randomness and make room in lists.
const WARM_UP: u64 = 16;
/// So many nonces are live before. Each of the hundreds of parts of the table begins without room, and would make it in the
/// round that is counted.
const NONCES: u32 = 4_096;

const SEARCH: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";
const ISSUE: &str = "https://tracker.example/jira/rest/api/2/issue";
const BITS: usize = 2048;

/// For longer than a scenario takes.
const KEEP: Duration = Duration::from_secs(120);

type Scenario = (&'static str, fn());

/// Each has a name that says what is refused, or what is done.
const ALL: [Scenario; 15] = [
    ("sign", || signs("GET", SEARCH, None)),
    ("sign with content", || signs("POST", ISSUE, Some(ContentDigest::of(&[b'x'; 4096])))),
    ("sign, new session", begins),
    ("read answer", reads),
    ("decide", || decides(|_| {}, true)),
    ("decide, new session", opens),
    ("prove", proves),
    ("layer, in session", goes_through_the_layer),
    ("no attempt", is_no_attempt),
    ("refuse version", || decides(|request| set(request, fields::VERSION, "5"), false)),
    ("refuse certificate's form", || decides(|request| set(request, fields::CERT, "no base64!"), false)),
    ("refuse application", || decides(|request| set(request, fields::ID, "stranger"), false)),
    ("refuse tag", || decides(change_target, false)),
    ("refuse replay", replays),
    ("decide, version 3", decides_version3),
];

/// The names of all.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

/// Runs one.
pub(crate) fn run(name: &str) -> Result<(), String> {
    let (_, scenario) = ALL.iter().find(|(known, _)| *known == name).ok_or("no such scenario")?;
    scenario();
    Ok(())
}

/// Callgrind collects while this runs, and knows it by its name.
#[inline(never)]
fn counted_region(operation: &mut dyn FnMut()) {
    operation();
}

/// Prepares and does something often; only the doing is counted, and not the dropping of what it makes.
fn rounds<T, R>(mut prepare: impl FnMut() -> T, mut operation: impl FnMut(&mut T) -> R) {
    for round in 0..WARM_UP + TIMES {
        let mut input = prepare();
        let mut output = None;
        let mut once = || output = Some(operation(black_box(&mut input)));
        if round < WARM_UP {
            once()
        } else {
            counted_region(&mut once)
        }
        black_box(output);
    }
}

/// A client and a server with a session that is open.
struct Open {
    verifier: Verifier,
    sessions: KnownSessions,
    client: Client,
}

impl Open {
    fn new() -> Self {
        let [provider, _] = providers();
        let identity = client_identity(&*provider, BITS, "confluence:6512");
        let verifier = Verifier::new(&*provider, BITS, &identity);
        let client = Client::new(&provider, &identity, verifier.identity().certificate());
        let open = Self { verifier, sessions: KnownSessions::default(), client };
        open.verifier.decide(&open.sessions, &open.signed()).expect("the first request opens the session");
        let app = identity.id();
        for number in 0..NONCES {
            let mut salt = [0; 32];
            let (front, _) = salt.split_at_mut(4);
            front.copy_from_slice(&number.to_be_bytes());
            let key = NonceKey::of_request(&salt, &[1; 16]);
            open.verifier.nonces().record_now(app, key, KEEP).expect("room for a nonce");
        }
        open
    }

    fn signed(&self) -> Parts {
        self.client.signed(parts("GET", SEARCH), None)
    }
}

fn signs(method: &str, url: &str, content: Option<ContentDigest>) {
    let open = Open::new();
    rounds(|| parts(method, url), |request| open.client.sign(request, content.as_ref()));
}

/// The first request of a client.
fn begins() {
    let [provider, _] = providers();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let verifier = Verifier::new(&*provider, BITS, &identity);
    let server = verifier.identity().certificate();
    let make = || (Client::new(&provider, &identity, server), parts("GET", SEARCH));
    rounds(make, |(client, request)| client.sign(request, None));
}

fn decides(change: fn(&mut Parts), allowed: bool) {
    let open = Open::new();
    let make = || {
        let mut request = open.signed();
        change(&mut request);
        request
    };
    rounds(make, |request| {
        let decided = open.verifier.decide(&open.sessions, request);
        assert_eq!(decided.is_ok(), allowed);
        decided
    });
}

fn set(request: &mut Parts, name: http::HeaderName, value: &'static str) {
    request.headers.insert(name, HeaderValue::from_static(value));
}

fn change_target(request: &mut Parts) {
    request.uri = http::Uri::from_static("https://tracker.example/jira/rest/api/2/search?jql=project%3DHSQ");
}

fn opens() {
    let open = Open::new();
    let sessions: &dyn Sessions = &NoSessions;
    rounds(|| open.signed(), |request| open.verifier.decide(sessions, request).expect("an allowed request"));
}

fn replays() {
    let open = Open::new();
    let request = open.signed();
    open.verifier.decide(&open.sessions, &request).expect("an allowed request");
    rounds(|| (), |()| open.verifier.decide(&open.sessions, &request).expect_err("a refusal"));
}

const DIGEST: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
const ANSWER: ProvenAnswer<'_> =
    ProvenAnswer { http_status: 200, status: "OK", error: "", content_digest: DIGEST };

fn proves() {
    let open = Open::new();
    let (_, prover) = open.verifier.decide_and_prove(&open.sessions, &open.signed()).expect("allowed");
    rounds(|| (), |()| prover.prove(black_box(&ANSWER)));
}

/// The client's side of the answer.
fn reads() {
    let open = Open::new();
    let make = || {
        let mut request = parts("GET", SEARCH);
        let pending = open.client.sign(&mut request, None);
        let (_, prover) = open.verifier.decide_and_prove(&open.sessions, &request).expect("allowed");
        let answer = http::Response::builder()
            .header(fields::STATUS, "OK")
            .header(fields::CONTENT_DIGEST, DIGEST)
            .header(fields::PROOF, prover.prove(&ANSWER));
        (pending, answer.body(()).expect("an answer").into_parts().0)
    };
    rounds(make, |(pending, answer)| {
        let trust = pending.read(answer);
        assert!(trust.is_proven());
        trust
    });
}

/// What the layer does with a request that is none of ours.
fn is_no_attempt() {
    let request = parts("GET", SEARCH);
    rounds(|| (), |()| assert!(!decision::is_attempt(black_box(&request.headers))));
}

fn goes_through_the_layer() {
    let site = Site::new();
    let trusting = site.trust().layer().layer(service_fn(handler));
    let client = site.client();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let make = || Some(received(client.signed(parts("GET", SEARCH), None), Bytes::new()));
    for _ in 0..NONCES {
        let answer = runtime.block_on(trusting.clone().oneshot(make().expect("a request")));
        assert!(answer.is_ok());
    }
    rounds(make, |request| {
        let service = trusting.clone();
        let answer = runtime.block_on(service.oneshot(request.take().expect("a request")));
        assert_eq!(answer.as_ref().map(http::Response::status), Ok(http::StatusCode::OK));
        answer
    });
}

fn decides_version3() {
    let older = Older::new(SignedVersion::V3, BITS);
    let headers = older.sign();
    rounds(|| (), |()| older.decide(&headers).expect("an allowed request"));
}
