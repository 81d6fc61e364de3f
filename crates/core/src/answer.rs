//! What a server answers: codes, the error text, the status and its proof.

mod code;
mod error_text;
mod proof;

pub use code::Code;
pub use error_text::{ErrorText, ErrorTextError};
pub use proof::ProvenAnswer;
