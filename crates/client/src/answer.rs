use taa_core::request::ContentDigest;
use taa_core::time::UnixMillis;

use crate::body::BodyCheck;
use crate::status::TrustStatus;

/// What an answer says about trust, read by [`Pending::read`](crate::Pending::read).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustAnswer {
    pub(crate) status: TrustStatus,
    pub(crate) proven: bool,
    pub(crate) check: BodyCheck,
    pub(crate) server_time: Option<UnixMillis>,
    pub(crate) retry: Retry,
}

impl TrustAnswer {
    /// What the server said.
    #[must_use]
    pub fn status(&self) -> &TrustStatus {
        &self.status
    }

    /// True when the answer has a valid proof. Older versions have none.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.proven
    }

    /// The proven digest the content must have.
    #[must_use]
    pub fn content_digest(&self) -> Option<ContentDigest> {
        match self.check {
            BodyCheck::Digest(digest) => Some(digest),
            BodyCheck::Empty | BodyCheck::Nothing => None,
        }
    }

    /// How the content is to be checked, by [`VerifiedBody`](crate::VerifiedBody).
    #[must_use]
    pub fn body_check(&self) -> BodyCheck {
        self.check
    }

    /// The server's time in a proven refusal that was about time.
    #[must_use]
    pub fn server_time(&self) -> Option<UnixMillis> {
        self.server_time
    }

    /// Whether the request may be repeated.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }
}

/// Whether a request may be repeated after this answer. Whatever is repeated is signed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It was not carried out and cannot be later: sign it anew and send it, once.
    SignAnew,
    /// It may have been carried out, and its method is safe (RFC 9110, section 9.2.1): the caller may repeat it later.
    ByCaller,
    /// Repeating is of no use, or may do the same thing twice.
    No,
}
