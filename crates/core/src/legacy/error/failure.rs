use std::fmt;

use super::{LegacyErrorText, Severity, severity};
use crate::answer::Code;
use crate::legacy::Proven;

/// Why a request of an older version was refused (older versions, section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// `ID` is absent or blank.
    AppIdNotFound,
    /// No enabled application has this id.
    AppUnknown,
    /// A key, the certificate or the magic number did not decode.
    BadMagic(MagicPart),
    /// The certificate's time is not a plain decimal number. Peers answer `SYSTEM`, and so does this.
    BadNumber,
    /// `Version` is no number.
    BadProtocolVersion,
    /// The socket's address is not allowed.
    BadRemoteIp,
    /// The signature is not genuine.
    BadSignature,
    /// The path is not allowed.
    BadUrl,
    /// A forwarded address is not allowed.
    BadXforwardIp,
    /// A limit was reached. Not a code of the older versions: peers show its message.
    Busy,
    /// Version 2: `Magic` is absent or blank.
    MagicNumberNotFound,
    /// A field is doubled or all are too long. Not a code of the older versions: peers show its message.
    Malformed,
    /// There is no signature.
    MissingSignature,
    /// The certificate is not of this time.
    OldCert,
    /// The user may not log in or may not be used by this application.
    PermissionDenied,
    /// The signature was used before. Not a code of the older versions: peers show its message.
    Replayed,
    /// Version 2: `Key` is absent or blank.
    SecretKeyNotFound,
    /// The server could not decide.
    System,
    /// The version is a number, and not one that is accepted for this application.
    UnsupportedProtocolVersion,
    /// The user does not exist, or is no name.
    UserUnknown,
}

/// What did not decode, as the first parameter of `BAD_MAGIC` would name it (older versions, section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MagicPart {
    /// The `Magic` field.
    PublicKey,
    /// The `Key` field, the certificate or its magic line.
    SecretKey,
}

impl FailureKind {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::AppIdNotFound => Code::AppIdNotFound,
            Self::AppUnknown => Code::AppUnknown,
            Self::BadMagic(_) => Code::BadMagic,
            Self::BadNumber | Self::System => Code::System,
            Self::BadProtocolVersion | Self::UnsupportedProtocolVersion => Code::BadProtocolVersion,
            Self::BadRemoteIp => Code::BadRemoteIp,
            Self::BadSignature | Self::MissingSignature => Code::BadSignature,
            Self::BadUrl => Code::BadUrl,
            Self::BadXforwardIp => Code::BadXforwardIp,
            Self::Busy => Code::Busy,
            Self::MagicNumberNotFound => Code::MagicNumberNotFound,
            Self::Malformed => Code::Malformed,
            Self::OldCert => Code::OldCert,
            Self::PermissionDenied => Code::PermissionDenied,
            Self::Replayed => Code::Replayed,
            Self::SecretKeyNotFound => Code::SecretKeyNotFound,
            Self::UserUnknown => Code::UserUnknown,
        }
    }

    /// The message, with its `{0}` places not filled in.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::AppIdNotFound => "Application ID not found in request",
            Self::AppUnknown => "Unknown Application: {0}",
            Self::BadMagic(_) => "Unable to decrypt certificate {0} for application {1}",
            Self::BadNumber | Self::System => "Exception: {0} occurred serving request for application: {1}",
            Self::BadProtocolVersion => "Bad protocol version: {0}",
            Self::BadRemoteIp | Self::BadXforwardIp => "Request not allowed from IP address: {0}",
            Self::BadSignature => "Bad signature for URL: {0}",
            Self::BadUrl => "Request not allowed to access URL: {0}",
            Self::MagicNumberNotFound => "Magic Number not found in request",
            // Peers say "v2" in version 3 as well.
            Self::MissingSignature => "Missing signature in a v2 request",
            Self::OldCert => "Certificate too old. Application: {0} Certificate Created: {1} Timeout: {2}",
            Self::PermissionDenied => "Permission Denied",
            Self::SecretKeyNotFound => "Secret Key not found in request",
            Self::UnsupportedProtocolVersion => "Unsupported protocol version: {0}. required {1}",
            Self::UserUnknown => "Unknown User: {0}",
            Self::Busy | Self::Malformed | Self::Replayed => self.code().message(),
        }
    }

    /// How many parameters the message has.
    #[must_use]
    pub const fn places(self) -> usize {
        match self {
            Self::AppUnknown
            | Self::BadProtocolVersion
            | Self::BadRemoteIp
            | Self::BadSignature
            | Self::BadUrl
            | Self::BadXforwardIp
            | Self::UserUnknown => 1,
            Self::BadMagic(_) | Self::BadNumber | Self::System | Self::UnsupportedProtocolVersion => 2,
            Self::OldCert => 3,
            Self::AppIdNotFound
            | Self::Busy
            | Self::MagicNumberNotFound
            | Self::Malformed
            | Self::MissingSignature
            | Self::PermissionDenied
            | Self::Replayed
            | Self::SecretKeyNotFound => 0,
        }
    }
}

/// A refusal, ready to be written.
///
/// Its parameters are empty texts until the signature has been verified: an unknown caller learns neither addresses nor
/// URLs nor ids (older versions, sections 17 and 19).
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    kind: FailureKind,
    params: Vec<String>,
}

impl Failure {
    /// A refusal without parameters.
    #[must_use]
    pub fn new(kind: FailureKind) -> Self {
        Self { kind, params: vec![String::new(); kind.places()] }
    }

    /// The user of a proven request does not exist; its name may be told.
    #[must_use]
    pub fn user_unknown(proven: &Proven) -> Self {
        Self::unknown_name(proven.user().as_str())
    }

    /// As [`user_unknown`](Self::user_unknown), for what is no name. Only for after the signature.
    pub(in crate::legacy) fn unknown_name(name: &str) -> Self {
        Self { kind: FailureKind::UserUnknown, params: vec![name.to_owned()] }
    }

    /// What happened, for the audit trail and for counting.
    #[must_use]
    pub const fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The code on the wire.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.kind.code()
    }

    /// How grave it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        severity(self.code())
    }

    /// The text of the `Error` field.
    #[must_use]
    pub fn text(&self) -> LegacyErrorText {
        LegacyErrorText {
            code: self.code(),
            message: self.kind.message().to_owned(),
            params: self.params.clone(),
        }
    }
}

impl From<FailureKind> for Failure {
    fn from(kind: FailureKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({:?})", self.kind)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.code())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_section_10() {
        use FailureKind::*;
        for (kind, text) in [
            (AppIdNotFound, "APP_ID_NOT_FOUND;\tApplication ID not found in request;\t[]"),
            (AppUnknown, "APP_UNKNOWN;\tUnknown Application: {0};\t[\"\"]"),
            (
                BadMagic(MagicPart::PublicKey),
                "BAD_MAGIC;\tUnable to decrypt certificate {0} for application {1};\t[\"\",\"\"]",
            ),
            (
                BadNumber,
                "SYSTEM;\tException: {0} occurred serving request for application: {1};\t[\"\",\"\"]",
            ),
            (BadProtocolVersion, "BAD_PROTOCOL_VERSION;\tBad protocol version: {0};\t[\"\"]"),
            (BadRemoteIp, "BAD_REMOTE_IP;\tRequest not allowed from IP address: {0};\t[\"\"]"),
            (BadSignature, "BAD_SIGNATURE;\tBad signature for URL: {0};\t[\"\"]"),
            (BadUrl, "BAD_URL;\tRequest not allowed to access URL: {0};\t[\"\"]"),
            (BadXforwardIp, "BAD_XFORWARD_IP;\tRequest not allowed from IP address: {0};\t[\"\"]"),
            (MagicNumberNotFound, "MAGIC_NUMBER_NOT_FOUND;\tMagic Number not found in request;\t[]"),
            (MissingSignature, "BAD_SIGNATURE;\tMissing signature in a v2 request;\t[]"),
            (
                OldCert,
                "OLD_CERT;\tCertificate too old. Application: {0} Certificate Created: {1} Timeout: {2};\t[\"\",\"\",\"\"]",
            ),
            (PermissionDenied, "PERMISSION_DENIED;\tPermission Denied;\t[]"),
            (SecretKeyNotFound, "SECRET_KEY_NOT_FOUND;\tSecret Key not found in request;\t[]"),
            (
                UnsupportedProtocolVersion,
                "BAD_PROTOCOL_VERSION;\tUnsupported protocol version: {0}. required {1};\t[\"\",\"\"]",
            ),
            (UserUnknown, "USER_UNKNOWN;\tUnknown User: {0};\t[\"\"]"),
            (Replayed, "REPLAYED;\tCertificate used before;\t[]"),
        ] {
            assert_eq!(Failure::new(kind).text().to_string(), text);
            assert_eq!(
                (0..9).take_while(|n| kind.message().contains(&format!("{{{n}}}"))).count(),
                kind.places()
            );
        }
        assert_eq!(format!("{:?}", Failure::unknown_name("bob")), "Failure(UserUnknown)");
    }
}
