use serde::Serialize;
use taa_core::certificate::Certificate;
use taa_core::time::UnixMillis;
use taa_store::model::{Refreshed, Row, Stamp, TrustedApplication, TrustingServer};
use utoipa::ToSchema;

use super::rules::RulesJson;
use crate::moment::rfc3339;
use crate::view::{Condition, PeerKey, fingerprint};

/// When something happened and by whom.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Stamp)]
pub(crate) struct StampJson {
    /// When.
    #[schema(format = DateTime)]
    pub(crate) at: String,
    /// By whom.
    pub(crate) by: String,
}

impl From<&Stamp> for StampJson {
    fn from(stamp: &Stamp) -> Self {
        Self { at: rfc3339(stamp.at), by: stamp.by.to_string() }
    }
}

/// A key of another application.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Key {
    /// The SHA-256 thumbprint of its public part (RFC 7638), base64url.
    pub(crate) id: String,
    /// `signing`, `decryption` or `legacy`.
    pub(crate) purpose: &'static str,
    /// `next`, `current` or `previous`; null for `legacy`.
    pub(crate) status: Option<String>,
    /// The length of its modulus.
    pub(crate) bits: usize,
    /// When it ends; null: it has no end.
    #[schema(format = DateTime)]
    pub(crate) ends_at: Option<String>,
    /// Whether a person has revoked it: it is never used again.
    pub(crate) revoked: bool,
    /// When it was last used, to about a minute; only known of trusted applications.
    #[schema(format = DateTime)]
    pub(crate) last_used_at: Option<String>,
}

impl From<PeerKey> for Key {
    fn from(key: PeerKey) -> Self {
        Self {
            id: key.id.to_string(),
            purpose: key.purpose,
            status: key.status.map(|status| status.to_string()),
            bits: key.bits,
            ends_at: key.exp.map(|seconds| rfc3339(UnixMillis(seconds.saturating_mul(1000)))),
            revoked: key.revoked,
            last_used_at: key.last_used.map(rfc3339),
        }
    }
}

/// What a certificate says besides its keys.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Certificate)]
pub(crate) struct CertificateJson {
    /// Its number: goes up with every change.
    pub(crate) seq: u64,
    /// When this number was made.
    #[schema(format = DateTime)]
    pub(crate) made_at: String,
    /// The name it gives.
    pub(crate) name: String,
    /// The base URL it names.
    pub(crate) base_url: String,
    /// The protocol versions it names.
    pub(crate) protocols: Vec<u8>,
    /// The document, a compact JWS.
    pub(crate) document: String,
}

impl From<&Certificate> for CertificateJson {
    fn from(certificate: &Certificate) -> Self {
        let content = certificate.content();
        Self {
            seq: content.seq,
            made_at: rfc3339(UnixMillis(content.iat.saturating_mul(1000))),
            name: content.name.clone(),
            base_url: content.base_url.to_string(),
            protocols: content.protocols.clone(),
            document: certificate.document().to_owned(),
        }
    }
}

/// How the last refresh of a certificate went.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Refreshed)]
pub(crate) struct RefreshedJson {
    /// When.
    #[schema(format = DateTime)]
    pub(crate) at: String,
    /// What went wrong; null when it went well.
    pub(crate) problem: Option<String>,
    /// Another base URL under which a certificate with this id was seen: a clone, or a move.
    pub(crate) other_base_url: Option<String>,
}

impl From<&Refreshed> for RefreshedJson {
    fn from(refreshed: &Refreshed) -> Self {
        Self {
            at: rfc3339(refreshed.at),
            problem: refreshed.problem.clone(),
            other_base_url: refreshed.other_base_url.as_ref().map(ToString::to_string),
        }
    }
}

/// A trusted application.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Application {
    /// Its id; never changes.
    pub(crate) id: String,
    /// Its name for people.
    pub(crate) name: String,
    /// Where its certificate is fetched from.
    pub(crate) base_url: String,
    /// False: it counts as unknown.
    pub(crate) enabled: bool,
    /// The generation of its last change by a person; a change has to name it.
    pub(crate) version: u64,
    /// What it may do.
    pub(crate) rules: RulesJson,
    /// Whether version 4 was seen, so that older ones are refused.
    pub(crate) seen_v4: bool,
    /// What a person compared; for the older versions the key's thumbprint.
    pub(crate) fingerprint: Option<String>,
    /// Null for an application that only knows the older versions.
    pub(crate) certificate: Option<CertificateJson>,
    /// Its keys.
    pub(crate) keys: Vec<Key>,
    /// Ids of keys that a person revoked, listed above or not.
    pub(crate) revoked_keys: Vec<String>,
    /// When and by whom it was added.
    pub(crate) created: StampJson,
    /// When and by whom it was changed last.
    pub(crate) updated: StampJson,
    /// When its last good request came, to about a minute.
    #[schema(format = DateTime)]
    pub(crate) last_used_at: Option<String>,
    /// Null before the first refresh.
    pub(crate) refreshed: Option<RefreshedJson>,
    /// What a person wants to see at a glance.
    pub(crate) conditions: Vec<Condition>,
}

impl Application {
    pub(crate) fn of(application: &TrustedApplication, now: UnixMillis) -> Self {
        let legacy = application.keys.legacy.as_ref().map(|key| &key.0);
        let certificate = application.keys.certificate.as_ref();
        Self {
            id: application.id.to_string(),
            name: application.name.clone(),
            base_url: application.base_url.to_string(),
            enabled: application.enabled,
            version: application.version,
            rules: RulesJson::of(&application.rules),
            seen_v4: application.seen_v4,
            fingerprint: fingerprint(certificate, legacy),
            certificate: certificate.map(Into::into),
            keys: PeerKey::all_of_application(application, now).into_iter().map(Into::into).collect(),
            revoked_keys: application.revoked_keys.iter().map(ToString::to_string).collect(),
            created: (&application.created).into(),
            updated: (&application.updated).into(),
            last_used_at: application.last_used.map(rfc3339),
            refreshed: application.refreshed.as_ref().map(Into::into),
            conditions: Condition::of_application(application, now),
        }
    }
}

/// A server that is called.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Server {
    /// Its application id; never changes.
    pub(crate) id: String,
    /// Its name for people.
    pub(crate) name: String,
    /// Where it is reached.
    pub(crate) base_url: String,
    /// False: nothing is signed for it.
    pub(crate) enabled: bool,
    /// The generation of its last change by a person; a change has to name it.
    pub(crate) version: u64,
    /// The protocol version spoken to it.
    pub(crate) protocol: u8,
    /// How long a session with it lasts, in seconds.
    pub(crate) lifetime_s: u32,
    /// Whether content is only accepted with a proven digest.
    pub(crate) require_content_digest: bool,
    /// Whether plain http to another host is allowed.
    pub(crate) insecure_allow_http: bool,
    /// What a person compared; null for the older versions.
    pub(crate) fingerprint: Option<String>,
    /// Null for a server that only knows the older versions.
    pub(crate) certificate: Option<CertificateJson>,
    /// Its keys.
    pub(crate) keys: Vec<Key>,
    /// When and by whom it was added.
    pub(crate) created: StampJson,
    /// When and by whom it was changed last.
    pub(crate) updated: StampJson,
    /// When a request was last signed for it, to about a minute.
    #[schema(format = DateTime)]
    pub(crate) last_used_at: Option<String>,
    /// Null before the first refresh.
    pub(crate) refreshed: Option<RefreshedJson>,
    /// What a person wants to see at a glance.
    pub(crate) conditions: Vec<Condition>,
}

impl Server {
    pub(crate) fn of(server: &TrustingServer, now: UnixMillis) -> Self {
        let certificate = server.certificate.as_ref();
        let keys = certificate.map_or_else(Vec::new, |held| PeerKey::all_of_certificate(held, now));
        Self {
            id: server.id.to_string(),
            name: server.name.clone(),
            base_url: server.base_url.to_string(),
            enabled: server.enabled,
            version: server.version,
            protocol: server.protocol.number(),
            lifetime_s: server.lifetime.as_secs(),
            require_content_digest: server.require_content_digest,
            insecure_allow_http: server.insecure_allow_http,
            fingerprint: fingerprint(certificate, None),
            certificate: certificate.map(Into::into),
            keys: keys.into_iter().map(Into::into).collect(),
            created: (&server.created).into(),
            updated: (&server.updated).into(),
            last_used_at: server.last_used.map(rfc3339),
            refreshed: server.refreshed.as_ref().map(Into::into),
            conditions: Condition::of_server(server, now),
        }
    }
}

/// A record that cannot be read. It counts as unknown, and can be deleted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BrokenRecord {
    /// Its id, as it stands in the database.
    pub(crate) id: String,
    /// Its name, as it stands in the database.
    pub(crate) name: String,
    /// What does not parse.
    pub(crate) problem: String,
}

impl BrokenRecord {
    /// Those of a list.
    pub(crate) fn all<T>(rows: &[Row<T>]) -> Vec<Self> {
        let broken = |row: &Row<T>| match row {
            Row::Broken { id, name, problem } => {
                Some(Self { id: id.clone(), name: name.clone(), problem: problem.clone() })
            }
            Row::Good(_) => None,
        };
        rows.iter().filter_map(broken).collect()
    }
}

/// What became of a refresh.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RefreshOutcome {
    /// `taken`: a newer certificate was taken over. `same`: the one held is still served. `kept`: the one held stays, and
    /// a person has to look.
    pub(crate) outcome: &'static str,
    /// Why it was kept.
    pub(crate) message: Option<String>,
}

impl From<taa_service::refresh::Outcome> for RefreshOutcome {
    fn from(outcome: taa_service::refresh::Outcome) -> Self {
        use taa_service::refresh::Outcome;
        match outcome {
            Outcome::Taken => Self { outcome: "taken", message: None },
            Outcome::Same => Self { outcome: "same", message: None },
            Outcome::Kept(why) => Self { outcome: "kept", message: Some(why) },
        }
    }
}
