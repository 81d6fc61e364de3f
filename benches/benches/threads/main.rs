//! One signer and one server shared by threads: what a second thread adds, and how long a request can wait.
//!
//! *Sign*: threads that sign in one session. *Decide*: threads whose requests, signed before, are decided on with one session
//! table and one nonce table; each thread has a session of its own, or all have one, or each a server, which is what the machine
//! can do at best. *Layer*: the same through the layer, to the answer, without sockets. *Tasks*: 100 tasks of a
//! multi-threaded runtime that sign in one session and let the others run after each. *Renewal*: how long calls took while
//! sessions of one second were renewed under way.

mod renewal;
mod server;

use std::time::Duration;

use taa_benches::{Client, Report, Site, is_smoke_run, parts};
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
    server::measure(&mut report);
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
