//! Trackers that are known as long as the process lives.

use anyhow::Result;
use example_support::{Met, Peer, wait_for};
use taa_client::{ServerRecord, Signer};
use taa_core::legacy::SignedVersion;
use taa_core::policy::Protocol;
use url::Url;

use super::Options;

/// Takes the certificates of all trackers of `--server`, each as soon as it is there.
///
/// # Errors
/// When what one serves is no certificate, or cannot be used.
pub(super) async fn accept_all(
    options: &Options,
    signer: &Signer,
    announce: impl Fn(&Url, &Met),
) -> Result<()> {
    for wanted in options.wanted() {
        let peer = wait_for(&wanted).await?;
        let base_url = &wanted.base_url;
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
        announce(base_url, &Met::from(&peer));
    }
    Ok(())
}
