//! The client against the server's decision, in one process.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]

mod answers;
mod layer;
#[cfg(feature = "reqwest")]
mod reqwest;
mod secrets;
mod sessions;
mod signing;
mod time;
mod tracker;
