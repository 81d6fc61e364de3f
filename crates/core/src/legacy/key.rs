//! Keys of the older versions. They are used for nothing else.

mod signing;
mod verifying;

pub use signing::LegacySigningKey;
pub use verifying::LegacyVerifyingKey;

/// Why a key of the older versions is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyKeyError {
    /// The public exponent is even, smaller than 3 or larger than 2^33.
    #[error("the public exponent is odd and from 3 to 2^33")]
    Exponent,
    /// The text or DER is no key of the expected kind.
    #[error("not an RSA key in the expected form")]
    Form,
    /// The modulus is even.
    #[error("the modulus is odd")]
    Modulus,
    /// The random bytes could not be had.
    #[error("no random bytes")]
    Random,
    /// The modulus has fewer than 1024 or more than 4096 bits.
    #[error("the modulus has 1024 to 4096 bits")]
    Size,
}
