use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::response::Parts;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use taa_core::answer::{Code, ErrorText, ProvenAnswer};
use taa_core::fields;
use taa_core::request::{ContentDigest, Iv};
use taa_core::time::UnixMillis;

use crate::answer::{Retry, TrustAnswer};
use crate::body::BodyCheck;
#[cfg(feature = "legacy")]
use crate::legacy;
use crate::offset::SLOWEST_ANSWER;
use crate::peer::Peer;
use crate::session::Session;
use crate::status::{Claim, TrustStatus, code_of};

/// A signed request whose answer is awaited: what it takes to read that answer.
pub struct Pending {
    keys: AnswerKeys,
    created: UnixMillis,
    /// By the clock that does not jump.
    sent: Duration,
    safe: bool,
    head: bool,
}

/// What an answer can be proven with.
pub(crate) enum AnswerKeys {
    /// Version 4.
    V4 { session: Arc<Session>, iv: Iv },
    /// The older versions prove nothing.
    #[cfg(feature = "legacy")]
    Legacy(Arc<Peer>),
}

/// The fields of an answer, each at most once. Absent and empty are the same.
struct Fields<'a> {
    status: &'a str,
    error: &'a str,
    proof: &'a str,
    content_digest: &'a str,
}

impl Pending {
    /// Begins to wait, now.
    pub(crate) fn new(keys: AnswerKeys, created: UnixMillis, method: &Method) -> Self {
        let sent = keys.peer().own.clock.monotonic();
        Self { keys, created, sent, safe: method.is_safe(), head: method == Method::HEAD }
    }

    /// The session the request was signed in; the older versions have none.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.keys {
            AnswerKeys::V4 { session, .. } => Some(session),
            #[cfg(feature = "legacy")]
            AnswerKeys::Legacy(_) => None,
        }
    }

    /// The time in the request's certificate.
    #[must_use]
    pub fn created(&self) -> UnixMillis {
        self.created
    }

    /// Reads the final answer, as soon as its head is there: the time it took counts.
    ///
    /// A status is believed only with a valid proof (wire document, section 6). A proven answer about time teaches the
    /// [`Signer`](crate::Signer) the offset to the server's clock.
    #[must_use]
    pub fn read(&self, answer: &Parts) -> TrustAnswer {
        let Some(fields) = Fields::read(&answer.headers) else {
            return self.without_proof(TrustStatus::Unproven { claim: None });
        };
        if fields.status.is_empty() && fields.proof.is_empty() {
            return self.without_proof(TrustStatus::NotSupported);
        }
        match &self.keys {
            AnswerKeys::V4 { session, iv } if is_proven(session, iv, &fields, answer.status) => {
                self.read_proven(session, &fields, answer.status)
            }
            AnswerKeys::V4 { .. } => self.read_unproven(&fields),
            #[cfg(feature = "legacy")]
            AnswerKeys::Legacy(_) => self.without_proof(legacy::status(fields.status, fields.error)),
        }
    }

    fn read_unproven(&self, fields: &Fields<'_>) -> TrustAnswer {
        // No key was looked for yet, so no proof is possible; a proof that is there and wrong is something else.
        if fields.proof.is_empty() && fields.status == "ERROR" && code_of(fields.error) == Code::AppUnknown {
            return self.without_proof(TrustStatus::ApplicationUnknown);
        }
        let claim = (!fields.error.is_empty()).then(|| Claim::new(fields.error));
        self.without_proof(TrustStatus::Unproven { claim })
    }

    fn read_proven(&self, session: &Session, fields: &Fields<'_>, http_status: StatusCode) -> TrustAnswer {
        let check = match fields.content_digest {
            _ if self.has_no_content(http_status) => BodyCheck::Nothing,
            "" => self.check_without_digest(),
            field => match ContentDigest::parse(field) {
                Ok(digest) => BodyCheck::Digest(digest),
                // Proven and of no use: the server is broken, and "no digest" would be the weaker reading.
                Err(_) => BodyCheck::Empty,
            },
        };
        let code = code_of(fields.error);
        let status = match (fields.status, fields.error) {
            ("OK", "") => TrustStatus::Trusted,
            ("ERROR", _) if code == Code::AppUnknown => TrustStatus::ApplicationUnknown,
            ("ERROR", _) if code == Code::UserUnknown => TrustStatus::UserUnknown,
            _ => TrustStatus::Refused { code, claim: Claim::new(fields.error) },
        };
        let refused = matches!(status, TrustStatus::Refused { .. }).then_some(code);
        let server_time = match refused {
            Some(Code::OldCert | Code::Replayed) => time_in(fields.error),
            _ => None,
        };
        let retry = self.after(session, refused, server_time);
        TrustAnswer { status, proven: true, check, server_time, retry }
    }

    /// Learns from a proven refusal, and tells whether the request may be repeated (wire document, section 5).
    fn after(&self, session: &Session, refused: Option<Code>, server_time: Option<UnixMillis>) -> Retry {
        let Peer { own, offset, .. } = session.peer();
        let clock = &*own.clock;
        let quick = clock.monotonic().saturating_sub(self.sent) <= SLOWEST_ANSWER;
        if let (true, Some(time)) = (quick, server_time) {
            offset.learn(time, self.sent, clock);
        }
        match refused {
            Some(Code::OldCert) if quick => {
                // The envelope may be what is over.
                session.end();
                // A request that was early may still become valid, and be carried out then.
                let settled = server_time.is_some_and(|time| time >= self.created);
                if self.safe || settled { Retry::SignAnew } else { Retry::No }
            }
            Some(Code::OldCert | Code::Replayed | Code::Busy | Code::System) => self.by_caller(),
            _ => Retry::No,
        }
    }

    fn without_proof(&self, status: TrustStatus) -> TrustAnswer {
        let retry = if status.is_trusted() { Retry::No } else { self.by_caller() };
        TrustAnswer { status, proven: false, check: self.check_without_digest(), server_time: None, retry }
    }

    fn by_caller(&self) -> Retry {
        if self.safe { Retry::ByCaller } else { Retry::No }
    }

    fn check_without_digest(&self) -> BodyCheck {
        if self.keys.peer().record.requires_content_digest() { BodyCheck::Empty } else { BodyCheck::Nothing }
    }

    /// Answers that have fields about content and no content (RFC 9110, section 6.4.1).
    fn has_no_content(&self, status: StatusCode) -> bool {
        self.head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }
}

impl AnswerKeys {
    fn peer(&self) -> &Peer {
        match self {
            Self::V4 { session, .. } => session.peer(),
            #[cfg(feature = "legacy")]
            Self::Legacy(peer) => peer,
        }
    }
}

fn is_proven(session: &Session, iv: &Iv, fields: &Fields<'_>, http_status: StatusCode) -> bool {
    let proves = |error: &str| {
        let (status, content_digest) = (fields.status, fields.content_digest);
        ProvenAnswer { http_status: http_status.as_u16(), status, error, content_digest }.is_proven_by(
            session.keys(),
            iv,
            fields.proof,
        )
    };
    // Some HTTP libraries turn tabs into blanks.
    proves(fields.error) || proves(&ErrorText::with_tabs(fields.error))
}

impl<'a> Fields<'a> {
    /// `None` when one is doubled or not ASCII.
    fn read(headers: &'a HeaderMap) -> Option<Self> {
        Some(Self {
            status: single(headers, &fields::STATUS)?,
            error: single(headers, &fields::ERROR)?,
            proof: single(headers, &fields::PROOF)?,
            content_digest: single(headers, &fields::CONTENT_DIGEST)?,
        })
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Some(""),
        (Some(line), None) => line.to_str().ok(),
        (Some(_), Some(_)) => None,
    }
}

/// The server's time in the parameters of a refusal.
fn time_in(error: &str) -> Option<UnixMillis> {
    let text = ErrorText::parse(error).ok()?;
    let digits = text.params.first()?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().map(UnixMillis)
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Pending({}, {:?}, created {:?})",
            self.keys.peer().record.id(),
            self.session(),
            self.created
        )
    }
}
