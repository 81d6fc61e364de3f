//! Trusted Applications Authentication: the server side.

pub mod limit;
pub mod nonce;
pub mod session;
