//! What the store holds, in the form that `--json` writes. These are the words programs rely on.

use serde::Serialize;
use taa_core::certificate::{Certificate, KeyUse};
use taa_core::time::UnixMillis;
use taa_store::model::{OwnKeyInfo, Refreshed, RulesText, Stamp, TrustedApplication, TrustingServer};

use crate::time::rfc3339;

/// An own key.
#[derive(Debug, Serialize)]
pub(crate) struct OwnKey {
    pub(crate) id: String,
    pub(crate) purpose: &'static str,
    pub(crate) status: String,
    pub(crate) bits: usize,
    pub(crate) created: String,
    pub(crate) created_by: String,
    pub(crate) ends: Option<String>,
    pub(crate) last_used: Option<String>,
}

impl OwnKey {
    pub(crate) fn of(key: &OwnKeyInfo) -> Self {
        Self {
            id: key.id.to_string(),
            purpose: key.purpose.as_str(),
            status: key.status.to_string(),
            bits: key.bits,
            created: rfc3339(key.created.at),
            created_by: key.created.by.to_string(),
            ends: key.exp.map(seconds),
            last_used: key.last_used.map(rfc3339),
        }
    }
}

/// A key of a certificate.
#[derive(Debug, Serialize)]
pub(crate) struct CertificateKey {
    pub(crate) id: String,
    pub(crate) purpose: &'static str,
    pub(crate) status: String,
    pub(crate) bits: usize,
    pub(crate) ends: Option<String>,
}

/// A certificate.
#[derive(Debug, Serialize)]
pub(crate) struct CertificateView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) fingerprint: String,
    pub(crate) seq: u64,
    pub(crate) issued: String,
    pub(crate) protocols: Vec<u8>,
    pub(crate) keys: Vec<CertificateKey>,
}

impl CertificateView {
    pub(crate) fn of(certificate: &Certificate) -> Self {
        let content = certificate.content();
        let keys = content.keys.iter().map(|key| CertificateKey {
            id: key.public.id().to_string(),
            purpose: purpose(key.usage),
            status: key.status.to_string(),
            bits: key.public.modulus_len().saturating_mul(8),
            ends: key.exp.map(seconds),
        });
        Self {
            id: content.iss.to_string(),
            name: content.name.clone(),
            base_url: content.base_url.to_string(),
            fingerprint: certificate.fingerprint().to_string(),
            seq: content.seq,
            issued: seconds(content.iat),
            protocols: content.protocols.clone(),
            keys: keys.collect(),
        }
    }
}

/// What a key of a certificate is for.
pub(crate) const fn purpose(usage: KeyUse) -> &'static str {
    match usage {
        KeyUse::Decryption => "decryption",
        KeyUse::Signing => "signing",
    }
}

/// Unix seconds as RFC 3339.
pub(crate) fn seconds(seconds: u64) -> String {
    rfc3339(UnixMillis(seconds.saturating_mul(1000)))
}

/// An application that is trusted.
#[derive(Debug, Serialize)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) enabled: bool,
    pub(crate) rules: Rules,
    pub(crate) seen_v4: bool,
    pub(crate) certificate: Option<CertificateView>,
    pub(crate) legacy_key: Option<String>,
    pub(crate) revoked_keys: Vec<String>,
    pub(crate) created: StampView,
    pub(crate) updated: StampView,
    pub(crate) last_used: Option<String>,
    pub(crate) refreshed: Option<RefreshedView>,
}

/// An application's rules.
#[derive(Debug, Serialize)]
pub(crate) struct Rules {
    pub(crate) addresses: Vec<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) methods: Vec<String>,
    pub(crate) never_as: Vec<String>,
    pub(crate) timeout_ms: String,
    pub(crate) min_protocol: u8,
    pub(crate) allow_repeats: bool,
}

impl Application {
    pub(crate) fn of(application: &TrustedApplication) -> Self {
        let rules = &application.rules;
        Self {
            id: application.id.to_string(),
            name: application.name.clone(),
            base_url: application.base_url.to_string(),
            enabled: application.enabled,
            rules: Rules {
                addresses: texts(rules.addresses.rules()),
                paths: texts(rules.paths.rules()),
                methods: Vec::<String>::from(rules.methods.clone()),
                never_as: texts(rules.never_as.patterns()),
                timeout_ms: RulesText::of("", rules).timeout,
                min_protocol: rules.min_protocol.number(),
                allow_repeats: rules.allow_repeats,
            },
            seen_v4: application.seen_v4,
            certificate: application.keys.certificate.as_ref().map(CertificateView::of),
            legacy_key: application.keys.legacy.as_ref().map(|key| key.0.thumbprint().to_string()),
            revoked_keys: texts(&application.revoked_keys),
            created: StampView::of(&application.created),
            updated: StampView::of(&application.updated),
            last_used: application.last_used.map(rfc3339),
            refreshed: application.refreshed.as_ref().map(RefreshedView::of),
        }
    }
}

/// The texts of a list.
pub(crate) fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// A server that is called.
#[derive(Debug, Serialize)]
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) enabled: bool,
    pub(crate) protocol: u8,
    pub(crate) lifetime_s: u32,
    pub(crate) insecure_allow_http: bool,
    pub(crate) require_content_digest: bool,
    pub(crate) certificate: Option<CertificateView>,
    pub(crate) created: StampView,
    pub(crate) updated: StampView,
    pub(crate) last_used: Option<String>,
    pub(crate) refreshed: Option<RefreshedView>,
}

impl Server {
    pub(crate) fn of(server: &TrustingServer) -> Self {
        Self {
            id: server.id.to_string(),
            name: server.name.clone(),
            base_url: server.base_url.to_string(),
            enabled: server.enabled,
            protocol: server.protocol.number(),
            lifetime_s: server.lifetime.as_secs(),
            insecure_allow_http: server.insecure_allow_http,
            require_content_digest: server.require_content_digest,
            certificate: server.certificate.as_ref().map(CertificateView::of),
            created: StampView::of(&server.created),
            updated: StampView::of(&server.updated),
            last_used: server.last_used.map(rfc3339),
            refreshed: server.refreshed.as_ref().map(RefreshedView::of),
        }
    }
}

/// When and by whom.
#[derive(Debug, Serialize)]
pub(crate) struct StampView {
    pub(crate) at: String,
    pub(crate) by: String,
}

impl StampView {
    pub(crate) fn of(stamp: &Stamp) -> Self {
        Self { at: rfc3339(stamp.at), by: stamp.by.to_string() }
    }
}

/// How the last refresh went.
#[derive(Debug, Serialize)]
pub(crate) struct RefreshedView {
    pub(crate) at: String,
    pub(crate) problem: Option<String>,
    pub(crate) other_base_url: Option<String>,
}

impl RefreshedView {
    pub(crate) fn of(refreshed: &Refreshed) -> Self {
        Self {
            at: rfc3339(refreshed.at),
            problem: refreshed.problem.clone(),
            other_base_url: refreshed.other_base_url.as_ref().map(ToString::to_string),
        }
    }
}
