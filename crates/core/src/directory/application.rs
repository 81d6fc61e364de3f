use std::sync::Arc;

use crate::certificate::{Certificate, KeyUse};
use crate::crypto::CryptoProvider;
use crate::id::{AppId, KeyId, ShortKeyId};
use crate::key::{KeyError, VerifyingKey};
#[cfg(feature = "legacy")]
use crate::legacy::LegacyVerifyingKey;
use crate::policy::{Policy, Protocol, Ratchet};
use crate::time::UnixMillis;

/// An application that is trusted: its keys and its rules.
#[derive(Clone, Debug)]
pub struct Application {
    id: AppId,
    name: String,
    enabled: bool,
    keys: Vec<PeerKey>,
    #[cfg(feature = "legacy")]
    legacy_key: Option<LegacyVerifyingKey>,
    policy: Policy,
    ratchet: Arc<Ratchet>,
}

/// A signing key of a trusted application.
#[derive(Clone, Debug)]
pub struct PeerKey {
    key: VerifyingKey,
    exp: Option<u64>,
}

impl PeerKey {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// True while the key may be used.
    #[must_use]
    pub fn usable_at(&self, now: UnixMillis) -> bool {
        now.is_before(self.exp)
    }
}

impl Application {
    /// An application as its certificate tells, with the rules a person gave it.
    ///
    /// # Errors
    /// When the provider cannot use one of its keys.
    pub fn new(
        provider: &dyn CryptoProvider,
        certificate: &Certificate,
        policy: Policy,
    ) -> Result<Self, KeyError> {
        let content = certificate.content();
        let keys = content
            .all(KeyUse::Signing)
            .map(|key| Ok(PeerKey { key: VerifyingKey::new(provider, key.public.clone())?, exp: key.exp }))
            .collect::<Result<_, KeyError>>()?;
        Ok(Self {
            id: content.iss.clone(),
            name: content.name.clone(),
            enabled: true,
            keys,
            #[cfg(feature = "legacy")]
            legacy_key: None,
            ratchet: Arc::new(Ratchet::new(policy.min_protocol())),
            policy,
        })
    }

    /// An application that only speaks versions 2 or 3.
    #[cfg(feature = "legacy")]
    #[must_use]
    pub fn legacy(id: AppId, name: String, key: LegacyVerifyingKey, policy: Policy) -> Self {
        let ratchet = Arc::new(Ratchet::new(policy.min_protocol()));
        Self { id, name, enabled: true, keys: Vec::new(), legacy_key: Some(key), policy, ratchet }
    }

    /// Adds the key with which the application signs versions 2 and 3.
    #[cfg(feature = "legacy")]
    #[must_use]
    pub fn with_legacy_key(mut self, key: LegacyVerifyingKey) -> Self {
        self.legacy_key = Some(key);
        self
    }

    /// Switches the application on or off.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Takes away keys that a person revoked, that of the older versions included: they are never used, whatever a
    /// certificate lists.
    #[must_use]
    pub fn without_keys(mut self, revoked: &[KeyId]) -> Self {
        self.keys.retain(|peer| !revoked.contains(&peer.key.id()));
        #[cfg(feature = "legacy")]
        {
            self.legacy_key = self.legacy_key.filter(|key| !revoked.contains(&key.thumbprint()));
        }
        self
    }

    /// Begins with a ratchet that stands at version 4, because the store tells that it was seen.
    #[must_use]
    pub fn having_seen_v4(mut self) -> Self {
        self.ratchet = Arc::new(Ratchet::having_seen_v4(self.policy.min_protocol()));
        self
    }

    /// Keeps the ratchet of the record this one replaces: what was seen stays seen. A person who lowers
    /// `min_protocol` leaves this out.
    #[must_use]
    pub fn with_ratchet_of(mut self, before: &Self) -> Self {
        self.ratchet = Arc::clone(&before.ratchet);
        self
    }

    /// A copy with a ratchet of its own: what is tried out on it changes nothing here.
    pub(crate) fn apart(&self) -> Self {
        Self { ratchet: Arc::new(Ratchet::new(self.ratchet.floor())), ..self.clone() }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &AppId {
        &self.id
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// False when it was switched off: it then counts as unknown.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Its rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The newest version it was proven to speak.
    #[must_use]
    pub fn ratchet(&self) -> &Ratchet {
        &self.ratchet
    }

    /// True when the rules and the ratchet let it speak this version.
    #[must_use]
    pub fn accepts(&self, protocol: Protocol) -> bool {
        self.ratchet.allows(protocol)
    }

    /// Its signing keys that may be used, ended or not.
    #[must_use]
    pub fn keys(&self) -> &[PeerKey] {
        &self.keys
    }

    /// The signing key an envelope names.
    #[must_use]
    pub fn key(&self, id: ShortKeyId) -> Option<&PeerKey> {
        self.keys.iter().find(|peer| peer.key.id().short() == id)
    }

    /// The key of versions 2 and 3.
    #[cfg(feature = "legacy")]
    #[must_use]
    pub fn legacy_key(&self) -> Option<&LegacyVerifyingKey> {
        self.legacy_key.as_ref()
    }

    /// The ids of all its keys.
    pub(super) fn key_ids(&self) -> Vec<KeyId> {
        #[allow(unused_mut, reason = "one more with the feature")]
        let mut ids: Vec<_> = self.keys.iter().map(|peer| peer.key.id()).collect();
        #[cfg(feature = "legacy")]
        ids.extend(self.legacy_key.as_ref().map(LegacyVerifyingKey::thumbprint));
        ids
    }
}
