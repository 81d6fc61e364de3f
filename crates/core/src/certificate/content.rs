use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::id::{AppId, KeyId};
use crate::key::PublicKey;
use crate::time::UnixMillis;

/// What a certificate document says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The application.
    pub iss: AppId,
    /// Its name for people.
    pub name: String,
    /// Where it lives; its certificate is fetched below this.
    pub base_url: Url,
    /// Goes up with every change of the content.
    pub seq: u64,
    /// When this `seq` was made, in Unix seconds.
    pub iat: u64,
    /// The protocol versions it speaks.
    pub protocols: Vec<u8>,
    /// Its keys, of the kinds this library knows.
    pub keys: Vec<CertificateKey>,
}

/// One key of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateKey {
    /// The key.
    pub public: PublicKey,
    /// What it is for.
    pub usage: KeyUse,
    /// Where it stands in its rotation.
    pub status: KeyStatus,
    /// When it ends, in Unix seconds; a `previous` key has one.
    pub exp: Option<u64>,
}

/// What a key is for. One key has one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// It opens envelopes: `enc`, `RSA-OAEP-256`.
    Decryption,
    /// It signs envelopes and certificate documents: `sig`, `PS256`.
    Signing,
}

/// Where a key stands in its rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    /// Published ahead, becomes current.
    Next,
    /// In use.
    Current,
    /// Rotated away; accepted until it ends.
    Previous,
}

impl fmt::Display for KeyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
        })
    }
}

impl CertificateKey {
    /// True while the key may be used: it has no end, or the end is ahead.
    #[must_use]
    pub fn usable_at(&self, now: UnixMillis) -> bool {
        now.is_before(self.exp)
    }
}

impl Content {
    /// The most keys a certificate may list.
    pub const MAX_KEYS: usize = 8;

    /// Checks the rules that span several members.
    pub(super) fn check(&self) -> Result<(), ContentError> {
        if self.name.trim().is_empty() || self.name.len() > 255 || self.name.chars().any(char::is_control) {
            return Err(ContentError::Name);
        }
        let url = &self.base_url;
        if !matches!(url.scheme(), "http" | "https")
            || url.cannot_be_a_base()
            || !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(ContentError::BaseUrl);
        }
        if self.keys.len() > Self::MAX_KEYS {
            return Err(ContentError::TooManyKeys);
        }
        let current = |usage| self.all(usage).filter(|key| key.status == KeyStatus::Current).count();
        if current(KeyUse::Signing) != 1 {
            return Err(ContentError::CurrentSigningKey);
        }
        if current(KeyUse::Decryption) > 1 {
            return Err(ContentError::CurrentDecryptionKey);
        }
        if self.keys.iter().any(|key| key.status == KeyStatus::Previous && key.exp.is_none()) {
            return Err(ContentError::PreviousWithoutEnd);
        }
        // Equal ids have equal short forms, so this finds a key listed twice as well.
        let mut short: Vec<_> = self.keys.iter().map(|key| *key.public.id().short().as_bytes()).collect();
        short.sort_unstable();
        if short.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(ContentError::SameKeyTwice);
        }
        Ok(())
    }

    /// The keys of one use.
    pub fn all(&self, usage: KeyUse) -> impl Iterator<Item = &CertificateKey> {
        self.keys.iter().filter(move |key| key.usage == usage)
    }

    /// The current key of one use.
    #[must_use]
    pub fn current(&self, usage: KeyUse) -> Option<&CertificateKey> {
        self.all(usage).find(|key| key.status == KeyStatus::Current)
    }

    /// The key with this id.
    #[must_use]
    pub fn key(&self, id: &KeyId) -> Option<&CertificateKey> {
        self.keys.iter().find(|key| key.public.id() == *id)
    }
}

/// Which rule a certificate's content breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The base URL is not an http or https URL without credentials, query and fragment.
    #[error("the base URL must be an http or https URL without credentials, query or fragment")]
    BaseUrl,
    /// It lists two current decryption keys.
    #[error("the certificate lists two current decryption keys")]
    CurrentDecryptionKey,
    /// It does not list exactly one current signing key.
    #[error("the certificate must list exactly one current signing key")]
    CurrentSigningKey,
    /// The name is blank, longer than 255 bytes, or has control characters.
    #[error("the name must have 1 to 255 bytes and no control characters")]
    Name,
    /// A previous key has no end.
    #[error("a previous key must have an end (exp)")]
    PreviousWithoutEnd,
    /// Two keys are the same, or their ids begin with the same 8 bytes.
    #[error("two keys are the same or their ids begin alike")]
    SameKeyTwice,
    /// It lists more than eight keys.
    #[error("a certificate lists at most eight keys")]
    TooManyKeys,
}
