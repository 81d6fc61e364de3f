use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap};
use taa_core::policy::TrustedProxies;
use taa_server::PeerAddress;
use taa_store::model::Actor;

use crate::admin::Administrator;
use crate::failure::Failure;
use crate::links::Links;

/// A request that the guard has let in. Only the guard makes one, and no handler answers without.
#[derive(Clone, Debug)]
pub(crate) struct Visit(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    administrator: Administrator,
    links: Links,
    seen: Seen,
}

impl Visit {
    pub(crate) fn new(administrator: Administrator, links: Links, seen: Seen) -> Self {
        Self(Arc::new(Inside { administrator, links, seen }))
    }

    pub(crate) fn administrator(&self) -> &Administrator {
        &self.0.administrator
    }

    /// The administrator, for the audit trail.
    pub(crate) fn actor(&self) -> &Actor {
        self.0.administrator.name()
    }

    pub(crate) fn links(&self) -> &Links {
        &self.0.links
    }

    /// Where the request came from.
    pub(crate) fn seen(&self) -> &Seen {
        &self.0.seen
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or(Failure::Internal)
    }
}

/// Where a request came from, as this service sees it: what the address rules of a trusted application would be asked
/// about if it came from there too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The socket's address, if the service passes it on.
    pub(crate) socket: Option<IpAddr>,
    /// Whether the socket's address is a configured proxy.
    pub(crate) by_proxy: bool,
    /// The client's address, after believing the configured proxies.
    pub(crate) client: Option<IpAddr>,
    /// `X-Forwarded-For` as sent, at most 200 characters.
    pub(crate) forwarded_for: Option<String>,
    /// Why the field cannot be believed.
    pub(crate) problem: Option<String>,
}

pub(crate) type PeerFn = Box<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

impl Seen {
    pub(crate) fn of(
        extensions: &Extensions,
        headers: &HeaderMap,
        proxies: &TrustedProxies,
        peer: Option<&PeerFn>,
    ) -> Self {
        let socket = peer.and_then(|peer| peer(extensions)).or_else(|| {
            let address = extensions.get::<PeerAddress>().map(|peer| peer.0);
            address.or_else(|| extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()))
        });
        let lines = headers.get_all("x-forwarded-for").iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let forwarded_for = (!lines.is_empty()).then(|| lines.join(", ").chars().take(200).collect());
        let Some(socket) = socket else { return Self { forwarded_for, ..Self::default() } };
        let by_proxy = proxies.addresses().allows(socket.to_canonical());
        let (client, problem) = match proxies.client_address(socket, headers) {
            Ok(client) => (Some(client.addr), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { socket: Some(socket.to_canonical()), by_proxy, client, forwarded_for, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(socket: &str, field: &[&str], proxies: &str) -> Seen {
        let mut extensions = Extensions::new();
        extensions.insert(PeerAddress(socket.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for line in field {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        Seen::of(&extensions, &headers, &TrustedProxies::parse_list(proxies).unwrap(), None)
    }

    #[test]
    fn only_configured_proxies_are_believed() {
        let stranger = seen("192.0.2.1", &["10.9.9.9"], "10.0.0.1");
        assert_eq!((stranger.client, stranger.by_proxy), ("192.0.2.1".parse().ok(), false));
        assert_eq!(stranger.forwarded_for.as_deref(), Some("10.9.9.9"));
        let proxied = seen("::ffff:10.0.0.1", &["1.1.1.1", "192.0.2.7"], "10.0.0.1");
        assert_eq!((proxied.client, proxied.by_proxy), ("192.0.2.7".parse().ok(), true));
        assert_eq!(proxied.socket, "10.0.0.1".parse().ok());
        let strange = seen("10.0.0.1", &["unknown"], "10.0.0.1");
        assert!(strange.client.is_none() && strange.problem.is_some());
        assert_eq!(
            Seen::of(&Extensions::new(), &HeaderMap::new(), &TrustedProxies::default(), None),
            Seen::default()
        );
    }
}
