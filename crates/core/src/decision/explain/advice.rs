use std::borrow::Cow;

use crate::decision::{Field, Reason};
#[cfg(feature = "legacy")]
use crate::legacy::{FailureKind, MagicPart};

/// What to do about a refusal, in a sentence or two for whoever runs one of the two applications.
#[must_use]
pub const fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::AddressRemote => {
            "Allow the address in the application's record if it is really the application's, or name the proxy it came \
             through as a trusted one."
        }
        Reason::AddressForwarded => {
            "Allow the address in the application's record if it is really the application's. If it is that of another \
             proxy, name that one as a trusted proxy as well."
        }
        Reason::AddressUnreadable(_) => {
            "The proxy in front writes an X-Forwarded-For that cannot be read, or one proxy on the way is not named as \
             trusted. Correct the proxy's configuration."
        }
        Reason::ApplicationDisabled => {
            "The application is switched off here: enable it if that was not meant."
        }
        Reason::ApplicationUnknown => {
            "Nobody is trusted under this id: add the application, or correct the id it sends. A clone of an application \
             needs an id of its own, and has to be added under that."
        }
        Reason::ContentTooLong => "Send less, or raise the server's limit for content that is checked.",
        Reason::ContentUnread => "The connection ended before the content did: send the request again.",
        Reason::DigestAbsent => {
            "The request has content and no Content-Digest. Something added the content after signing, or took the field \
             away."
        }
        Reason::DigestMalformed(_) => {
            "The client has to send Content-Digest with exactly one sha-256 (RFC 9530)."
        }
        Reason::DigestWrong => {
            "The content was changed after signing: look for a proxy, a library or a retry that encodes, compresses or \
             rewrites it. In a log, a line end that was added is enough."
        }
        Reason::DecryptionKeyUnknown => {
            "The client sealed the envelope to a key this server does not have or that has ended: it has to refresh this \
             server's certificate. If it did, the request is meant for another server, or for a clone."
        }
        Reason::DecryptionLimit | Reason::SignatureLimit => {
            "Wait a second and repeat. If it goes on, the client makes a new session for every request instead of \
             keeping one."
        }
        Reason::EnvelopeTime => {
            "Compare the clocks of both machines. In a log, judge the request at the time it was made."
        }
        Reason::EnvelopeUnopened => {
            "The signature is genuine, and what is under it cannot be opened with the key it names: the client's software \
             is broken, or made it for another server id."
        }
        Reason::FieldAbsent(Field::Version) | Reason::ProtocolAbsent => {
            "A proxy may have taken the field away: let it pass all fields that begin with X-Seraph-Trusted-App-."
        }
        Reason::FieldAbsent(_) => {
            "The client did not send it, or a proxy took it away: let it pass all fields that begin with \
             X-Seraph-Trusted-App-."
        }
        Reason::FieldDoubled(_) => {
            "Something on the way added the field again: a proxy that signs too, or a client library that was called twice."
        }
        Reason::FieldForm(_) => {
            "The value was cut or altered on the way, often by copying from a log, or it is not of version 4."
        }
        Reason::FieldHopByHop(_) => "Correct the client or proxy that names this field in Connection.",
        Reason::FieldUnderscore(_) => {
            "Somebody sends a field that some servers take for the real one. If it is not an attack, it is a broken proxy."
        }
        Reason::FieldsTooLong => "The fields are longer than any client makes them.",
        Reason::Fenced => {
            "The server started, or its clock went back, after the certificate was made: signing it anew is enough."
        }
        Reason::Lifetime => "The client has to make sessions of 1 to 900 s.",
        Reason::MethodMalformed => "CONNECT cannot be signed.",
        Reason::MethodNotAllowed => "Allow the method in the application's record if it needs it.",
        Reason::NonceTableFull => {
            "The table of used certificates is full: raise its bound, or find out who sends so much."
        }
        Reason::NonceUnavailable => "The store of used certificates does not answer: bring it back.",
        #[cfg(feature = "legacy")]
        Reason::Older(kind) => older(kind),
        Reason::Override(_) => {
            "The field makes some servers see another request than the one that was signed: send the request without it."
        }
        Reason::PathNotAllowed => {
            "Allow the path in the application's record if it needs it. A path with dot segments, double slashes or \
             encoded separators is refused whatever the list says: the client has to send it plainly."
        }
        Reason::ProtocolTooOld => {
            "Let the application speak version 4, or lower the lowest version in its record."
        }
        Reason::ProtocolUnknown => {
            "This server speaks version 4, and 2 and 3 where it was told to. Set the version in the client's record of it."
        }
        Reason::Replayed => {
            "The same certificate came twice: a retry without signing anew, a request sent twice by a proxy, or a replay."
        }
        Reason::Sealed(_) => {
            "Method, target, Content-Type or Content-Digest are not those that were signed. Look for a proxy that \
             rewrites the path or query, strips a prefix, or changes these fields."
        }
        Reason::Signature => {
            "The envelope was altered, or made for another server id: compare this server's id with the one in the \
             client's record."
        }
        Reason::SigningKeyUnknown => {
            "The application has a new key, or one that was revoked or has ended: refresh its certificate, and compare \
             the fingerprint if that is refused."
        }
        Reason::SizeMismatch => "Envelope or signature were cut, or belong to another key.",
        Reason::Suite => "The client speaks another version or suite: bring it up to date.",
        Reason::System(_) => "Something this server depends on failed: its log tells more.",
        Reason::TargetMalformed(_) => "The target has to be a path with bytes 0x21 to 0x7E and no fragment.",
        Reason::TooOld => {
            "It took too long from signing to here, or the client's clock is slow: compare the clocks. In a log, judge \
             the request at the time it was made."
        }
        Reason::TooEarly => "The client's clock is ahead: compare the clocks of both machines.",
        Reason::UserMalformed(_) => {
            "The client has to send user names in their plain form: NFC, no control characters."
        }
        Reason::UserNever => {
            "The application's record, or the list of revoked users, forbids this user. That is meant."
        }
        Reason::UserNotAllowed => "The user may not log in here: see the user base.",
        Reason::UserRevoked => {
            "The user was revoked for all applications. If that was not meant, restore them."
        }
        Reason::UserUnknown => "The user does not exist here: names have to be the same on both sides.",
    }
}

/// Why a request was refused, in a few words.
#[must_use]
pub fn reason(reason: Reason) -> Cow<'static, str> {
    match reason {
        #[cfg(feature = "legacy")]
        Reason::Older(kind) => Cow::Borrowed(match kind {
            FailureKind::AppIdNotFound => "the application id is absent",
            FailureKind::AppUnknown => {
                "no application that is enabled has this id and a key of the older versions"
            }
            FailureKind::BadMagic(MagicPart::PublicKey) => {
                "the magic number is wrong under the application's key"
            }
            FailureKind::BadMagic(MagicPart::SecretKey) => "key or certificate do not decode",
            FailureKind::BadNumber => "the certificate's time is no plain number",
            FailureKind::BadProtocolVersion => "the version is no number",
            FailureKind::BadRemoteIp => "the remote address is not allowed",
            FailureKind::BadSignature => "the signature is wrong",
            FailureKind::BadUrl => "method or path are not allowed",
            FailureKind::BadXforwardIp => "the forwarded address is not allowed",
            FailureKind::Busy => "a limit was reached",
            FailureKind::MagicNumberNotFound => "the magic number is absent",
            FailureKind::Malformed => "a field is doubled or absent, or they are too long",
            FailureKind::MissingSignature => "there is no signature",
            FailureKind::OldCert => "the certificate is too old, or dated too far ahead",
            FailureKind::PermissionDenied => {
                "the application may not act as this user, or they may not log in"
            }
            FailureKind::Replayed => "the signature was used before",
            FailureKind::SecretKeyNotFound => "the key is absent",
            FailureKind::System => "the server could not decide",
            FailureKind::UnsupportedProtocolVersion => "the version is not accepted",
            FailureKind::UserUnknown => "the user does not exist, or is no name",
        }),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(feature = "legacy")]
const fn older(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::AppIdNotFound
        | FailureKind::SecretKeyNotFound
        | FailureKind::MagicNumberNotFound
        | FailureKind::Malformed => {
            "A field is absent, doubled or too long: look for a proxy that removes or adds fields that begin with \
             X-Seraph-Trusted-App-."
        }
        FailureKind::AppUnknown => {
            "Nobody is trusted under this id with a key of the older versions, or it is switched off: add it from its \
             certificate page."
        }
        FailureKind::BadMagic(_) => {
            "It was encrypted with another key than the one recorded here, or altered: take the application's certificate \
             page again, and compare the key."
        }
        FailureKind::BadNumber => "The certificate's time is not written as a plain number.",
        FailureKind::BadProtocolVersion | FailureKind::UnsupportedProtocolVersion => {
            "Versions 0 and 1 prove nothing and are never accepted; 2 and 3 only when the application's lowest version \
             allows it and it never spoke version 4. Let the client speak version 4."
        }
        FailureKind::BadRemoteIp | FailureKind::BadXforwardIp => {
            "Allow the address in the application's record if it is really the application's, or name the proxy it came \
             through as a trusted one."
        }
        FailureKind::BadSignature => {
            "The URL that was signed is not the one this server goes by: its configured base URL has to be the one that \
             clients call, scheme and port included."
        }
        FailureKind::BadUrl => "Allow method and path in the application's record if it needs them.",
        FailureKind::Busy => "Wait a second and repeat.",
        FailureKind::MissingSignature => {
            "Version 2 and 3 have to sign every request: set the client to sign."
        }
        FailureKind::OldCert => {
            "Compare the clocks of both machines. In a log, judge the request at the time it was made."
        }
        FailureKind::PermissionDenied => {
            "The application's record or the list of revoked users forbids this user, or the user may not log in."
        }
        FailureKind::Replayed => {
            "The same signature came twice. Peers with the later library repeat theirs for 15 minutes: allow repeats in \
             the record if that costs less than it helps."
        }
        FailureKind::System => "Something this server depends on failed: its log tells more.",
        FailureKind::UserUnknown => "The user does not exist here: names have to be the same on both sides.",
    }
}
