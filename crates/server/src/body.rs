//! Bodies: what a handler gets once its content was checked, and what goes back.

mod gather;
mod request;
mod response;

pub use request::{ContentError, RequestBody};
pub use response::ResponseBody;

pub(crate) use request::{Verdict, check, verify_stream};
pub(crate) use response::whole;

/// Any error of a body.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
