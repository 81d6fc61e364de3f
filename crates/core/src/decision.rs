//! The ordered checks of version 4, as pure functions over parsed values (wire document, section 5).
//!
//! 1. [`Presented::parse`]: the header fields, each exactly once and in its one form (step 0).
//! 2. [`open`]: suite, application, version, address, keys, and for a new session its signature and secret (steps 1–4).
//! 3. [`Opened::prove`]: the tag of the request certificate (step 5). From here on the answer carries a proof.
//! 4. [`Proven::user`] and [`Proven::claim`]: the name is well-formed (step 6), and what to record as used (step 7).
//! 5. [`Proven::in_time`]: not used before, of this time (steps 7 and 8). What has to outlive the process is written now.
//! 6. [`Timely::allow`]: method and path, users never to be named (steps 9 and 10).
//!
//! Whether the user exists (11) and whether the content matches its digest (12) is for the server layer: both wait for
//! something. Only the step before makes the next value, and none can be made otherwise.
//!
//! [`explain`] shows a person all of it for one recorded request.

pub mod explain;

mod allowed;
mod head;
mod opened;
mod presented;
mod proven;
mod reason;
mod refusal;
mod session;
mod timely;

pub use allowed::Allowed;
pub use head::{is_attempt, version_field};
pub use opened::{Context, Opened, open};
pub use presented::{CertificateSpace, Presented};
pub use proven::{NonceClaim, NonceOutcome, Proven, Prover};
pub use reason::{Field, Reason};
pub use refusal::Refusal;
pub use session::{Lookup, NoSessions, Session, Sessions, SharedSession};
pub use timely::Timely;
