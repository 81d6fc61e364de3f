//! Results of all steps in one form.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use taa_benches::{Report, results};
use taa_core::time::UnixMillis;

use crate::machine::Machine;
use crate::steps;

/// Everything that was found, and on what.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) reports: Vec<Report>,
}

impl Results {
    /// What the steps left.
    pub(crate) fn read(machine: Machine) -> Self {
        Self { machine, reports: steps::ALL.iter().filter_map(|step| Report::read(step.name)).collect() }
    }

    pub(crate) fn to_json(&self) -> Result<String, String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|error| error.to_string())
    }

    /// The rows of a group.
    pub(crate) fn group(&self, group: &str) -> Vec<&taa_benches::Row> {
        self.reports.iter().flat_map(|report| &report.rows).filter(|row| row.group == group).collect()
    }

    /// The figure of a case that has no series.
    pub(crate) fn figure(&self, group: &str, case: &str) -> Option<f64> {
        self.reports.iter().find_map(|report| report.figure(group, case))
    }

    /// The figure of a case at one size of its series.
    pub(crate) fn at(&self, group: &str, case: &str, x: f64) -> Option<f64> {
        self.group(group).iter().find(|row| row.case == case && row.x == Some(x)).map(|row| row.value)
    }

    /// The greatest load of the minute before a step ended.
    pub(crate) fn greatest_load(&self) -> f64 {
        let of = |report: &Report| report.load.split(' ').next()?.parse::<f64>().ok();
        self.reports.iter().filter_map(of).fold(0.0, f64::max)
    }
}

/// What criterion keeps of a bench: who it is.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

/// And what it took.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// The medians of this bench since then, in nanoseconds. Its groups begin with its name; criterion keeps those that a bench
/// has no more.
pub(crate) fn criterion(name: &str, since: UnixMillis) -> Result<Report, String> {
    let folder = results().with_file_name("criterion");
    let mut found = Vec::new();
    benchmarks(&folder, &mut found).map_err(|error| format!("{}: {error}", folder.display()))?;
    found.sort();
    let mut report = Report::new(name);
    for path in found {
        let written = std::fs::metadata(path.join("estimates.json")).and_then(|file| file.modified());
        let old = |written: SystemTime| {
            let at = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            at.as_millis() < u128::from(since.0)
        };
        if written.map_or(true, old) {
            continue;
        }
        let Some((benchmark, estimates)) = read(&path) else { continue };
        if benchmark.group_id.split('/').next() != Some(name) {
            continue;
        }
        let case = [benchmark.function_id, benchmark.value_str].into_iter().flatten();
        let case = case.collect::<Vec<_>>().join("/");
        report.add(&benchmark.group_id, &case, None, estimates.median.point_estimate, "ns");
    }
    if report.rows.is_empty() { Err(format!("criterion has no results of {name}")) } else { Ok(report) }
}

/// The folders named `new`, which hold the last run of a bench each.
fn benchmarks(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == "new") {
            found.push(path);
        } else if path.is_dir() {
            benchmarks(&path, found)?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Option<(Benchmark, Estimates)> {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let benchmark = serde_json::from_str(&text("benchmark.json")?).ok()?;
    Some((benchmark, serde_json::from_str(&text("estimates.json")?).ok()?))
}

/// Lines `WHAT: N allocations, bound M` of the tests.
pub(crate) fn allocations(text: &str) -> Report {
    let mut report = Report::new("allocations");
    for line in text.lines() {
        let Some((before, _)) = line.split_once(" allocations, bound ") else { continue };
        let Some((what, count)) = before.rsplit_once(": ") else { continue };
        // The test runner writes on the same line.
        let what = what.rsplit_once("... ").map_or(what, |(_, what)| what);
        if let Ok(count) = count.parse() {
            report.add("allocations", what, None, count, "");
        }
    }
    report.rows.sort_by(|a, b| a.case.cmp(&b.case));
    report
}

/// The file that the counts are compared with.
#[derive(Deserialize)]
struct Book {
    instructions: std::collections::BTreeMap<String, u32>,
}

pub(crate) fn counts() -> Result<Report, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let book: Book = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut report = Report::new("counts");
    for (name, count) in book.instructions {
        report.add("counts", &name, None, f64::from(count), "");
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_tests_are_read() {
        let text =
            "running 2 tests\nsign: 4 allocations, bound 4\ntest a ... decide: 3 allocations, bound 3\nok\n";
        let found: Vec<_> =
            allocations(text).rows.into_iter().map(|row| (row.case, row.value.to_string())).collect();
        assert_eq!(found, [("decide".into(), "3".into()), ("sign".into(), "4".into())]);
    }
}
