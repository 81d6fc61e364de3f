//! Tests that need more than one crate, and the runners for vectors.

pub mod legacy;
