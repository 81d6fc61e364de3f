//! Path patterns: what the old library matched, and the differences that are wanted.

use serde::Deserialize;
use serde_json::Value;
use taa_core::policy::{PathRule, PathRules};

use super::{Kind, Tally, VectorFile};
use crate::reference::{canonical_path, path_is_below};

/// The kind of `url-matcher.json`.
pub const KIND: Kind = Kind { name: "path patterns", recognise, run };

fn recognise(content: &Value) -> bool {
    content.as_array().is_some_and(|all| {
        !all.is_empty()
            && all.iter().all(|one| ["patterns", "path", "match"].iter().all(|name| one.get(name).is_some()))
    })
}

#[derive(Deserialize)]
struct Match {
    patterns: Vec<String>,
    path: String,
    #[serde(rename = "match")]
    matches: bool,
}

fn run(file: &VectorFile, tally: &mut Tally) -> Result<(), String> {
    let cases: Vec<Match> = file.parse()?;
    for case in &cases {
        let result = match (ours(case), case.matches) {
            (ours, theirs) if ours == theirs => Ok(()),
            (ours, theirs) => match Difference::of(case) {
                Some(why) if why.widens() == ours => {
                    tally.note(why.name());
                    Ok(())
                }
                _ => Err(format!(
                    "ours is {ours}, the old library's {theirs}, and no difference that is wanted explains it"
                )),
            },
        };
        tally.case("matches", || format!("{:?} for {:?}", case.patterns, case.path), result);
    }
    Ok(())
}

/// Whether our rules allow the path. A list with a bad rule is refused at set-up: nothing is allowed.
fn ours(case: &Match) -> bool {
    let rules = case.patterns.iter().map(|pattern| pattern.parse()).collect::<Result<Vec<PathRule>, _>>();
    rules.is_ok_and(|rules| PathRules::from(rules).allows_raw(&case.path).is_ok())
}

/// The differences to the old library that are wanted. Which one a case is of, if any, is computed from the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// An empty list allows nothing; it allowed everything.
    EmptyList,
    /// A pattern that is no absolute path in one reading is refused at set-up.
    NoPath,
    /// A path that can be read in two ways is refused, whatever the patterns.
    Ambiguous,
    /// `/docs` covers `/docs` and what is below it, no longer `/docsecret`.
    Boundary,
    /// `/%64ocs` is `/docs`: the one difference that allows more.
    Escape,
    /// `any` is a rule of ours.
    Any,
}

impl Difference {
    const fn name(self) -> &'static str {
        match self {
            Self::EmptyList => "difference: an empty list allows nothing",
            Self::NoPath => "difference: a pattern that is no absolute path is refused at set-up",
            Self::Ambiguous => "difference: an ambiguous path is refused",
            Self::Boundary => "difference: a rule ends at the end of a segment",
            Self::Escape => "difference: an escaped letter is the letter (allows more)",
            Self::Any => "difference: `any` is a rule",
        }
    }

    const fn widens(self) -> bool {
        matches!(self, Self::Escape | Self::Any)
    }

    fn of(case: &Match) -> Option<Self> {
        let Match { patterns, path, .. } = case;
        if patterns.is_empty() {
            return Some(Self::EmptyList);
        }
        if patterns.iter().any(|pattern| pattern == "any") {
            return Some(Self::Any);
        }
        let canonical = |pattern: &String| canonical_path(pattern).filter(|_| !pattern.contains('*'));
        let Some(rules) = patterns.iter().map(canonical).collect::<Option<Vec<_>>>() else {
            return Some(Self::NoPath);
        };
        let Some(read) = canonical_path(path) else { return Some(Self::Ambiguous) };
        let written_prefix = patterns.iter().any(|pattern| path.starts_with(pattern.as_str()));
        let below = rules.iter().any(|rule| path_is_below(rule, &read));
        match (written_prefix, below) {
            (true, false) => Some(Self::Boundary),
            (false, true) => Some(Self::Escape),
            _ => None,
        }
    }
}
