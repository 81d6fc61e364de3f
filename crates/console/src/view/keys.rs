use taa_core::certificate::{Certificate, CertificateKey, KeyStatus, KeyUse};
use taa_core::id::KeyId;
use taa_core::legacy::LegacyVerifyingKey;
use taa_core::time::UnixMillis;
use taa_store::model::{PeerKeys, Presented, TrustedApplication};

use crate::moment::Moment;

/// A key of a peer, for a table or JSON.
#[derive(Clone, Debug)]
pub(crate) struct PeerKey {
    pub(crate) id: KeyId,
    pub(crate) purpose: &'static str,
    /// None for the older versions, which have no rotation.
    pub(crate) status: Option<KeyStatus>,
    pub(crate) bits: usize,
    pub(crate) exp: Option<u64>,
    pub(crate) ended: bool,
    pub(crate) revoked: bool,
    pub(crate) last_used: Option<UnixMillis>,
}

impl PeerKey {
    fn of_certificate(key: &CertificateKey, now: UnixMillis) -> Self {
        Self {
            id: key.public.id(),
            purpose: match key.usage {
                KeyUse::Decryption => "decryption",
                KeyUse::Signing => "signing",
            },
            status: Some(key.status),
            bits: key.public.modulus_len().saturating_mul(8),
            exp: key.exp,
            ended: !key.usable_at(now),
            revoked: false,
            last_used: None,
        }
    }

    fn of_legacy(key: &LegacyVerifyingKey) -> Self {
        Self {
            id: key.thumbprint(),
            purpose: "legacy",
            status: None,
            bits: usize::try_from(key.bits()).unwrap_or(usize::MAX),
            exp: None,
            ended: false,
            revoked: false,
            last_used: None,
        }
    }

    /// The keys of a certificate, signing keys first.
    pub(crate) fn all_of_certificate(certificate: &Certificate, now: UnixMillis) -> Vec<Self> {
        let content = certificate.content();
        let keys = content.all(KeyUse::Signing).chain(content.all(KeyUse::Decryption));
        keys.map(|key| Self::of_certificate(key, now)).collect()
    }

    fn all_of(keys: &PeerKeys, now: UnixMillis) -> Vec<Self> {
        let mut all =
            keys.certificate.as_ref().map_or_else(Vec::new, |held| Self::all_of_certificate(held, now));
        all.extend(keys.legacy.as_ref().map(|key| Self::of_legacy(&key.0)));
        all
    }

    /// The keys of an application, with what is known of each.
    pub(crate) fn all_of_application(application: &TrustedApplication, now: UnixMillis) -> Vec<Self> {
        let mut all = Self::all_of(&application.keys, now);
        for key in &mut all {
            key.last_used = application.keys_last_used.get(&key.id).copied();
            key.revoked = application.revoked_keys.contains(&key.id);
        }
        all
    }

    /// The keys that were presented at set-up.
    pub(crate) fn all_presented(presented: &Presented, now: UnixMillis) -> Vec<Self> {
        match presented {
            Presented::Certificate(certificate) => Self::all_of_certificate(certificate, now),
            Presented::LegacyPage(page) => vec![Self::of_legacy(&page.key)],
        }
    }

    pub(crate) fn status_text(&self) -> String {
        self.status.map_or_else(|| "current".to_owned(), |status| status.to_string())
    }

    pub(crate) fn end(&self) -> Option<Moment> {
        self.exp.map(Moment::of_seconds)
    }

    pub(crate) fn used(&self) -> Option<Moment> {
        self.last_used.map(Moment::of)
    }
}

/// What a person compares with what the other side shows: the fingerprint, or the key's thumbprint for a peer of the
/// older versions. None when there is no key.
pub(crate) fn fingerprint(
    certificate: Option<&Certificate>,
    legacy: Option<&LegacyVerifyingKey>,
) -> Option<String> {
    match (certificate, legacy) {
        (Some(certificate), _) => Some(certificate.fingerprint().to_string()),
        (None, Some(key)) => Some(key.thumbprint().to_string()),
        (None, None) => None,
    }
}
