//! What a request is remembered by, and what keeps it: the store that makes every request good once.
//!
//! A server asks a [`NonceStore`] in step 7 (wire document, section 5) whether it meets a [`NonceKey`] for the first time.
//! `taa-server` has one in the memory of its process; one that several nodes share implements the same trait.

mod key;
mod store;

pub use key::NonceKey;
pub use store::{BoxedFuture, DynNonceStore, NonceError, NonceStore, Seen};
