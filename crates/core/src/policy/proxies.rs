use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};

use super::address::{AddressRule, AddressRuleError};
use super::addresses::AddressRules;
use super::list::ListError;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies in front of this server, whose word on the client's address is taken (wire document, section 5, step 3).
///
/// 1. The address is the socket's.
/// 2. While it is one of these proxies, the next entry of `X-Forwarded-For` from the right takes its place: that is the
///    entry this proxy wrote. Several field lines are one list in order.
/// 3. What remains is the client. Without proxies (the default) the field is never looked at.
///
/// Entries left of the deciding one were written by the client and are never looked at, whatever they hold. When every
/// entry is a proxy, the left-most one is the client; when a proxy sent no field, it is itself the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<AddressRule>", into = "Vec<AddressRule>")]
pub struct TrustedProxies(AddressRules);

impl TrustedProxies {
    /// The most entries of `X-Forwarded-For` that are looked at.
    pub const MAX_HOPS: usize = 64;

    /// Names the proxies.
    ///
    /// # Errors
    /// When the list names everybody: then each client could write its own address.
    pub fn new(proxies: AddressRules) -> Result<Self, TrustedProxiesError> {
        if proxies.names_any() { Err(TrustedProxiesError::Any) } else { Ok(Self(proxies)) }
    }

    /// Reads the proxies as [`AddressRules::parse_list`] does.
    ///
    /// # Errors
    /// Names the first item that is no rule; and as [`TrustedProxies::new`].
    pub fn parse_list(text: &str) -> Result<Self, TrustedProxiesError> {
        Self::new(AddressRules::parse_list(text)?)
    }

    /// The list.
    #[must_use]
    pub fn addresses(&self) -> &AddressRules {
        &self.0
    }

    /// Finds the client's address; `peer` is the socket's.
    ///
    /// # Errors
    /// When an entry that has to be believed is no address, or there are too many. The request is refused with
    /// `BAD_XFORWARD_IP`: falling back to the proxy's own address could let anybody in.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> Result<ClientAddress, ForwardedError> {
        let mut client = ClientAddress { addr: peer.to_canonical(), forwarded: false };
        if !self.0.allows(client.addr) {
            return Ok(client);
        }
        let lines = headers.get_all(X_FORWARDED_FOR);
        let mut entries = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|b| *b == b','));
        let mut hops = 0;
        while self.0.allows(client.addr) {
            let Some(entry) = entries.next() else { break };
            hops += 1;
            if hops > Self::MAX_HOPS {
                return Err(ForwardedError::TooManyHops);
            }
            client = ClientAddress { addr: parse_entry(entry)?.to_canonical(), forwarded: true };
        }
        Ok(client)
    }
}

/// Reads `1.2.3.4`, `1.2.3.4:5`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:5`.
fn parse_entry(entry: &[u8]) -> Result<IpAddr, ForwardedError> {
    let entry = entry.trim_ascii();
    if entry.is_empty() {
        return Err(ForwardedError::Empty);
    }
    let text = std::str::from_utf8(entry).map_err(|_| ForwardedError::NotAnAddress)?;
    literal(text).ok_or(ForwardedError::NotAnAddress)
}

// Not `SocketAddr`'s parser: it takes zones.
fn literal(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (address, after) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (address, after) = bracketed.split_once(']')?;
            (IpAddr::V6(address.parse::<Ipv6Addr>().ok()?), after)
        }
        None => {
            let colon = text.find(':')?;
            let (address, after) = text.split_at_checked(colon)?;
            (IpAddr::V4(address.parse::<Ipv4Addr>().ok()?), after)
        }
    };
    (after.is_empty() || after.strip_prefix(':').is_some_and(is_port)).then_some(address)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The address that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress {
    /// The address; an IPv4-mapped one as IPv4.
    pub addr: IpAddr,
    /// Whether it came from `X-Forwarded-For`: then its refusal is `BAD_XFORWARD_IP`, else `BAD_REMOTE_IP`.
    pub forwarded: bool,
}

/// `X-Forwarded-For` does not tell the client's address. Names nothing of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForwardedError {
    /// An entry that counts is empty.
    #[error("an entry of x-forwarded-for is empty")]
    Empty,
    /// An entry that counts is no address.
    #[error("an entry of x-forwarded-for is not an address")]
    NotAnAddress,
    /// More than [`TrustedProxies::MAX_HOPS`] entries would have to be looked at.
    #[error("x-forwarded-for names too many proxies")]
    TooManyHops,
}

/// Why a list cannot name trusted proxies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedProxiesError {
    /// It names everybody.
    #[error("trusted proxies must be named: with every address among them each client could write its own")]
    Any,
    /// One item is no address rule.
    #[error(transparent)]
    Item(#[from] ListError<AddressRuleError>),
}

impl TryFrom<Vec<AddressRule>> for TrustedProxies {
    type Error = TrustedProxiesError;

    fn try_from(proxies: Vec<AddressRule>) -> Result<Self, TrustedProxiesError> {
        Self::new(proxies.into())
    }
}

impl From<TrustedProxies> for Vec<AddressRule> {
    fn from(proxies: TrustedProxies) -> Self {
        proxies.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXIES: &str = "10.0.0.0/24 2001:db8::1";

    fn client(proxies: &str, peer: &str, lines: &[&str]) -> Result<(String, bool), ForwardedError> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("X-Forwarded-For", http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        TrustedProxies::parse_list(proxies)
            .unwrap()
            .client_address(peer.parse().unwrap(), &headers)
            .map(|client| (client.addr.to_string(), client.forwarded))
    }

    fn ok(addr: &str, forwarded: bool) -> Result<(String, bool), ForwardedError> {
        Ok((addr.to_owned(), forwarded))
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(client("", "10.0.0.1", &["8.8.8.8"]), ok("10.0.0.1", false));
        assert_eq!(client(PROXIES, "9.9.9.9", &["10.0.0.1, 8.8.8.8"]), ok("9.9.9.9", false));
        assert_eq!(client(PROXIES, "9.9.9.9", &["garbage"]), ok("9.9.9.9", false));
    }

    #[test]
    fn walked_from_the_right() {
        for (lines, addr) in [
            (&["8.8.8.8"][..], "8.8.8.8"),
            (&["1.1.1.1, 8.8.8.8"], "8.8.8.8"),
            (&["1.1.1.1, 8.8.8.8 ,\t10.0.0.2"], "8.8.8.8"),
            (&["1.1.1.1,8.8.8.8", "10.0.0.2,2001:db8::1", "10.0.0.3"], "8.8.8.8"),
            (&["1.1.1.1", "8.8.8.8"], "8.8.8.8"),
            (&["garbage, , \u{e9}, 8.8.8.8, 10.0.0.2"], "8.8.8.8"),
            (&["10.0.0.9, 10.0.0.2"], "10.0.0.9"),
            (&["::ffff:8.8.8.8, ::ffff:10.0.0.2"], "8.8.8.8"),
        ] {
            assert_eq!(client(PROXIES, "10.0.0.1", lines), ok(addr, true), "{lines:?}");
            assert_eq!(client(PROXIES, "::ffff:10.0.0.1", lines), ok(addr, true), "{lines:?}");
        }
        assert_eq!(client(PROXIES, "10.0.0.1", &[]), ok("10.0.0.1", false));
    }

    #[test]
    fn forms_of_an_entry() {
        for (entry, addr) in [
            ("8.8.8.8:1234", "8.8.8.8"),
            ("2001:db8::2", "2001:db8::2"),
            ("[2001:db8::2]", "2001:db8::2"),
            ("[2001:db8::2]:443", "2001:db8::2"),
            ("[::ffff:8.8.8.8]:1", "8.8.8.8"),
        ] {
            assert_eq!(client(PROXIES, "10.0.0.1", &[entry]), ok(addr, true), "{entry}");
        }
        for entry in [
            "unknown",
            "_hidden",
            "8.8.8.8:",
            "8.8.8.8:+1",
            "8.8.8.8:65536",
            "8.8.8.8:1:2",
            "08.8.8.8",
            "8.8.8",
            "[8.8.8.8]",
            "[2001:db8::2",
            "[2001:db8::2]x",
            "[2001:db8::2]:",
            "fe80::2%eth0",
            "[fe80::2%1]:80",
            "\"8.8.8.8\"",
            "for=8.8.8.8",
            "8.8.8.8 9.9.9.9",
            "localhost",
            "\u{e9}",
        ] {
            assert_eq!(client(PROXIES, "10.0.0.1", &[entry]), Err(ForwardedError::NotAnAddress), "{entry}");
        }
        for line in ["", "8.8.8.8,", "8.8.8.8, , 10.0.0.2"] {
            assert_eq!(client(PROXIES, "10.0.0.1", &[line]), Err(ForwardedError::Empty), "{line:?}");
        }
    }

    #[test]
    fn hops_are_bounded() {
        let chain = |proxies| format!("8.8.8.8{}", ",10.0.0.2".repeat(proxies));
        assert_eq!(client(PROXIES, "10.0.0.1", &[&chain(63)]), ok("8.8.8.8", true));
        assert_eq!(client(PROXIES, "10.0.0.1", &[&chain(64)]), Err(ForwardedError::TooManyHops));
        assert_eq!(client(PROXIES, "10.0.0.1", &[&"x,".repeat(5_000), "8.8.8.8"]), ok("8.8.8.8", true));
    }

    #[test]
    fn everybody_is_refused() {
        for text in ["any", "*.*.*.*", "::/0", "10.0.0.1, any"] {
            assert_eq!(TrustedProxies::parse_list(text), Err(TrustedProxiesError::Any), "{text}");
        }
        assert!(serde_json::from_str::<TrustedProxies>(r#"["any"]"#).is_err());
        assert!(matches!(TrustedProxies::parse_list("blah"), Err(TrustedProxiesError::Item(_))));
        assert_eq!(TrustedProxies::default(), TrustedProxies::parse_list("").unwrap());
        let json = r#"["10.0.0.0/24"]"#;
        let proxies: TrustedProxies = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&proxies).unwrap(), json);
    }
}
