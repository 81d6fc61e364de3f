//! Each request once: the nonces that were used, and what stands in for them where they are not known.
//!
//! A request is *replayed* (wire document, section 5, step 7) when
//!
//! 1. its [`NonceKey`](taa_core::nonce::NonceKey) was recorded before: [`Nonces::record`] looks up and records in one atomic step; or
//! 2. its `created` is not above the [`Fence`]: it may have been accepted when this process was not there to record it, or
//!    under a clock or a time-out that is no longer in force.
//!
//! A nonce is kept until no check of time could let its request pass again. That span is measured on the monotonic clock,
//! because a wall clock can be turned back; a [`WallGuard`] notices when it was. A table without room answers
//! [`NonceError::Full`](taa_core::nonce::NonceError::Full). It never forgets.
//!
//! In memory ([`MemoryNonces`]) is enough for one process. Several that answer for one server id share a store: see
//! [`NonceStore`](taa_core::nonce::NonceStore) and [`Nonces::is_shared`].

mod applications;
mod count;
mod credit;
mod fence;
mod fingerprint;
mod generations;
mod lines;
mod marks;
mod memory;
mod place;
mod wall_guard;

pub use fence::{DecryptionKeyMade, Fence};
pub(crate) use marks::Marks;
pub use memory::{MemoryNonces, NonceLimits};
pub use place::Nonces;
pub use wall_guard::{WallGuard, WentBack};
