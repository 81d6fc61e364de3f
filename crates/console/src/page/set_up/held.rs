use taa_core::certificate::Certificate;
use taa_store::model::{Pending, Snapshot};

use crate::page::Fingerprint;
use crate::view::fingerprint;

/// What is held of an application that is known already, to stand beside what was fetched.
pub(super) struct Held {
    pub(super) base_url: String,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) seq: Option<u64>,
    /// Whether the fingerprint is the one that was fetched.
    pub(super) same: bool,
}

impl Held {
    pub(super) fn of(snapshot: &Snapshot, pending: &Pending) -> Option<Self> {
        let id = pending.app_id().as_str();
        let (application, server) = (snapshot.application(id), snapshot.server(id));
        let base_url = application.map(|known| &known.base_url).or(server.map(|known| &known.base_url))?;
        let certificate = application
            .and_then(|known| known.keys.certificate.as_ref())
            .or_else(|| server?.certificate.as_ref());
        let legacy = application.and_then(|known| known.keys.legacy.as_ref()).map(|key| &key.0);
        let text = fingerprint(certificate, legacy);
        Some(Self {
            base_url: base_url.to_string(),
            same: text.as_deref() == Some(pending.fingerprint().as_str()),
            fingerprint: text.as_deref().map(Fingerprint::new),
            seq: certificate.map(Certificate::content).map(|content| content.seq),
        })
    }
}
