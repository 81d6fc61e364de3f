//! The wiki as a program: its options, and how it comes to be trusted.
//!
//! With `--store` its keys and the trackers it asks are kept there: options only add to them, the console and the `taa`
//! command change them. Without it both live as long as the process.

mod in_memory;
mod kept;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use example_support::{IdentityArgs, Kept, Met, OwnIdentity, SetUp, StoreArgs, Wanted, serve_while};
use taa_client::Signer;
use taa_core::identity::Identity;
use taa_core::time::SystemClock;
use taa_store::Store;
use tokio::net::TcpListener;
use url::Url;

use self::kept::Standing;
use crate::{TrustedTracker, Wiki, router};

/// A wiki whose pages show the issues of a tracker, as the user who looks at them.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "wiki", version)]
pub struct Options {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub listen: String,
    /// The base URL of a tracker: its certificate is fetched from there. Several may be given; pages show the issues of
    /// the first. With a store that knows a tracker none has to be given.
    #[arg(long, value_name = "BASE-URL", required_unless_present = "store", num_args = 1..)]
    pub server: Vec<Url>,
    /// Who this wiki is.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Fetch certificates, and send requests, over plain http to other hosts as well.
    #[arg(long)]
    pub insecure_allow_http: bool,
    /// Where trust is kept.
    #[command(flatten)]
    pub store: StoreArgs,
    /// A file whose first line is the password of the user `admin`: then the console of trust is at /admin/trust.
    #[arg(long, value_name = "FILE", requires = "store")]
    pub admin_password_file: Option<PathBuf>,
}

impl Options {
    /// The trackers of `--server`, as they are fetched.
    fn wanted(&self) -> impl Iterator<Item = Wanted> {
        self.server.iter().map(|base_url| Wanted {
            base_url: base_url.clone(),
            protocol: self.identity.protocol,
            insecure_allow_http: self.insecure_allow_http,
        })
    }
}

/// A wiki that is set up and listens. Without a store it knows no tracker yet.
#[derive(Debug)]
pub struct Service {
    options: Options,
    listener: TcpListener,
    base_url: Url,
    fingerprint: String,
    identity: Arc<Identity>,
    signer: Signer,
    router: Router,
    standing: Option<Standing>,
}

impl Service {
    /// Opens the listener and the keys, or the store.
    ///
    /// # Errors
    /// When the address cannot be listened on, the store cannot be opened, or the options do not fit together.
    pub async fn bind(options: Options) -> Result<Self> {
        match Kept::open(&options.listen, &options.identity, &options.store, "confluence:demo", "Wiki")
            .await?
        {
            Some(kept) => Self::standing(options, kept),
            None => Self::in_memory(options).await,
        }
    }

    async fn in_memory(options: Options) -> Result<Self> {
        let tracker = options.server.first().cloned().context("no --server is given")?;
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
        Ok(Self { options, listener, base_url, fingerprint, identity, signer, router, standing: None })
    }

    fn standing(options: Options, kept: Kept) -> Result<Self> {
        let Kept { store, listener, base_url, fingerprint } = kept;
        let standing = Standing::new(store)?;
        let identity = standing.identity()?;
        let signer = standing.signer();
        let router = standing.router(&options, &base_url)?;
        let standing = Some(standing);
        Ok(Self { options, listener, base_url, fingerprint, identity, signer, router, standing })
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

    /// Where trust is kept, if it is.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.standing.as_ref().map(Standing::store)
    }

    /// Answers requests until the process is told to stop. Meanwhile each tracker of `--server` is waited for, its
    /// certificate is taken, and `announce` hears of it. With a store one that is there already is announced as it is, and
    /// certificates are refreshed.
    ///
    /// # Errors
    /// When the listener fails, or what a tracker serves is no certificate.
    pub async fn run(self, announce: impl Fn(&Url, &Met)) -> Result<()> {
        let Self { options, listener, signer, router, standing, .. } = self;
        match standing {
            None => serve_while(listener, router, in_memory::accept_all(&options, &signer, announce)).await,
            Some(standing) => standing.serve(&options, listener, router, announce).await,
        }
    }
}

#[cfg(test)]
mod tests;
