use super::{LegacyErrorText, LegacyKeyError, LegacyVerifyingKey, MAGIC, Version, java};
use crate::answer::Code;
use crate::id::{AppId, AppIdError};

/// The path a certificate page is found under, after the application's base URL (older versions, section 12).
pub const CERTIFICATE_PATH: &str = "/admin/appTrustCertificate";

/// The certificate page of an application: its id and public key in plain text, without any proof.
///
/// A person must compare the key's fingerprint over another way before it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificatePage {
    /// The application's id.
    pub app_id: AppId,
    /// Its public key.
    pub key: LegacyVerifyingKey,
    /// The number on the third line, which says little: one library writes 1 although it signs with 2. `None` when the
    /// page has two lines.
    pub version: Option<i32>,
}

impl CertificatePage {
    /// Reads a page as peers do: lines trimmed, empty ones dropped, those after the fourth ignored. The caller limits
    /// its size.
    ///
    /// # Errors
    /// What the page lacks; nothing a page can hold is a fault.
    pub fn read(text: &str) -> Result<Self, PageError> {
        let mut lines = java::lines(text).into_iter().map(java::trim).filter(|line| !line.is_empty());
        let (Some(app_id), Some(key)) = (lines.next(), lines.next()) else {
            return Err(PageError::TooFewLines);
        };
        // The key comes first, as with peers: a page of HTML is a bad key, whatever its number of lines.
        let key = LegacyVerifyingKey::from_page_line(key)?;
        let version = match (lines.next(), lines.next()) {
            (None, _) => None,
            (Some(_), None) => return Err(PageError::ThreeLines),
            (Some(version), Some(magic)) => {
                let version = java::int(version).ok_or(PageError::Version)?;
                if magic != MAGIC {
                    return Err(PageError::Magic);
                }
                Some(version)
            }
        };
        Ok(Self { app_id: AppId::parse(app_id)?, key, version })
    }

    /// Writes a page: four lines, two for version 0, no line end after the last.
    #[must_use]
    pub fn write(app_id: &AppId, key: &LegacyVerifyingKey, version: Version) -> String {
        let page = format!("{app_id}\n{}", key.page_line());
        match version {
            Version::V0 => page,
            version => format!("{page}\n{version}\n{MAGIC}"),
        }
    }
}

/// Why a text is no certificate page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The first line is no application id.
    #[error("the first line of the certificate page is no application id: {0}")]
    AppId(#[from] AppIdError),
    /// The second line is no acceptable key.
    #[error("the second line of the certificate page is no key: {0}")]
    Key(#[from] LegacyKeyError),
    /// The fourth line is not the magic number.
    #[error("the certificate page does not end with the magic number")]
    Magic,
    /// There are three lines: a version without the magic number.
    #[error("the certificate page has three lines, not two or four")]
    ThreeLines,
    /// There are fewer than two lines.
    #[error("the certificate page has fewer than two lines")]
    TooFewLines,
    /// The third line is no number.
    #[error("the third line of the certificate page is no version number")]
    Version,
}

impl PageError {
    /// The code that peers give it, where they give one (older versions, section 12).
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooFewLines => Code::MissingCert,
            Self::Magic => Code::BadMagic,
            Self::AppId(_) | Self::Key(_) | Self::ThreeLines | Self::Version => Code::System,
        }
    }

    /// The error text for it; the message is fixed and repeats nothing of the page.
    #[must_use]
    pub fn text(self) -> LegacyErrorText {
        LegacyErrorText { code: self.code(), message: self.to_string(), params: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_are_none() {
        for (text, error) in [
            ("", PageError::TooFewLines),
            ("{\"error\":1}", PageError::TooFewLines),
            ("\u{feff}", PageError::TooFewLines),
            ("<html>\n</html>", PageError::Key(LegacyKeyError::Form)),
            ("<html>\n<p>\n</html>", PageError::Key(LegacyKeyError::Form)),
            ("app:1\n\u{0}\u{1}x", PageError::Key(LegacyKeyError::Form)),
        ] {
            assert_eq!(CertificatePage::read(text), Err(error), "{text:?}");
        }
    }
}
