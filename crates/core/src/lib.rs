//! Trusted Applications Authentication: the protocol and the decision.

pub mod answer;
pub mod certificate;
pub mod crypto;
pub mod decision;
pub mod directory;
pub mod envelope;
pub mod fields;
pub mod id;
pub mod identity;
pub mod key;
#[cfg(feature = "legacy")]
pub mod legacy;
pub mod policy;
pub mod request;
pub mod time;

mod encoding;
mod mac;
