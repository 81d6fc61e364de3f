use std::fmt;
use std::sync::Arc;

use super::{KeyError, PublicKey};
use crate::crypto::{CryptoError, CryptoProvider, PssVerify};
use crate::id::KeyId;

/// A key that verifies what another application signed.
///
/// Cloning shares the key.
#[derive(Clone)]
pub struct VerifyingKey {
    public: PublicKey,
    handle: Arc<dyn PssVerify>,
}

impl VerifyingKey {
    /// Takes a checked public key for this purpose.
    ///
    /// # Errors
    /// When the provider cannot use it.
    pub fn new(provider: &dyn CryptoProvider, public: PublicKey) -> Result<Self, KeyError> {
        let handle = provider.verifier(&public).map_err(|_| KeyError::Encoding)?;
        Ok(Self { public, handle: Arc::from(handle) })
    }

    /// The public part.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    /// Verifies RSASSA-PSS, SHA-256, MGF1-SHA-256, salt of 32 bytes.
    ///
    /// # Errors
    /// When the signature is not genuine.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.handle.verify(message, signature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.id())
    }
}
