//! Runs vector files. A file is recognised by what is in it, not by its name.

pub mod addresses;
pub mod legacy;
pub mod paths;
pub mod taa4;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The kinds of files that can be run. The first that recognises a file runs it.
pub const KINDS: &[Kind] = &[taa4::KIND, addresses::KIND, paths::KIND, legacy::KIND];

/// One kind of vector file.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// A name for reports.
    pub name: &'static str,
    /// Whether a file is of this kind, by its shape.
    pub recognise: fn(&Value) -> bool,
    /// Runs every case of a file and tells the tally.
    ///
    /// An error means that the file is not what it seemed to be.
    pub run: fn(&VectorFile, &mut Tally) -> Result<(), String>,
}

/// A file that was read.
#[derive(Debug)]
pub struct VectorFile {
    /// Where it is: files that belong to it lie beside it.
    pub path: PathBuf,
    /// What is in it.
    pub content: Value,
}

impl VectorFile {
    /// Reads a JSON file.
    ///
    /// # Errors
    /// When it cannot be read or is no JSON.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let failure = |why: String| Failure::Unreadable { path: path.to_owned(), why };
        let text = fs::read(path).map_err(|error| failure(error.to_string()))?;
        let content = serde_json::from_slice(&text).map_err(|error| failure(error.to_string()))?;
        Ok(Self { path: path.to_owned(), content })
    }

    /// The content in the form of its kind.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, String> {
        T::deserialize(&self.content).map_err(|error| error.to_string())
    }
}

/// Counts cases while a file runs. All run, whatever fails.
#[derive(Debug, Default)]
pub struct Tally {
    counts: BTreeMap<String, usize>,
    failed: Vec<String>,
    ran: usize,
}

impl Tally {
    /// Counts one case of a group; `name` is made when it failed.
    pub fn case(&mut self, group: &str, name: impl FnOnce() -> String, result: Result<(), String>) {
        self.ran += 1;
        self.note(group);
        if let Err(why) = result {
            self.failed.push(format!("{group}: {}: {why}", name()));
        }
    }

    /// Counts something that is worth to be told in the report but is no case, such as a difference wanted on purpose.
    pub fn note(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// What to report for the file.
    ///
    /// # Errors
    /// When a case failed, or there was none.
    pub fn finish(self, path: &Path, kind: &'static str) -> Result<Report, Failure> {
        if !self.failed.is_empty() {
            return Err(Failure::Cases { path: path.to_owned(), kind, ran: self.ran, failed: self.failed });
        }
        if self.ran == 0 {
            return Err(Failure::Empty { path: path.to_owned(), kind });
        }
        Ok(Report { kind, cases: self.ran, counts: self.counts })
    }
}

/// A file whose cases all came out as they should.
#[derive(Clone, Debug)]
pub struct Report {
    /// The kind of file.
    pub kind: &'static str,
    /// How many cases ran.
    pub cases: usize,
    /// How many of each group, and of each difference that is wanted.
    pub counts: BTreeMap<String, usize>,
}

/// Why a file did not pass.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Some cases came out otherwise.
    #[error("{} ({kind}): {} failures in {ran} cases:\n  {}", path.display(), failed.len(), failed.join("\n  "))]
    Cases {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: &'static str,
        /// How many cases ran.
        ran: usize,
        /// What went wrong in each.
        failed: Vec<String>,
    },
    /// It has no case.
    #[error("{} ({kind}): there is no case in it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: &'static str,
    },
    /// It looks like a kind that is known, but has another form.
    #[error("{} ({kind}): {why}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: &'static str,
        /// What is wrong.
        why: String,
    },
    /// It is of no kind that is known.
    #[error("{}: not a kind of vector file that is known here", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// It, or a folder, cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
}

/// Runs one file.
///
/// # Errors
/// When it cannot be read, is of no known kind, has no case, or a case comes out otherwise.
pub fn run_file(path: &Path) -> Result<Report, Failure> {
    let file = VectorFile::read(path)?;
    let kind = KINDS
        .iter()
        .find(|kind| (kind.recognise)(&file.content))
        .ok_or_else(|| Failure::Unknown { path: path.to_owned() })?;
    let mut tally = Tally::default();
    (kind.run)(&file, &mut tally).map_err(|why| Failure::Form {
        path: path.to_owned(),
        kind: kind.name,
        why,
    })?;
    tally.finish(path, kind.name)
}

/// The files that a path stands for: itself, or every `.json` in a folder, at any depth, in order of their names.
///
/// # Errors
/// When a folder cannot be read, or has no such file: a wrong path must not look like a pass.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    collect(path, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(Failure::Unreadable { path: path.to_owned(), why: "no .json file in it".into() });
    }
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failure =
        |error: std::io::Error| Failure::Unreadable { path: folder.to_owned(), why: error.to_string() };
    for entry in fs::read_dir(folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

/// `Ok` when both are the same, else what they are.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, theirs: T) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("{what} is {ours:?}, should be {theirs:?}")) }
}
