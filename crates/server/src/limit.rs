//! Limits on work that costs much: decryptions per application, signature checks per address.
//!
//! Known sessions are never limited (wire document, section 3). What is limited is what somebody who has proven nothing, or
//! only that he owns a key, can make this server compute:
//!
//! * [`SIGNATURE_CHECKS_PER_SECOND`] checks of the signatures of unknown envelopes for one [`AddressKey`];
//! * [`DECRYPTIONS_PER_SECOND`] decryptions for one application, counted after its signature was found good.

mod address_key;
mod rate_limiter;
pub(crate) mod shards;

pub use address_key::AddressKey;
pub use rate_limiter::{DECRYPTIONS_PER_SECOND, LIMITER_CAPACITY, RateLimiter, SIGNATURE_CHECKS_PER_SECOND};
