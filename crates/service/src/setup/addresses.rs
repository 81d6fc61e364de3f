use std::net::IpAddr;
use std::time::Duration;

use taa_core::policy::{AddressRule, AddressRules};
use url::{Host, Url};

/// The longest the system may take to look up a name: 5 s.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The addresses the host of a base URL has: what the application there calls from unless it is told otherwise.
///
/// # Errors
/// A sentence for the person who typed the base URL.
pub(super) async fn of(base_url: &Url) -> Result<AddressRules, String> {
    let name = match base_url.host() {
        Some(Host::Ipv4(address)) => return Ok(exactly([address.into()])),
        Some(Host::Ipv6(address)) => return Ok(exactly([address.into()])),
        Some(Host::Domain(name)) => name,
        None => return Err("A base URL names a host.".into()),
    };
    let found = match tokio::time::timeout(TIMEOUT, tokio::net::lookup_host((name, 0))).await {
        Ok(Ok(found)) => exactly(found.map(|address| address.ip())),
        Ok(Err(_)) => AddressRules::default(),
        Err(_) => return Err(format!("The look-up of the host {name} took too long.")),
    };
    if found.is_empty() { Err(format!("The host {name} was not found.")) } else { Ok(found) }
}

fn exactly(addresses: impl IntoIterator<Item = IpAddr>) -> AddressRules {
    let mut addresses: Vec<IpAddr> = addresses.into_iter().map(|address| address.to_canonical()).collect();
    addresses.sort_unstable();
    addresses.into_iter().map(AddressRule::exact).collect()
}
