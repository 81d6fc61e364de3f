//! One signer and one server shared by threads: what a second thread adds, and how long a request can wait.
//!
//! *Sign*: threads that sign in one session. *Decide*: threads whose requests, signed before, are decided on with one session
//! table and one nonce table; each thread has a session of its own, or all have one. *Tasks*: 100 tasks of a multi-threaded
//! runtime that sign in one session and let the others run after each. *Renewal*: how long calls took while sessions of one
//! second were renewed under way.

mod renewal;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use taa_benches::{
    Client, KnownSessions, Report, Site, Verifier, client_identity, is_smoke_run, parts, providers,
};
use taa_core::time::{Clock, SystemClock};

pub(crate) const URL: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";
pub(crate) const BITS: usize = 2048;

fn main() {
    let mut report = Report::new("threads");
    for threads in [1, 2] {
        let client = Site::new().client();
        let _ = client.signed(parts("GET", URL), None);
        let rate = sign(&client, threads);
        report.add("threads/sign", "one session", Some(f64::from(threads)), rate, "requests/s");
    }
    for (case, sessions) in [("one session", 1), ("a session for each", 2)] {
        for threads in [1, 2] {
            let rate = decide(threads, sessions);
            report.add("threads/decide", case, Some(f64::from(threads)), rate, "requests/s");
        }
    }
    tasks(&mut report);
    renewal::measure(&mut report);
    report.write();
}

/// How long each thing is done.
pub(crate) fn span() -> Duration {
    Duration::from_millis(if is_smoke_run() { 50 } else { 2_000 })
}

/// How many requests so many threads sign in a second.
fn sign(client: &Client, threads: u32) -> f64 {
    let (clock, span) = (SystemClock::new(), span());
    let signed: u32 = std::thread::scope(|scope| {
        let until = clock.monotonic() + span;
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    let mut signed = 0;
                    while clock.monotonic() < until {
                        // The clock is read for many at a time.
                        for _ in 0..64 {
                            let _ = client.signed(parts("GET", URL), None);
                        }
                        signed += 64;
                    }
                    signed
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).sum::<u32>()
    });
    f64::from(signed) / span.as_secs_f64()
}

/// How many requests so many threads decide on in a second. The requests are made before.
fn decide(threads: u32, sessions: usize) -> f64 {
    const BATCH: u32 = 4_096;
    let [provider, _] = providers();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let verifier = Verifier::new(&*provider, BITS, &identity);
    let table = KnownSessions::default();
    let client = || Client::new(&provider, &identity, verifier.identity().certificate());
    let clients: Vec<Client> = (0..sessions).map(|_| client()).collect();
    for client in &clients {
        verifier.decide(&table, &client.signed(parts("GET", URL), None)).expect("an allowed request");
    }
    let (clock, rounds) = (SystemClock::new(), if is_smoke_run() { 1 } else { 60 });
    let mut seconds: Vec<f64> = (0..rounds)
        .map(|_| {
            let begin = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let threads: Vec<_> = clients
                    .iter()
                    .cycle()
                    .zip(0..threads)
                    .map(|(client, _)| {
                        let requests: Vec<_> =
                            (0..BATCH).map(|_| client.signed(parts("GET", URL), None)).collect();
                        let (table, verifier, begin) = (&table, &verifier, &begin);
                        scope.spawn(move || {
                            while !begin.load(Ordering::Acquire) {
                                std::hint::spin_loop();
                            }
                            let start = clock.monotonic();
                            for request in &requests {
                                verifier.decide(table, request).expect("an allowed request");
                            }
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
    f64::from(threads * BATCH) / seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}

/// Tasks that share two threads and one session.
fn tasks(report: &mut Report) {
    const TASKS: u32 = 100;
    let client = Site::new().client();
    let _ = client.signed(parts("GET", URL), None);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let (clock, span) = (SystemClock::new(), span());
    let until = clock.monotonic() + span;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let client = client.clone();
            runtime.spawn(async move {
                let mut signed = 0_u32;
                while clock.monotonic() < until {
                    let _ = client.signed(parts("GET", URL), None);
                    signed += 1;
                    tokio::task::yield_now().await;
                }
                signed
            })
        })
        .collect();
    let signed: u32 = tasks.into_iter().map(|task| runtime.block_on(task).expect("a task")).sum();
    report.add(
        "threads/tasks",
        "100 tasks, one session",
        None,
        f64::from(signed) / span.as_secs_f64(),
        "requests/s",
    );
}
