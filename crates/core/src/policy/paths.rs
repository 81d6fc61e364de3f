use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::list::{self, ListError, serde_as_text};
use super::path::{CanonicalPath, PathError};

/// One line of an application's path list: a path with all that lies below it, or `any`.
///
/// | rule | allows | does not allow |
/// |---|---|---|
/// | `/rest` | `/rest`, `/rest/`, `/rest/x` | `/restx`, `/Rest` |
/// | `/rest/` | `/rest/`, `/rest/x` | `/rest` |
/// | `/` | every path that is not ambiguous | |
/// | `any` | every path | |
///
/// There are no wildcards, and the query plays no part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathRule(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    Any,
    Below(CanonicalPath<'static>),
}

impl PathRule {
    /// The rule `any`: every path, the ambiguous ones too.
    pub const ANY: Self = Self(Form::Any);

    /// Whether this rule allows `path`. A list of rules is faster: [`PathRules`].
    #[must_use]
    pub fn allows(&self, path: &CanonicalPath<'_>) -> bool {
        self.prefix().is_none_or(|prefix| covers(prefix, path.as_str()))
    }

    fn prefix(&self) -> Option<&str> {
        match &self.0 {
            Form::Any => None,
            Form::Below(path) => Some(path.as_str()),
        }
    }
}

fn covers(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

impl FromStr for PathRule {
    type Err = PathRuleError;

    fn from_str(text: &str) -> Result<Self, PathRuleError> {
        if text == "any" {
            return Ok(Self::ANY);
        }
        if text.contains('*') {
            return Err(PathRuleError::Wildcard);
        }
        Ok(Self(Form::Below(CanonicalPath::parse(text)?.into_owned())))
    }
}

impl fmt::Display for PathRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix().unwrap_or("any"))
    }
}

serde_as_text!(PathRule);

/// Why a text is no [`PathRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathRuleError {
    /// It is a path no request could be allowed for.
    #[error(transparent)]
    Path(#[from] PathError),
    /// It has a `*`, which would stand for itself only.
    #[error("a path rule has no wildcards: /rest allows all below it, and every path is `any`")]
    Wildcard,
}

/// The paths an application may use (wire document, section 5, step 9).
///
/// An empty list allows nothing; everything must be written: `any`. The order does not matter, and a rule that is there
/// twice counts once. Judging a path costs one binary search, however many rules there are, and no allocation when the
/// path is canonical already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<PathRule>", into = "Vec<PathRule>")]
pub struct PathRules {
    rules: Vec<PathRule>,
    any: Option<usize>,
    /// Positions of the rules that lie below no other, sorted by [`order`].
    outermost: Vec<usize>,
}

impl PathRules {
    /// The list that has only `any`: every path.
    #[must_use]
    pub fn any() -> Self {
        Self::from(vec![PathRule::ANY])
    }

    /// Reads rules that are separated by lines, commas or blanks. A text without any makes the list that allows
    /// nothing. (A path with a comma in it can only be given as a [`PathRule`] of its own.)
    ///
    /// # Errors
    /// Names the first item that is no rule.
    pub fn parse_list(text: &str) -> Result<Self, ListError<PathRuleError>> {
        list::parse(text, list::comma_or_blank).map(|rules: Vec<_>| Self::from(rules))
    }

    /// Whether some rule allows this path.
    #[must_use]
    pub fn allows(&self, path: &CanonicalPath<'_>) -> bool {
        self.any_rule().or_else(|| self.outermost_for(path)).is_some()
    }

    /// Judges the path of a request target as it was sent, without its query.
    ///
    /// # Errors
    /// When no rule allows it, or it is ambiguous and `any` is not in the list. Both are `BAD_URL`.
    pub fn allows_raw(&self, raw: &str) -> Result<(), PathRefusal> {
        self.rule_for(raw).map(|_| ())
    }

    /// The rule that allows this path: `any` (then nothing depends on the path, and it is not looked at), or else the
    /// shortest.
    ///
    /// # Errors
    /// As [`PathRules::allows_raw`].
    pub fn rule_for(&self, raw: &str) -> Result<&PathRule, PathRefusal> {
        if let Some(any) = self.any_rule() {
            return Ok(any);
        }
        self.outermost_for(&CanonicalPath::parse(raw)?).ok_or(PathRefusal::NoRule)
    }

    fn any_rule(&self) -> Option<&PathRule> {
        self.rules.get(self.any?)
    }

    fn outermost_for(&self, path: &CanonicalPath<'_>) -> Option<&PathRule> {
        let path = path.as_str();
        let after = self
            .outermost
            .partition_point(|at| order(prefix_at(&self.rules, *at), path) != Ordering::Greater);
        let rule = self.rules.get(*self.outermost.get(after.checked_sub(1)?)?)?;
        covers(rule.prefix()?, path).then_some(rule)
    }

    /// Whether the list has `any`.
    #[must_use]
    pub fn names_any(&self) -> bool {
        self.any.is_some()
    }

    /// Whether there is no rule, so that nothing is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules in the order they were given, each once.
    #[must_use]
    pub fn rules(&self) -> &[PathRule] {
        &self.rules
    }
}

/// Orders paths so that all that a rule covers comes right after it, before anything else: `/` sorts lowest. By bytes,
/// `/rest-x` would come between `/rest` and `/rest/x`.
fn order(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = same_start(a, b);
    // The end of a path sorts before everything, `/` before every other byte: no path has a zero.
    let key = |path: &[u8]| path.get(same).map(|byte| if *byte == b'/' { 0 } else { *byte });
    key(a).cmp(&key(b))
}

/// How many bytes are the same at the front. Eight at a time: paths of one application begin alike.
fn same_start(a: &[u8], b: &[u8]) -> usize {
    let eights =
        a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).take_while(|(a, b)| a == b).count() * 8;
    a.iter().zip(b).skip(eights).take_while(|(a, b)| a == b).count() + eights
}

fn prefix_at(rules: &[PathRule], at: usize) -> &str {
    rules.get(at).and_then(PathRule::prefix).unwrap_or_default()
}

impl From<Vec<PathRule>> for PathRules {
    fn from(mut rules: Vec<PathRule>) -> Self {
        let mut seen = HashSet::with_capacity(rules.len());
        rules.retain(|rule| seen.insert(rule.clone()));
        let any = rules.iter().position(|rule| *rule == PathRule::ANY);
        let mut sorted: Vec<usize> = (0..rules.len()).filter(|at| Some(*at) != any).collect();
        sorted.sort_by(|a, b| order(prefix_at(&rules, *a), prefix_at(&rules, *b)));
        let mut outermost: Vec<usize> = Vec::with_capacity(sorted.len());
        for at in sorted {
            let inside = |before: &usize| covers(prefix_at(&rules, *before), prefix_at(&rules, at));
            if !outermost.last().is_some_and(inside) {
                outermost.push(at);
            }
        }
        Self { rules, any, outermost }
    }
}

impl From<PathRules> for Vec<PathRule> {
    fn from(list: PathRules) -> Self {
        list.rules
    }
}

impl FromIterator<PathRule> for PathRules {
    fn from_iter<I: IntoIterator<Item = PathRule>>(rules: I) -> Self {
        Self::from(rules.into_iter().collect::<Vec<_>>())
    }
}

/// Why a path is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathRefusal {
    /// It may mean another path to somebody else.
    #[error("{0}")]
    Ambiguous(#[from] PathError),
    /// No rule covers it.
    #[error("no rule allows the path")]
    NoRule,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rules: &str, path: &str) -> Result<(), PathRefusal> {
        PathRules::parse_list(rules).unwrap().allows_raw(path)
    }

    #[test]
    fn whole_segments() {
        for (rules, yes, no) in [
            (
                "/rest",
                &["/rest", "/rest/", "/rest/x", "/%72est/x", "/rest/x/"][..],
                &["/restx", "/Rest", "/", "/res", "/rest-x", "/x/rest"][..],
            ),
            ("/rest/", &["/rest/", "/rest/x"], &["/rest", "/restx"]),
            ("/", &["/", "/x", "/x/y/"], &[]),
            ("/a%2cb", &["/a%2Cb", "/a%2cb/x"], &["/a", "/b"]),
            ("/%72est", &["/rest"], &["/r"]),
            (
                "/rest\n/rest-x,/rest.y /docs/a/",
                &["/rest/x", "/rest", "/rest-x", "/rest-x/1", "/rest.y/2", "/docs/a/"],
                &["/rest-y", "/docs/a", "/rest.", "/rest!"],
            ),
            ("", &[], &["/", "/rest"]),
        ] {
            for path in yes {
                assert_eq!(judged(rules, path), Ok(()), "{rules:?} {path}");
            }
            for path in no {
                assert_eq!(judged(rules, path), Err(PathRefusal::NoRule), "{rules:?} {path}");
            }
        }
    }

    #[test]
    fn ambiguous_paths_are_refused_before_matching() {
        for (path, why) in [
            ("/rest/../admin", PathError::DotSegment),
            ("/rest/%2e%2E/admin", PathError::DotSegment),
            ("//rest", PathError::EmptySegment),
            ("/rest;x", PathError::Semicolon),
            ("/rest/x%2Fy", PathError::EscapedSlash),
            ("/rest/x%5cy", PathError::Backslash),
            ("/rest/%00", PathError::Control),
            ("/rest/%", PathError::BadEscape),
            ("", PathError::NotAbsolute),
        ] {
            for rules in ["/", "/rest", "", "/other"] {
                assert_eq!(judged(rules, path), Err(PathRefusal::Ambiguous(why)), "{rules:?} {path}");
            }
            assert_eq!(judged("any", path), Ok(()));
            assert_eq!(judged("/rest, any", path), Ok(()));
        }
    }

    #[test]
    fn refused_rules() {
        for (text, why) in [
            ("", PathRuleError::Path(PathError::NotAbsolute)),
            ("docs", PathRuleError::Path(PathError::NotAbsolute)),
            ("Any", PathRuleError::Path(PathError::NotAbsolute)),
            ("/a b", PathRuleError::Path(PathError::Control)),
            ("/x?y=1", PathRuleError::Path(PathError::Query)),
            ("/docs/..", PathRuleError::Path(PathError::DotSegment)),
            ("//", PathRuleError::Path(PathError::EmptySegment)),
            ("/docs*", PathRuleError::Wildcard),
            ("*", PathRuleError::Wildcard),
            ("/docs/%2e%2e", PathRuleError::Path(PathError::DotSegment)),
        ] {
            assert_eq!(text.parse::<PathRule>(), Err(why), "{text:?}");
        }
        let error = PathRules::parse_list("/rest\n\ndocs /x/*").unwrap_err();
        assert_eq!(error.item, "docs");
        assert_eq!(error.to_string(), "\"docs\": the path does not begin with /");
    }

    #[test]
    fn the_shortest_rule_decides() {
        let rules = PathRules::parse_list("/rest/api/2 /rest /rest/ /docs/ /docs/x").unwrap();
        assert_eq!(rules.rules().len(), 5);
        for (path, rule) in [("/rest/api/2/x", "/rest"), ("/docs/x", "/docs/"), ("/rest", "/rest")] {
            assert_eq!(rules.rule_for(path).unwrap().to_string(), rule);
        }
    }

    #[test]
    fn agrees_with_rule_by_rule() {
        let segments = ["a", "a-", "a.b", "ab", "b", "A", "~", "a%2C"];
        let mut paths = vec!["/".to_owned()];
        for a in segments {
            paths.push(format!("/{a}"));
            paths.push(format!("/{a}/"));
            for b in segments {
                paths.push(format!("/{a}/{b}"));
                paths.push(format!("/{a}/{b}/"));
            }
        }
        // Many different lists of rules from the same paths, without chance.
        for step in 2..40 {
            let rules: Vec<PathRule> =
                paths.iter().skip(step % 7 + 1).step_by(step).map(|p| p.parse().unwrap()).collect();
            let all = PathRules::from(rules.clone());
            for path in &paths {
                let path = CanonicalPath::parse(path).unwrap();
                assert_eq!(all.allows(&path), rules.iter().any(|rule| rule.allows(&path)), "{path} {step}");
            }
        }
    }

    #[test]
    fn as_a_list_of_texts() {
        let json = r#"["/rest","/a,b","any"]"#;
        let rules: PathRules = serde_json::from_str(json).unwrap();
        assert!(rules.names_any() && !rules.is_empty());
        assert_eq!(serde_json::to_string(&rules).unwrap(), json);
        assert!(serde_json::from_str::<PathRules>(r#"[""]"#).is_err());
    }
}
