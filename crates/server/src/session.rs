//! Sessions that were opened: what makes a request cost no RSA.
//!
//! A session is *known* when application id, envelope and signature are those it was opened with (wire document, section 3).
//! All three are in its [`SessionName`], so a known envelope under another signature has another name: it is simply not
//! known, its signature is checked as any other, fails, and the answer is `BAD_SIGNATURE`. No second index is needed.
//!
//! What a session may do is not kept here. It is looked up afresh for every request.

mod ledger;
mod name;
mod table;

pub use name::{NameKey, SessionName};
pub use table::{SessionLimits, SessionTable};
