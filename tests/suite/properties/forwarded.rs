use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use taa_core::policy::{ClientAddress, ForwardedError, TrustedProxies};

use super::cases;

const ENTRIES: [&str; 18] = [
    "10.0.0.1",
    "10.0.0.2",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "[2001:db8::1]",
    "[2001:db8::1]:80",
    "10.0.0.2:80",
    "192.0.2.1",
    "192.0.2.1:99999",
    "unknown",
    "",
    " ",
    "10.0.0.1 ",
    "fe80::1%eth0",
    "\"192.0.2.1\"",
    "_hidden",
    "010.0.0.1",
    "192.0.2.1:",
];

/// What an entry says, as a person would read the table of forms.
fn read(entry: &str) -> Result<IpAddr, ForwardedError> {
    let known = [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.2", "10.0.0.2"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("10.0.0.2:80", "10.0.0.2"),
        ("192.0.2.1", "192.0.2.1"),
    ];
    let entry = entry.trim();
    if entry.is_empty() {
        return Err(ForwardedError::Empty);
    }
    let found = known.iter().find(|(form, _)| *form == entry);
    found.map(|(_, address)| address.parse().unwrap()).ok_or(ForwardedError::NotAnAddress)
}

/// Right to left, one entry for each proxy.
fn model(proxies: &[&str], peer: &str, lines: &[Vec<&str>]) -> Result<ClientAddress, ForwardedError> {
    let mut client = ClientAddress { addr: peer.parse().unwrap(), forwarded: false };
    let mut entries: Vec<&str> = lines.concat();
    while proxies.contains(&client.addr.to_string().as_str()) {
        let Some(entry) = entries.pop() else { break };
        client = ClientAddress { addr: read(entry)?, forwarded: true };
    }
    Ok(client)
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn the_walk_agrees_with_the_model(
        proxies in prop::sample::subsequence(&["10.0.0.1", "10.0.0.2", "2001:db8::1", "192.0.2.1"][..], 0..=4),
        peer in prop::sample::select(&["10.0.0.1", "10.0.0.2", "192.0.2.1", "198.51.100.7"][..]),
        lines in prop::collection::vec(prop::collection::vec(prop::sample::select(&ENTRIES[..]), 1..4), 0..4),
    ) {
        let mut headers = HeaderMap::new();
        for line in &lines {
            headers.append("x-forwarded-for", HeaderValue::from_str(&line.join(",")).unwrap());
        }
        let trusted = TrustedProxies::parse_list(&proxies.join("\n")).unwrap();
        let found = trusted.client_address(peer.parse().unwrap(), &headers);
        prop_assert_eq!(found, model(&proxies, peer, &lines));
        if proxies.is_empty() {
            prop_assert_eq!(found.map(|client| client.forwarded), Ok(false));
        }
    }

    #[test]
    fn arbitrary_fields_are_no_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..5)) {
        let trusted = TrustedProxies::parse_list("127.0.0.1").unwrap();
        let mut headers = HeaderMap::new();
        for line in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
            headers.append("x-forwarded-for", line);
        }
        let found = trusted.client_address("127.0.0.1".parse().unwrap(), &headers);
        if headers.is_empty() {
            prop_assert_eq!(found.map(|client| client.forwarded), Ok(false));
        }
    }
}

#[test]
fn a_long_walk_ends() {
    let trusted = TrustedProxies::parse_list("127.0.0.1").unwrap();
    let walk = |entries: usize| {
        let mut headers = HeaderMap::new();
        let line = vec!["127.0.0.1"; entries].join(", ");
        headers.append("x-forwarded-for", HeaderValue::from_str(&line).unwrap());
        trusted.client_address("127.0.0.1".parse().unwrap(), &headers)
    };
    assert!(walk(TrustedProxies::MAX_HOPS).is_ok());
    assert_eq!(walk(TrustedProxies::MAX_HOPS + 1), Err(ForwardedError::TooManyHops));
    assert_eq!(walk(100_000), Err(ForwardedError::TooManyHops));
}
