//! Sessions that were opened: what makes a request cost no RSA.
//!
//! A session is *known* when application id, envelope and signature are those it was opened with (wire document, section 3).
//! The first two are its [`SessionName`]; whoever keeps one keeps its [`SignatureName`] beside it, because a known envelope
//! under another signature is `BAD_SIGNATURE`, be that signature genuine or not.
//!
//! What a session may do is not kept here. It is looked up afresh for every request.

mod kept;
mod ledger;
mod name;
mod table;

pub use kept::{Kept, Tabled};
pub use name::{NameKey, SessionName, SignatureName};
pub use table::{SessionLimits, SessionTable};
