use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use taa_core::policy::{AddressRule, AddressRules};
use taa_tests::reference::{address_in_block, has_host_bits, mapped};

use super::cases;

/// Addresses of which many share their first bits.
fn address() -> impl Strategy<Value = IpAddr> {
    let octet = || prop::sample::select(&[0_u8, 1, 2, 10, 127, 128, 254, 255][..]);
    let v4 = [octet(), octet(), octet(), octet()].prop_map(|parts| IpAddr::V4(Ipv4Addr::from(parts)));
    let group = || prop::sample::select(&[0_u16, 0, 1, 0xff, 0x7fff, 0x8000, 0xffff, 0x2001][..]);
    let v6 = prop::array::uniform8(group()).prop_map(|parts| IpAddr::V6(Ipv6Addr::from(parts)));
    prop_oneof![3 => v4.clone(), 3 => v6, 2 => v4.prop_map(mapped), 1 => any::<IpAddr>()]
}

/// A block with its bits after the prefix cut off, as text.
fn block() -> impl Strategy<Value = (IpAddr, u32)> {
    (address(), 0..=128_u32).prop_map(|(address, prefix)| match address {
        IpAddr::V4(v4) => {
            let prefix = prefix % 33;
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            (IpAddr::V4((u32::from(v4) & mask).into()), prefix)
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            (IpAddr::V6((u128::from(v6) & mask).into()), prefix)
        }
    })
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn rules_agree_with_the_model(blocks in prop::collection::vec(block(), 0..6), address in address()) {
        let rules: Vec<AddressRule> =
            blocks.iter().map(|(network, prefix)| format!("{network}/{prefix}").parse().unwrap()).collect();
        let model = blocks.iter().any(|(network, prefix)| address_in_block(*network, *prefix, address));
        prop_assert_eq!(rules.iter().any(|rule| rule.allows(address)), model);
        let list = AddressRules::from(rules);
        prop_assert_eq!(list.allows(address), model);
        prop_assert_eq!(list.allows(mapped(address)), model);
        prop_assert_eq!(list.rule_for(address).map(|rule| rule.allows(address)), model.then_some(true));
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_one(network in any::<u32>(), prefix in 0..=32_u32, address in address()) {
        let network = Ipv4Addr::from(network & u32::MAX.checked_shl(32 - prefix).unwrap_or(0));
        let v4: AddressRule = format!("{network}/{prefix}").parse().unwrap();
        let v6: AddressRule = format!("{}/{}", mapped(network.into()), prefix + 96).parse().unwrap();
        prop_assert_eq!(v4, v6);
        prop_assert_eq!(v4.allows(address), v4.allows(mapped(address)));
    }

    #[test]
    fn bits_after_the_prefix_are_refused(address in any::<IpAddr>(), prefix in 0..=128_u32) {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let accepted = format!("{address}/{prefix}").parse::<AddressRule>().is_ok();
        prop_assert_eq!(accepted, prefix <= longest && !has_host_bits(address, prefix));
    }

    #[test]
    fn a_wildcard_is_a_block(octets in any::<[u8; 4]>(), known in 0..4_usize, address in address()) {
        let texts: Vec<String> =
            (0..4).map(|at| if at < known { octets[at].to_string() } else { "*".to_owned() }).collect();
        let rule: AddressRule = texts.join(".").parse().unwrap();
        prop_assert_eq!(rule.to_string(), texts.join("."));
        let mut network = octets;
        network[known..].fill(0);
        let prefix = u32::try_from(known).unwrap() * 8;
        prop_assert_eq!(rule.allows(address), address_in_block(IpAddr::from(network), prefix, address));
    }

    #[test]
    fn a_rule_reads_what_it_writes((network, prefix) in block()) {
        let rule: AddressRule = format!("{network}/{prefix}").parse().unwrap();
        prop_assert_eq!(rule.to_string().parse(), Ok(rule));
    }

    #[test]
    fn arbitrary_text_is_no_panic(text in "[0-9a-fA-F:.*/+\\[\\]% -]{0,40}|\\PC{0,20}") {
        let _either = text.parse::<AddressRule>();
        let _either = AddressRules::parse_list(&text);
    }
}
