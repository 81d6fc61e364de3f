//! What the lists of rules have in common: how their text is split, and how they name a bad item.

use std::str::FromStr;

/// One item of a list is refused. The whole list is refused with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{item:?}: {reason}")]
pub struct ListError<E> {
    /// The first bad item, as it was written.
    pub item: String,
    /// What is wrong with it.
    pub reason: E,
}

/// Reads the items of a text in order; empty ones (blank lines, doubled separators) are left out.
pub(super) fn parse<T: FromStr>(
    text: &str,
    separates: impl Fn(char) -> bool,
) -> Result<Vec<T>, ListError<T::Err>> {
    text.split(separates)
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| item.parse().map_err(|reason| ListError { item: item.to_owned(), reason }))
        .collect()
}

/// Lines, commas or blanks: for items that have none of them inside.
pub(super) fn comma_or_blank(c: char) -> bool {
    c == ',' || c.is_whitespace()
}

/// Lines or commas: for items that may have blanks inside.
pub(super) fn comma_or_line(c: char) -> bool {
    matches!(c, ',' | '\n' | '\r')
}

/// Serde for a type whose text form is `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use serde_as_text;
