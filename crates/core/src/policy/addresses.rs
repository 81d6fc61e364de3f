use std::collections::HashSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::address::{AddressRule, AddressRuleError};
use super::list::{self, ListError};

/// The addresses an application may call from (wire document, section 5, step 3).
///
/// An empty list allows nobody; everybody must be written: `any`. The order does not matter, and a rule that is there
/// twice counts once. Judging an address costs one binary search, however many rules there are: blocks nest or lie
/// apart, so the outermost ones, sorted, decide. They are found once, when the list is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<AddressRule>", into = "Vec<AddressRule>")]
pub struct AddressRules {
    rules: Vec<AddressRule>,
    any: Option<usize>,
    v4: Ranges,
    v6: Ranges,
}

impl AddressRules {
    /// The list that has only `any`: every address.
    #[must_use]
    pub fn any() -> Self {
        Self::from(vec![AddressRule::ANY])
    }

    /// Reads rules that are separated by lines, commas or blanks. A text without any makes the list that allows nobody.
    ///
    /// # Errors
    /// Names the first item that is no rule.
    pub fn parse_list(text: &str) -> Result<Self, ListError<AddressRuleError>> {
        list::parse(text, list::comma_or_blank).map(|rules: Vec<_>| Self::from(rules))
    }

    /// Whether some rule allows this address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        self.rule_for(address).is_some()
    }

    /// The rule that decides: `any`, or else the widest one that allows this address. None: it is not allowed.
    #[must_use]
    pub fn rule_for(&self, address: IpAddr) -> Option<&AddressRule> {
        let rule = self.any.or_else(|| match address.to_canonical() {
            IpAddr::V4(v4) => self.v4.find(u32::from(v4).into()),
            IpAddr::V6(v6) => self.v6.find(v6.into()),
        })?;
        self.rules.get(rule)
    }

    /// Whether the list leaves nobody out: it has `any`, or it allows every IPv4 address or every IPv6 address, in
    /// however many pieces that is written.
    #[must_use]
    pub fn names_any(&self) -> bool {
        self.any.is_some() || self.v4.cover_up_to(u32::MAX.into()) || self.v6.cover_up_to(u128::MAX)
    }

    /// Whether there is no rule, so that nobody is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules in the order they were given, each once.
    #[must_use]
    pub fn rules(&self) -> &[AddressRule] {
        &self.rules
    }
}

impl From<Vec<AddressRule>> for AddressRules {
    fn from(mut rules: Vec<AddressRule>) -> Self {
        let mut seen = HashSet::with_capacity(rules.len());
        rules.retain(|rule| seen.insert(*rule));
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (rule, block) in rules.iter().map(AddressRule::block).enumerate() {
            let Some(block) = block else { continue };
            match (block.network(), block.broadcast()) {
                (IpAddr::V4(first), IpAddr::V4(last)) => {
                    v4.push(Range { first: u32::from(first).into(), last: u32::from(last).into(), rule });
                }
                (IpAddr::V6(first), IpAddr::V6(last)) => {
                    v6.push(Range { first: first.into(), last: last.into(), rule });
                }
                _ => {}
            }
        }
        let any = rules.iter().position(|rule| *rule == AddressRule::ANY);
        Self { rules, any, v4: Ranges::outermost(v4), v6: Ranges::outermost(v6) }
    }
}

impl From<AddressRules> for Vec<AddressRule> {
    fn from(list: AddressRules) -> Self {
        list.rules
    }
}

impl FromIterator<AddressRule> for AddressRules {
    fn from_iter<I: IntoIterator<Item = AddressRule>>(rules: I) -> Self {
        Self::from(rules.into_iter().collect::<Vec<_>>())
    }
}

/// Ranges of addresses that lie apart, in rising order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges(Vec<Range>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: u128,
    last: u128,
    rule: usize,
}

impl Ranges {
    /// Keeps those that lie in no other. Relies on blocks never overlapping in part.
    fn outermost(mut all: Vec<Range>) -> Self {
        all.sort_by(|a, b| a.first.cmp(&b.first).then(b.last.cmp(&a.last)).then(a.rule.cmp(&b.rule)));
        let mut kept: Vec<Range> = Vec::with_capacity(all.len());
        for range in all {
            if kept.last().is_none_or(|before| before.last < range.first) {
                kept.push(range);
            }
        }
        Self(kept)
    }

    fn find(&self, address: u128) -> Option<usize> {
        let after = self.0.partition_point(|range| range.first <= address);
        let range = self.0.get(after.checked_sub(1)?)?;
        (address <= range.last).then_some(range.rule)
    }

    /// Whether they leave no gap from 0 to `end`.
    fn cover_up_to(&self, end: u128) -> bool {
        let mut next = Some(0);
        for range in &self.0 {
            if next != Some(range.first) {
                return false;
            }
            next = range.last.checked_add(1);
        }
        next == end.checked_add(1) && !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> AddressRules {
        AddressRules::parse_list(text).unwrap()
    }

    fn allows(text: &str, address: &str) -> bool {
        list(text).allows(address.parse().unwrap())
    }

    #[test]
    fn empty_allows_nobody() {
        for text in ["", " \r\n,\t"] {
            assert!(list(text).is_empty() && !list(text).names_any());
            assert!(!allows(text, "127.0.0.1") && !allows(text, "::1"));
        }
    }

    #[test]
    fn separators_and_the_first_bad_item() {
        let text = "10.0.0.1\r\n10.0.0.2, 10.0.0.3 2001:db8::/32\n\n10.0.0.1\t10.1.*.*";
        let shown: Vec<_> = list(text).rules().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::/32", "10.1.*.*"]);
        let error = AddressRules::parse_list("10.0.0.1\n1.*.3.4\nblah").unwrap_err();
        assert_eq!((error.item.as_str(), error.reason), ("1.*.3.4", AddressRuleError::Wildcard));
        assert!(error.to_string().starts_with("\"1.*.3.4\": "));
        assert_eq!(AddressRules::parse_list("192,168,0,1").unwrap_err().item, "192");
    }

    #[test]
    fn the_widest_rule_decides() {
        let rules = list("10.1.2.3, 10.1.0.0/16, 10.1.*.*, 10.9.0.1, 2001:db8::/32, 2001:db8::1");
        let rule = |address: &str| rules.rule_for(address.parse().unwrap()).map(ToString::to_string);
        assert_eq!(rule("10.1.2.3").as_deref(), Some("10.1.0.0/16"));
        assert_eq!(rule("::ffff:10.9.0.1").as_deref(), Some("10.9.0.1"));
        assert_eq!(rule("2001:db8::1").as_deref(), Some("2001:db8::/32"));
        assert_eq!(rule("10.2.0.0"), None);
        assert_eq!(rule("10.0.255.255"), None);
        assert_eq!(rule("::"), None);
        assert_eq!(
            list("10.0.0.1 any").rule_for("10.0.0.1".parse().unwrap()).map(ToString::to_string).as_deref(),
            Some("any")
        );
    }

    #[test]
    fn families_do_not_mix() {
        assert!(!allows("*.*.*.*", "2001:db8::1"));
        assert!(!allows("::/0", "::ffff:10.0.0.1"));
        assert!(allows("any", "::1") && allows("any", "1.2.3.4"));
    }

    #[test]
    fn everybody_however_written() {
        for text in
            ["any", "*.*.*.*", "0.0.0.0/0", "::/0", "0.0.0.0/1 128.0.0.0/1", "::/1,8000::/1", "::ffff:0:0/96"]
        {
            assert!(list(text).names_any(), "{text}");
        }
        for text in ["10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/1 128.0.0.0/2", "::/1"] {
            assert!(!list(text).names_any(), "{text}");
        }
    }

    #[test]
    fn agrees_with_rule_by_rule() {
        let rules: Vec<AddressRule> = (0..=255_u8)
            .flat_map(|i| [format!("10.{i}.0.0/{}", 16 + u32::from(i % 17)), format!("10.{}.3.7", i / 2)])
            .map(|text| text.parse().unwrap())
            .collect();
        let all = AddressRules::from(rules.clone());
        for a in 0..=255_u8 {
            for (b, c) in [(0, 0), (0, 1), (3, 7), (127, 9), (255, 255)] {
                let address = IpAddr::from([10, a, b, c]);
                assert_eq!(all.allows(address), rules.iter().any(|rule| rule.allows(address)), "{address}");
            }
        }
    }

    #[test]
    fn as_a_list_of_texts() {
        let json = r#"["10.1.*.*","2001:db8::/32","any"]"#;
        let rules: AddressRules = serde_json::from_str(json).unwrap();
        assert!(rules.names_any());
        assert_eq!(serde_json::to_string(&rules).unwrap(), json);
        assert!(serde_json::from_str::<AddressRules>(r#"["blah"]"#).is_err());
    }
}
