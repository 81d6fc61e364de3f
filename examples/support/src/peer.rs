use std::time::Duration;

use anyhow::{Context, Result};
use taa_client::fetch::{FetchError, Fetcher};
use taa_core::certificate::Certificate;
use taa_core::crypto::AwsLc;
use taa_core::id::AppId;
use taa_core::legacy::CertificatePage;
use taa_core::policy::Protocol;
use taa_core::time::{Clock, SystemClock};
use url::Url;

/// Another application as it presented itself.
#[derive(Clone, Debug)]
pub enum Peer {
    /// Of version 4.
    Certificate(Certificate),
    /// Of versions 2 and 3.
    Page(CertificatePage),
}

/// An application that is trusted or called from now on, or was so already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    id: AppId,
    fingerprint: String,
}

impl Met {
    pub(crate) fn new(id: &AppId, fingerprint: impl Into<String>) -> Self {
        Self { id: id.clone(), fingerprint: fingerprint.into() }
    }

    /// What it calls itself.
    #[must_use]
    pub fn id(&self) -> &AppId {
        &self.id
    }

    /// What a person compares with what it shows.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

impl From<&Peer> for Met {
    fn from(peer: &Peer) -> Self {
        Self::new(peer.id(), peer.fingerprint())
    }
}

/// Whom to wait for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where it lives.
    pub base_url: Url,
    /// The version to speak with it, which says what to fetch.
    pub protocol: Protocol,
    /// Fetch over plain http from other hosts as well.
    pub insecure_allow_http: bool,
}

/// Fetches the certificate of a peer; while it cannot be reached, tries again every second.
///
/// # Errors
/// When what comes is no certificate, or the address is one that is not connected to: waiting mends neither.
pub async fn wait_for(wanted: &Wanted) -> Result<Peer> {
    let mut fetcher = Fetcher::new()?;
    if wanted.insecure_allow_http {
        fetcher = fetcher.insecure_allow_http();
    }
    let mut waiting = false;
    loop {
        match fetch(&fetcher, wanted).await {
            Ok(peer) => return Ok(peer),
            Err(error) if error.may_pass() => {
                if !waiting {
                    tracing::warn!(target: "taa", "{} is not up yet, waiting for it", wanted.base_url);
                }
                waiting = true;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot take the certificate of {}", wanted.base_url));
            }
        }
    }
}

async fn fetch(fetcher: &Fetcher, wanted: &Wanted) -> Result<Peer, FetchError> {
    if wanted.protocol < Protocol::V4 {
        return fetcher.legacy_page(&wanted.base_url).await.map(Peer::Page);
    }
    let now = SystemClock::new().wall().unwrap_or_default();
    fetcher.certificate(&AwsLc, &wanted.base_url, now).await.map(Peer::Certificate)
}

impl Peer {
    /// What the peer calls itself.
    #[must_use]
    pub fn id(&self) -> &AppId {
        match self {
            Self::Certificate(certificate) => &certificate.content().iss,
            Self::Page(page) => &page.app_id,
        }
    }

    /// What a person compares: the fingerprint, or for the older versions the thumbprint of the key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Certificate(certificate) => certificate.fingerprint().to_string(),
            Self::Page(page) => page.key.thumbprint().to_string(),
        }
    }
}
