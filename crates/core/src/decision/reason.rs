use crate::answer::Code;
use crate::id::UserNameError;
#[cfg(feature = "legacy")]
use crate::legacy::FailureKind;
use crate::policy::ForwardedError;
use crate::request::{DigestError, OpenError, TargetError};

/// Exactly why a request was refused: for the server's own log. The wire gets its [`Reason::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The socket's address is not among the application's.
    #[error("the remote address is not allowed")]
    AddressRemote,
    /// The address found in `X-Forwarded-For` is not among the application's.
    #[error("the forwarded address is not allowed")]
    AddressForwarded,
    /// `X-Forwarded-For` cannot be read as far as it matters.
    #[error("X-Forwarded-For is of no use: {0}")]
    AddressUnreadable(ForwardedError),
    /// The application is switched off.
    #[error("the application is disabled")]
    ApplicationDisabled,
    /// No application has this id.
    #[error("no application has this id")]
    ApplicationUnknown,
    /// The content is longer than what is buffered for checking.
    #[error("the content is longer than what is checked")]
    ContentTooLong,
    /// The content ended early or could not be read.
    #[error("the content could not be read to its end")]
    ContentUnread,
    /// There is content and no digest.
    #[error("there is content and no digest")]
    DigestAbsent,
    /// The digest field is of no use.
    #[error("{0}")]
    DigestMalformed(DigestError),
    /// The content does not match its digest.
    #[error("the content does not match its digest")]
    DigestWrong,
    /// The decryption key of the envelope is not known, or has ended.
    #[error("the envelope names a decryption key that is unknown or has ended")]
    DecryptionKeyUnknown,
    /// Too many new sessions of this application in this second.
    #[error("too many new sessions of this application")]
    DecryptionLimit,
    /// The envelope is not valid now.
    #[error("the envelope is over or has not begun")]
    EnvelopeTime,
    /// The envelope did not open; seen as a wrong tag.
    #[error("the envelope did not open")]
    EnvelopeUnopened,
    /// A field is absent or empty.
    #[error("the field {0} is absent")]
    FieldAbsent(Field),
    /// A field stands in the request twice.
    #[error("the field {0} occurs twice")]
    FieldDoubled(Field),
    /// A field is not in its one form.
    #[error("the field {0} is not in its one form")]
    FieldForm(Field),
    /// `Connection` names a field of the protocol.
    #[error("the Connection field names {0}")]
    FieldHopByHop(Field),
    /// A field has the name of one of the protocol's but for `_` in place of `-`.
    #[error("a field looks like {0} with an underscore")]
    FieldUnderscore(Field),
    /// The fields have more than 4 KiB together.
    #[error("the fields are longer than 4 KiB together")]
    FieldsTooLong,
    /// The certificate was made before the fence: it may have been used before a restart.
    #[error("the certificate was made before the restart fence")]
    Fenced,
    /// The lifetime of the envelope is not 1–900 s.
    #[error("the lifetime of the envelope is not 1 to 900 s")]
    Lifetime,
    /// The method cannot be covered.
    #[error("the method is CONNECT")]
    MethodMalformed,
    /// The method is not among the application's.
    #[error("the method is not allowed")]
    MethodNotAllowed,
    /// The nonce table is full.
    #[error("the nonce table is full")]
    NonceTableFull,
    /// The nonce store did not answer.
    #[error("the nonce store is not available")]
    NonceUnavailable,
    /// A request of an older version was refused.
    #[cfg(feature = "legacy")]
    #[error("older version: {0:?}")]
    Older(FailureKind),
    /// A field is there that makes some servers see another request.
    #[error("the field {0} is not accepted with these fields")]
    Override(&'static str),
    /// The path is not among the application's, or is ambiguous.
    #[error("the path is not allowed")]
    PathNotAllowed,
    /// The application may not speak this version any more.
    #[error("the application may not speak this version")]
    ProtocolTooOld,
    /// The version is absent.
    #[error("the version is absent")]
    ProtocolAbsent,
    /// The version is not one that is accepted here.
    #[error("the version is not accepted")]
    ProtocolUnknown,
    /// The (session, iv) was used before.
    #[error("the certificate was used before")]
    Replayed,
    /// The request certificate did not open.
    #[error("{0}")]
    Sealed(OpenError),
    /// The signature over the envelope is not genuine.
    #[error("the signature over the envelope is wrong")]
    Signature,
    /// Too many unknown envelopes from this address in this second.
    #[error("too many unknown envelopes from this address")]
    SignatureLimit,
    /// The signing key of the envelope is not known, or has ended.
    #[error("the envelope names a signing key that is unknown or has ended")]
    SigningKeyUnknown,
    /// A length does not fit the keys.
    #[error("a length does not fit the keys")]
    SizeMismatch,
    /// The envelope is of another version or suite.
    #[error("the envelope is of another version or suite")]
    Suite,
    /// The clock, the user base or the random generator failed.
    #[error("something the decision depends on failed: {0}")]
    System(&'static str),
    /// The target cannot be covered.
    #[error("{0}")]
    TargetMalformed(TargetError),
    /// The certificate is too old.
    #[error("the certificate is too old")]
    TooOld,
    /// The certificate is dated too far ahead.
    #[error("the certificate is dated ahead")]
    TooEarly,
    /// The user name breaks the rules.
    #[error("{0}")]
    UserMalformed(UserNameError),
    /// The application may never act as this user.
    #[error("the application may never act as this user")]
    UserNever,
    /// The user may not log in.
    #[error("the user may not log in")]
    UserNotAllowed,
    /// No application may act as this user any more.
    #[error("the user is revoked for all applications")]
    UserRevoked,
    /// The user does not exist.
    #[error("the user does not exist")]
    UserUnknown,
}

impl Reason {
    /// The one place that maps a reason to what goes on the wire.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::AddressRemote => Code::BadRemoteIp,
            Self::AddressForwarded | Self::AddressUnreadable(_) => Code::BadXforwardIp,
            Self::ApplicationDisabled | Self::ApplicationUnknown => Code::AppUnknown,
            Self::ContentTooLong
            | Self::ContentUnread
            | Self::DigestAbsent
            | Self::DigestMalformed(_)
            | Self::DigestWrong => Code::BadDigest,
            Self::DecryptionKeyUnknown
            | Self::EnvelopeUnopened
            | Self::Lifetime
            | Self::Sealed(_)
            | Self::Signature
            | Self::SigningKeyUnknown => Code::BadSignature,
            Self::DecryptionLimit | Self::NonceTableFull | Self::SignatureLimit => Code::Busy,
            Self::EnvelopeTime | Self::TooOld | Self::TooEarly => Code::OldCert,
            Self::FieldAbsent(Field::Id) => Code::AppIdNotFound,
            Self::FieldAbsent(Field::Key) => Code::SecretKeyNotFound,
            Self::FieldAbsent(Field::Version)
            | Self::ProtocolTooOld
            | Self::ProtocolAbsent
            | Self::ProtocolUnknown
            | Self::Suite => Code::BadProtocolVersion,
            Self::FieldAbsent(_)
            | Self::FieldDoubled(_)
            | Self::FieldForm(_)
            | Self::FieldHopByHop(_)
            | Self::FieldUnderscore(_)
            | Self::FieldsTooLong
            | Self::MethodMalformed
            | Self::Override(_)
            | Self::SizeMismatch
            | Self::TargetMalformed(_)
            | Self::UserMalformed(_) => Code::Malformed,
            #[cfg(feature = "legacy")]
            Self::Older(kind) => kind.code(),
            Self::Fenced | Self::Replayed => Code::Replayed,
            Self::MethodNotAllowed | Self::PathNotAllowed => Code::BadUrl,
            Self::NonceUnavailable | Self::System(_) => Code::System,
            Self::UserNever | Self::UserNotAllowed | Self::UserRevoked => Code::PermissionDenied,
            Self::UserUnknown => Code::UserUnknown,
        }
    }
}

/// A field of the request, in reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// `X-Seraph-Trusted-App-Cert`
    Cert,
    /// `Content-Digest`
    ContentDigest,
    /// `Content-Type`
    ContentType,
    /// `X-Seraph-Trusted-App-ID`
    Id,
    /// `X-Seraph-Trusted-App-Key`
    Key,
    /// `X-Seraph-Trusted-App-Signature`
    Signature,
    /// `X-Seraph-Trusted-App-Version`
    Version,
}

impl Field {
    /// The five of a version 4 request, in the order of [`crate::fields::REQUEST`].
    pub(super) const REQUEST: [Self; 5] = [Self::Version, Self::Id, Self::Key, Self::Signature, Self::Cert];

    /// How many there are.
    pub(super) const COUNT: usize = 7;

    /// A number below [`COUNT`](Self::COUNT) for each.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Cert => 0,
            Self::ContentDigest => 1,
            Self::ContentType => 2,
            Self::Id => 3,
            Self::Key => 4,
            Self::Signature => 5,
            Self::Version => 6,
        }
    }

    /// The field's name as people write it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cert => "X-Seraph-Trusted-App-Cert",
            Self::ContentDigest => "Content-Digest",
            Self::ContentType => "Content-Type",
            Self::Id => "X-Seraph-Trusted-App-ID",
            Self::Key => "X-Seraph-Trusted-App-Key",
            Self::Signature => "X-Seraph-Trusted-App-Signature",
            Self::Version => "X-Seraph-Trusted-App-Version",
        }
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
