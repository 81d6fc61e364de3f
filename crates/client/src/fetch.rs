//! Fetching another application's certificate for a person to look at (wire document, section 7).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::reqwest::dns::{Addrs, Name, Resolve, Resolving};
use ::reqwest::redirect::Policy;
use taa_core::certificate::{Certificate, CertificateError, MAX_DOCUMENT_LEN};
use taa_core::crypto::CryptoProvider;
use taa_core::time::UnixMillis;
use url::{Host, Url};

use crate::base_url::{certificate_url, is_loopback};

/// The longest a fetch may take: 5 s.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Fetches certificates: `https`, or `http` to loopback; 5 s; 16 KiB; no redirect to another origin; no link-local or
/// metadata address, judged on the address that is connected to. No proxy is used: it would connect for us.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: ::reqwest::Client,
    allow_http: bool,
}

impl Fetcher {
    /// A fetcher with these rules.
    ///
    /// # Errors
    /// When no client can be made, for want of TLS roots for example.
    pub fn new() -> Result<Self, FetchError> {
        let client = ::reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .redirect(Policy::custom(|attempt| match attempt.previous().first() {
                Some(first) if first.origin() == attempt.url().origin() && attempt.previous().len() < 5 => {
                    attempt.follow()
                }
                _ => attempt.stop(),
            }))
            .dns_resolver(Arc::new(Checked))
            .build()
            .map_err(FetchError::Connection)?;
        Ok(Self { client, allow_http: false })
    }

    /// Allows plain `http` to other hosts than this one. Whoever is on the path can then swap the certificate: compare
    /// the fingerprint over another channel.
    #[must_use]
    pub fn insecure_allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Fetches and verifies the certificate of the application at `base_url`. A person still has to compare its
    /// fingerprint.
    ///
    /// # Errors
    /// When it cannot be fetched, or is no certificate.
    pub async fn certificate(
        &self,
        provider: &dyn CryptoProvider,
        base_url: &Url,
        now: UnixMillis,
    ) -> Result<Certificate, FetchError> {
        let text = self.text(certificate_url(base_url)).await?;
        Ok(Certificate::verify(provider, text.trim_end_matches(['\r', '\n']), now)?)
    }

    /// Fetches the text page of an application that speaks the older versions.
    ///
    /// # Errors
    /// When it cannot be fetched, or is no such page.
    #[cfg(feature = "legacy")]
    pub async fn legacy_page(&self, base_url: &Url) -> Result<taa_core::legacy::CertificatePage, FetchError> {
        let text = self.text(crate::base_url::legacy_certificate_url(base_url)).await?;
        Ok(taa_core::legacy::CertificatePage::read(&text)?)
    }

    async fn text(&self, url: Url) -> Result<String, FetchError> {
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http || is_loopback(&url) => {}
            "http" => return Err(FetchError::PlainHttp),
            _ => return Err(FetchError::Scheme),
        }
        // A literal address asks no resolver.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        if literal.is_some_and(|address| !may_connect(address)) {
            return Err(FetchError::Address);
        }
        let mut response = self.client.get(url).send().await.map_err(FetchError::of)?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut content = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(FetchError::of)? {
            if content.len().saturating_add(chunk.len()) > MAX_DOCUMENT_LEN {
                return Err(FetchError::TooLong);
            }
            content.extend_from_slice(&chunk);
        }
        String::from_utf8(content).map_err(|_| FetchError::NotText)
    }
}

/// Resolves as the system does, and leaves out the addresses that must not be connected to.
struct Checked;

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.iter().copied().filter(|address| may_connect(address.ip())).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(ForbiddenAddress.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// A name leads to no address that may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name leads to a link-local or metadata address")]
struct ForbiddenAddress;

/// False for link-local, multicast and unspecified addresses and those of cloud providers' metadata services.
fn may_connect(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let metadata =
                matches!(v4.octets(), [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192]);
            !(v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.octets()[0] == 0 || metadata)
        }
        IpAddr::V6(v6) => {
            let metadata = v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254];
            !(v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified() || metadata)
        }
    }
}

/// Why a certificate could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The address is a link-local or metadata one.
    #[error("link-local and metadata addresses are not connected to")]
    Address,
    /// What came is no certificate.
    #[error("what came is no certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// There was no connection, or it broke, or it took more than 5 s.
    #[error("the application could not be reached")]
    Connection(#[source] ::reqwest::Error),
    /// What came is not text.
    #[error("what came is not text")]
    NotText,
    /// What came is no certificate page of the older versions.
    #[cfg(feature = "legacy")]
    #[error("what came is no certificate page: {0}")]
    Page(#[from] taa_core::legacy::PageError),
    /// Plain http to another host.
    #[error("plain http is only for this host: use https, or allow it explicitly")]
    PlainHttp,
    /// Another scheme than http and https.
    #[error("certificates are fetched over https")]
    Scheme,
    /// The application answered with another status than success; a redirect to another origin is one.
    #[error("the application answered with status {0}: does it speak this protocol?")]
    Status(u16),
    /// More than 16 KiB came.
    #[error("more than 16 KiB came: this is no certificate")]
    TooLong,
}

impl FetchError {
    fn of(error: ::reqwest::Error) -> Self {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(at) = source {
            if at.is::<ForbiddenAddress>() {
                return Self::Address;
            }
            source = at.source();
        }
        Self::Connection(error)
    }

    /// True when it may go better later: the application may not be up yet.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Connection(_) | Self::Status(502..=504))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_connected_to() {
        for bad in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ] {
            assert!(!may_connect(bad.parse().unwrap()), "{bad}");
        }
        for good in ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd00::1", "93.184.216.34"] {
            assert!(may_connect(good.parse().unwrap()), "{good}");
        }
    }
}
