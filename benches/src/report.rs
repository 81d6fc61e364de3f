//! Results of the benches that are not criterion's: a flat list, as JSON below the target folder and as a table on paper.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What one bench found.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Report {
    /// The name of the bench.
    pub name: String,
    /// How many tasks wanted a core in the minute before the end, as the system says.
    pub load: String,
    /// The figures.
    pub rows: Vec<Row>,
}

/// One figure.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    /// What belongs in one table or plot.
    pub group: String,
    /// What was measured.
    pub case: String,
    /// The size it was measured at, when there is a series of them.
    pub x: Option<f64>,
    /// The figure.
    pub value: f64,
    /// The unit of the figure.
    pub unit: String,
}

impl Report {
    /// Begins without figures.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Adds a figure, and prints it.
    pub fn add(&mut self, group: &str, case: &str, x: Option<f64>, value: f64, unit: &str) {
        let at = x.map(|x| format!(" {x}")).unwrap_or_default();
        print(&format!("{group:<28} {:<52} {value:>14.1} {unit}", format!("{case}{at}")));
        let (group, case, unit) = (group.to_owned(), case.to_owned(), unit.to_owned());
        self.rows.push(Row { group, case, x, value, unit });
    }

    /// The figure of a case that has no series.
    #[must_use]
    pub fn figure(&self, group: &str, case: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.group == group && row.case == case).map(|row| row.value)
    }

    /// Writes it as JSON where [`read`](Self::read) finds it. A smoke run writes nothing: its figures mean nothing.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(mut self) {
        if is_smoke_run() {
            return;
        }
        self.load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned();
        let text = serde_json::to_string_pretty(&self).expect("JSON");
        let path = Self::path(&self.name);
        std::fs::create_dir_all(results()).expect("a folder for results");
        std::fs::write(&path, text).expect("a file of results");
        print(&format!("written: {}", path.display()));
    }

    /// The results of this bench's last run.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(Self::path(name)).ok()?).ok()
    }

    /// Where the results of a bench are.
    #[must_use]
    pub fn path(name: &str) -> PathBuf {
        results().join(name).with_extension("json")
    }
}

/// True when the program was started with `--test`: everything once, nothing measured.
#[must_use]
pub fn is_smoke_run() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// The folder `performance` in cargo's target folder, which is above every program that cargo builds.
///
/// # Panics
/// When this program was not built by cargo.
#[must_use]
pub fn results() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    target.map(Path::to_owned).expect("cargo's target folder").join("performance")
}

fn print(line: &str) {
    // To a pipe that is closed nothing can be said.
    let _ = writeln!(std::io::stdout(), "{line}");
}
