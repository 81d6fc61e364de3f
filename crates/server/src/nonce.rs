//! Each request once: the nonces that were used, and what stands in for them where they are not known.
//!
//! A request is *replayed* (wire document, section 5, step 7) when
//!
//! 1. its [`NonceKey`] was recorded before: [`Nonces::record`] looks up and records in one atomic step; or
//! 2. its `created` is not above the [`Fence`]: it may have been accepted when this process was not there to record it, or
//!    under a clock or a time-out that is no longer in force.
//!
//! A nonce is kept until no check of time could let its request pass again. That span is measured on the monotonic clock,
//! because a wall clock can be turned back; a [`WallGuard`] notices when it was. A table without room answers
//! [`NonceError::Full`]. It never forgets.
//!
//! In memory ([`MemoryNonces`]) is enough for one process. Several that answer for one server id share a store: see
//! [`NonceStore`] and [`Nonces::is_shared`].

mod applications;
mod count;
mod fence;
mod generations;
mod key;
mod memory;
mod store;
mod wall_guard;

pub use fence::{DecryptionKeyMade, Fence};
pub use key::NonceKey;
pub use memory::{MemoryNonces, NonceLimits};
pub use store::{BoxedFuture, DynNonceStore, NonceError, NonceStore, Nonces, Seen};
pub use wall_guard::{WallGuard, WentBack};
