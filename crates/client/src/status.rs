use std::borrow::Cow;
use std::fmt;

use taa_core::answer::{Code, ErrorText};

/// What a server said about the trust of one request.
///
/// Anything but [`TrustStatus::Trusted`] is a failure: the content, if there is any, was not made for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustStatus {
    /// The request was carried out as the user. In version 4 the answer proves it.
    Trusted,
    /// The server says that it does not know this application. It can have no proof for that, since it did not look
    /// for a key.
    ApplicationUnknown,
    /// The server does not know the user. In version 4 the answer proves it.
    UserUnknown,
    /// The answer says nothing about trust: the server does not take part, or something on the way took the fields out.
    NotSupported,
    /// The answer has no valid proof although the server speaks version 4. Nothing it says may be believed, and the
    /// request may have been carried out.
    Unproven {
        /// What it says, for people: the value of its error field.
        claim: Option<Claim>,
    },
    /// The request was refused for another reason. In version 4 the answer proves it.
    Refused {
        /// The reason; [`Code::Unknown`] when it is none that this library knows.
        code: Code,
        /// What the server says, for people: the value of its error field.
        claim: Claim,
    },
}

impl TrustStatus {
    /// True when the request was carried out as the user.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        *self == Self::Trusted
    }

    /// The code of a refusal. Not to be believed when the status is [`TrustStatus::Unproven`].
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::ApplicationUnknown => Some(Code::AppUnknown),
            Self::UserUnknown => Some(Code::UserUnknown),
            Self::Refused { code, .. } => Some(*code),
            Self::Unproven { claim } => claim.as_ref().map(Claim::code),
            Self::Trusted | Self::NotSupported => None,
        }
    }

    /// What to tell the person who looks at the content; `None` when all is well.
    #[must_use]
    pub fn warning(&self) -> Option<Warning> {
        match self {
            Self::Trusted => None,
            Self::NotSupported => Some(Warning::NotSupported),
            Self::ApplicationUnknown => Some(Warning::ApplicationUnknown),
            Self::UserUnknown => Some(Warning::UserUnknown),
            Self::Unproven { claim } => Some(Warning::Other(claim.clone())),
            Self::Refused { claim, .. } => Some(Warning::Other(Some(claim.clone()))),
        }
    }
}

/// The value of an error field as it came, printable and of bounded length. It is the server's text: show it as text,
/// escaped, and decide nothing by it.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim(String);

impl Claim {
    /// The most characters that are kept.
    const MAX_LEN: usize = 1024;

    pub(crate) fn new(field: &str) -> Self {
        let printable = |c: char| if matches!(c, ' '..='~') { c } else { ' ' };
        Self(field.chars().take(Self::MAX_LEN).map(printable).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code before the first `;`.
    #[must_use]
    pub fn code(&self) -> Code {
        code_of(&self.0)
    }

    /// Code, message and parameters, when it has that form.
    #[must_use]
    pub fn error_text(&self) -> Option<ErrorText> {
        ErrorText::parse(&self.0).ok()
    }
}

/// The code of an error field (product notes: classified by what is before the first `;`).
pub(crate) fn code_of(field: &str) -> Code {
    let Ok(code) = field.split(';').next().unwrap_or_default().trim().parse();
    code
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim({:?})", self.0)
    }
}

/// A warning for the person who looks at content that was fetched without trust.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// [`TrustStatus::NotSupported`].
    NotSupported,
    /// [`TrustStatus::ApplicationUnknown`].
    ApplicationUnknown,
    /// [`TrustStatus::UserUnknown`].
    UserUnknown,
    /// Everything else, with what the server said.
    Other(Option<Claim>),
}

impl Warning {
    /// True for the two that need not be shown when warnings about trust are switched off. They only say that nothing
    /// was set up; the others say that something is wrong and are always shown.
    #[must_use]
    pub fn may_be_switched_off(&self) -> bool {
        matches!(self, Self::NotSupported | Self::ApplicationUnknown)
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> &'static str {
        match self {
            Self::NotSupported => {
                "The server does not take part in trusted connections. You see at most what everybody may see. \
                 If that is enough here, set anonymous=true."
            }
            Self::ApplicationUnknown => {
                "The server does not trust this application. You see at most what everybody may see. An administrator \
                 of the server can set up the trust; if it is not needed here, set anonymous=true."
            }
            Self::UserUnknown => {
                "The server trusts this application but does not know your user name. You see at most what everybody \
                 may see."
            }
            Self::Other(_) => {
                "The trusted connection to the server failed. The content was not made for you."
            }
        }
    }

    /// The server's own words behind it. Show them as text, escaped.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Other(claim) => claim.as_ref().map(Claim::as_str),
            _ => None,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.detail() {
            None => Cow::Borrowed(self.text()),
            Some(detail) => Cow::Owned(format!("{} The server said: {detail}", self.text())),
        };
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_these_two_may_be_switched_off() {
        let claim = Claim::new("BAD_URL;\tno;\t[]");
        for (status, off) in [
            (TrustStatus::NotSupported, true),
            (TrustStatus::ApplicationUnknown, true),
            (TrustStatus::UserUnknown, false),
            (TrustStatus::Unproven { claim: Some(claim.clone()) }, false),
            (TrustStatus::Unproven { claim: None }, false),
            (TrustStatus::Refused { code: Code::BadUrl, claim }, false),
        ] {
            assert!(!status.is_trusted());
            assert_eq!(
                status.warning().map(|warning| warning.may_be_switched_off()),
                Some(off),
                "{status:?}"
            );
        }
        assert_eq!(TrustStatus::Trusted.warning(), None);
    }

    #[test]
    fn a_claim_is_printable_and_bounded() {
        let claim = Claim::new(&format!("BAD_URL;\t\u{1b}[31m\u{e9}{}", "x".repeat(5000)));
        assert_eq!(claim.code(), Code::BadUrl);
        assert_eq!(claim.as_str().len(), 1024);
        assert!(claim.as_str().starts_with("BAD_URL;  [31m x"));
        assert_eq!(Claim::new("").code(), Code::Unknown);
        let shown = Warning::Other(Some(Claim::new("BUSY;\tlater;\t[]"))).to_string();
        assert!(shown.ends_with("The server said: BUSY; later; []"));
    }
}
