use std::fmt;

use super::{FormatError, ParamsError, format_message, read_params, write_params};
use crate::answer::Code;

/// The text of an `Error` field as versions 0 to 3 write it: `CODE;⇥message;⇥["param",…]` (older versions, section 10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyErrorText {
    /// The code; [`Code::Unknown`] when the text named one that is not known.
    pub code: Code,
    /// The message, with its `{0}` places not filled in.
    pub message: String,
    /// The parameters.
    pub params: Vec<String>,
}

impl LegacyErrorText {
    /// Reads a field value. HTTP libraries turn the tabs into blanks; then it is split after `;` and any blanks.
    ///
    /// # Errors
    /// When it does not have three parts, or the third holds no parameters.
    pub fn parse(text: &str) -> Result<Self, LegacyErrorTextError> {
        let (code, message, params) = split(text).ok_or(LegacyErrorTextError::Parts)?;
        let params =
            read_params(params)?.into_iter().collect::<Option<Vec<_>>>().ok_or(LegacyErrorTextError::Null)?;
        let Ok(code) = code.parse();
        Ok(Self { code, message: message.to_owned(), params })
    }

    /// The message with its parameters in place, for people.
    ///
    /// # Errors
    /// When the message is no message format.
    pub fn formatted(&self) -> Result<String, FormatError> {
        format_message(&self.message, &self.params)
    }

    /// The text in printable ASCII and tabs, so that it fits a field value whatever a user is called: other characters
    /// of parameters become `\uXXXX`, which every reader of the format takes.
    #[must_use]
    pub fn to_field_value(&self) -> String {
        let mut out = String::new();
        for c in self.to_string().chars() {
            match c {
                '\t' | ' '..='~' => out.push(c),
                _ => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            }
        }
        out
    }
}

/// Three parts. With tabs in it the text is split as peers split it: at every `;⇥`, empty parts at the end dropped.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    if text.contains(";\t") {
        let mut parts: Vec<&str> = text.split(";\t").collect();
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        let [code, message, params] = parts.as_slice() else { return None };
        return Some((code, message, params));
    }
    // Without them the message ends where a `;` and the bracket of the parameters come.
    let blank = |c: char| matches!(c, ' ' | '\t');
    let (code, rest) = text.split_once(';')?;
    let rest = rest.trim_start_matches(blank);
    rest.match_indices(';').find_map(|(at, _)| {
        let (message, params) = rest.split_at_checked(at)?;
        let params = params.strip_prefix(';')?.trim_start_matches(blank);
        params.starts_with('[').then_some((code, message, params))
    })
}

impl fmt::Display for LegacyErrorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};\t{};\t{}", self.code, self.message, write_params(&self.params))
    }
}

/// How grave a refusal is to the peers' library. It is never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The request could not be judged.
    Error,
    /// The request was judged and found wrong.
    Fail,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Fail => "FAIL",
        }
    }
}

/// How grave a code is (older versions, section 10). Codes that are newer count as `FAIL`, except `BUSY`.
#[must_use]
pub const fn severity(code: Code) -> Severity {
    match code {
        Code::BadRemoteIp
        | Code::BadXforwardIp
        | Code::BadUrl
        | Code::OldCert
        | Code::MissingCert
        | Code::BadMagic
        | Code::BadSignature
        | Code::BadDigest
        | Code::Malformed
        | Code::Replayed => Severity::Fail,
        Code::AppIdNotFound
        | Code::AppUnknown
        | Code::BadProtocolVersion
        | Code::Busy
        | Code::MagicNumberNotFound
        | Code::PermissionDenied
        | Code::SecretKeyNotFound
        | Code::System
        | Code::Unknown
        | Code::UserUnknown => Severity::Error,
    }
}

/// Why a text is no error text of the older versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyErrorTextError {
    /// A parameter is `null`.
    #[error("a parameter of the error text is null")]
    Null,
    /// The third part holds no parameters.
    #[error("the error text has no parameters: {0}")]
    Params(#[from] ParamsError),
    /// It does not have three parts.
    #[error("an error text has the form CODE; message; [parameters]")]
    Parts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_that_became_blanks() {
        let text = LegacyErrorText {
            code: Code::AppUnknown,
            message: "Unknown; Application: {0}".to_owned(),
            params: vec!["a; [b".to_owned()],
        };
        assert_eq!(LegacyErrorText::parse(&text.to_string()), Ok(text.clone()));
        assert_eq!(LegacyErrorText::parse(&text.to_string().replace('\t', "  ")), Ok(text.clone()));
        assert_eq!(LegacyErrorText::parse(&text.to_string().replace('\t', "")), Ok(text));
    }

    #[test]
    fn fits_a_field_value() {
        let text = LegacyErrorText {
            code: Code::UserUnknown,
            message: "Unknown User: {0}".to_owned(),
            params: vec!["Jos\u{e9} \u{1f600}\u{7f}".to_owned()],
        };
        let value = text.to_field_value();
        assert_eq!(value, "USER_UNKNOWN;\tUnknown User: {0};\t[\"Jos\\u00e9 \\ud83d\\ude00\\u007f\"]");
        assert!(http::HeaderValue::from_str(&value).is_ok());
        assert_eq!(LegacyErrorText::parse(&value), Ok(text));
    }
}
