//! What was to be reached, beside what was: for times a ratio of two figures of one run.

use std::fmt::Write;

use crate::collect::Results;
use crate::tables::{PARTS, figure};

/// Something that was to be reached.
struct Aim {
    what: &'static str,
    bound: Bound,
    found: Option<f64>,
}

enum Bound {
    AtMost(f64, &'static str),
    AtLeast(f64, &'static str),
}

use Bound::{AtLeast, AtMost};

/// The table of aims.
pub(crate) fn table(results: &Results) -> Option<String> {
    let mut out = "| | found | wanted | |\n|---|---:|---:|---|\n".to_owned();
    let mut any = false;
    for Aim { what, bound, found } in aims(results) {
        let Some(found) = found else { continue };
        let (wanted, unit, reached) = match bound {
            AtMost(most, unit) => (format!("≤ {}", shown(most, unit)), unit, found <= most),
            AtLeast(least, unit) => (format!("≥ {}", shown(least, unit)), unit, found >= least),
        };
        let reached = if reached { "yes" } else { "**no**" };
        let _ = writeln!(out, "| {what} | {} | {wanted} | {reached} |", shown(found, unit));
        any = true;
    }
    any.then_some(out)
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "" if value > 0.0 && value < 0.1 => format!("1/{:.0}", 1.0 / value),
        "" => format!("{value:.2}"),
        unit => figure(value, unit),
    }
}

fn aims(results: &Results) -> Vec<Aim> {
    [in_session(results), with_rsa(results), as_it_grows(results), over_sockets(results), of_memory(results)]
        .into_iter()
        .flatten()
        .map(|(what, bound, found)| Aim { what, bound, found })
        .collect()
}

type Row = (&'static str, Bound, Option<f64>);

fn in_session(results: &Results) -> Vec<Row> {
    let figure = |group, case| results.figure(group, case);
    let (sign, verify) = ("peers/symmetric sign", "peers/symmetric verify");
    let (ours, token) = ("version 4, in session", "jsonwebtoken HS256");
    let parts: f64 = results.group(PARTS).iter().map(|row| row.value).sum();
    let decide = figure("header/v4/in session", "decode/aws-lc/2048");
    vec![
        (
            "decide in a session, to `jsonwebtoken` HS256 decode",
            AtMost(0.5, ""),
            ratio(figure(verify, ours), figure(verify, token)),
        ),
        (
            "decide in a session, to the sum of its parts",
            AtMost(1.6, ""),
            ratio(decide, Some(parts).filter(|parts| *parts > 0.0)),
        ),
        (
            "sign in a session, to `jsonwebtoken` HS256 encode",
            AtMost(1.0, ""),
            ratio(figure(sign, ours), figure(sign, token)),
        ),
        (
            "sign in a session, to `jsonwebtoken` RS256 encode",
            AtMost(1.0 / 500.0, ""),
            ratio(figure(sign, ours), figure("peers/rsa sign", "jsonwebtoken RS256")),
        ),
    ]
}

fn with_rsa(results: &Results) -> Vec<Row> {
    let figure = |group, case| results.figure(group, case);
    let raw = |case| results.figure("header/floor/rsa", case);
    let sum = |a: Option<f64>, b: Option<f64>| Some(a? + b?);
    let new = "header/v4/new session";
    let opened = sum(raw("pss verify/aws-lc/2048"), raw("oaep decrypt/aws-lc/2048"));
    let sealed = sum(raw("pss sign/aws-lc/2048"), raw("oaep encrypt/aws-lc/2048"));
    let verified = raw("sha1withrsa verify/older versions/2048");
    let signed = raw("sha1withrsa sign/older versions/2048");
    let of = |group, case, raw| ratio(figure(group, case), raw);
    vec![
        (
            "decide with a new session, to PSS verify and OAEP decrypt",
            AtMost(1.1, ""),
            of(new, "decode/aws-lc/2048", opened),
        ),
        (
            "sign with a new session, to PSS sign and OAEP encrypt",
            AtMost(1.1, ""),
            of(new, "encode/aws-lc/2048", sealed),
        ),
        (
            "decide on version 3, to its operation with RSA",
            AtMost(1.15, ""),
            of("header/v3", "decode/2048", verified),
        ),
        (
            "decide on version 2, to its two operations",
            AtMost(1.1, ""),
            of("header/v2", "decode/2048", sum(verified, verified)),
        ),
        (
            "sign version 3, to its operation with RSA",
            AtMost(1.15, ""),
            of("header/v3", "encode/2048", signed),
        ),
        (
            "sign version 2, to its two operations",
            AtMost(1.1, ""),
            of("header/v2", "encode/2048", sum(signed, signed)),
        ),
    ]
}

/// Flat: a quarter more at the most, the memory that larger tables are in included.
const FLAT: f64 = 1.25;

fn as_it_grows(results: &Results) -> Vec<Row> {
    // The largest to the smallest of one series.
    let of = |group: &str, case: &str| {
        let rows = results.group(group).into_iter().filter(|row| row.case == case);
        let first = rows.clone().min_by(|a, b| a.x.unwrap_or(0.0).total_cmp(&b.x.unwrap_or(0.0)))?;
        let last = rows.max_by(|a, b| a.x.unwrap_or(0.0).total_cmp(&b.x.unwrap_or(0.0)))?;
        Some(last.value / first.value)
    };
    // Of several the worst.
    let growth = |group: &str| {
        let mut cases: Vec<&str> = results.group(group).iter().map(|row| row.case.as_str()).collect();
        cases.dedup();
        cases.into_iter().filter_map(|case| of(group, case)).reduce(f64::max)
    };
    vec![
        ("decide with 10,000 applications, to 1", AtMost(FLAT, ""), growth("scale/applications")),
        ("decide with 100,000 sessions, to 1", AtMost(FLAT, ""), growth("scale/sessions")),
        ("decide with 1,000,000 nonces, to none", AtMost(FLAT, ""), growth("scale/nonces")),
        ("decide with 1,000 rules of the slowest kind, to 1", AtMost(FLAT, ""), growth("scale/rules")),
        (
            "decide with 50 forwarded addresses that a client wrote, to none",
            AtMost(FLAT, ""),
            of("scale/hops", "by the client"),
        ),
        (
            "decide with 50 that trusted proxies wrote, to none",
            AtMost(FLAT, ""),
            of("scale/hops", "by proxies"),
        ),
    ]
}

fn over_sockets(results: &Results) -> Vec<Row> {
    let one = |case| results.figure("http/one core", case);
    // Sockets would need a third core, for the loader.
    let with = |threads| results.at("threads/layer", "a session for each", threads);
    vec![
        (
            "requests per second with the layer, to the bare server",
            AtLeast(85.0, "%"),
            one("throughput, layer to bare server with fields"),
        ),
        (
            "latency p99 with the layer, to the bare server, each at half its throughput",
            AtMost(110.0, "%"),
            one("latency p99, layer to bare server with fields that is as busy"),
        ),
        (
            "latency p99 with the layer, to the bare server, at the same rate",
            AtMost(110.0, "%"),
            one("latency p99, layer to bare server with fields"),
        ),
        (
            "requests per second through the layer on two cores, to one, without sockets",
            AtLeast(1.8, ""),
            ratio(with(2.0), with(1.0)),
        ),
    ]
}

fn of_memory(results: &Results) -> Vec<Row> {
    let at = |case, x| results.at("memory", case, x);
    let allocations = |case| results.figure("allocations", case);
    vec![
        ("memory of a nonce, of a million", AtMost(40.0, "bytes"), at("nonce", 1e6)),
        ("memory of a session on the server", AtMost(320.0, "bytes"), at("session, server", 1e4)),
        ("allocations of a decision", AtMost(2.0, ""), allocations("decide")),
        ("allocations of signing, in a header map with room", AtMost(2.0, ""), allocations("sign")),
    ]
}

fn ratio(of: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(of? / to?)
}
