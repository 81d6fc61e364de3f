use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use smol_str::SmolStr;

/// A user's name as two applications share it: 1–255 bytes of UTF-8 in NFC, without control, format, private-use,
/// unassigned, default-ignorable or line-separating code points; the only blank is U+0020, neither first nor last
/// (wire document, section 4).
///
/// A name is refused, never repaired. Case counts here; what a user base makes of it is the resolver's choice. Cloning
/// copies a name of up to 23 bytes and shares a longer one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(SmolStr);

impl UserName {
    /// The most bytes a name may have.
    pub const MAX_LEN: usize = 255;

    /// Checks a text.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn parse(text: &str) -> Result<Self, UserNameError> {
        if text.is_empty() {
            return Err(UserNameError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(UserNameError::TooLong);
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return Err(UserNameError::OuterBlank);
        }
        if text.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
            return Ok(Self(SmolStr::new(text)));
        }
        if !text.chars().all(allowed) {
            return Err(UserNameError::Character);
        }
        if !ComposingNormalizerBorrowed::new_nfc().is_normalized(text) {
            return Err(UserNameError::NotNormalized);
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// Checks bytes from the wire.
    ///
    /// # Errors
    /// When they are not UTF-8, or the first rule the text breaks.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UserNameError> {
        Self::parse(std::str::from_utf8(bytes).map_err(|_| UserNameError::NotUtf8)?)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(c: char) -> bool {
    if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) {
        return false;
    }
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        GeneralCategory::Control
        | GeneralCategory::Format
        | GeneralCategory::Surrogate
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator => false,
        GeneralCategory::SpaceSeparator => c == ' ',
        _ => true,
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserName({:?})", self.as_str())
    }
}

impl Borrow<str> for UserName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = UserNameError;
    fn from_str(text: &str) -> Result<Self, UserNameError> {
        Self::parse(text)
    }
}

/// Why a text is no [`UserName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserNameError {
    /// It has a code point that names may not have.
    #[error(
        "a user name has no control, invisible, private-use or unassigned characters and no blank but U+0020"
    )]
    Character,
    /// It is empty.
    #[error("a user name is not empty")]
    Empty,
    /// It is not in Unicode normalization form C.
    #[error("a user name is in Unicode normalization form C")]
    NotNormalized,
    /// It is not UTF-8.
    #[error("a user name is UTF-8")]
    NotUtf8,
    /// It begins or ends with a blank.
    #[error("a user name neither begins nor ends with a blank")]
    OuterBlank,
    /// It has more than 255 bytes.
    #[error("a user name has at most 255 bytes")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted() {
        for name in
            ["a", "user with spaces", "Ünïcödé.user", "名前", "o'brien@example.com", "ﬁ", &"x".repeat(255)]
        {
            assert!(UserName::parse(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn refused() {
        use UserNameError::*;
        for (name, why) in [
            ("", Empty),
            (" a", OuterBlank),
            ("a ", OuterBlank),
            ("a\nb", Character),
            ("a\u{7f}", Character),
            ("a\u{202e}b", Character),
            ("a\u{a0}b", Character),
            ("a\u{200b}", Character),
            ("a\u{2028}", Character),
            ("\u{3164}", Character),
            ("\u{e000}", Character),
            ("\u{378}", Character),
            ("e\u{301}", NotNormalized),
        ] {
            assert_eq!(UserName::parse(name), Err(why), "{name:?}");
        }
        assert_eq!(UserName::parse(&"x".repeat(256)), Err(TooLong));
        assert_eq!(UserName::from_bytes(b"\xff"), Err(NotUtf8));
        assert_eq!(UserName::from_bytes(b"\xed\xa0\x80"), Err(NotUtf8));
    }
}
