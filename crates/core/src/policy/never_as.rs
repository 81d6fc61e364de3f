use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::list::{self, ListError, serde_as_text};
use super::wildcards::Wildcards;
use crate::id::{UserName, UserNameError};

/// A user name, or a pattern in which `*` stands for any characters or none: `admin`, `svc-*`.
///
/// It is written as a [`UserName`] is; anything else could never match one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamePattern(UserName);

impl NamePattern {
    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for NamePattern {
    type Err = UserNameError;

    fn from_str(text: &str) -> Result<Self, UserNameError> {
        UserName::parse(text).map(Self)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(NamePattern);

/// The users an application may never name, whatever it signs (wire document, section 5, step 10).
///
/// Names are compared without regard to letter case, because user bases fold it: `Admin` is caught by `admin`. Both
/// sides are folded through upper case to lower case, character by character, with the Turkish letters as `i`, so that
/// whichever way a user base folds case, the name is caught. Forms that differ in more (accents, width) are other names
/// here; where a user base takes them for one, ask again with the name that it found.
///
/// An empty list forbids nobody and costs nothing. All names together cost one look-up, all patterns with `*` one pass over
/// the user's name, and a comparison with each of which a rare part is in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<NamePattern>", into = "Vec<NamePattern>")]
pub struct NeverAs {
    patterns: Vec<NamePattern>,
    /// Folded names without `*`, with their position in `patterns`.
    names: HashMap<String, usize>,
    /// Folded patterns with `*`, with their position in `patterns`.
    wildcards: Wildcards,
}

impl NeverAs {
    /// Reads names and patterns that are separated by lines or commas; blanks around them do not count.
    ///
    /// # Errors
    /// Names the first item that is no user name.
    pub fn parse_list(text: &str) -> Result<Self, ListError<UserNameError>> {
        list::parse(text, list::comma_or_line).map(|patterns: Vec<_>| Self::from(patterns))
    }

    /// The name or pattern that forbids this user; none when the user may be named.
    #[must_use]
    pub fn forbids(&self, user: &UserName) -> Option<&NamePattern> {
        if self.patterns.is_empty() {
            return None;
        }
        let user = folded(user.as_str());
        let at = self.names.get(&*user).copied().or_else(|| self.wildcards.first_match(&user))?;
        self.patterns.get(at)
    }

    /// Whether nobody is forbidden.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The names and patterns in the order they were given.
    #[must_use]
    pub fn patterns(&self) -> &[NamePattern] {
        &self.patterns
    }
}

/// Not `str::to_lowercase`: that one writes a final sigma differently, so a pattern would miss it.
fn folded(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Small i with a dot above in one user base, `i` in another.
            '\u{130}' => out.push('i'),
            _ if c.is_ascii() => out.push(c.to_ascii_lowercase()),
            _ => out.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    Cow::Owned(out)
}

impl From<Vec<NamePattern>> for NeverAs {
    fn from(patterns: Vec<NamePattern>) -> Self {
        let (mut names, mut wildcards) = (HashMap::new(), Vec::new());
        for (at, pattern) in patterns.iter().enumerate() {
            let folded = folded(pattern.as_str());
            if folded.contains('*') {
                wildcards.push((folded.into_owned(), at));
            } else {
                names.entry(folded.into_owned()).or_insert(at);
            }
        }
        Self { patterns, names, wildcards: Wildcards::new(&wildcards) }
    }
}

impl From<NeverAs> for Vec<NamePattern> {
    fn from(list: NeverAs) -> Self {
        list.patterns
    }
}

impl FromIterator<NamePattern> for NeverAs {
    fn from_iter<I: IntoIterator<Item = NamePattern>>(patterns: I) -> Self {
        Self::from(patterns.into_iter().collect::<Vec<_>>())
    }
}

impl PartialEq for NeverAs {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for NeverAs {}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbids(list: &str, user: &str) -> Option<String> {
        let list = NeverAs::parse_list(list).unwrap();
        list.forbids(&UserName::parse(user).unwrap()).map(ToString::to_string)
    }

    #[test]
    fn names_and_patterns() {
        let list = "admin\nSystem User, svc-*\r\n*@ops.example,a*z*?";
        for (user, pattern) in [
            ("admin", "admin"),
            ("ADMIN", "admin"),
            ("system user", "System User"),
            ("svc-", "svc-*"),
            ("SVC-build", "svc-*"),
            ("joe@OPS.example", "*@ops.example"),
            ("a-z-?", "a*z*?"),
        ] {
            assert_eq!(forbids(list, user).as_deref(), Some(pattern), "{user}");
        }
        for user in ["administrator", "xadmin", "systemuser", "svc", "joe@ops.example.org", "a-z-x", "user"] {
            assert_eq!(forbids(list, user), None, "{user}");
        }
        assert!(forbids("*", "anybody").is_some());
    }

    #[test]
    fn whatever_the_user_base_folds() {
        for (pattern, user) in [
            ("Ärger", "ÄRGER"),
            ("straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("ΟΔΟΣ*", "Οδοσία"),
            ("οδος", "ΟΔΟΣ"),
            ("admin", "ADM\u{130}N"),
            ("admin", "adm\u{131}n"),
            ("system", "\u{17f}ystem"),
            ("Admİn*", "admin2"),
            ("ADMIN", "admın"),
            ("ОПЕРАТОР", "оператор"),
        ] {
            assert_eq!(forbids(pattern, user).as_deref(), Some(pattern), "{user}");
        }
    }

    #[test]
    fn the_first_pattern_that_matches_is_named() {
        let list = "x*,*red,f*,*,fr*d,*e*";
        for (user, pattern) in [("fred", "*red"), ("fr", "f*"), ("xred", "x*"), ("joe", "*"), ("red", "*red")]
        {
            assert_eq!(forbids(list, user).as_deref(), Some(pattern), "{user}");
        }
    }

    #[test]
    fn a_question_mark_is_itself() {
        assert_eq!(forbids("wh?", "who"), None);
        assert!(forbids("wh?*", "wh?at").is_some());
    }

    #[test]
    fn empty_forbids_nobody() {
        for list in ["", "\n , \r\n"] {
            assert!(NeverAs::parse_list(list).unwrap().is_empty());
            assert_eq!(forbids(list, "admin"), None);
        }
    }

    #[test]
    fn refused() {
        assert_eq!("".parse::<NamePattern>(), Err(UserNameError::Empty));
        for (text, item, why) in [
            ("a,b\tc", "b\tc", UserNameError::Character),
            ("a\0", "a\0", UserNameError::Character),
            ("a\u{200b}*", "a\u{200b}*", UserNameError::Character),
            ("e\u{301}*", "e\u{301}*", UserNameError::NotNormalized),
        ] {
            let error = NeverAs::parse_list(text).unwrap_err();
            assert_eq!((error.item.as_str(), error.reason), (item, why), "{text:?}");
        }
    }

    #[test]
    fn as_a_list_of_texts() {
        let json = r#"["admin","a,b","svc-*"]"#;
        let list: NeverAs = serde_json::from_str(json).unwrap();
        assert_eq!(list.patterns().len(), 3);
        assert_eq!(serde_json::to_string(&list).unwrap(), json);
        assert!(serde_json::from_str::<NeverAs>(r#"[" admin"]"#).is_err());
    }
}
