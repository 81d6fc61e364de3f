use std::cmp::Reverse;
use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use wildmatch::WildMatchPattern;

/// Patterns with `*`, searched all at once.
///
/// A name that matches a pattern has all that stands between its stars. Of each pattern one such part, the one that fewest
/// others have, is looked for, all parts in one pass over the name; only patterns whose part was found are compared. So a
/// thousand patterns cost a name that none matches about what one costs.
#[derive(Clone, Debug, Default)]
pub(super) struct Wildcards {
    /// Finds the parts.
    parts: Option<AhoCorasick>,
    /// The patterns that have each part.
    with_part: Vec<Vec<Pattern>>,
    /// Those that are compared with every name: they have no part to look for.
    others: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    /// U+0000, which no name has, takes the place of the one-character wildcard.
    glob: WildMatchPattern<'*', '\0'>,
    at: usize,
}

impl Wildcards {
    /// Takes patterns with their numbers.
    pub(super) fn new(patterns: &[(String, usize)]) -> Self {
        let mut times: HashMap<&str, usize> = HashMap::new();
        for part in patterns.iter().flat_map(|(pattern, _)| parts(pattern)) {
            *times.entry(part).or_default() += 1;
        }
        let mut by_part: HashMap<&str, Vec<Pattern>> = HashMap::new();
        let mut others = Vec::new();
        for (text, at) in patterns {
            let pattern = Pattern { glob: WildMatchPattern::new(text), at: *at };
            match parts(text).min_by_key(|part| (times.get(part).copied(), Reverse(part.len()))) {
                Some(rarest) => by_part.entry(rarest).or_default().push(pattern),
                None => others.push(pattern),
            }
        }
        let (all, with_part): (Vec<&str>, Vec<Vec<Pattern>>) = by_part.into_iter().unzip();
        match searcher(&all) {
            Some(parts) => Self { parts: Some(parts), with_part, others },
            // Too many for a searcher, if that can be: slower, and no name gets by.
            None => {
                others.extend(with_part.into_iter().flatten());
                Self { parts: None, with_part: Vec::new(), others }
            }
        }
    }

    /// The lowest number of those that match.
    pub(super) fn first_match(&self, name: &str) -> Option<usize> {
        let found = self.parts.iter().flat_map(|parts| parts.find_overlapping_iter(name));
        found
            .filter_map(|part| self.with_part.get(part.pattern().as_usize()))
            .flatten()
            .chain(&self.others)
            .filter(|pattern| pattern.glob.matches(name))
            .map(|pattern| pattern.at)
            .min()
    }
}

/// What stands between the stars.
fn parts(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('*').filter(|part| !part.is_empty())
}

fn searcher(parts: &[&str]) -> Option<AhoCorasick> {
    if parts.is_empty() {
        return None;
    }
    // The kind that is quickly made: lists are made anew whenever an administrator changes something.
    AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pattern of a small alphabet against every name of it.
    #[test]
    fn agrees_with_one_by_one() {
        let texts = |letters: &[char]| -> Vec<String> {
            let number = letters.len();
            (0..number.pow(4))
                .map(|n| [1, number, number.pow(2), number.pow(3)].map(|scale| letters[n / scale % number]))
                .map(|text| text.iter().filter(|letter| **letter != ' ').collect())
                .filter(|text: &String| !text.is_empty())
                .collect()
        };
        let patterns: Vec<String> =
            texts(&['a', 'b', '*', ' ']).into_iter().filter(|p| p.contains('*')).collect();
        for step in 1..30 {
            let list: Vec<_> = patterns.iter().skip(step * 3).step_by(step).cloned().zip(0..).collect();
            let all = Wildcards::new(&list);
            for name in texts(&['a', 'b', 'c', ' ']) {
                let matches =
                    |(text, _): &&(String, usize)| WildMatchPattern::<'*', '\0'>::new(text).matches(&name);
                let expected = list.iter().find(matches).map(|(_, at)| *at);
                assert_eq!(all.first_match(&name), expected, "{name} {step}");
            }
        }
    }

    #[test]
    fn of_many_alike_the_rare_part_is_looked_for() {
        let list: Vec<_> = (0..1_000).map(|number| format!("svc-*-{number:03}")).zip(0..).collect();
        let all = Wildcards::new(&list);
        assert!(all.others.is_empty() && all.with_part.iter().all(|with_part| with_part.len() == 1));
        assert_eq!(all.first_match("svc-build-117"), Some(117));
        assert_eq!(all.first_match("svc-build-"), None);
    }
}
