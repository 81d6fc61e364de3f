use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The counts that are kept in the repository.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Book {
    /// What `rustc --version` says.
    rustc: String,
    /// What `valgrind --version` says; for whoever wonders, not compared.
    valgrind: String,
    /// How much more is still the same, in percent: hash tables have random keys.
    tolerance_percent: u64,
    /// Instructions for one operation.
    instructions: BTreeMap<String, u64>,
}

pub(crate) const HOW_TO_RENEW: &str = "cargo run --release -p taa-benches --bin counts -- --renew";

impl Book {
    pub(crate) fn new(rustc: String, valgrind: String) -> Self {
        Self { rustc, valgrind, tolerance_percent: 2, instructions: BTreeMap::new() }
    }

    pub(crate) fn read() -> Result<Self, String> {
        let path = path();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn write(&self) -> Result<(), String> {
        let path = path();
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        std::fs::write(&path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Refuses to compare under another compiler.
    pub(crate) fn is_for(&self, compiler: &str) -> Result<(), String> {
        if self.rustc == compiler {
            return Ok(());
        }
        Err(format!(
            "the counts in {} are those of {}, and this is {compiler}: nothing can be compared. On a commit that is \
             known to be good: {HOW_TO_RENEW}",
            path().display(),
            self.rustc
        ))
    }

    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        self.instructions.get(name).copied()
    }

    pub(crate) fn set(&mut self, name: &str, count: u64) {
        self.instructions.insert(name.to_owned(), count);
    }

    pub(crate) fn is_higher(&self, found: u64, known: u64) -> bool {
        found * 100 > known * (100 + self.tolerance_percent)
    }
}

/// The version of the compiler that cargo uses here.
pub(crate) fn compiler() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().map_err(|error| format!("rustc: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// One count beside the one that is known, with the change in percent.
pub(crate) fn line(name: &str, found: u64, known: Option<u64>) -> String {
    let Some(known) = known else { return format!("{name:<24}{found:>12}         new") };
    let change = found.saturating_mul(10_000).checked_div(known).unwrap_or_default();
    let (more, part) = if change >= 10_000 { ("+", change - 10_000) } else { ("-", 10_000 - change) };
    format!("{name:<24}{found:>12}{known:>12}{more:>5}{}.{:02} %", part / 100, part % 100)
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("counts.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_above_the_tolerance_is_higher() {
        let book = Book::new("rustc 1".into(), "valgrind 3".into());
        assert!(!book.is_higher(1_020, 1_000));
        assert!(book.is_higher(1_021, 1_000));
        assert!(!book.is_higher(1, 1_000));
        assert!(book.is_for("rustc 1").is_ok());
        assert!(book.is_for("rustc 2").unwrap_err().contains("--renew"));
    }

    #[test]
    fn a_line_tells_the_change() {
        let squeezed = |line: String| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(line("sign", 1_015, Some(1_000))), "sign 1015 1000 +1.50 %");
        assert_eq!(squeezed(line("sign", 990, Some(1_000))), "sign 990 1000 -1.00 %");
        assert_eq!(squeezed(line("sign", 990, None)), "sign 990 new");
    }
}
