//! The sealed request certificate: time and user, bound to exactly one request (wire document, section 4).

mod covered;
mod digest;
mod seal;
mod target;

pub use covered::Covered;
pub use digest::{ContentDigest, DigestError};
pub use seal::{Iv, MAX_SEALED_LEN, MIN_SEALED_LEN, OpenError, Plaintext, SealedRequest, open, seal};
pub use target::{Target, TargetError};
