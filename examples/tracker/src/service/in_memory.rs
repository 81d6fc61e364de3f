//! Trust that lives as long as the process.

use std::net::IpAddr;

use anyhow::{Context, Result};
use example_support::{Met, Peer, wait_for};
use taa_core::crypto::AwsLc;
use taa_core::directory::{Application, Directory};
use taa_core::policy::{AddressRule, GreatestTimeout, MethodRules, NeverAs, PathRules, Policy};
use taa_server::Trust;
use url::Url;

use super::Options;
use crate::Users;

/// Takes the certificates of all applications of `--trust` and puts them in force, each as soon as it is there.
///
/// # Errors
/// When what one serves is no certificate, or the options do not fit it.
pub(super) async fn accept_all(
    options: &Options,
    trust: &Trust<Users>,
    announce: impl Fn(&Url, &Met),
) -> Result<()> {
    for wanted in options.wanted() {
        let peer = wait_for(&wanted).await?;
        let base_url = &wanted.base_url;
        let application = application(options, base_url, &peer).await?;
        let before = trust.directory();
        let others = before.applications().map(|other| Application::clone(other));
        trust.replace_directory(Directory::new(others.chain([application]))?);
        announce(base_url, &Met::from(&peer));
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
