//! The tables of the document.

use std::fmt::Write;

use crate::collect::Results;

/// The table of this name; none when there are no results for it.
pub(crate) fn table(name: &str, results: &Results) -> Option<Result<String, String>> {
    let found = match name {
        "machine" => Some(machine(results)),
        "peers symmetric" => peers(results, "peers/symmetric", "version 4, in session"),
        "peers rsa" => peers(results, "peers/rsa", "version 4, new session"),
        "header in session" => plain(results, "header/v4/in session"),
        "header new session" => plain(results, "header/v4/new session"),
        "aims" => crate::aims::table(results),
        "parts" => parts(results),
        "header floor" => plain(results, "header/floor/rsa"),
        "middleware" => middleware(results),
        "scale" => series(results, &["applications", "sessions", "nonces"], "scale", "entries"),
        "rules" => one_series(results, "scale/rules", "rules"),
        "hops" => one_series(results, "scale/hops", "entries"),
        "http" => http(results),
        "memory" => one_series(results, "memory", "how many"),
        "threads" => threads(results),
        "allocations" => plain(results, "allocations"),
        "counts" => plain(results, "counts"),
        _ => return Some(Err(format!("there is no table {name:?}"))),
    };
    found.map(Ok)
}

fn machine(results: &Results) -> String {
    let machine = &results.machine;
    let mut out = format!(
        "{}, {} cores ({}), {}, commit {}, {}.\n",
        machine.processor,
        machine.cores,
        machine.features.join(", "),
        machine.compiler,
        machine.commit,
        machine.date
    );
    let load = results.greatest_load();
    let cores = f64::from(u32::try_from(machine.cores).unwrap_or(u32::MAX));
    if load > cores + 0.5 {
        let _ = writeln!(
            out,
            "\n**Preliminary:** other work was using the machine (load up to {load:.1}). Only instructions, \
             allocations and memory mean what they say; compare times within one table only, and roughly."
        );
    }
    out
}

/// Time to sign and to verify, each beside ours.
fn peers(results: &Results, groups: &str, ours: &str) -> Option<String> {
    let (sign, verify) = (format!("{groups} sign"), format!("{groups} verify"));
    let (our_sign, our_verify) = (results.figure(&sign, ours)?, results.figure(&verify, ours)?);
    let mut rows = results.group(&sign);
    rows.sort_by(|a, b| a.value.total_cmp(&b.value));
    let mut out = "| | sign | to ours | verify | to ours |\n|---|---:|---:|---:|---:|\n".to_owned();
    for row in rows {
        let name = if row.case == ours { format!("**{}**", row.case) } else { row.case.clone() };
        let verified = results.figure(&verify, &row.case);
        let _ = writeln!(
            out,
            "| {name} | {} | {:.2} | {} | {} |",
            time(row.value),
            row.value / our_sign,
            verified.map(time).unwrap_or_default(),
            verified.map(|value| format!("{:.2}", value / our_verify)).unwrap_or_default()
        );
    }
    Some(out)
}

/// Each case with its figure.
fn plain(results: &Results, group: &str) -> Option<String> {
    let rows = results.group(group);
    let mut out = "| | |\n|---|---:|\n".to_owned();
    for row in &rows {
        let _ = writeln!(out, "| {} | {} |", row.case, figure(row.value, &row.unit));
    }
    (!rows.is_empty()).then_some(out)
}

/// The parts of a decision, their sum, and the whole.
fn parts(results: &Results) -> Option<String> {
    let sum: f64 = results.group(PARTS).iter().map(|row| row.value).sum();
    let whole = results.figure("header/v4/in session", "decode/aws-lc/2048")?;
    let lines = [("sum", sum), ("**decision**", whole)]
        .map(|(name, value)| format!("| {name} | {} |\n", time(value)));
    plain(results, PARTS).map(|table| table + &lines.concat())
}

/// The group of the parts of a decision.
pub(crate) const PARTS: &str = "header/floor/of one decision";

fn middleware(results: &Results) -> Option<String> {
    let bare = results.figure("middleware", "bare service")?;
    let mut out = "| | time | above the bare service |\n|---|---:|---:|\n".to_owned();
    for row in [results.group("middleware"), results.group("middleware/rsa")].concat() {
        let above = if row.value > bare { time(row.value - bare) } else { String::new() };
        let _ = writeln!(out, "| {} | {} | {above} |", row.case, time(row.value));
    }
    Some(out)
}

/// One column for each group, one line for each size.
fn series(results: &Results, groups: &[&str], above: &str, size: &str) -> Option<String> {
    let columns: Vec<_> =
        groups.iter().map(|group| (*group, results.group(&format!("{above}/{group}")))).collect();
    columns.iter().all(|(_, rows)| !rows.is_empty()).then(|| by_size(&columns, size))
}

/// One column for each case, one line for each size.
fn one_series(results: &Results, group: &str, size: &str) -> Option<String> {
    let rows = results.group(group);
    let mut columns: Vec<(&str, Vec<_>)> = Vec::new();
    for row in rows {
        match columns.iter_mut().find(|(case, _)| *case == row.case) {
            Some((_, column)) => column.push(row),
            None => columns.push((&row.case, vec![row])),
        }
    }
    (!columns.is_empty()).then(|| by_size(&columns, size))
}

fn by_size(columns: &[(&str, Vec<&taa_benches::Row>)], size: &str) -> String {
    let mut sizes: Vec<Option<f64>> =
        columns.iter().flat_map(|(_, rows)| rows.iter().map(|row| row.x)).collect();
    sizes.sort_by(|a, b| a.unwrap_or_default().total_cmp(&b.unwrap_or_default()));
    sizes.dedup();
    let names: String = columns.iter().map(|(name, _)| format!(" {name} |")).collect();
    let mut out = format!("| {size} |{names}\n|---:|{}\n", "---:|".repeat(columns.len()));
    for size in sizes {
        let at = |rows: &Vec<&taa_benches::Row>| {
            let row = rows.iter().find(|row| row.x == size);
            row.map(|row| figure(row.value, &row.unit)).unwrap_or_default()
        };
        let cells: String = columns.iter().map(|(_, rows)| format!(" {} |", at(rows))).collect();
        let _ = writeln!(out, "| {} |{cells}", size.map(whole).unwrap_or_default());
    }
    out
}

fn http(results: &Results) -> Option<String> {
    let mut out = String::new();
    for cores in ["one core", "two cores"] {
        let group = format!("http/{cores}");
        let rows = results.group(&group);
        if rows.is_empty() {
            continue;
        }
        let whats = ["throughput", "server's time", "loader busy", "latency p50", "latency p99"];
        let _ =
            writeln!(out, "\n{cores}:\n\n| | {} |\n|---|{}", whats.join(" | "), "---:|".repeat(whats.len()));
        let at_half = "bare server, fields ignored, at half its own throughput";
        for case in ["bare server, no fields", "bare server, fields ignored", at_half, "layer"] {
            let cell = |what: &str| {
                let row = rows.iter().find(|row| row.case == format!("{case}: {what}"));
                row.map(|row| figure(row.value, &row.unit)).unwrap_or_default()
            };
            line(&mut out, case, &whats.map(cell));
        }
        let bases = [
            ("with fields", "fields"),
            ("with fields that is as busy", "as busy"),
            ("without fields", "none"),
        ];
        for (case, what) in bases {
            let cell = |figure: &str| {
                let found = results.figure(&group, &format!("{figure}, layer to bare server {case}"));
                found.map(|found| format!("{found:.0} %")).unwrap_or_default()
            };
            let cells = ["throughput", "server's time", "", "latency p50", "latency p99"].map(cell);
            line(&mut out, &format!("layer to bare server, {what}"), &cells);
        }
    }
    (!out.is_empty()).then(|| out.trim_start().to_owned())
}

/// A line of a table, if anything in it was measured.
fn line(out: &mut String, name: &str, cells: &[String]) {
    if cells.iter().any(|cell| !cell.is_empty()) {
        let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
    }
}

fn threads(results: &Results) -> Option<String> {
    let mut out = "| | one thread | two threads | gain |\n|---|---:|---:|---:|\n".to_owned();
    let mut any = false;
    for group in ["threads/sign", "threads/decide", "threads/layer"] {
        let rows = results.group(group);
        for (one, two) in rows.iter().filter(|row| row.x == Some(1.0)).filter_map(|one| {
            rows.iter().find(|two| two.case == one.case && two.x == Some(2.0)).map(|two| (one, two))
        }) {
            any = true;
            let name = group.trim_start_matches("threads/");
            let cells = [figure(one.value, &one.unit), figure(two.value, &two.unit)].join(" | ");
            let _ = writeln!(out, "| {name}, {} | {cells} | {:.2} |", one.case, two.value / one.value);
        }
    }
    out.push_str("\n| | |\n|---|---:|\n");
    for row in [results.group("threads/tasks"), results.group("threads/renewal")].concat() {
        let _ = writeln!(out, "| {} | {} |", row.case, figure(row.value, &row.unit));
    }
    any.then_some(out)
}

/// A figure with its unit.
pub(crate) fn figure(value: f64, unit: &str) -> String {
    match unit {
        "ns" => time(value),
        "µs" => time(value * 1e3),
        "µs/request" => format!("{value:.1} µs"),
        "requests/s" => format!("{}/s", whole(value)),
        "" => whole(value),
        unit if value < 100.0 => format!("{value:.1} {unit}"),
        unit => format!("{} {unit}", whole(value)),
    }
}

/// Nanoseconds with the unit that fits.
pub(crate) fn time(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e5 => format!("{:.2} µs", n / 1e3),
        n if n < 1e6 => format!("{:.0} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

/// A whole number with a comma between thousands.
pub(crate) fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_readable() {
        assert_eq!(whole(0.0), "0");
        assert_eq!(whole(999.4), "999");
        assert_eq!(whole(1_234_567.0), "1,234,567");
        assert_eq!(time(999.0), "999 ns");
        assert_eq!(time(1_234.0), "1.23 µs");
        assert_eq!(time(345_678.0), "346 µs");
        assert_eq!(time(2_345_678.0), "2.35 ms");
        assert_eq!(figure(12_345.6, "requests/s"), "12,346/s");
        assert_eq!(figure(35.81, "bytes"), "35.8 bytes");
    }
}
