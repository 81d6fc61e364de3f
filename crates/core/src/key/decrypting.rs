use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::private::PrivateKey;
use super::{KeyError, KeySize, PublicKey};
use crate::crypto::{CryptoError, CryptoProvider, OaepDecrypt};
use crate::id::KeyId;

/// A key that opens envelopes sent to its application.
///
/// Cloning shares the key; its bytes are wiped with the last clone.
#[derive(Clone)]
pub struct DecryptingKey {
    private: PrivateKey,
    handle: Arc<dyn OaepDecrypt>,
    made_here: bool,
}

impl DecryptingKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the provider cannot.
    pub fn generate(provider: &dyn CryptoProvider, size: KeySize) -> Result<Self, KeyError> {
        let der = provider.generate(size).map_err(|_| KeyError::Generation)?;
        Self::new(provider, PrivateKey::from_der(der)?, true)
    }

    /// Reads a PKCS#8 `PrivateKeyInfo` (RFC 5208).
    ///
    /// # Errors
    /// When it is anything else, breaks the rules, or its parts do not belong together.
    pub fn from_pkcs8_der(provider: &dyn CryptoProvider, der: &[u8]) -> Result<Self, KeyError> {
        Self::new(provider, PrivateKey::from_der(Zeroizing::new(der.to_vec()))?, false)
    }

    /// Reads a PEM block `PRIVATE KEY`.
    ///
    /// # Errors
    /// When it is anything else, breaks the rules, or its parts do not belong together.
    pub fn from_pkcs8_pem(provider: &dyn CryptoProvider, pem: &str) -> Result<Self, KeyError> {
        Self::new(provider, PrivateKey::from_pem(pem)?, false)
    }

    fn new(provider: &dyn CryptoProvider, private: PrivateKey, made_here: bool) -> Result<Self, KeyError> {
        let handle = provider.decrypter(private.expose_der()).map_err(|_| KeyError::Parts)?;
        Ok(Self { private, handle: Arc::from(handle), made_here })
    }

    /// The private key as a PEM block `PRIVATE KEY`. A secret: store it sealed or in a file nobody else can read.
    #[must_use]
    pub fn expose_pkcs8_pem(&self) -> Zeroizing<String> {
        self.private.expose_pem()
    }

    /// The public part.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        self.private.public()
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.public().id()
    }

    /// True when this process made the key. Nothing that was sealed to it can have been accepted before the process
    /// started, so it needs no restart fence (wire document, section 5).
    #[must_use]
    pub fn made_by_this_process(&self) -> bool {
        self.made_here
    }

    /// Decrypts with RSAES-OAEP, SHA-256 and MGF1-SHA-256.
    ///
    /// # Errors
    /// One error for whatever was wrong.
    pub(crate) fn decrypt(&self, ciphertext: &[u8], label: &str) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.handle.decrypt(ciphertext, label)
    }
}

impl fmt::Debug for DecryptingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptingKey({})", self.id())
    }
}
