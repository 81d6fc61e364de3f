use std::fmt;

use super::Reason;
use crate::answer::{Code, ErrorText};
#[cfg(feature = "legacy")]
use crate::legacy::{Failure, FailureKind, LegacyErrorText};
use crate::time::UnixMillis;

/// A refused request: the reason, and what may be told to a caller whose certificate was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    reason: Reason,
    params: Vec<String>,
}

impl Refusal {
    /// A refusal whose answer names the code and nothing else.
    #[must_use]
    pub const fn new(reason: Reason) -> Self {
        Self { reason, params: Vec::new() }
    }

    /// A refusal after step 5 that tells the server's time in milliseconds.
    pub(super) fn with_time(reason: Reason, now: UnixMillis) -> Self {
        Self { reason, params: vec![now.0.to_string()] }
    }

    /// A refusal after step 5 that tells the path.
    pub(super) fn with_path(reason: Reason, path: &str) -> Self {
        Self { reason, params: vec![path.to_owned()] }
    }

    /// Exactly why, for the server's log.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What goes on the wire.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.reason.code()
    }

    /// The HTTP status of a rejected request (wire document, section 6).
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self.reason {
            Reason::ContentTooLong => 413,
            // The older versions say `SYSTEM` to what is the caller's mistake.
            #[cfg(feature = "legacy")]
            Reason::Older(FailureKind::BadNumber) => 400,
            _ => self.code().http_status(),
        }
    }

    /// The value of the error field, in the words of the version that was spoken.
    #[must_use]
    pub fn error_text(&self) -> String {
        #[cfg(feature = "legacy")]
        if let Reason::Older(kind) = self.reason {
            let message = kind.message().to_owned();
            return LegacyErrorText { code: self.code(), message, params: self.params.clone() }
                .to_field_value();
        }
        let code = self.code();
        ErrorText { code, message: code.message().to_owned(), params: self.params.clone() }.to_string()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Refusal {}

#[cfg(feature = "legacy")]
impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { reason: Reason::Older(failure.kind()), params: failure.text().params }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}
