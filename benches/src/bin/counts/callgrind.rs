use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::scenarios;

/// The argument with which this program starts itself.
pub(crate) const RUN: &str = "--run";

/// The instructions of one operation.
pub(crate) fn count(name: &str) -> Result<u64, String> {
    let out = run(name)?;
    let text = std::fs::read_to_string(&out).map_err(|error| error.to_string())?;
    let _ = std::fs::remove_file(out);
    let total = total(&text).ok_or("callgrind wrote no total")?;
    Ok(total.div_ceil(scenarios::TIMES))
}

/// Prints the functions that take most of an operation: with what they call, and by themselves.
pub(crate) fn annotate(name: &str) -> Result<(), String> {
    let out = run(name)?;
    for (title, option, whole) in
        [("with what they call", "--inclusive=yes", true), ("by themselves", "--inclusive=no", false)]
    {
        let listing = Command::new("callgrind_annotate")
            .args([option, "--threshold=100", "--auto=no"])
            .arg(&out)
            .output()
            .map_err(|error| format!("callgrind_annotate: {error}"))?;
        println!("{name}, instructions of functions {title}");
        for (function, count) in
            functions(&String::from_utf8_lossy(&listing.stdout), whole).iter().take(SHOWN)
        {
            println!("{:>12}  {function}", count / scenarios::TIMES);
        }
    }
    let _ = std::fs::remove_file(out);
    Ok(())
}

/// So many functions are shown.
const SHOWN: usize = 15;

/// The functions of a listing, the greatest first, without those that only lead to what is counted.
///
/// A line is `COUNT (PERCENT) FILE:FUNCTION [OBJECT]`; what was inlined has lines of its own for each file it came from.
fn functions(listing: &str, whole: bool) -> Vec<(String, u64)> {
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for line in listing.lines() {
        let Some((count, rest)) = line.trim_start().split_once(' ') else { continue };
        let Ok(count) = count.replace(',', "").parse::<u64>() else { continue };
        let Some((_, function)) = rest.split_once(") ").and_then(|(_, place)| place.split_once(':')) else {
            continue;
        };
        let object = if function.ends_with(']') { function.rsplit_once(" [") } else { None };
        let function = object.map_or(function, |(function, _)| function).trim();
        if function == "main" || LEADING.iter().any(|leading| function.contains(leading)) {
            continue;
        }
        let known = found.entry(function).or_default();
        // With what is called the lines of a function say the same in part, by itself they add up.
        *known = if whole { count.max(*known) } else { *known + count };
    }
    let mut found: Vec<_> = found.into_iter().map(|(function, count)| (function.to_owned(), count)).collect();
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found
}

/// What is above the operation.
const LEADING: [&str; 8] = [
    "__libc_start",
    "(below main)",
    "FnOnce::call_once",
    "lang_start",
    "__rust_begin_short_backtrace",
    "counts::",
    "0x00000",
    "PROGRAM TOTALS",
];

/// What `valgrind --version` says.
pub(crate) fn version() -> Result<String, String> {
    let output = Command::new("valgrind").arg("--version").output().map_err(|error| missing(&error))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a scenario under callgrind, which collects only inside `counted_region`.
fn run(name: &str) -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let out = program.with_file_name(format!("callgrind.{name}.{}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted_region*"])
        .arg(option("--callgrind-out-file=", &out))
        .arg(program)
        .args([RUN, name])
        .output()
        .map_err(|error| missing(&error))?;
    if output.status.success() {
        return Ok(out);
    }
    Err(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}

fn missing(error: &std::io::Error) -> String {
    format!("valgrind cannot be started ({error}): it comes with the package valgrind")
}

/// The line `totals: N` of what callgrind writes.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_are_read() {
        let listing = "6,400 (100.0%)  PROGRAM TOTALS\n 320 (50.0%)  /a/b.rs:core::sign [/x]\n\
                       64 (10.0%)  ./c.rs:core::sign\n6,400 (100.0%)  ???:main [/x]\nIr  file:function\n";
        assert_eq!(functions(listing, false), [("core::sign".to_owned(), 384)]);
        assert_eq!(functions(listing, true), [("core::sign".to_owned(), 320)]);
    }

    #[test]
    fn the_total_is_read() {
        assert_eq!(total("version: 1\nsummary: 5\n\nfn=(1) x\n1 2\n\ntotals: 640 1\n"), Some(640));
        assert_eq!(total("version: 1\n"), None);
        assert_eq!(total("totals:\n"), None);
    }
}
