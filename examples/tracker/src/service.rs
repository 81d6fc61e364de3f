//! The tracker as a program: its options, and how it comes to trust.
//!
//! With `--store` trust is kept there: options only add to it, the console and the `taa` command change it. Without it
//! trust lives as long as the process.

mod in_memory;
mod kept;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use example_support::{
    IdentityArgs, Kept, Met, SecretUrl, SetUp, StoreArgs, Wanted, peer_address, serve_while,
};
use taa_core::directory::Directory;
use taa_core::policy::{AddressRule, AddressRules, Protocol, TrustedProxies};
use taa_core::time::SystemClock;
use taa_server::{Trust, TrustBuilder};
use taa_store::Store;
use tokio::net::TcpListener;
use url::Url;

use self::kept::Standing;
use crate::{Tracker, Users, trusted_router};

/// An issue tracker that lets trusted applications ask as their users.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "tracker", version)]
pub struct Options {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// The base URL of an application to trust: its certificate is fetched from there. Several may be given.
    #[arg(long, value_name = "BASE-URL", num_args = 1..)]
    pub trust: Vec<Url>,
    /// Who this tracker is.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Addresses the applications may call from: an address, 10.0.0.0/8, 10.1.*.*, or any. By default those that the
    /// host of each base URL has.
    #[arg(long, value_name = "RULE", value_delimiter = ',', num_args = 1..)]
    pub address: Vec<AddressRule>,
    /// Paths the applications may use, with everything below; or any.
    #[arg(long, value_name = "PATH", value_delimiter = ',', num_args = 1.., default_value = "/rest,/sr,/browse")]
    pub path: Vec<String>,
    /// Methods the applications may use; or any.
    #[arg(long, value_name = "METHOD", value_delimiter = ',', num_args = 1.., default_value = "GET,HEAD,POST,PUT,DELETE")]
    pub method: Vec<String>,
    /// Users the applications may never act as; * stands for anything.
    #[arg(long, value_name = "NAME", value_delimiter = ',', num_args = 1..)]
    pub never_as: Vec<String>,
    /// How old a request may be, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    pub timeout: u64,
    /// Proxies in front of this tracker, whose X-Forwarded-For is believed.
    #[arg(long, value_name = "RULE", value_delimiter = ',', num_args = 1..)]
    pub trusted_proxy: Vec<AddressRule>,
    /// Fetch certificates over plain http from other hosts as well. Compare the fingerprint over another channel.
    #[arg(long)]
    pub insecure_allow_http: bool,
    /// Where trust is kept.
    #[command(flatten)]
    pub store: StoreArgs,
    /// How many processes answer for this tracker; with more than one, nonces must be shared.
    #[arg(long, value_name = "N", default_value = "1")]
    pub replicas: u32,
    /// Where the processes share nonces: redis://HOST or rediss://HOST (TLS).
    #[arg(long, value_name = "URL", env = "TAA_NONCES", hide_env_values = true, requires = "store")]
    pub nonces: Option<SecretUrl>,
    /// A file whose first line is the password of the administrator, `admin`: then the console of trust is at
    /// /admin/trust.
    #[arg(long, value_name = "FILE", requires = "store")]
    pub admin_password_file: Option<PathBuf>,
}

impl Options {
    /// What the configuration of trust has in common with a store and without.
    fn configure(&self, builder: TrustBuilder<Users>, proxies: TrustedProxies) -> TrustBuilder<Users> {
        let builder = builder.peer_address(peer_address).trusted_proxies(proxies).replicas(self.replicas);
        if self.identity.protocol < Protocol::V4 { builder.insecure_accept_older_versions() } else { builder }
    }

    fn trusted_proxies(&self) -> Result<TrustedProxies> {
        let proxies: AddressRules = self.trusted_proxy.iter().cloned().collect();
        Ok(TrustedProxies::new(proxies)?)
    }

    /// The applications of `--trust`, as they are fetched.
    fn wanted(&self) -> impl Iterator<Item = Wanted> {
        self.trust.iter().map(|base_url| Wanted {
            base_url: base_url.clone(),
            protocol: self.identity.protocol,
            insecure_allow_http: self.insecure_allow_http,
        })
    }
}

/// A tracker that is set up and listens. Without a store it trusts nobody yet.
#[derive(Debug)]
pub struct Service {
    options: Options,
    listener: TcpListener,
    base_url: Url,
    fingerprint: String,
    trust: Trust<Users>,
    router: Router,
    standing: Option<Standing>,
}

impl Service {
    /// Opens the listener and the keys, or the store.
    ///
    /// # Errors
    /// When the address cannot be listened on, the store cannot be opened, or the options do not fit together.
    pub async fn bind(options: Options) -> Result<Self> {
        match Kept::open(&options.listen, &options.identity, &options.store, "jira:demo", "Tracker").await? {
            Some(kept) => Self::standing(options, kept).await,
            None => Self::in_memory(options).await,
        }
    }

    async fn in_memory(options: Options) -> Result<Self> {
        let SetUp { listener, base_url, own, certificate } =
            SetUp::new(&options.listen, &options.identity, "jira:demo", "Tracker").await?;
        let fingerprint = own.fingerprint();
        let tracker = Arc::new(Tracker::sample(base_url.clone(), Arc::new(SystemClock::new())));
        let trust = Trust::builder(own.identity, Directory::default(), Users::of(&tracker));
        let trust = options.configure(trust, options.trusted_proxies()?).build()?;
        let router = trusted_router(&tracker, &trust, certificate, Router::new());
        Ok(Self { options, listener, base_url, fingerprint, trust, router, standing: None })
    }

    async fn standing(options: Options, kept: Kept) -> Result<Self> {
        let Kept { store, listener, base_url, fingerprint } = kept;
        let tracker = Arc::new(Tracker::sample(base_url.clone(), Arc::clone(store.clock())));
        let (standing, trust) = Standing::new(&options, store, &tracker).await?;
        let console = standing.console(&options, &base_url, &tracker)?;
        let router = trusted_router(&tracker, &trust, standing.certificate_layer(), console);
        Ok(Self { options, listener, base_url, fingerprint, trust, router, standing: Some(standing) })
    }

    /// Trusts one more application, as if `--trust` had named it.
    pub fn also_trust(&mut self, base_url: Url) {
        self.options.trust.push(base_url);
    }

    /// Where others reach this tracker.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What a person compares with what the other side shows.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The trust, for whoever sets it up. With a store it follows what is kept there.
    #[must_use]
    pub fn trust(&self) -> &Trust<Users> {
        &self.trust
    }

    /// Where trust is kept, if it is.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.standing.as_ref().map(Standing::store)
    }

    /// Answers requests until the process is told to stop. Meanwhile each application of `--trust` is waited for, its
    /// certificate is taken, and `announce` hears of it. With a store one that is trusted already is announced as it is,
    /// and certificates are refreshed.
    ///
    /// # Errors
    /// When the listener fails, or what an application serves is no certificate.
    pub async fn run(self, announce: impl Fn(&Url, &Met)) -> Result<()> {
        let Self { options, listener, trust, router, standing, .. } = self;
        match standing {
            None => serve_while(listener, router, in_memory::accept_all(&options, &trust, announce)).await,
            Some(standing) => standing.serve(&options, listener, router, announce).await,
        }
    }
}

#[cfg(test)]
mod tests;
