use std::fmt;

/// One line of text, 1 to 255 characters, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary(String);

impl Summary {
    /// The most characters a summary may have.
    pub const MAX_CHARS: usize = 255;

    /// Checks a text.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(text: &str) -> Result<Self, SummaryError> {
        if text.trim().is_empty() {
            return Err(SummaryError::Empty);
        }
        if text.chars().count() > Self::MAX_CHARS {
            return Err(SummaryError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(SummaryError::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`Summary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SummaryError {
    /// It has a line end or another control character.
    #[error("a summary is one line without control characters")]
    Control,
    /// It is empty, or blank.
    #[error("a summary is not empty")]
    Empty,
    /// It has more than 255 characters.
    #[error("a summary has at most 255 characters")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line() {
        assert!(Summary::parse(&"ü".repeat(255)).is_ok());
        assert_eq!(Summary::parse(&"ü".repeat(256)), Err(SummaryError::TooLong));
        assert_eq!(Summary::parse(" "), Err(SummaryError::Empty));
        assert_eq!(Summary::parse("a\nb"), Err(SummaryError::Control));
        assert_eq!(Summary::parse("a\0b"), Err(SummaryError::Control));
    }
}
