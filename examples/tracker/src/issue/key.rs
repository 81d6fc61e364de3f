use std::fmt;
use std::str::FromStr;

/// The key of a project: 2 to 10 of `A-Z`, `0-9` and `_`, a letter first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectKey(String);

/// The key of an issue: its project's key and its number in it, as `HSP-1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssueKey {
    project: ProjectKey,
    number: u32,
}

impl ProjectKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IssueKey {
    /// The issue of this number in this project.
    #[must_use]
    pub const fn new(project: ProjectKey, number: u32) -> Self {
        Self { project, number }
    }

    /// The project.
    #[must_use]
    pub const fn project(&self) -> &ProjectKey {
        &self.project
    }

    /// The number in the project.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }
}

impl FromStr for ProjectKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let good = (2..=10).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if good { Ok(Self(text.to_owned())) } else { Err(KeyError::Project) }
    }
}

impl FromStr for IssueKey {
    type Err = KeyError;

    /// Reads a key in its one spelling: no sign, no zero in front of the number.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (project, digits) = text.rsplit_once('-').ok_or(KeyError::Issue)?;
        if !digits.starts_with(|c: char| matches!(c, '1'..='9')) {
            return Err(KeyError::Issue);
        }
        Ok(Self { project: project.parse()?, number: digits.parse().map_err(|_| KeyError::Issue)? })
    }
}

impl fmt::Display for ProjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for IssueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.project, self.number)
    }
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is not a project's key, a dash and a number.
    #[error("an issue key is a project key, a dash and a number")]
    Issue,
    /// The project's key breaks its rules.
    #[error("a project key has 2 to 10 of A-Z, 0-9 and _, a letter first")]
    Project,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let key: IssueKey = "HSP-12".parse().unwrap();
        assert_eq!((key.project().as_str(), key.number(), key.to_string()), ("HSP", 12, "HSP-12".to_owned()));
        for bad in ["", "HSP", "HSP-", "HSP-0", "HSP-01", "HSP-+1", "HSP-4294967296", "HSP-1 "] {
            assert_eq!(bad.parse::<IssueKey>(), Err(KeyError::Issue), "{bad:?}");
        }
        for bad in ["-1", "HSP--1", "hsp-1", "H-1", "1AB-1", "../x-1", "ABCDEFGHIJK-1"] {
            assert_eq!(bad.parse::<IssueKey>(), Err(KeyError::Project), "{bad:?}");
        }
    }
}
