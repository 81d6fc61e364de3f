//! The server's side, shared by threads. Requests are made before, each by the thread that brings it.

use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use taa_benches::{
    Client, KnownSessions, Report, Site, Verifier, client_identity, handler, is_smoke_run, parts, providers,
    received,
};
use taa_core::time::{Clock, SystemClock};
use tower::{Layer, ServiceExt, service_fn};

use crate::{BITS, URL};

/// What threads have in common.
#[derive(Clone, Copy)]
enum Common {
    /// A server and a session.
    Session,
    /// A server, in which each has a session.
    Server,
    /// Nothing: each has a server. What the machine can do at best.
    Nothing,
}

const CASES: [(&str, Common); 3] = [
    ("one session", Common::Session),
    ("a session for each", Common::Server),
    ("a server for each", Common::Nothing),
];

/// So many threads, and what they have in common.
type Run = fn(usize, Common) -> f64;

pub(crate) fn measure(report: &mut Report) {
    for (case, common) in CASES {
        let both: [(&str, Run); 2] = [("threads/decide", decide), ("threads/layer", layer)];
        for (group, run) in both {
            for (threads, x) in [(1, 1.0), (2, 2.0)] {
                report.add(group, case, Some(x), run(threads, common), "requests/s");
            }
        }
    }
}

/// A server and a client of it for each thread.
fn pairs<S: Clone>(
    threads: usize,
    common: Common,
    server: impl Fn() -> S,
    client: impl Fn(&S) -> Client,
) -> Vec<(S, Client)> {
    let first = server();
    let only = client(&first);
    (0..threads)
        .map(|_| match common {
            Common::Session => (first.clone(), only.clone()),
            Common::Server => (first.clone(), client(&first)),
            Common::Nothing => {
                let own = server();
                let client = client(&own);
                (own, client)
            }
        })
        .collect()
}

/// How many requests so many threads decide on in a second.
fn decide(threads: usize, common: Common) -> f64 {
    let [provider, _] = providers();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let server = || Arc::new((Verifier::new(&*provider, BITS, &identity), KnownSessions::default()));
    let pairs = pairs(threads, common, server, |server| {
        Client::new(&provider, &identity, server.0.identity().certificate())
    });
    per_second(
        pairs,
        |client| client.signed(parts("GET", URL), None),
        |server, request| {
            let (verifier, table) = &**server;
            assert!(verifier.decide(table, &request).is_ok(), "an allowed request");
            request
        },
    )
}

/// How many requests so many threads bring through a layer in a second, to the answer, without sockets.
fn layer(threads: usize, common: Common) -> f64 {
    let pairs = pairs(threads, common, Site::new, Site::client).into_iter();
    let pairs =
        pairs.map(|(site, client)| (site.trust().layer().layer(service_fn(handler)), client)).collect();
    let make = |client: &Client| received(client.signed(parts("GET", URL), None), Bytes::new());
    per_second(pairs, make, |service, request| {
        // Nothing in it waits.
        let answer = std::pin::pin!(service.clone().oneshot(request));
        match answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => assert!(answer.expect("an answer").status().is_success()),
            Poll::Pending => unreachable!("it waits"),
        }
    })
}

/// The median over rounds of what the slower thread took. What comes of a request is let go of afterwards.
fn per_second<S: Send + Sync, Q, A>(
    pairs: Vec<(S, Client)>,
    make: impl Fn(&Client) -> Q + Sync,
    go: impl Fn(&S, Q) -> A + Sync,
) -> f64 {
    const BATCH: u32 = 4_096;
    let rounds = if is_smoke_run() { 1 } else { 60 };
    let (clock, together) = (SystemClock::new(), Barrier::new(pairs.len()));
    let of_thread = |server: &S, client: &Client| -> Vec<Duration> {
        (0..=rounds)
            .map(|_| {
                let requests: Vec<Q> = (0..BATCH).map(|_| make(client)).collect();
                let mut answers = Vec::with_capacity(requests.len());
                together.wait();
                let start = clock.monotonic();
                answers.extend(requests.into_iter().map(|request| go(server, request)));
                clock.monotonic().saturating_sub(start)
            })
            // The first opens the sessions.
            .skip(1)
            .collect()
    };
    let times: Vec<Vec<Duration>> = std::thread::scope(|scope| {
        let of_thread = &of_thread;
        let threads: Vec<_> =
            pairs.iter().map(|(server, client)| scope.spawn(move || of_thread(server, client))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
    });
    let mut rounds: Vec<f64> = (0..rounds)
        .map(|round| times.iter().filter_map(|own| own.get(round)).max().map_or(0.0, Duration::as_secs_f64))
        .collect();
    rounds.sort_by(f64::total_cmp);
    let requests = BATCH * u32::try_from(pairs.len()).expect("a few threads");
    f64::from(requests) / rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}
