//! Trusted Applications Authentication: the protocol and the decision.

pub mod answer;
pub mod id;
#[cfg(feature = "legacy")]
pub mod legacy;
pub mod time;
