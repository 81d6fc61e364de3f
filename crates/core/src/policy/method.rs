use http::Method;
use serde::{Deserialize, Serialize};

use super::list::{self, ListError};

/// The methods an application may use (wire document, section 5, step 9).
///
/// An empty list allows nothing; every method must be written: `any`. Letter case counts, as in HTTP. What is judged is
/// the method as sent: requests with a field that overrides it are refused before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct MethodRules {
    any: bool,
    methods: Vec<Method>,
}

impl MethodRules {
    /// Every method.
    #[must_use]
    pub const fn any() -> Self {
        Self { any: true, methods: Vec::new() }
    }

    /// `GET` and `HEAD`: what a policy allows unless it says otherwise.
    #[must_use]
    pub fn read_only() -> Self {
        Self::from_iter([Method::GET, Method::HEAD])
    }

    /// Reads methods, or `any`, separated by lines, commas or blanks. A text without any makes the list that allows
    /// nothing.
    ///
    /// # Errors
    /// Names the first item that is no method.
    pub fn parse_list(text: &str) -> Result<Self, ListError<MethodError>> {
        list::parse(text, list::comma_or_blank).map(|items: Vec<Item>| items.into_iter().collect())
    }

    /// Whether this method may be used.
    #[must_use]
    pub fn allows(&self, method: &Method) -> bool {
        self.any || self.methods.contains(method)
    }

    /// Whether every method may be used.
    #[must_use]
    pub const fn names_any(&self) -> bool {
        self.any
    }

    /// Whether no method may be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.any && self.methods.is_empty()
    }

    /// The methods that were listed, each once; with `any` there need not be one.
    #[must_use]
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }
}

impl FromIterator<Method> for MethodRules {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Self {
        methods.into_iter().map(Item::Method).collect()
    }
}

enum Item {
    Any,
    Method(Method),
}

impl FromIterator<Item> for MethodRules {
    fn from_iter<I: IntoIterator<Item = Item>>(items: I) -> Self {
        let mut rules = Self::default();
        for item in items {
            match item {
                Item::Any => rules.any = true,
                Item::Method(method) if rules.methods.contains(&method) => {}
                Item::Method(method) => rules.methods.push(method),
            }
        }
        rules
    }
}

impl std::str::FromStr for Item {
    type Err = MethodError;

    fn from_str(text: &str) -> Result<Self, MethodError> {
        if text == "any" {
            return Ok(Self::Any);
        }
        if text.bytes().any(|b| b.is_ascii_lowercase()) {
            return Err(MethodError::LowerCase);
        }
        Method::from_bytes(text.as_bytes()).map(Self::Method).map_err(|_| MethodError::NotAToken)
    }
}

impl TryFrom<Vec<String>> for MethodRules {
    type Error = ListError<MethodError>;

    fn try_from(items: Vec<String>) -> Result<Self, Self::Error> {
        items
            .into_iter()
            .map(|item| item.parse::<Item>().map_err(|reason| ListError { item, reason }))
            .collect()
    }
}

impl From<MethodRules> for Vec<String> {
    fn from(rules: MethodRules) -> Self {
        let any = rules.any.then(|| "any".to_owned());
        any.into_iter().chain(rules.methods.iter().map(|method| method.as_str().to_owned())).collect()
    }
}

/// Why a text is no method of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodError {
    /// It has a lower-case letter: `get` is not `GET`, and would never match.
    #[error("methods are written in upper case; every method is `any`")]
    LowerCase,
    /// It is empty or has a character that no method has.
    #[error("not a method")]
    NotAToken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed() {
        let rules = MethodRules::parse_list("GET, POST\nPROPFIND GET").unwrap();
        assert_eq!(rules.methods().len(), 3);
        assert!(rules.allows(&Method::GET) && rules.allows(&Method::from_bytes(b"PROPFIND").unwrap()));
        assert!(!rules.allows(&Method::HEAD) && !rules.allows(&Method::from_bytes(b"get").unwrap()));
    }

    #[test]
    fn nothing_read_only_and_any() {
        for rules in [MethodRules::default(), MethodRules::parse_list(" \n").unwrap()] {
            assert!(rules.is_empty() && !rules.allows(&Method::GET));
        }
        let read_only = MethodRules::read_only();
        assert!(read_only.allows(&Method::GET) && read_only.allows(&Method::HEAD));
        assert!(!read_only.allows(&Method::OPTIONS) && !read_only.allows(&Method::POST));
        assert!(MethodRules::any().allows(&Method::DELETE) && !MethodRules::any().is_empty());
        assert!(MethodRules::parse_list("any").unwrap().names_any());
    }

    #[test]
    fn refused() {
        for (text, item, why) in [
            ("GET get", "get", MethodError::LowerCase),
            ("Any", "Any", MethodError::LowerCase),
            ("GE(T", "GE(T", MethodError::NotAToken),
            ("GÉT", "GÉT", MethodError::NotAToken),
        ] {
            let error = MethodRules::parse_list(text).unwrap_err();
            assert_eq!((error.item.as_str(), error.reason), (item, why));
        }
        assert!(serde_json::from_str::<MethodRules>(r#"[""]"#).is_err());
    }

    #[test]
    fn as_a_list_of_texts() {
        for json in [r#"["GET","POST"]"#, r#"["any"]"#, r#"["any","GET"]"#, "[]"] {
            let rules: MethodRules = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&rules).unwrap(), json);
        }
    }
}
