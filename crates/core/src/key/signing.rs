use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::private::PrivateKey;
use super::{KeyError, KeySize, PublicKey};
use crate::crypto::{CryptoError, CryptoProvider, PssSign};
use crate::id::KeyId;

/// A key that signs: envelopes and its application's certificate document, nothing else.
///
/// Cloning shares the key; its bytes are wiped with the last clone.
#[derive(Clone)]
pub struct SigningKey {
    private: PrivateKey,
    handle: Arc<dyn PssSign>,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the provider cannot.
    pub fn generate(provider: &dyn CryptoProvider, size: KeySize) -> Result<Self, KeyError> {
        let der = provider.generate(size).map_err(|_| KeyError::Generation)?;
        Self::new(provider, PrivateKey::from_der(der)?)
    }

    /// Reads a PKCS#8 `PrivateKeyInfo` (RFC 5208).
    ///
    /// # Errors
    /// When it is anything else, breaks the rules, or its parts do not belong together.
    pub fn from_pkcs8_der(provider: &dyn CryptoProvider, der: &[u8]) -> Result<Self, KeyError> {
        Self::new(provider, PrivateKey::from_der(Zeroizing::new(der.to_vec()))?)
    }

    /// Reads a PEM block `PRIVATE KEY`.
    ///
    /// # Errors
    /// When it is anything else, breaks the rules, or its parts do not belong together.
    pub fn from_pkcs8_pem(provider: &dyn CryptoProvider, pem: &str) -> Result<Self, KeyError> {
        Self::new(provider, PrivateKey::from_pem(pem)?)
    }

    fn new(provider: &dyn CryptoProvider, private: PrivateKey) -> Result<Self, KeyError> {
        let handle = provider.signer(private.expose_der()).map_err(|_| KeyError::Parts)?;
        Ok(Self { private, handle: Arc::from(handle) })
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

    /// Signs with RSASSA-PSS, SHA-256, MGF1-SHA-256 and a salt of 32 bytes.
    ///
    /// # Errors
    /// When the provider fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.handle.sign(message)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}
