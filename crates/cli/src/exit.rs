//! How the command ends, and what it says when it did not do what it was asked to.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use taa_service::{SaveError, SetupError};
use taa_store::StoreError;
use taa_store::model::FieldErrors;

/// The exit codes. Programs may rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was done.
    Fine,
    /// It failed: the store, the network, a file.
    Failed,
    /// The command line, or a value on it, is wrong.
    Usage,
    /// It was done, and what was checked is not as it should be.
    No,
    /// What was named is not there.
    NotFound,
    /// Nobody confirmed it, or the fingerprint is another one.
    NotConfirmed,
    /// The private keys cannot be opened.
    Sealed,
}

/// The exit codes as `taa --help` tells them.
pub(crate) const EXIT_CODES: &str = "Exit codes:
  0  it was done
  1  it failed: the store, the network, a file
  2  the command line, or a value on it, is wrong
  3  it was done, and a check says no: explain or check found a step that
     fails, audit verify or doctor a problem, a refresh kept what is held
  4  what was named is not there; explain: the request has no field of TAA
  5  nobody confirmed it, or the fingerprint is not the expected one;
     nothing was changed
  6  the private keys cannot be opened: passphrase or key file is missing
     or wrong";

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::No => 3,
            Self::NotFound => 4,
            Self::NotConfirmed => 5,
            Self::Sealed => 6,
        }
    }
}

/// clap's own ending: help goes to standard output and is fine, a wrong command line is not.
pub(crate) fn of_usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is a quiet end.
    let _closed = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Fine.into() }
}

/// Why the command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }

    pub(crate) fn not_confirmed(message: impl Into<String>) -> Self {
        Self::new(Exit::NotConfirmed, message)
    }

    /// An error with its causes.
    pub(crate) fn of(error: &dyn Error) -> Self {
        Self::failed(chain(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An error with its causes, each once: many repeat the one below them.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::NoIdentity | StoreError::NotFound(_) => Exit::NotFound,
            StoreError::Seal(_) => Exit::Sealed,
            _ => Exit::Failed,
        };
        Self::new(exit, chain(&error))
    }
}

impl From<FieldErrors> for Failure {
    fn from(errors: FieldErrors) -> Self {
        Self::usage(errors.to_string())
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Store(error) => error.into(),
            SetupError::BaseUrl(message) => Self::usage(message),
            SetupError::Fingerprint => Self::not_confirmed(error.to_string()),
            error => Self::failed(error.to_string()),
        }
    }
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Fields(errors) => errors.into(),
            SaveError::Setup(error) => error.into(),
            error => Self::failed(error.to_string()),
        }
    }
}
