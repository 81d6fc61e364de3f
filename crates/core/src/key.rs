//! RSA keys, one type per purpose: [`SigningKey`] and [`VerifyingKey`], [`DecryptingKey`] and [`EncryptingKey`].
//!
//! Every key was checked when it was made: 2048–4096 bits in steps of 8, an odd modulus without a factor below 2^16,
//! an odd public exponent from 65537 up (wire document, section 1). One key has one purpose.

mod decrypting;
mod encrypting;
mod error;
mod modulus;
mod private;
mod public;
mod signing;
mod size;
mod verifying;

pub use decrypting::DecryptingKey;
pub use encrypting::EncryptingKey;
pub use error::KeyError;
pub use public::PublicKey;
pub use signing::SigningKey;
pub use size::KeySize;
pub use verifying::VerifyingKey;
