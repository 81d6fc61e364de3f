//! The caller's own checks, between time and signature. They stand in for the server's rules, which have tests of their
//! own: just enough to run the vectors.

use std::net::IpAddr;

use ipnet::IpNet;

/// What a list of addresses says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Allowed,
    NotAllowed,
    /// It is no address at all.
    Malformed,
}

/// Whether an address is on the list; an empty list stands for all addresses.
pub(super) fn address(patterns: &[String], text: &str) -> Address {
    let Ok(address) = text.parse::<IpAddr>() else { return Address::Malformed };
    let address = address.to_canonical();
    let allowed =
        patterns.is_empty() || patterns.iter().filter_map(|p| network(p)).any(|net| net.contains(&address));
    if allowed { Address::Allowed } else { Address::NotAllowed }
}

fn network(pattern: &str) -> Option<IpNet> {
    if let Ok(address) = pattern.parse::<IpAddr>() {
        return Some(address.into());
    }
    if pattern.contains('*') {
        let fixed = pattern.split('.').take_while(|part| *part != "*").count();
        return format!("{}/{}", pattern.replace('*', "0"), fixed * 8).parse().ok();
    }
    pattern.parse().ok()
}

/// Each address of `X-Forwarded-For` that is not blank; without a list the field is not looked at.
pub(super) fn forwarded(patterns: &[String], field: Option<&str>) -> Address {
    let tokens =
        field.into_iter().flat_map(|field| field.split(',')).map(str::trim).filter(|token| !token.is_empty());
    for token in tokens {
        match address(patterns, token) {
            _ if patterns.is_empty() => {}
            Address::Allowed => {}
            other => return other,
        }
    }
    Address::Allowed
}

/// Whether a path could mean another one somewhere else.
pub(super) fn is_ambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let dots = lower.replace("%2e", ".");
    dots.split('/').any(|segment| segment == "." || segment == "..")
        || ["//", ";", "\\", "%2f", "%5c", "%3b", "%00"].iter().any(|bad| lower.contains(bad))
}

/// Whether a path is allowed: not ambiguous, and with one of the prefixes unless there are none.
pub(super) fn path(prefixes: &[String], path: &str) -> bool {
    !is_ambiguous(path) && (prefixes.is_empty() || prefixes.iter().any(|prefix| path.starts_with(prefix)))
}
