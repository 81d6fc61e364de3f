//! How often a request asks the allocator for memory, on either side.
//!
//! The table is the bound: whoever makes a path cheaper lowers it here, and nobody raises it without a reason. The goal for
//! *sign* and *decide* is 2. A header map that has no room for the fields of a signature makes it with two allocations of its own,
//! whoever puts something in; *sign* is counted with a map that has room and with an empty one. Growing a piece of memory counts as one more; giving back does not count.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may")]

use std::cell::RefCell;

use allocation_counter::measure;
use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use http_body_util::Full;
use taa_benches::{
    Client, KnownSessions, Site, Verifier, client_identity, handler, parts, providers, received,
};
use taa_core::answer::ProvenAnswer;
use taa_core::request::ContentDigest;
use tokio::runtime::Builder;
use tower::{Layer, Service, ServiceExt, service_fn};

/// The Cert field.
const SIGN: u64 = 1;
/// And the `Content-Digest` field.
const SIGN_WITH_CONTENT: u64 = 2;
/// What an empty header map takes in addition, or one that is full: its index and its entries, each at once as large as needed.
const NO_ROOM: u64 = 2;
const DECIDE: u64 = 0;
const PROVE: u64 = 1;
const READ_ANSWER: u64 = 1;
/// Above those of the service behind the layer.
const LAYER: u64 = 5;
const LAYER_WITH_CONTENT: u64 = 6;
const LAYER_WITHOUT_FIELDS: u64 = 2;

const SEARCH: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";
const ISSUE: &str = "https://tracker.example/jira/rest/api/2/issue";

/// So many requests go before those that count. They open the session and make room in the parts of the nonce table, of which
/// there are hundreds and each begins without any.
const BEFORE: usize = 4_096;

/// Both sides with a session that is open.
struct Open {
    verifier: Verifier,
    sessions: KnownSessions,
    client: Client,
}

impl Open {
    fn new() -> Self {
        let [provider, _] = providers();
        let identity = client_identity(&*provider, 2048, "confluence:6512");
        let verifier = Verifier::new(&*provider, 2048, &identity);
        let client = Client::new(&provider, &identity, verifier.identity().certificate());
        let open = Self { verifier, sessions: KnownSessions::default(), client };
        for _ in 0..BEFORE {
            open.verifier.decide(&open.sessions, &open.signed()).unwrap();
        }
        open
    }

    fn signed(&self) -> Parts {
        self.client.signed(parts("GET", SEARCH), None)
    }
}

/// The least of some runs: a table that grows does so in one of them, and costs that are paid once are no request's.
fn least(mut run: impl FnMut() -> u64) -> u64 {
    (0..16).map(|_| run()).min().unwrap_or_default()
}

fn within(what: &str, found: u64, bound: u64) {
    println!("{what}: {found} allocations, bound {bound}");
    assert!(found <= bound, "{what}: {found} allocations where {bound} were the bound");
}

#[test]
fn signing() {
    let open = Open::new();
    let sign = |mut request: Parts, content: Option<&ContentDigest>| {
        let mut pending = None;
        let info = measure(|| pending = Some(open.client.sign(&mut request, content)));
        info.count_total
    };
    let with_room = |mut request: Parts| {
        request.headers.reserve(7);
        request
    };
    let empty = |mut request: Parts| {
        request.headers = HeaderMap::new();
        request
    };
    let (get, post) = (|| parts("GET", SEARCH), || parts("POST", ISSUE));
    let digest = ContentDigest::of(&[b'x'; 4096]);
    within("sign", least(|| sign(with_room(get()), None)), SIGN);
    within("sign, no fields yet", least(|| sign(empty(get()), None)), SIGN + NO_ROOM);
    within("sign, no more room", least(|| sign(get(), None)), SIGN + NO_ROOM);
    within("sign with content", least(|| sign(with_room(post()), Some(&digest))), SIGN_WITH_CONTENT);
    let found = least(|| sign(empty(post()), Some(&digest)));
    within("sign with content, no fields yet", found, SIGN_WITH_CONTENT + NO_ROOM);
    // What is signed again has all the names already.
    let again = || {
        let mut request = get();
        open.client.sign(&mut request, None);
        request
    };
    within("sign again", least(|| sign(again(), None)), SIGN);
}

#[test]
fn deciding() {
    let open = Open::new();
    let decide = || {
        let request = open.signed();
        let mut allowed = None;
        let info = measure(|| allowed = Some(open.verifier.decide(&open.sessions, &request).unwrap()));
        info.count_total
    };
    within("decide", least(decide), DECIDE);
}

#[test]
fn proving() {
    let open = Open::new();
    let (_, prover) = open.verifier.decide_and_prove(&open.sessions, &open.signed()).unwrap();
    let answer = ProvenAnswer {
        http_status: 200,
        status: "OK",
        error: "",
        content_digest: "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
    };
    let prove = || {
        let mut proof = String::new();
        measure(|| proof = prover.prove(&answer)).count_total
    };
    within("prove", least(prove), PROVE);
}

#[test]
fn the_layer() {
    let site = Site::new();
    let bare = service_fn(handler::<Full<Bytes>>);
    let trusting = site.trust().layer().layer(service_fn(handler));
    let client = site.client();
    let plain = || received(parts("GET", SEARCH), Bytes::new());
    let get = || received(client.signed(parts("GET", SEARCH), None), Bytes::new());
    let content = Bytes::from(vec![b'x'; 4096]);
    let digest = ContentDigest::of(&content);
    let post = || received(client.signed(parts("POST", ISSUE), Some(&digest)), content.clone());

    for _ in 0..BEFORE {
        through(&trusting, get());
    }
    let without = least(|| through(&bare, plain()));
    let above = |found: u64| found.saturating_sub(without);
    within("layer, no fields", above(least(|| through(&trusting, plain()))), LAYER_WITHOUT_FIELDS);
    within("layer, GET", above(least(|| through(&trusting, get()))), LAYER);
    within("layer, POST of 4 KiB", above(least(|| through(&trusting, post()))), LAYER_WITH_CONTENT);
}

/// The client reads the answer to a request of its own.
#[test]
fn reading_an_answer() {
    let site = Site::new();
    let trusting = site.trust().layer().layer(service_fn(handler));
    let client = site.client();
    let read = || {
        let mut request = parts("GET", SEARCH);
        let pending = client.sign(&mut request, None);
        let runtime = Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(trusting.clone().oneshot(received(request, Bytes::new()))).unwrap();
        let (answer, _) = answer.into_parts();
        let mut trust = None;
        let info = measure(|| trust = Some(pending.read(&answer)));
        assert!(matches!(trust.unwrap().status(), taa_client::TrustStatus::Trusted));
        info.count_total
    };
    within("read an answer", least(read), READ_ANSWER);
}

/// The allocations of one request through a service, until its answer is there.
fn through<S, B>(service: &S, request: http::Request<Full<Bytes>>) -> u64
where
    S: Service<http::Request<Full<Bytes>>, Response = http::Response<B>> + Clone,
    S::Error: std::fmt::Debug,
{
    let runtime = Builder::new_current_thread().build().unwrap();
    let (request, answer) = (RefCell::new(Some(request)), RefCell::new(None));
    // What the runtime itself needs is counted in neither: it begins before.
    runtime.block_on(async {
        let mut future = std::pin::pin!(None);
        let info = measure(|| future.set(Some(service.clone().oneshot(request.take().unwrap()))));
        let mut count = info.count_total;
        std::future::poll_fn(|context| {
            let mut poll = std::task::Poll::Pending;
            let info = measure(|| poll = future.as_mut().as_pin_mut().unwrap().poll(context));
            count += info.count_total;
            poll.map(|found| *answer.borrow_mut() = Some(found.unwrap()))
        })
        .await;
        count
    })
}
