use std::fmt;
use std::str::FromStr;

/// Why a request was refused, as it stands on the wire (wire document, section 5; older versions, section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The application id is absent or empty.
    AppIdNotFound,
    /// No enabled application has this id.
    AppUnknown,
    /// The content does not match its digest, or has none.
    BadDigest,
    /// Versions 0–3: a key, certificate or magic number did not decode.
    BadMagic,
    /// The version is absent, unknown, or not accepted for this application.
    BadProtocolVersion,
    /// The socket's address is not allowed.
    BadRemoteIp,
    /// The signature, the envelope or the request certificate is not genuine.
    BadSignature,
    /// Method or path do not match the application's rules.
    BadUrl,
    /// The address found in `X-Forwarded-For` is not allowed.
    BadXforwardIp,
    /// A limit was reached; the request may be sent again later.
    Busy,
    /// Versions 1 and 2: the magic number is absent.
    MagicNumberNotFound,
    /// A field is missing, doubled, too long or not in its one form.
    Malformed,
    /// A certificate page has no usable content. Never sent.
    MissingCert,
    /// The certificate is not of this time.
    OldCert,
    /// The user may not be used by this application, or may not log in.
    PermissionDenied,
    /// The certificate was used before, or may have been.
    Replayed,
    /// The key field is absent or empty.
    SecretKeyNotFound,
    /// The server could not decide.
    System,
    /// A code this library does not know. Never sent.
    Unknown,
    /// The user does not exist.
    UserUnknown,
}

impl Code {
    /// Every code, in the order of the wire documents' names.
    pub const ALL: [Self; 20] = [
        Self::AppIdNotFound,
        Self::AppUnknown,
        Self::BadDigest,
        Self::BadMagic,
        Self::BadProtocolVersion,
        Self::BadRemoteIp,
        Self::BadSignature,
        Self::BadUrl,
        Self::BadXforwardIp,
        Self::Busy,
        Self::MagicNumberNotFound,
        Self::Malformed,
        Self::MissingCert,
        Self::OldCert,
        Self::PermissionDenied,
        Self::Replayed,
        Self::SecretKeyNotFound,
        Self::System,
        Self::Unknown,
        Self::UserUnknown,
    ];

    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppIdNotFound => "APP_ID_NOT_FOUND",
            Self::AppUnknown => "APP_UNKNOWN",
            Self::BadDigest => "BAD_DIGEST",
            Self::BadMagic => "BAD_MAGIC",
            Self::BadProtocolVersion => "BAD_PROTOCOL_VERSION",
            Self::BadRemoteIp => "BAD_REMOTE_IP",
            Self::BadSignature => "BAD_SIGNATURE",
            Self::BadUrl => "BAD_URL",
            Self::BadXforwardIp => "BAD_XFORWARD_IP",
            Self::Busy => "BUSY",
            Self::MagicNumberNotFound => "MAGIC_NUMBER_NOT_FOUND",
            Self::Malformed => "MALFORMED",
            Self::MissingCert => "MISSING_CERT",
            Self::OldCert => "OLD_CERT",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::Replayed => "REPLAYED",
            Self::SecretKeyNotFound => "SECRET_KEY_NOT_FOUND",
            Self::System => "SYSTEM",
            Self::Unknown => "UNKNOWN",
            Self::UserUnknown => "USER_UNKNOWN",
        }
    }

    /// The HTTP status of a rejected request (wire document, section 6).
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Malformed
            | Self::AppIdNotFound
            | Self::SecretKeyNotFound
            | Self::MagicNumberNotFound
            | Self::BadProtocolVersion
            | Self::BadDigest => 400,
            Self::AppUnknown | Self::BadSignature | Self::BadMagic | Self::OldCert | Self::Replayed => 401,
            Self::BadRemoteIp
            | Self::BadXforwardIp
            | Self::BadUrl
            | Self::PermissionDenied
            | Self::UserUnknown => 403,
            Self::Busy | Self::System | Self::MissingCert | Self::Unknown => 503,
        }
    }

    /// The message of a version 4 answer: fixed text that names nothing the caller sent.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::AppIdNotFound => "Application id not found in request",
            Self::AppUnknown => "Unknown application",
            Self::BadDigest => "Content does not match its digest",
            Self::BadMagic => "Bad magic number",
            Self::BadProtocolVersion => "Protocol version not accepted",
            Self::BadRemoteIp | Self::BadXforwardIp => "Address not allowed",
            Self::BadSignature => "Bad signature",
            Self::BadUrl => "Method or path not allowed",
            Self::Busy => "Too much to do, try again later",
            Self::MagicNumberNotFound => "Magic number not found in request",
            Self::Malformed => "Malformed request",
            Self::MissingCert => "Missing certificate",
            Self::OldCert => "Certificate too old",
            Self::PermissionDenied => "Permission denied",
            Self::Replayed => "Certificate used before",
            Self::SecretKeyNotFound => "Secret key not found in request",
            Self::System => "The request could not be checked",
            Self::Unknown => "Unknown error",
            Self::UserUnknown => "Unknown user",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = std::convert::Infallible;

    /// Reads a code; case counts, and one that is not known becomes [`Code::Unknown`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::ALL.into_iter().find(|code| code.as_str() == text).unwrap_or(Self::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(code));
        }
        assert_eq!("old_cert".parse(), Ok(Code::Unknown));
    }
}
