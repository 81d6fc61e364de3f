//! Who this application is: its id, its own keys, its certificate.

use std::fmt;

use url::Url;

use crate::certificate::{Certificate, CertificateError, CertificateKey, Content, KeyStatus, KeyUse};
use crate::id::{AppId, KeyId, ShortKeyId};
use crate::key::{DecryptingKey, PublicKey, SigningKey};
use crate::time::UnixMillis;

/// A private key of this application with its place in the rotation.
#[derive(Clone, Debug)]
pub struct OwnKey<K> {
    /// The key.
    pub key: K,
    /// Where it stands in its rotation.
    pub status: KeyStatus,
    /// When it ends, in Unix seconds; a previous key has one.
    pub exp: Option<u64>,
}

impl<K> OwnKey<K> {
    /// A key in use, without an end.
    #[must_use]
    pub const fn current(key: K) -> Self {
        Self { key, status: KeyStatus::Current, exp: None }
    }

    fn usable_at(&self, now: UnixMillis) -> bool {
        now.is_before(self.exp)
    }
}

/// What [`Identity::new`] is told besides the keys.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The application's id.
    pub id: AppId,
    /// Its name for people.
    pub name: String,
    /// Where it lives, as the other side reaches it.
    pub base_url: Url,
    /// Number of its certificate: goes up with every change.
    pub seq: u64,
    /// When this number was made, in Unix seconds.
    pub iat: u64,
    /// The versions it speaks besides 4.
    pub older_protocols: Vec<u8>,
}

/// This application: its id, its keys, its signed certificate. A server has decryption keys, a mere client none.
pub struct Identity {
    certificate: Certificate,
    signing: SigningKey,
    decryption: Vec<OwnKey<DecryptingKey>>,
}

impl Identity {
    /// Puts profile and keys together and signs the certificate.
    ///
    /// # Errors
    /// When there is not exactly one current signing key, more than one current decryption key, or another rule of
    /// certificates is broken.
    pub fn new(
        profile: Profile,
        signing: Vec<OwnKey<SigningKey>>,
        decryption: Vec<OwnKey<DecryptingKey>>,
    ) -> Result<Self, CertificateError> {
        let list = |public: &PublicKey, usage, status, exp| CertificateKey {
            public: public.clone(),
            usage,
            status,
            exp,
        };
        let keys = signing
            .iter()
            .map(|own| list(own.key.public(), KeyUse::Signing, own.status, own.exp))
            .chain(
                decryption.iter().map(|own| list(own.key.public(), KeyUse::Decryption, own.status, own.exp)),
            )
            .collect();
        let mut protocols = profile.older_protocols;
        protocols.push(4);
        let content = Content {
            iss: profile.id,
            name: profile.name,
            base_url: profile.base_url,
            seq: profile.seq,
            iat: profile.iat,
            protocols,
            keys,
        };
        let current = signing.into_iter().find(|own| own.status == KeyStatus::Current);
        let signing = current.ok_or(CertificateError::Signer)?.key;
        Ok(Self { certificate: Certificate::make(content, &signing)?, signing, decryption })
    }

    /// The application's id.
    #[must_use]
    pub fn id(&self) -> &AppId {
        &self.certificate.content().iss
    }

    /// The certificate document that it serves.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The key that signs envelopes.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    /// The decryption key an envelope names, while it may be used.
    pub(crate) fn decryption_key(&self, id: ShortKeyId, now: UnixMillis) -> Option<&DecryptingKey> {
        let own = self.decryption.iter().find(|own| own.key.id().short() == id)?;
        own.usable_at(now).then_some(&own.key)
    }

    /// The whole id of a decryption key.
    pub(crate) fn key_named(&self, id: ShortKeyId) -> Option<KeyId> {
        self.decryption.iter().map(|own| own.key.id()).find(|own| own.short() == id)
    }

    /// True when this application can open envelopes, as a server must.
    #[must_use]
    pub fn can_open(&self) -> bool {
        self.decryption.iter().any(|own| own.status == KeyStatus::Current)
    }

    /// True when every decryption key was made by this process: no restart fence is needed.
    #[must_use]
    pub fn made_by_this_process(&self) -> bool {
        self.decryption.iter().all(|own| own.key.made_by_this_process())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.id())
    }
}
