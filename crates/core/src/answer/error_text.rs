use std::fmt::{self, Write as _};

use super::Code;

/// The text of an `X-Seraph-Trusted-App-Error` field: `CODE;⇥message;⇥["param",…]`.
///
/// Written in ASCII with other characters of parameters as `\uXXXX`, so that it always fits a field value and no
/// parameter can bring in a tab or a line end (wire document, section 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorText {
    /// The code; [`Code::Unknown`] when the text named one this library does not know.
    pub code: Code,
    /// The message, with its `{0}` places not filled in.
    pub message: String,
    /// The parameters.
    pub params: Vec<String>,
}

impl ErrorText {
    /// Reads a field value strictly enough for version 4; blanks in place of the tabs are put back.
    ///
    /// # Errors
    /// When it does not have three parts, or the third is no JSON array of strings.
    pub fn parse(text: &str) -> Result<Self, ErrorTextError> {
        let (code, rest) = text.split_once(';').ok_or(ErrorTextError)?;
        let (message, params) = rest.split_once(';').ok_or(ErrorTextError)?;
        let params = serde_json::from_str(params.trim()).map_err(|_| ErrorTextError)?;
        let Ok(code) = code.parse();
        Ok(Self { code, message: message.trim().to_owned(), params })
    }

    /// A field value whose tabs a HTTP library turned into blanks, with the tabs put back: those after the first two
    /// `;`, as the proof covers them (wire document, section 6).
    #[must_use]
    pub fn with_tabs(text: &str) -> String {
        let mut parts = text.splitn(3, ';');
        let mut out = String::with_capacity(text.len());
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            out.push_str(";\t");
            out.push_str(part.trim_start_matches([' ', '\t']));
        }
        out
    }
}

impl fmt::Display for ErrorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};\t{};\t[", self.code, self.message)?;
        for (position, param) in self.params.iter().enumerate() {
            f.write_str(if position == 0 { "\"" } else { ",\"" })?;
            for c in param.chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    ' '..='~' => f.write_char(c)?,
                    _ => {
                        for unit in c.encode_utf16(&mut [0; 2]) {
                            write!(f, "\\u{unit:04x}")?;
                        }
                    }
                }
            }
            f.write_char('"')?;
        }
        f.write_char(']')
    }
}

/// A text is no error text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an error text of the form CODE; message; [parameters]")]
pub struct ErrorTextError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        let text = ErrorText {
            code: Code::BadUrl,
            message: "Method or path not allowed".into(),
            params: vec!["/a\t\"ü\u{1f600}\"\r\n".into()],
        };
        let written = text.to_string();
        assert_eq!(
            written,
            "BAD_URL;\tMethod or path not allowed;\t[\"/a\\u0009\\\"\\u00fc\\ud83d\\ude00\\\"\\u000d\\u000a\"]"
        );
        assert_eq!(ErrorText::parse(&written), Ok(text.clone()));
        let blanks = written.replace('\t', " ");
        assert_eq!(ErrorText::parse(&blanks), Ok(text));
        assert_eq!(ErrorText::with_tabs(&blanks), written);
    }

    #[test]
    fn not_an_error_text() {
        for bad in ["", "A", "A;\tb", "A;\tb;\tc", "A;\tb;\t[1]", "A;\tb;\t[\"x\""] {
            assert!(ErrorText::parse(bad).is_err(), "{bad:?}");
        }
    }
}
