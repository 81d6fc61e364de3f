//! Refusals, and their text as the older versions write it (older versions, section 10).

mod failure;
mod message;
mod params;
mod text;

pub use failure::{Failure, FailureKind, MagicPart};
pub use message::{FormatError, format_message};
pub use params::{ParamsError, read_params, write_params};
pub use text::{LegacyErrorText, LegacyErrorTextError, Severity, severity};
