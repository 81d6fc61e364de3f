//! The tests that cross modules and crates, in one binary.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "all of this is test code, helpers too"
)]

mod attacks;
mod browser;
mod cluster;
mod end_to_end;
mod fixture;
mod heard;
mod layer;
mod misuse;
mod properties;
mod secrets;
mod succession;
mod vectors;
