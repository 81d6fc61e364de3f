//! What the test suite is made of: a server without a network, naive models of the rules, and the runners of vector
//! files. The tests themselves are in `suite/`.

pub mod harness;
#[allow(
    missing_debug_implementations,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "test code: what is wrong with a vector may fail loudly"
)]
pub mod legacy;
pub mod misuse;
pub mod reference;
pub mod vectors;

/// The README's examples are doc-tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
