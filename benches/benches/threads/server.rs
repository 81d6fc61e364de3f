//! The server's side, shared by threads. Requests are made before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use taa_benches::{
    Client, KnownSessions, Report, Site, Verifier, client_identity, handler, is_smoke_run, parts, providers,
    received,
};
use taa_core::time::{Clock, SystemClock};
use tower::{Layer, ServiceExt, service_fn};

use crate::{BITS, URL};

/// So many threads with so many sessions.
type Run = fn(usize, usize) -> f64;

pub(crate) fn measure(report: &mut Report) {
    for (case, sessions) in [("one session", 1), ("a session for each", 2)] {
        let both: [(&str, Run); 2] = [("threads/decide", decide), ("threads/layer", layer)];
        for (group, run) in both {
            for (threads, x) in [(1, 1.0), (2, 2.0)] {
                report.add(group, case, Some(x), run(threads, sessions), "requests/s");
            }
        }
    }
}

/// How many requests so many threads decide on in a second, with one session table and one nonce table.
fn decide(threads: usize, sessions: usize) -> f64 {
    let [provider, _] = providers();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let verifier = Verifier::new(&*provider, BITS, &identity);
    let table = KnownSessions::default();
    let client = || Client::new(&provider, &identity, verifier.identity().certificate());
    let clients: Vec<Client> = (0..sessions).map(|_| client()).collect();
    for client in &clients {
        verifier.decide(&table, &client.signed(parts("GET", URL), None)).expect("an allowed request");
    }
    let make = |thread: usize| of(&clients, thread).signed(parts("GET", URL), None);
    per_second(threads, make, |request| {
        let allowed = verifier.decide(&table, &request).expect("an allowed request");
        (request, allowed)
    })
}

/// How many requests so many threads bring through one layer in a second, to the answer, without sockets.
fn layer(threads: usize, sessions: usize) -> f64 {
    let site = Site::new();
    let service = site.trust().layer().layer(service_fn(handler));
    let clients: Vec<Client> = (0..sessions).map(|_| site.client()).collect();
    let make = |thread: usize| received(of(&clients, thread).signed(parts("GET", URL), None), Bytes::new());
    per_second(threads, make, |request| {
        // Nothing in it waits.
        let answer = std::pin::pin!(service.clone().oneshot(request));
        match answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => assert!(answer.expect("an answer").status().is_success()),
            Poll::Pending => unreachable!("it waits"),
        }
    })
}

fn of(clients: &[Client], thread: usize) -> &Client {
    clients.iter().cycle().nth(thread).expect("a client")
}

/// The median over rounds. What comes of a request is let go of afterwards.
fn per_second<Q: Send, A: Send>(
    threads: usize,
    make: impl Fn(usize) -> Q,
    go: impl Fn(Q) -> A + Sync,
) -> f64 {
    const BATCH: usize = 4_096;
    let (clock, rounds) = (SystemClock::new(), if is_smoke_run() { 1 } else { 60 });
    let mut seconds: Vec<f64> = (0..rounds)
        .map(|_| {
            let (begin, go) = (AtomicBool::new(false), &go);
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..threads)
                    .map(|thread| {
                        let requests: Vec<Q> = (0..BATCH).map(|_| make(thread)).collect();
                        let mut answers = Vec::with_capacity(BATCH);
                        let begin = &begin;
                        scope.spawn(move || {
                            while !begin.load(Ordering::Acquire) {
                                std::hint::spin_loop();
                            }
                            let start = clock.monotonic();
                            answers.extend(requests.into_iter().map(go));
                            clock.monotonic().saturating_sub(start)
                        })
                    })
                    .collect();
                begin.store(true, Ordering::Release);
                let took = threads.into_iter().map(|thread| thread.join().expect("a thread")).max();
                took.unwrap_or_default().as_secs_f64()
            })
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let requests = u32::try_from(threads * BATCH).expect("some thousands");
    f64::from(requests) / seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}
