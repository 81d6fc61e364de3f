use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use taa_core::certificate::{Certificate, KeyStatus};
use taa_core::id::{AppId, KeyId};
use taa_core::identity::Identity;
use taa_core::key::KeySize;
use taa_core::legacy::LegacySigningKey;
use taa_core::time::UnixMillis;
use url::Url;
use zeroize::Zeroizing;

/// What a key of this application is for. One key, one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Opens envelopes of version 4.
    Decryption,
    /// Signs requests of versions 2 and 3.
    Legacy,
    /// Signs envelopes and the certificate.
    Signing,
}

impl KeyPurpose {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Decryption, Self::Legacy, Self::Signing];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decryption => "decryption",
            Self::Legacy => "legacy",
            Self::Signing => "signing",
        }
    }
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyPurpose {
    type Err = KeyPurposeError;

    fn from_str(text: &str) -> Result<Self, KeyPurposeError> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text).ok_or(KeyPurposeError)
    }
}

/// A text is no purpose of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the purpose of a key is decryption, legacy or signing")]
pub struct KeyPurposeError;

/// What it takes to make this application's identity: `taa init`.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// The application id. One for each deployment; a clone needs its own.
    pub id: AppId,
    /// Its name for people.
    pub name: String,
    /// Where others reach it.
    pub base_url: Url,
    /// How long its keys are.
    pub key_size: KeySize,
}

/// Who this application is, without its private keys.
#[derive(Clone, Debug)]
pub struct OwnIdentity {
    /// The certificate that is served, the same on all nodes.
    pub certificate: Certificate,
    /// The older versions that the certificate names and for which there is a key.
    pub older_protocols: Vec<u8>,
    /// Its keys, newest first within a purpose; those that ended stay until somebody removes them.
    pub keys: Vec<OwnKeyInfo>,
}

/// A key of this application, without its private part.
#[derive(Clone, Debug)]
pub struct OwnKeyInfo {
    /// Its id.
    pub id: KeyId,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Where it stands in its rotation.
    pub status: KeyStatus,
    /// When it ends, in Unix seconds.
    pub exp: Option<u64>,
    /// Its length in bits.
    pub bits: usize,
    /// When it was made or brought in.
    pub created: super::Stamp,
    /// When it was last used; kept to about a minute.
    pub last_used: Option<UnixMillis>,
}

/// The identity with its private keys, opened. Never written anywhere.
#[derive(Clone)]
pub struct Secrets {
    /// Of version 4.
    pub identity: Arc<Identity>,
    /// The key of versions 2 and 3.
    pub legacy: Option<Arc<LegacySigningKey>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.identity.id())
    }
}

/// When a `next` key may become the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// A day after it was published (wire document, section 7), so that every peer has seen it.
    AfterADay,
    /// At once: peers that have not refreshed since refuse this application until they do. For keys that may have leaked,
    /// or where there are no peers yet.
    InsecureAtOnce,
}

/// A private key brought in from outside.
pub struct ImportedKey {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// PKCS#8 PEM.
    pub pkcs8_pem: Zeroizing<String>,
}

impl fmt::Debug for ImportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImportedKey({})", self.purpose)
    }
}
