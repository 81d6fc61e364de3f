use std::fmt;

use rand::RngCore;

/// Where secrets, nonces and salts come from.
///
/// An implementor must fill from a cryptographically secure generator; the only others are scripted ones in tests.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills the whole of `out`.
    ///
    /// # Errors
    /// When there is no randomness to be had; nothing may be sent then.
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError>;
}

/// There is no randomness to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the random number generator failed")]
pub struct RandomError;

/// The thread's generator of the `rand` crate: ChaCha, seeded and reseeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        rand::rng().fill_bytes(out);
        Ok(())
    }
}
