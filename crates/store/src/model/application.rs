use std::collections::HashMap;

use taa_core::certificate::Certificate;
use taa_core::crypto::CryptoProvider;
use taa_core::directory::Application;
use taa_core::id::{AppId, KeyId};
use taa_core::key::KeyError;
use taa_core::legacy::LegacyVerifyingKey;
use taa_core::policy::{GreatestTimeout, PolicyError};
use taa_core::time::UnixMillis;
use url::Url;

use super::{Rules, Stamp};

/// An application that is trusted (incoming), with everything a person decided about it.
#[derive(Clone, Debug)]
pub struct TrustedApplication {
    /// Its id; never changes.
    pub id: AppId,
    /// Its name for people.
    pub name: String,
    /// Where it lives: its certificate is fetched again below this.
    pub base_url: Url,
    /// Its keys.
    pub keys: PeerKeys,
    /// Its rules.
    pub rules: Rules,
    /// False: it counts as unknown.
    pub enabled: bool,
    /// Whether a request of version 4 was found good since a person last set the lowest version: then older ones are
    /// refused (wire document, section 8).
    pub seen_v4: bool,
    /// The generation of its last change by a person; [`ApplicationUpdate::version`] has to name it.
    pub version: u64,
    /// When and by whom it was added.
    pub created: Stamp,
    /// When and by whom it was changed last.
    pub updated: Stamp,
    /// When its last good request came; kept to about a minute.
    pub last_used: Option<UnixMillis>,
    /// The same for each key.
    pub keys_last_used: HashMap<KeyId, UnixMillis>,
    /// What became of the last refresh of its certificate.
    pub refreshed: Option<Refreshed>,
    /// Keys that a person revoked: never used again, even when a certificate lists them.
    pub revoked_keys: Vec<KeyId>,
}

impl TrustedApplication {
    /// The application in the form that decides about requests: without the keys that were revoked here, switched on or
    /// off, and with its floor where it was.
    ///
    /// # Errors
    /// When the provider cannot use a key, there is none, or the rules do not fit this server: its greatest timeout may
    /// have been lowered since.
    pub fn application(
        &self,
        provider: &dyn CryptoProvider,
        greatest: GreatestTimeout,
    ) -> Result<Application, ApplicationError> {
        let policy = self.rules.policy(greatest)?;
        let legacy = self.keys.legacy.as_ref().map(|key| key.0.clone());
        let application = match (&self.keys.certificate, legacy) {
            (Some(certificate), None) => Application::new(provider, certificate, policy)?,
            (Some(certificate), Some(key)) => {
                Application::new(provider, certificate, policy)?.with_legacy_key(key)
            }
            (None, Some(key)) => Application::legacy(self.id.clone(), self.name.clone(), key, policy),
            (None, None) => return Err(ApplicationError::NoKey),
        };
        let application = application.without_keys(&self.revoked_keys).enabled(self.enabled);
        Ok(if self.seen_v4 { application.having_seen_v4() } else { application })
    }
}

/// Why a record cannot decide about requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplicationError {
    /// The provider cannot use a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is neither a certificate nor a key.
    #[error("there is neither a certificate nor a key")]
    NoKey,
    /// The rules do not fit together, or not this server.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// The keys of a peer.
#[derive(Clone, Debug)]
pub struct PeerKeys {
    /// Its certificate; none for a peer that only knows the older versions.
    pub certificate: Option<Certificate>,
    /// Its key of versions 2 and 3, if a person took it.
    pub legacy: Option<PeerLegacyKey>,
}

/// A key of versions 2 and 3.
#[derive(Clone, Debug)]
pub struct PeerLegacyKey(pub LegacyVerifyingKey);

/// How the last refresh of a certificate went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// When.
    pub at: UnixMillis,
    /// What went wrong, for a person; none when it went well.
    pub problem: Option<String>,
    /// Another base URL under which a certificate with this id was seen: a clone, or a move.
    pub other_base_url: Option<Url>,
}

/// What it takes to trust an application: only ever what was shown to a person.
#[derive(Clone, Debug)]
pub struct NewApplication {
    /// Its id, out of the certificate.
    pub id: AppId,
    /// Its name for people.
    pub name: String,
    /// Where its certificate was fetched.
    pub base_url: Url,
    /// Its keys.
    pub keys: PeerKeys,
    /// Its rules.
    pub rules: Rules,
}

/// A change of an application by a person.
#[derive(Clone, Debug)]
pub struct ApplicationUpdate {
    /// [`TrustedApplication::version`] as the person saw it: if somebody else changed the record meanwhile, the change is
    /// refused with [`StoreError::Changed`](crate::StoreError::Changed) and nothing is lost.
    pub version: u64,
    /// Its name for people.
    pub name: String,
    /// Its rules. A lowest version below 4 takes effect even when version 4 was seen: a person lowers it.
    pub rules: Rules,
}
