use std::fmt;
use std::sync::Arc;

use pkcs8::{PrivateKeyInfo, SecretDocument};
use zeroize::Zeroizing;

use super::{KeyError, PublicKey};

/// A PKCS#8 private key whose public part was checked. Shared by clones and wiped with the last of them.
#[derive(Clone)]
pub(super) struct PrivateKey {
    der: Arc<Zeroizing<Vec<u8>>>,
    public: PublicKey,
}

impl PrivateKey {
    pub(super) fn from_der(der: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let info = PrivateKeyInfo::try_from(der.as_slice()).map_err(|_| KeyError::Encoding)?;
        if info.algorithm != pkcs1::ALGORITHM_ID {
            return Err(KeyError::Algorithm);
        }
        let key = pkcs1::RsaPrivateKey::try_from(info.private_key).map_err(|_| KeyError::Encoding)?;
        if key.version() != pkcs1::Version::TwoPrime {
            return Err(KeyError::Encoding);
        }
        let public = PublicKey::from_parts(key.modulus.as_bytes(), key.public_exponent.as_bytes())?;
        Ok(Self { der: Arc::new(der), public })
    }

    pub(super) fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, document) = SecretDocument::from_pem(pem).map_err(|_| KeyError::Pem)?;
        if label != "PRIVATE KEY" {
            return Err(KeyError::Pem);
        }
        Self::from_der(Zeroizing::new(document.as_bytes().to_vec()))
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn expose_der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn expose_pem(&self) -> Zeroizing<String> {
        // Encoding bytes that were DER when they came in cannot fail.
        SecretDocument::try_from(self.der.as_slice())
            .and_then(|document| document.to_pem("PRIVATE KEY", pkcs8::LineEnding::LF))
            .unwrap_or_else(|_| Zeroizing::new(String::new()))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public.id())
    }
}
