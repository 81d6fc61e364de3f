use anyhow::{Context, Result};
use taa_core::legacy::{CertificatePage, Version};
use taa_core::policy::Protocol;
use taa_server::CertificateLayer;
use tokio::net::TcpListener;
use url::Url;

use crate::identity::{IdentityArgs, OwnIdentity};

/// An application that listens and knows who it is.
#[derive(Debug)]
pub struct SetUp {
    /// Where requests come in.
    pub listener: TcpListener,
    /// Where others reach this application.
    pub base_url: Url,
    /// Its identity and keys.
    pub own: OwnIdentity,
    /// Serves its certificate pages.
    pub certificate: CertificateLayer,
}

impl SetUp {
    /// Opens the listener and the keys.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the keys cannot be used.
    pub async fn new(listen: &str, args: &IdentityArgs, default_id: &str, name: &str) -> Result<Self> {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        let base_url = match &args.base_url {
            Some(url) => url.clone(),
            None => format!("http://{}/", listener.local_addr()?).parse()?,
        };
        let own = args.open(default_id, name, &base_url)?;
        let mut certificate = CertificateLayer::new(&own.identity);
        if let Some(key) = &own.legacy_key {
            let version = if args.protocol == Protocol::V2 { Version::V2 } else { Version::V3 };
            let page = CertificatePage::write(own.identity.id(), key.verifying_key(), version);
            certificate = certificate.with_legacy_page(page);
        }
        Ok(Self { listener, base_url, own, certificate })
    }
}
