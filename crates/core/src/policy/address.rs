use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use super::list::serde_as_text;

/// One line of an application's address list.
///
/// | text | allows |
/// |---|---|
/// | `10.1.2.3`, `2001:db8::1` | this address |
/// | `10.1.0.0/16`, `2001:db8::/32` | this block; bits after the prefix must be zero |
/// | `10.1.*.*`, `*.*.*.*` | IPv4 with these first parts; `*` stands only for whole parts at the end |
/// | `any` | every address |
///
/// An IPv4-mapped IPv6 address or block (`::ffff:10.0.0.0/104`) is the IPv4 one, here and in the address that is
/// judged. Apart from that an IPv4 rule never allows an IPv6 address, nor the other way round. The text is read
/// strictly, because a rule that was misread is a hole: no leading zeros or signs, no zone, no brackets, no names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRule(Form);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    Any,
    /// Never IPv4-mapped; bits after the prefix are zero.
    Block(IpNet),
    /// As a block, but written with `*`.
    Wildcard(Ipv4Net),
}

impl AddressRule {
    /// The rule `any`: every address.
    pub const ANY: Self = Self(Form::Any);

    /// The rule for one address.
    #[must_use]
    pub fn exact(address: IpAddr) -> Self {
        Self(Form::Block(address.to_canonical().into()))
    }

    /// Whether this rule allows `address`. A list of rules is faster: [`AddressRules`](super::AddressRules).
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        self.block().is_none_or(|block| block.contains(&address.to_canonical()))
    }

    /// The block it stands for; none for `any`.
    pub(super) fn block(&self) -> Option<IpNet> {
        match self.0 {
            Form::Any => None,
            Form::Block(block) => Some(block),
            Form::Wildcard(block) => Some(IpNet::V4(block)),
        }
    }
}

impl FromStr for AddressRule {
    type Err = AddressRuleError;

    fn from_str(text: &str) -> Result<Self, AddressRuleError> {
        if text == "any" {
            return Ok(Self::ANY);
        }
        if text.contains('*') {
            return wildcard(text).map(|block| Self(Form::Wildcard(block))).ok_or(AddressRuleError::Wildcard);
        }
        let Some((address, prefix)) = text.split_once('/') else {
            return parse_address(text).map(Self::exact);
        };
        let block =
            IpNet::new(parse_address(address)?, number(prefix).ok_or(AddressRuleError::PrefixLength)?)
                .map_err(|_| AddressRuleError::PrefixLength)?;
        if block.trunc() != block {
            return Err(AddressRuleError::HostBits { block: canonical(block.trunc()) });
        }
        Ok(Self(Form::Block(canonical(block))))
    }
}

fn parse_address(text: &str) -> Result<IpAddr, AddressRuleError> {
    match text {
        "" => Err(AddressRuleError::Empty),
        _ if text.contains(['[', ']']) => Err(AddressRuleError::Brackets),
        _ if text.contains('%') => Err(AddressRuleError::Zone),
        _ => text.parse().map_err(|_| AddressRuleError::NotAnAddress),
    }
}

/// `a.*.*.*`, `a.b.*.*`, `a.b.c.*` or `*.*.*.*`.
fn wildcard(text: &str) -> Option<Ipv4Net> {
    let mut octets = [0; 4];
    let mut known = 0;
    let mut starred = false;
    let mut parts = text.split('.');
    for octet in &mut octets {
        match parts.next()? {
            "*" => starred = true,
            _ if starred => return None,
            part => {
                *octet = number(part)?;
                known += 8;
            }
        }
    }
    if parts.next().is_some() {
        return None;
    }
    Ipv4Net::new(Ipv4Addr::from(octets), known).ok()
}

/// A number in its one form: digits only, no leading zero.
fn number(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// An IPv4-mapped block as the IPv4 block it is. A mapped block with fewer than 96 bits of prefix does not get here:
/// its `ffff` would be host bits.
fn canonical(block: IpNet) -> IpNet {
    let IpNet::V6(v6) = block else { return block };
    let (Some(v4), Some(prefix)) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96)) else {
        return block;
    };
    Ipv4Net::new(v4, prefix).map_or(block, IpNet::V4)
}

impl fmt::Display for AddressRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::Any => f.write_str("any"),
            Form::Block(block) if block.prefix_len() == block.max_prefix_len() => block.addr().fmt(f),
            Form::Block(block) => block.fmt(f),
            Form::Wildcard(block) => {
                let known = usize::from(block.prefix_len() / 8);
                for (position, octet) in block.addr().octets().into_iter().enumerate() {
                    let dot = if position == 0 { "" } else { "." };
                    if position < known { write!(f, "{dot}{octet}")? } else { write!(f, "{dot}*")? }
                }
                Ok(())
            }
        }
    }
}

serde_as_text!(AddressRule);

/// Why a text is no [`AddressRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressRuleError {
    /// It has brackets.
    #[error("an address rule has no brackets")]
    Brackets,
    /// There is nothing, or nothing before the `/`.
    #[error("an address is missing")]
    Empty,
    /// Bits after the prefix are set.
    #[error("the address has bits after its prefix; probably {block} was meant, or the address alone")]
    HostBits {
        /// The block that was probably meant.
        block: IpNet,
    },
    /// It is neither an IPv4 nor an IPv6 address; names are not looked up.
    #[error("neither an IPv4 nor an IPv6 address, nor a block of them, nor `any`")]
    NotAnAddress,
    /// What follows the `/` is no number of 0–32, or 0–128 for IPv6, in plain digits.
    #[error("the number after / is 0 to 32 for IPv4 and 0 to 128 for IPv6, in plain digits")]
    PrefixLength,
    /// `*` stands elsewhere than for whole parts at the end of an IPv4 address.
    #[error(
        "`*` stands for whole parts at the end of an IPv4 address, as in 10.1.*.*; every address is `any`"
    )]
    Wildcard,
    /// It has a zone (`%eth0`), which means nothing outside one machine.
    #[error("an address rule has no zone")]
    Zone,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> AddressRule {
        text.parse().unwrap_or_else(|e| panic!("{text:?}: {e}"))
    }

    fn allows(text: &str, address: &str) -> bool {
        rule(text).allows(address.parse().unwrap())
    }

    #[test]
    fn exact_blocks_wildcards_any() {
        for (text, yes, no) in [
            ("1.2.3.4", &["1.2.3.4", "::ffff:1.2.3.4"][..], &["1.2.3.5", "::1.2.3.4"][..]),
            ("192.168.0.*", &["192.168.0.1", "192.168.0.255"], &["192.168.1.1", "::1"]),
            ("192.168.*.*", &["192.168.1.23"], &["192.169.0.1"]),
            ("*.*.*.*", &["1.2.3.4", "::ffff:1.2.3.4"], &["::1", "2001:db8::1"]),
            ("10.0.0.0/8", &["10.255.0.1", "::ffff:10.1.1.1"], &["11.0.0.0"]),
            ("10.1.2.2/31", &["10.1.2.2", "10.1.2.3"], &["10.1.2.4", "10.1.2.1"]),
            ("0.0.0.0/0", &["8.8.8.8"], &["::1"]),
            ("::1", &["::1"], &["::2", "0.0.0.1"]),
            ("2001:db8::/33", &["2001:db8:7fff::1"], &["2001:db8:8000::1"]),
            ("::/0", &["::1", "2001:db8::1"], &["1.2.3.4", "::ffff:1.2.3.4"]),
            ("::ffff:10.0.0.1", &["10.0.0.1", "::ffff:10.0.0.1"], &["10.0.0.2"]),
            ("::ffff:10.0.0.0/104", &["10.1.2.3", "::ffff:10.9.9.9"], &["11.0.0.1", "::1"]),
            ("::ffff:0:0/96", &["9.9.9.9"], &["::1"]),
            ("::10.0.0.1", &["::a00:1"], &["10.0.0.1"]),
            ("any", &["1.2.3.4", "::1"], &[]),
        ] {
            for address in yes {
                assert!(allows(text, address), "{text} {address}");
            }
            for address in no {
                assert!(!allows(text, address), "{text} {address}");
            }
        }
    }

    #[test]
    fn refused() {
        use AddressRuleError::*;
        for (text, why) in [
            ("", Empty),
            ("/24", Empty),
            ("blah", NotAnAddress),
            ("localhost", NotAnAddress),
            ("Any", NotAnAddress),
            ("1.2.3.4.5.6", NotAnAddress),
            ("1.2.3", NotAnAddress),
            ("299.299.299.299", NotAnAddress),
            ("256.0.0.0", NotAnAddress),
            ("192,168,0,1", NotAnAddress),
            ("192.168.?.1", NotAnAddress),
            ("010.0.0.1", NotAnAddress),
            ("+10.0.0.1", NotAnAddress),
            ("0x0a.0.0.1", NotAnAddress),
            ("167772161", NotAnAddress),
            ("10.0.0.1.", NotAnAddress),
            (" 10.0.0.1", NotAnAddress),
            ("10.0.0.1:80", NotAnAddress),
            ("12345::1", NotAnAddress),
            ("-1::1", NotAnAddress),
            ("::ffff:010.0.0.1", NotAnAddress),
            ("１.2.3.4", NotAnAddress),
            ("fe80::1%eth0", Zone),
            ("[::1]", Brackets),
            ("*", Wildcard),
            ("1.*.3.4", Wildcard),
            ("1.2.*.4", Wildcard),
            ("*.2.3.4", Wildcard),
            ("1.2.*", Wildcard),
            ("1.2.3.4.*", Wildcard),
            ("1.2.3.*.*", Wildcard),
            ("01.2.*.*", Wildcard),
            ("+1.2.*.*", Wildcard),
            ("256.*.*.*", Wildcard),
            ("1.2.*.*/16", Wildcard),
            ("2001:db8:*", Wildcard),
            ("1.2.3.4/", PrefixLength),
            ("1.2.3.4/33", PrefixLength),
            ("1.2.3.4/-8", PrefixLength),
            ("1.2.3.0/+24", PrefixLength),
            ("1.2.3.0/024", PrefixLength),
            ("1.2.3.0/255.255.255.0", PrefixLength),
            ("1.2.3.0/24/24", PrefixLength),
            ("::/129", PrefixLength),
            ("10.1.2.3/24", HostBits { block: "10.1.2.0/24".parse().unwrap() }),
            ("192.1.2.3/0", HostBits { block: "0.0.0.0/0".parse().unwrap() }),
            ("::ffff:10.0.0.1/104", HostBits { block: "10.0.0.0/8".parse().unwrap() }),
            ("::ffff:10.0.0.0/90", HostBits { block: "::ffc0:0:0/90".parse().unwrap() }),
        ] {
            assert_eq!(text.parse::<AddressRule>(), Err(why), "{text:?}");
        }
    }

    #[test]
    fn reads_back() {
        for (text, shown) in [
            ("any", "any"),
            ("*.*.*.*", "*.*.*.*"),
            ("10.*.*.*", "10.*.*.*"),
            ("10.0.0.*", "10.0.0.*"),
            ("10.0.0.1/32", "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("2001:DB8:0:0::/32", "2001:db8::/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ] {
            assert_eq!(rule(text).to_string(), shown);
            assert_eq!(rule(shown).to_string(), shown);
            let json = serde_json::to_string(&rule(text)).unwrap();
            assert_eq!(serde_json::from_str::<AddressRule>(&json).unwrap(), rule(text));
        }
        assert!(serde_json::from_str::<AddressRule>("\"1.*.3.4\"").is_err());
    }
}
