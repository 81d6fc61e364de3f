//! The client against the server's decision, in one process.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]

// `cfg(test)` tells clippy that these are tests.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod layer;
#[cfg(test)]
#[cfg(feature = "legacy")]
mod legacy;
#[cfg(test)]
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod time;
#[cfg(test)]
mod tracker;
