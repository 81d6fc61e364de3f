//! Trusted Applications Authentication: the protocol and the decision.

pub mod answer;
pub mod id;
pub mod policy;
pub mod time;
