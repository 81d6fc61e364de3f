//! Address patterns: what the old library accepted and matched, and the differences that are wanted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use serde_json::Value;
use taa_core::policy::{AddressRule, AddressRules};

use super::{Kind, Tally, VectorFile};
use crate::reference;

/// The kind of `ip-matcher.json`.
pub const KIND: Kind = Kind { name: "address patterns", recognise, run };

fn recognise(content: &Value) -> bool {
    let items = |name: &str, member: &str| {
        content
            .get(name)
            .and_then(Value::as_array)
            .is_some_and(|all| !all.is_empty() && all.iter().all(|one| one.get(member).is_some()))
    };
    items("patternValidation", "requestConditions") || items("match", "atlassianIPMatcher")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    pattern_validation: Vec<Validation>,
    #[serde(default, rename = "match")]
    matches: Vec<Match>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    pattern: String,
    request_conditions: String,
}

#[derive(Deserialize)]
struct Match {
    patterns: Vec<String>,
    address: String,
    #[serde(rename = "atlassianIPMatcher")]
    result: String,
}

fn run(file: &VectorFile, tally: &mut Tally) -> Result<(), String> {
    let content: Content = file.parse()?;
    for case in &content.pattern_validation {
        let ours = case.pattern.parse::<AddressRule>().is_ok();
        let theirs = case.request_conditions == "ok";
        let why = Difference::of_pattern(&case.pattern);
        let result = compare(ours, theirs, why, tally);
        tally.case("patterns", || format!("{:?}", case.pattern), result);
    }
    for case in &content.matches {
        let theirs = case.result == "true";
        let result = match_case(case)
            .and_then(|ours| compare(ours, theirs, Difference::of_match(case, theirs), tally));
        tally.case("matches", || format!("{:?} for {:?}", case.patterns, case.address), result);
    }
    Ok(())
}

/// Whether our rules allow the address. A list with a bad rule is refused at set-up: nobody is allowed.
fn match_case(case: &Match) -> Result<bool, String> {
    let Ok(address) = case.address.parse::<IpAddr>() else { return Ok(false) };
    let Ok(rules) =
        case.patterns.iter().map(|pattern| pattern.parse()).collect::<Result<Vec<AddressRule>, _>>()
    else {
        return Ok(false);
    };
    let any = rules.iter().any(|rule| rule.allows(address));
    let list = AddressRules::from(rules).allows(address);
    if any == list { Ok(list) } else { Err("the list and its rules disagree".into()) }
}

/// The differences to the old library that are wanted. Which one a case is of, if any, is computed from the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// An empty list allows nobody; it allowed everybody.
    EmptyList,
    /// The address is no IP literal: a socket has none, and in `X-Forwarded-For` it is refused before the rules.
    NoLiteral,
    /// A block with bits after its prefix is refused; they were ignored.
    HostBits,
    /// An IPv4 address with a sign or a dot at its end is refused.
    LooseIpv4,
    /// An IPv6 address with a sign or more than four digits in a group is refused; groups lost their upper bits.
    LooseIpv6,
    /// What follows `/` is outside 0–32 or 0–128, or not in plain digits: refused at set-up; it was accepted there and
    /// failed later.
    Prefix,
    /// An IPv4-mapped block from `/96` up is the IPv4 block that it says.
    MappedBlock,
    /// `any` is a rule of ours.
    Any,
}

impl Difference {
    const fn name(self) -> &'static str {
        match self {
            Self::EmptyList => "difference: an empty list allows nobody",
            Self::NoLiteral => "difference: an address that is no literal cannot occur",
            Self::HostBits => "difference: a block with host bits is refused",
            Self::LooseIpv4 => "difference: IPv4 with a sign or a last dot is refused",
            Self::LooseIpv6 => "difference: IPv6 with a sign or long groups is refused",
            Self::Prefix => "difference: a prefix out of range is refused at set-up",
            Self::MappedBlock => "difference: an IPv4-mapped block is the IPv4 block",
            Self::Any => "difference: `any` is a rule",
        }
    }

    /// Whether this difference makes us allow more, not less.
    const fn widens(self) -> bool {
        matches!(self, Self::MappedBlock | Self::Any)
    }

    fn of_pattern(pattern: &str) -> Option<Self> {
        if pattern == "any" {
            return Some(Self::Any);
        }
        let (address, prefix) = match pattern.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (pattern, None),
        };
        let Ok(parsed) = address.parse::<IpAddr>() else {
            return match () {
                () if is_loose_ipv4(address) => Some(Self::LooseIpv4),
                () if is_loose_ipv6(address) => Some(Self::LooseIpv6),
                () => None,
            };
        };
        let prefix = prefix?;
        let number = prefix.parse::<i64>().ok()?;
        let length = if parsed.is_ipv4() { 32 } else { 128 };
        match u32::try_from(number) {
            Ok(plain) if plain <= length && plain.to_string() == prefix => {
                let mapped = matches!(parsed, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
                match () {
                    () if reference::has_host_bits(parsed, plain) => Some(Self::HostBits),
                    () if mapped && plain >= 96 => Some(Self::MappedBlock),
                    () => None,
                }
            }
            _ => Some(Self::Prefix),
        }
    }

    fn of_match(case: &Match, theirs: bool) -> Option<Self> {
        if case.address.parse::<IpAddr>().is_err() {
            return Some(Self::NoLiteral);
        }
        if case.patterns.is_empty() {
            return Some(Self::EmptyList);
        }
        case.patterns
            .iter()
            .filter_map(|pattern| Self::of_pattern(pattern))
            .find(|why| why.widens() != theirs)
    }
}

/// The cases agree, or differ in a way that is wanted and in its direction.
fn compare(ours: bool, theirs: bool, why: Option<Difference>, tally: &mut Tally) -> Result<(), String> {
    if ours == theirs {
        return Ok(());
    }
    match why {
        Some(why) if why.widens() == ours => {
            tally.note(why.name());
            Ok(())
        }
        _ => Err(format!(
            "ours is {ours}, the old library's {theirs}, and no difference that is wanted explains it"
        )),
    }
}

/// Four numbers of 0–255 or `*`, with a `+` before some or a `.` after the last.
fn is_loose_ipv4(text: &str) -> bool {
    let plain: Vec<&str> =
        text.trim_end_matches('.').split('.').map(|part| part.strip_prefix('+').unwrap_or(part)).collect();
    let joined = plain.join(".");
    joined != text && joined.replace('*', "0").parse::<Ipv4Addr>().is_ok()
}

/// Groups of hexadecimal digits, with signs or too many of them, that make an address when they are cut to 16 bits.
fn is_loose_ipv6(text: &str) -> bool {
    let cut = |group: &str| match i64::from_str_radix(group, 16) {
        Ok(number) => format!("{:x}", number.rem_euclid(0x1_0000)),
        Err(_) => group.to_owned(),
    };
    let joined = text.split(':').map(cut).collect::<Vec<_>>().join(":");
    joined != text && joined.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_computed_from_the_pattern() {
        use Difference::*;
        for (pattern, why) in [
            ("10.1.2.3/24", Some(HostBits)),
            ("10.1.2.0/24", None),
            ("10.1.2.3", None),
            ("+10.0.0.1", Some(LooseIpv4)),
            ("10.0.0.1.", Some(LooseIpv4)),
            ("010.0.0.1", None),
            ("12345::1", Some(LooseIpv6)),
            ("-1::1", Some(LooseIpv6)),
            ("::1", None),
            ("10.1.2.3/33", Some(Prefix)),
            ("10.1.2.3/-8", Some(Prefix)),
            ("10.0.0.0/08", Some(Prefix)),
            ("::ffff:10.0.0.0/104", Some(MappedBlock)),
            ("localhost", None),
            ("1.2.*.4", None),
        ] {
            assert_eq!(Difference::of_pattern(pattern), why, "{pattern}");
        }
    }
}
