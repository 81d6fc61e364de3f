use std::fmt;
use std::sync::Arc;

use super::{KeyError, PublicKey};
use crate::crypto::{CryptoError, CryptoProvider, OaepEncrypt};
use crate::id::KeyId;

/// A key that envelopes to another application are sealed to.
///
/// Cloning shares the key.
#[derive(Clone)]
pub struct EncryptingKey {
    public: PublicKey,
    handle: Arc<dyn OaepEncrypt>,
}

impl EncryptingKey {
    /// Takes a checked public key for this purpose.
    ///
    /// # Errors
    /// When the provider cannot use it.
    pub fn new(provider: &dyn CryptoProvider, public: PublicKey) -> Result<Self, KeyError> {
        let handle = provider.encrypter(&public).map_err(|_| KeyError::Encoding)?;
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

    /// Encrypts with RSAES-OAEP, SHA-256 and MGF1-SHA-256.
    ///
    /// # Errors
    /// When the provider fails.
    pub(crate) fn encrypt(&self, plaintext: &[u8], label: &str) -> Result<Vec<u8>, CryptoError> {
        self.handle.encrypt(plaintext, label)
    }
}

impl fmt::Debug for EncryptingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptingKey({})", self.id())
    }
}
