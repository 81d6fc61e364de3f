use std::fmt::Display;

use taa_store::model::Rules;

/// How many items of a list stand in the table before "and … more".
const SHOWN: usize = 3;

/// An application's rules in a few words each, for a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RulesInShort {
    pub(crate) addresses: String,
    pub(crate) paths: String,
    pub(crate) methods: String,
    pub(crate) never_as: String,
    pub(crate) timeout: String,
    pub(crate) versions: String,
}

impl RulesInShort {
    pub(crate) fn of(rules: &Rules, seen_v4: bool) -> Self {
        let methods = if rules.methods.names_any() {
            "any".to_owned()
        } else {
            short(rules.methods.methods(), rules.methods.methods().len())
        };
        Self {
            addresses: short(rules.addresses.rules(), SHOWN),
            paths: short(rules.paths.rules(), SHOWN),
            methods: if methods.is_empty() { "none".to_owned() } else { methods },
            never_as: short(rules.never_as.patterns(), SHOWN),
            timeout: format!("{} ms", group(rules.timeout.as_millis())),
            versions: match (rules.min_protocol.number(), seen_v4) {
                (4, _) => "4".to_owned(),
                (lowest, true) => format!("4 (was {lowest}, until version 4 was seen)"),
                (lowest, false) => format!("{lowest} and up"),
            },
        }
    }
}

fn short<T: Display>(items: &[T], shown: usize) -> String {
    let mut text = items.iter().take(shown).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(shown) {
        0 => {}
        more => text.push_str(&format!(" and {more} more")),
    }
    text
}

/// `60000` as `60,000`.
pub(crate) fn group(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len().saturating_add(8));
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && digits.len().saturating_sub(position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_short() {
        assert_eq!(short(&["a", "b"], 3), "a, b");
        assert_eq!(short(&["a", "b", "c", "d", "e"], 3), "a, b, c and 2 more");
        assert_eq!(short::<&str>(&[], 3), "");
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (60_000, "60,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(group(number), text);
        }
    }
}
