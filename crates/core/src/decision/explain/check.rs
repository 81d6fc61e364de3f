use super::super::{Field, Reason};

/// The checks of version 4 in their order. What section 5 says in one line is taken apart where a person has different
/// things to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    Version,
    IdAndKey,
    Fields,
    Suite,
    Application,
    Accepted,
    Address,
    Keys,
    Lengths,
    Lifetime,
    AddressLimit,
    Signature,
    OpeningTime,
    ApplicationLimit,
    Tag,
    User,
    Nonce,
    EnvelopeTime,
    Created,
    Method,
    Path,
    NeverAs,
    UserBase,
    Content,
}

impl Check {
    pub(super) const ALL: [Self; 24] = [
        Self::Version,
        Self::IdAndKey,
        Self::Fields,
        Self::Suite,
        Self::Application,
        Self::Accepted,
        Self::Address,
        Self::Keys,
        Self::Lengths,
        Self::Lifetime,
        Self::AddressLimit,
        Self::Signature,
        Self::OpeningTime,
        Self::ApplicationLimit,
        Self::Tag,
        Self::User,
        Self::Nonce,
        Self::EnvelopeTime,
        Self::Created,
        Self::Method,
        Self::Path,
        Self::NeverAs,
        Self::UserBase,
        Self::Content,
    ];

    /// Its number in the wire document, section 5.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Version | Self::IdAndKey | Self::Fields => 0,
            Self::Suite => 1,
            Self::Application | Self::Accepted => 2,
            Self::Address => 3,
            Self::Keys
            | Self::Lengths
            | Self::Lifetime
            | Self::AddressLimit
            | Self::Signature
            | Self::OpeningTime
            | Self::ApplicationLimit => 4,
            Self::Tag => 5,
            Self::User => 6,
            Self::Nonce => 7,
            Self::EnvelopeTime | Self::Created => 8,
            Self::Method | Self::Path => 9,
            Self::NeverAs => 10,
            Self::UserBase => 11,
            Self::Content => 12,
        }
    }

    /// What has to hold.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Version => "the version is 4",
            Self::IdAndKey => "application id and key are there",
            Self::Fields => "each field is there once and in its form, and none alters the request",
            Self::Suite => "the envelope is of version 4, suite 1",
            Self::Application => "the application is known and enabled",
            Self::Accepted => "it may speak this version",
            Self::Address => "it may call from this address",
            Self::Keys => "both keys of the envelope are known and have not ended",
            Self::Lengths => "envelope and signature fit these keys",
            Self::Lifetime => "the session lasts 1 to 900 s",
            Self::AddressLimit => "this address has not sent too many new sessions",
            Self::Signature => "the signature over the envelope is genuine",
            Self::OpeningTime => "the envelope is of about this time",
            Self::ApplicationLimit => "the application has not opened too many sessions",
            Self::Tag => "the envelope opens, and the tag of the request certificate is right",
            Self::User => "the user name is well-formed",
            Self::Nonce => "the certificate was not used before",
            Self::EnvelopeTime => "the session has begun and is not over",
            Self::Created => "the certificate is not too old and not dated ahead",
            Self::Method => "it may use this method",
            Self::Path => "it may use this path",
            Self::NeverAs => "it may act as this user",
            Self::UserBase => "the user exists and may log in",
            Self::Content => "the content matches its digest",
        }
    }

    /// The check that stops with this reason. `opened` tells apart the two looks at an envelope's time.
    pub(super) const fn of(reason: Reason, opened: bool) -> Self {
        match reason {
            Reason::ProtocolAbsent | Reason::ProtocolUnknown | Reason::FieldAbsent(Field::Version) => {
                Self::Version
            }
            #[cfg(feature = "legacy")]
            Reason::Older(_) => Self::Version,
            Reason::FieldAbsent(Field::Id | Field::Key) => Self::IdAndKey,
            Reason::FieldAbsent(_)
            | Reason::FieldDoubled(_)
            | Reason::FieldForm(_)
            | Reason::FieldHopByHop(_)
            | Reason::FieldUnderscore(_)
            | Reason::FieldsTooLong
            | Reason::MethodMalformed
            | Reason::Override(_)
            | Reason::TargetMalformed(_) => Self::Fields,
            Reason::Suite => Self::Suite,
            Reason::ApplicationUnknown | Reason::ApplicationDisabled => Self::Application,
            Reason::ProtocolTooOld => Self::Accepted,
            Reason::AddressRemote | Reason::AddressForwarded | Reason::AddressUnreadable(_) => Self::Address,
            Reason::SigningKeyUnknown | Reason::DecryptionKeyUnknown => Self::Keys,
            Reason::SizeMismatch => Self::Lengths,
            Reason::Lifetime => Self::Lifetime,
            Reason::SignatureLimit => Self::AddressLimit,
            Reason::Signature => Self::Signature,
            Reason::EnvelopeTime if opened => Self::EnvelopeTime,
            Reason::EnvelopeTime => Self::OpeningTime,
            Reason::DecryptionLimit => Self::ApplicationLimit,
            Reason::EnvelopeUnopened | Reason::Sealed(_) | Reason::System(_) => Self::Tag,
            Reason::UserMalformed(_) => Self::User,
            Reason::Replayed | Reason::Fenced | Reason::NonceTableFull | Reason::NonceUnavailable => {
                Self::Nonce
            }
            Reason::TooOld | Reason::TooEarly => Self::Created,
            Reason::MethodNotAllowed => Self::Method,
            Reason::PathNotAllowed => Self::Path,
            Reason::UserNever | Reason::UserRevoked => Self::NeverAs,
            Reason::UserUnknown | Reason::UserNotAllowed => Self::UserBase,
            Reason::ContentTooLong
            | Reason::ContentUnread
            | Reason::DigestAbsent
            | Reason::DigestMalformed(_)
            | Reason::DigestWrong => Self::Content,
        }
    }
}
