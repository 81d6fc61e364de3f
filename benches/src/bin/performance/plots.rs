//! The plots of the document.

use taa_benches::Row;

use crate::collect::Results;
use crate::svg::{Bar, Bars, Line, Lines};
use crate::tables::{time, whole};

/// Names and drawings of all for which there are results.
pub(crate) fn all(results: &Results) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let bars = peers(results, "peers/symmetric", "version 4, in session");
    if !bars.is_empty() {
        let title = "One request: sign and verify";
        out.push(("peers", Bars { title, axis: "time", bars, label: time }.draw_linear()));
    }
    let bars = peers(results, "peers/rsa", "version 4, new session");
    if !bars.is_empty() {
        let title = "One request with RSA, 2048 bits: sign and verify";
        out.push(("peers-rsa", Bars { title, axis: "time (logarithmic)", bars, label: time }.draw()));
    }
    for (name, title, axis, lines) in [
        (
            "scale",
            "One decision as tables grow",
            "entries",
            of_groups(results, &["applications", "sessions", "nonces"]),
        ),
        ("rules", "One decision as rules grow, worst position", "rules", of_cases(results, "scale/rules")),
        (
            "hops",
            "One decision behind proxies",
            "entries of X-Forwarded-For",
            of_cases(results, "scale/hops"),
        ),
    ] {
        if lines.iter().any(|line| !line.points.is_empty()) {
            let logarithmic = name != "hops";
            out.push((
                name,
                Lines { title, x_axis: axis, y_axis: "time", lines, logarithmic, label: time }.draw(),
            ));
        }
    }
    let bars = http(results);
    if !bars.is_empty() {
        let title = "Requests per second over sockets, server on one core";
        out.push(("http", Bars { title, axis: "requests/s", bars, label: whole }.draw_linear()));
    }
    out
}

fn peers(results: &Results, groups: &str, ours: &str) -> Vec<Bar> {
    let mut bars = Vec::new();
    for what in ["sign", "verify"] {
        let mut rows = results.group(&format!("{groups} {what}"));
        rows.sort_by(|a, b| a.value.total_cmp(&b.value));
        bars.extend(rows.into_iter().map(|row| Bar {
            name: format!("{what}: {}", row.case),
            value: row.value,
            strong: row.case == ours,
        }));
    }
    bars
}

fn of_groups(results: &Results, groups: &[&'static str]) -> Vec<Line> {
    let line = |group: &&'static str| {
        let points = points(&results.group(&format!("scale/{group}")));
        Line { name: (*group).to_owned(), points }
    };
    groups.iter().map(line).collect()
}

fn of_cases(results: &Results, group: &str) -> Vec<Line> {
    let rows = results.group(group);
    let mut names: Vec<&str> = rows.iter().map(|row| row.case.as_str()).collect();
    names.dedup();
    let of = |name: &str| rows.iter().copied().filter(|row| row.case == name).collect::<Vec<_>>();
    names.iter().map(|name| Line { name: (*name).to_owned(), points: points(&of(name)) }).collect()
}

fn points(rows: &[&Row]) -> Vec<(f64, f64)> {
    rows.iter().filter_map(|row| Some((row.x?, row.value))).collect()
}

fn http(results: &Results) -> Vec<Bar> {
    let rows = results.group("http/one core");
    let of = |row: &&Row| {
        let name = row.case.strip_suffix(": throughput")?;
        Some(Bar { name: name.to_owned(), value: row.value, strong: name == "layer" })
    };
    rows.iter().filter_map(of).collect()
}
