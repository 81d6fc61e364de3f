//! The tracker as a program: its options, and how it comes to trust.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use example_support::{IdentityArgs, Peer, SetUp, Wanted, peer_address, serve_while, wait_for};
use taa_core::crypto::AwsLc;
use taa_core::directory::{Application, Directory};
use taa_core::policy::{
    AddressRule, AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, Policy, Protocol,
    TrustedProxies,
};
use taa_core::time::SystemClock;
use taa_server::Trust;
use tokio::net::TcpListener;
use url::Url;

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
}

/// A tracker that is set up and listens, but trusts nobody yet.
#[derive(Debug)]
pub struct Service {
    options: Options,
    listener: TcpListener,
    base_url: Url,
    fingerprint: String,
    trust: Trust<Users>,
    router: Router,
}

impl Service {
    /// Opens the listener and the keys.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the options do not fit together.
    pub async fn bind(options: Options) -> Result<Self> {
        let SetUp { listener, base_url, own, certificate } =
            SetUp::new(&options.listen, &options.identity, "jira:demo", "Tracker").await?;
        let fingerprint = own.fingerprint();
        let identity = own.identity;
        let tracker = Arc::new(Tracker::sample(base_url.clone(), Arc::new(SystemClock::new())));
        let proxies: AddressRules = options.trusted_proxy.iter().cloned().collect();
        let mut trust = Trust::builder(identity, Directory::default(), Users::of(&tracker))
            .peer_address(peer_address)
            .trusted_proxies(TrustedProxies::new(proxies)?);
        if options.identity.protocol < Protocol::V4 {
            trust = trust.insecure_accept_older_versions();
        }
        let trust = trust.build()?;
        let router = trusted_router(&tracker, &trust, certificate);
        Ok(Self { options, listener, base_url, fingerprint, trust, router })
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

    /// What a person compares with what the other side shows.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The trust, for whoever sets it up.
    #[must_use]
    pub fn trust(&self) -> &Trust<Users> {
        &self.trust
    }

    /// Answers requests until the process is told to stop. Meanwhile each application of `--trust` is waited for, its
    /// certificate is taken, and `announce` hears of it.
    ///
    /// # Errors
    /// When the listener fails, or what an application serves is no certificate.
    pub async fn run(self, announce: impl Fn(&Url, &Peer)) -> Result<()> {
        let Self { options, listener, trust, router, .. } = self;
        serve_while(listener, router, accept_all(&options, &trust, announce)).await
    }
}

/// Takes the certificates of all applications of `--trust` and puts them in force, each as soon as it is there.
///
/// # Errors
/// When what one serves is no certificate, or the options do not fit it.
pub async fn accept_all(
    options: &Options,
    trust: &Trust<Users>,
    announce: impl Fn(&Url, &Peer),
) -> Result<()> {
    for base_url in &options.trust {
        let peer = wait_for(&Wanted {
            base_url: base_url.clone(),
            protocol: options.identity.protocol,
            insecure_allow_http: options.insecure_allow_http,
        })
        .await?;
        let application = application(options, base_url, &peer).await?;
        let before = trust.directory();
        let others = before.applications().map(|other| Application::clone(other));
        trust.replace_directory(Directory::new(others.chain([application]))?);
        announce(base_url, &peer);
    }
    Ok(())
}

/// The record of an application, with the rules of the options.
async fn application(options: &Options, base_url: &Url, peer: &Peer) -> Result<Application> {
    let addresses = if options.address.is_empty() {
        resolve(base_url).await?.into_iter().map(AddressRule::exact).collect()
    } else {
        options.address.iter().cloned().collect()
    };
    let policy = Policy::builder()
        .addresses(addresses)
        .paths(PathRules::parse_list(&options.path.join("\n"))?)
        .methods(MethodRules::parse_list(&options.method.join("\n"))?)
        .never_as(NeverAs::parse_list(&options.never_as.join("\n"))?)
        .timeout(std::time::Duration::from_secs(options.timeout))
        .min_protocol(options.identity.protocol)
        .build(GreatestTimeout::default())?;
    Ok(match peer {
        Peer::Certificate(certificate) => Application::new(&AwsLc, certificate, policy)?,
        Peer::Page(page) => {
            Application::legacy(page.app_id.clone(), base_url.to_string(), page.key.clone(), policy)
        }
    })
}

/// The addresses of a base URL's host: what an application calls from unless it is told otherwise.
async fn resolve(base_url: &Url) -> Result<Vec<IpAddr>> {
    let host = base_url.host_str().context("the base URL has no host")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, 0)).await.with_context(|| format!("cannot find {host}"))?;
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}
