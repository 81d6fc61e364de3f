//! Requests over real sockets: a hyper server with the layer, and the same without it.
//!
//! The server is a process of its own, limited to one core and then to two, the loader another one. Every request is of
//! version 4 in one session and was signed before the clock runs; connections are kept alive and there is no TLS. Three
//! kinds of requests: without fields to the bare server, with fields to the bare server (which ignores them: what their
//! bytes alone cost), and with fields to the server with the layer, whose answer has a digest and a proof.
//!
//! * *Throughput*, closed loop: each of 32 connections sends its next request when the answer is there.
//! * *Latency*, open loop: requests are sent at random times (a Poisson process) at half the throughput that the server with
//!   the layer had, the same for all kinds; and to the bare server at half its own once more, where it is as busy as the
//!   other. A latency counts from the moment a request was due, so that a server that stalls is not spared the requests that
//!   had to wait.
//! * *Server's time*: the processor time of the server's process for a request, as the system counts it in ticks of 10 ms. It
//!   does not depend on whether the loader keeps up.
//!
//! One core for the server: the loader has another one for itself. Two cores on a machine that has no third one: the loader
//! takes what it needs of both, about half, so the requests per second are those of server and loader on two cores
//! together, and only the server's time compares with the case of one core. Latency is not measured there.

mod cores;
mod load;
mod requests;
mod server;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use taa_benches::{Report, is_smoke_run};

use crate::cores::Cores;
use crate::load::{Load, Loaded};
use crate::requests::Requests;
use crate::server::{Kind, Server};

/// The rounds, each through all kinds, so that a change of the machine's mood concerns all of them; the median counts.
const ROUNDS: usize = 3;
/// Short ones and many: where a processor is taken away for milliseconds now and then, the highest latencies of most rounds
/// are still the server's.
const LATENCY_ROUNDS: usize = 21;

/// What is sent to which server.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    kind: Kind,
    signed: bool,
}

const CASES: [Case; 3] = [
    Case { name: "bare server, no fields", kind: Kind::Bare, signed: false },
    Case { name: "bare server, fields ignored", kind: Kind::Bare, signed: true },
    Case { name: "layer", kind: Kind::Layer, signed: true },
];

fn main() {
    if let Some(arguments) = server::arguments() {
        return server::run(arguments);
    }
    let mut report = Report::new("http");
    for cores in [Cores::One, Cores::Two] {
        if cores.are_here() {
            measure(&mut report, cores);
        }
    }
    report.write();
}

fn measure(report: &mut Report, cores: Cores) {
    let servers = CASES.map(|case| Server::start(case.kind, cores));
    let (rounds, throughput) = if is_smoke_run() { (1, 100) } else { (ROUNDS, 3_000) };
    let throughput = Duration::from_millis(throughput);

    let mut closed: [Vec<Loaded>; CASES.len()] = Default::default();
    for _ in 0..rounds {
        for ((case, server), results) in CASES.iter().zip(&servers).zip(&mut closed) {
            // A run that is not counted tells how many requests are needed.
            let short = run(server, cores, case, Load::Closed { for_: throughput / 10, most: 100_000 });
            let most = short.per_second * throughput.as_secs_f64() * 2.0;
            results.push(run(server, cores, case, Load::Closed { for_: throughput, most: whole(most) }));
        }
    }
    let group = format!("http/{}", cores.name());
    for (case, results) in CASES.iter().zip(&closed) {
        let add = |report: &mut Report, what: &str, value, unit| {
            report.add(&group, &format!("{}: {what}", case.name), None, value, unit);
        };
        add(report, "throughput", median(results, |loaded| loaded.per_second), "requests/s");
        add(report, "server's time", median(results, |loaded| loaded.server_micros), "µs/request");
        add(report, "server busy", median(results, |loaded| loaded.server_busy * 100.0), "% of a core");
        add(report, "loader busy", median(results, |loaded| loaded.loader_busy * 100.0), "% of a core");
    }
    if let Some(found) = wrk(servers.first().expect("a server").address(), cores, throughput) {
        report.add(&group, "bare server, no fields: throughput, by wrk", None, found, "requests/s");
    }

    if cores.loader().is_some() {
        let [_, ignored, layer] = &closed;
        let half = [layer, ignored].map(|results| median(results, |loaded| loaded.per_second) / 2.0);
        latencies(report, &group, (&servers, cores), half);
    }
    ratios(report, &group);
}

/// At half of what the server with the layer can do, and the bare one at half of what it can do itself.
fn latencies(
    report: &mut Report,
    group: &str,
    (servers, cores): (&[Server; CASES.len()], Cores),
    [of_layer, of_bare]: [f64; 2],
) {
    let (rounds, for_) = if is_smoke_run() { (1, 100) } else { (LATENCY_ROUNDS, 500) };
    let for_ = Duration::from_millis(for_);
    report.add(group, "rate for latency", None, of_layer, "requests/s");
    let ([_, bare, _], [_, bare_server, _]) = (CASES, servers);
    let mut runs: Vec<_> =
        CASES.into_iter().zip(servers).map(|(case, server)| (case.name, case, server, of_layer)).collect();
    runs.push((AS_BUSY, bare, bare_server, of_bare));
    let mut found = vec![Vec::new(); runs.len()];
    for _ in 0..rounds {
        for ((_, case, server, per_second), results) in runs.iter().zip(&mut found) {
            results.push(run(server, cores, case, Load::Open { for_, per_second: *per_second }));
        }
    }
    for ((name, ..), results) in runs.iter().zip(&found) {
        for (what, of) in LATENCIES {
            report.add(group, &format!("{name}: {what}"), None, median(results, of), "µs");
        }
    }
}

const AS_BUSY: &str = "bare server, fields ignored, at half its own throughput";

type Of = fn(&Loaded) -> f64;
const LATENCIES: [(&str, Of); 2] =
    [("latency p50", |loaded| loaded.latency(0.5)), ("latency p99", |loaded| loaded.latency(0.99))];

/// The layer against the bare server that gets the same bytes, and one that gets none of the fields.
fn ratios(report: &mut Report, group: &str) {
    let [plain, ignored, layer] = CASES.map(|case| case.name);
    for what in ["throughput", "server's time", "latency p50", "latency p99"] {
        let bases =
            [(ignored, "with fields"), (plain, "without fields"), (AS_BUSY, "with fields that is as busy")];
        for (base, against) in bases {
            let figure = |name: &str| report.figure(group, &format!("{name}: {what}"));
            if let (Some(with), Some(without)) = (figure(layer), figure(base)) {
                let case = format!("{what}, layer to bare server {against}");
                report.add(group, &case, None, with / without * 100.0, "%");
            }
        }
    }
}

fn run(server: &Server, cores: Cores, case: &Case, load: Load) -> Loaded {
    let requests = Requests::new(case.signed.then_some(server), load.most());
    load::run(server, cores, requests, load)
}

fn median(results: &[Loaded], of: Of) -> f64 {
    let mut values: Vec<f64> = results.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::as_conversions, reason = "a number of requests, far below the limits of both types")]
fn whole(number: f64) -> usize {
    number as usize
}

/// The throughput of a bare server as `wrk` sees it, where that is installed.
fn wrk(address: SocketAddr, cores: Cores, for_: Duration) -> Option<f64> {
    if is_smoke_run() {
        return None;
    }
    let seconds = format!("-d{}s", for_.as_secs().max(1));
    let url = format!("http://{address}{}", requests::TARGET);
    let mut command = match cores.loader() {
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["-c", &core.id.to_string(), "wrk"]);
            command
        }
        None => Command::new("wrk"),
    };
    let output = command.args(["-t1", "-c32", &seconds, &url]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?;
    line.trim().parse().ok()
}
