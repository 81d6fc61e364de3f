use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

/// The id of one application: 1–128 characters of `A-Z a-z 0-9 . _ : -` (wire document, section 1).
///
/// One id per tenant and deployment; case counts. Cloning copies a text of up to 23 characters and shares a longer one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppId(SmolStr);

impl AppId {
    /// The most characters an id may have.
    pub const MAX_LEN: usize = 128;

    /// Checks a text.
    ///
    /// # Errors
    /// When it is empty, too long, or has a character outside the alphabet.
    pub fn parse(text: &str) -> Result<Self, AppIdError> {
        if text.is_empty() {
            return Err(AppIdError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(AppIdError::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-')) {
            return Err(AppIdError::Character);
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppId({})", self.0)
    }
}

impl Borrow<str> for AppId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for AppId {
    type Err = AppIdError;
    fn from_str(text: &str) -> Result<Self, AppIdError> {
        Self::parse(text)
    }
}

impl Serialize for AppId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AppId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Why a text is no [`AppId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppIdError {
    /// It has a character other than `A-Z a-z 0-9 . _ : -`.
    #[error("an application id has only the characters A-Z a-z 0-9 . _ : -")]
    Character,
    /// It is empty.
    #[error("an application id is not empty")]
    Empty,
    /// It has more than 128 characters.
    #[error("an application id has at most 128 characters")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabet_and_length() {
        assert_eq!(AppId::parse("confluence:6512").map(|id| id.to_string()), Ok("confluence:6512".into()));
        assert!(AppId::parse(&"a".repeat(128)).is_ok());
        assert_eq!(AppId::parse(&"a".repeat(129)), Err(AppIdError::TooLong));
        assert_eq!(AppId::parse(""), Err(AppIdError::Empty));
        for bad in ["a b", "a/b", "é", "a\n", "a,b"] {
            assert_eq!(AppId::parse(bad), Err(AppIdError::Character), "{bad:?}");
        }
    }
}
