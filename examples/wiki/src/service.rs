//! The wiki as a program: its options, and how it comes to be trusted.

use std::sync::Arc;

use anyhow::{Result, bail};
use axum::Router;
use example_support::{IdentityArgs, OwnIdentity, Peer, SetUp, Wanted, serve_while, wait_for};
use taa_client::{ServerRecord, Signer};
use taa_core::identity::Identity;
use taa_core::legacy::SignedVersion;
use taa_core::policy::Protocol;
use taa_core::time::SystemClock;
use tokio::net::TcpListener;
use url::Url;

use crate::{TrustedTracker, Wiki, router};

/// A wiki whose pages show the issues of a tracker, as the user who looks at them.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "wiki", version)]
pub struct Options {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub listen: String,
    /// The base URL of a tracker: its certificate is fetched from there. Several may be given; pages show the issues of
    /// the first.
    #[arg(long, value_name = "BASE-URL", required = true, num_args = 1..)]
    pub server: Vec<Url>,
    /// Who this wiki is.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Fetch certificates, and send requests, over plain http to other hosts as well.
    #[arg(long)]
    pub insecure_allow_http: bool,
}

/// A wiki that is set up and listens, but knows no tracker yet.
#[derive(Debug)]
pub struct Service {
    options: Options,
    listener: TcpListener,
    base_url: Url,
    fingerprint: String,
    identity: Arc<Identity>,
    signer: Signer,
    router: Router,
}

impl Service {
    /// Opens the listener and the keys.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the options do not fit together.
    pub async fn bind(options: Options) -> Result<Self> {
        let Some(tracker) = options.server.first().cloned() else { bail!("no --server is given") };
        let SetUp { listener, base_url, own, certificate } =
            SetUp::new(&options.listen, &options.identity, "confluence:demo", "Wiki").await?;
        let fingerprint = own.fingerprint();
        let OwnIdentity { identity, legacy_key } = own;
        let identity = Arc::new(identity);
        let mut signer = Signer::builder(Arc::clone(&identity));
        if let Some(key) = legacy_key {
            signer = signer.legacy_key(Arc::new(key));
        }
        let signer = signer.build()?;
        let source = TrustedTracker::new(signer.clone(), tracker.clone())?;
        let wiki = Wiki::sample(base_url.clone(), tracker, source, Arc::new(SystemClock::new()))?;
        let router = router(Arc::new(wiki)).layer(certificate);
        Ok(Self { options, listener, base_url, fingerprint, identity, signer, router })
    }

    /// Where others reach this wiki.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// What a person compares with what the other side shows.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Who this wiki is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Answers requests until the process is told to stop. Meanwhile each tracker of `--server` is waited for, its
    /// certificate is taken, and `announce` hears of it.
    ///
    /// # Errors
    /// When the listener fails, or what a tracker serves is no certificate.
    pub async fn run(self, announce: impl Fn(&Url, &Peer)) -> Result<()> {
        let Self { options, listener, signer, router, .. } = self;
        serve_while(listener, router, accept_all(&options, &signer, announce)).await
    }
}

/// Takes the certificates of all trackers of `--server`, each as soon as it is there.
///
/// # Errors
/// When what one serves is no certificate, or cannot be used.
pub async fn accept_all(options: &Options, signer: &Signer, announce: impl Fn(&Url, &Peer)) -> Result<()> {
    for base_url in &options.server {
        let peer = wait_for(&Wanted {
            base_url: base_url.clone(),
            protocol: options.identity.protocol,
            insecure_allow_http: options.insecure_allow_http,
        })
        .await?;
        let record = match &peer {
            Peer::Certificate(certificate) => ServerRecord::builder(certificate).base_url(base_url.clone()),
            Peer::Page(page) => {
                let version = match options.identity.protocol {
                    Protocol::V2 => SignedVersion::V2,
                    _ => SignedVersion::V3,
                };
                ServerRecord::insecure_legacy(page.app_id.clone(), base_url.clone(), version)
            }
        };
        signer.replace_server(record.insecure_allow_http(options.insecure_allow_http).build()?)?;
        announce(base_url, &peer);
    }
    Ok(())
}
