//! Naive models of the rules: slow, obvious, and written without a look at the real ones.

use std::net::{IpAddr, Ipv6Addr};

/// The canonical form of a path; `None` when it could be read in more than one way.
#[must_use]
pub fn canonical_path(raw: &str) -> Option<String> {
    let segments: Vec<&str> = raw.strip_prefix('/')?.split('/').collect();
    let (last, inner) = segments.split_last()?;
    if inner.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let mut out = String::new();
    for segment in inner.iter().chain([last]) {
        out.push('/');
        out.push_str(&canonical_segment(segment)?);
    }
    Some(out)
}

fn canonical_segment(raw: &str) -> Option<String> {
    if !raw.bytes().all(|b| b.is_ascii_graphic()) || raw.contains(['?', '#', ';', '\\']) {
        return None;
    }
    let units = units(raw)?;
    let decoded: Vec<u8> = units.iter().map(|(byte, _)| *byte).collect();
    let text = std::str::from_utf8(&decoded).ok()?;
    if text.contains(|c: char| c.is_ascii_control() || matches!(c, '/' | '\\' | ';')) {
        return None;
    }
    // What is decoded twice must be what is decoded once.
    if matches!(text, "." | "..") || has_escape(&decoded) {
        return None;
    }
    let mut out = String::new();
    for (byte, escaped) in units {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain || (!escaped && b"!$&'()*+,=:@".contains(&byte)) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(out)
}

/// The decoded bytes, each with whether it was escaped.
fn units(raw: &str) -> Option<Vec<(u8, bool)>> {
    let mut bytes = raw.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push((byte, false));
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        out.push((u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?, true));
    }
    Some(out)
}

fn has_escape(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|w| matches!(w, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

/// Whether a canonical path lies at or below a canonical rule.
#[must_use]
pub fn path_is_below(rule: &str, path: &str) -> bool {
    if rule.ends_with('/') {
        return path.starts_with(rule);
    }
    path == rule || path.starts_with(&format!("{rule}/"))
}

/// An address as 32 or 128 bits; an IPv4-mapped one as 32.
fn bits(address: IpAddr) -> (u32, u128) {
    match address {
        IpAddr::V4(v4) => (32, u32::from(v4).into()),
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0xffff, high, low] => (32, u128::from(high) << 16 | u128::from(low)),
            _ => (128, u128::from(v6)),
        },
    }
}

/// Whether `address` begins with the first `prefix` bits of `network`, bit by bit. Mapped addresses are IPv4, and a
/// prefix of a mapped network counts from its first 96 bits.
#[must_use]
pub fn address_in_block(network: IpAddr, prefix: u32, address: IpAddr) -> bool {
    let (family, network_bits) = bits(network);
    let prefix = if network.is_ipv6() && family == 32 { prefix.saturating_sub(96) } else { prefix };
    let (address_family, address_bits) = bits(address);
    let bit = |number: u128, at: u32| (number >> (family - 1 - at)) & 1;
    family == address_family && (0..prefix).all(|at| bit(network_bits, at) == bit(address_bits, at))
}

/// Whether an address has a bit set after this prefix.
#[must_use]
pub fn has_host_bits(address: IpAddr, prefix: u32) -> bool {
    let (family, number) = match address {
        IpAddr::V4(v4) => (32, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (128, u128::from(v6)),
    };
    (prefix..family).any(|at| (number >> (family - 1 - at)) & 1 == 1)
}

/// The IPv4-mapped form of an address.
#[must_use]
pub fn mapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            let pair = |high: u8, low: u8| u16::from_be_bytes([high, low]);
            IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, pair(a, b), pair(c, d)))
        }
        IpAddr::V6(_) => address,
    }
}
