//! How issues come from the tracker: the seam between the pages and the trusted connection.

use std::pin::Pin;

use crate::issue_table::IssueTable;

/// Asks the tracker for issues.
pub trait IssueSource: Send + Sync + 'static {
    /// The issues that `query` (JQL, may be empty) finds for `user`.
    ///
    /// Without a user no trusted request is attempted; the tracker is asked as anybody could. A request that is not
    /// trusted is no reason to send another: the answer to it is what anybody may see.
    fn search(&self, user: Option<&str>, query: &str) -> impl Future<Output = Fetched> + Send;
}

/// What came back: the issues, and how the trust went.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The issues, or why there are none.
    pub issues: Result<IssueTable, FetchError>,
    /// How the trusted request went.
    pub trust: TrustNotice,
    /// What to tell the reader about it, in the words of whoever knows the protocol.
    pub warning: Option<String>,
}

/// How a trusted request went, as far as a page cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustNotice {
    /// No attempt was made.
    Anonymous,
    /// The tracker does not trust this wiki.
    ApplicationUnknown,
    /// The tracker does not know about trust at all.
    NotSupported,
    /// The tracker refused for another reason.
    Other {
        /// The tracker's name for the reason.
        code: String,
        /// The tracker's words for it.
        message: String,
    },
    /// The tracker answered for the user.
    Trusted,
    /// The answer cannot be shown to come from the tracker.
    Unproven,
    /// The tracker does not know the user.
    UserUnknown,
}

impl TrustNotice {
    /// Whether the reader should hear of it. Switching warnings off hides what the reader can do nothing about, a tracker
    /// that does not trust this wiki, but never what concerns the reader or may be an attack (product notes, section 4.3).
    #[must_use]
    pub const fn is_shown(&self, warnings: bool) -> bool {
        match self {
            Self::Anonymous | Self::Trusted => false,
            Self::ApplicationUnknown | Self::NotSupported => warnings,
            Self::Other { .. } | Self::Unproven | Self::UserUnknown => true,
        }
    }
}

/// Why there are no issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There was no answer.
    #[error("the tracker could not be reached")]
    Connection,
    /// The tracker refused the question, status 403.
    #[error("the tracker refused the question")]
    Forbidden,
    /// The tracker does not understand the query, status 400.
    #[error("the tracker does not understand the query")]
    Query,
    /// Another status than 200.
    #[error("the tracker answered with status {0}")]
    Status(u16),
    /// The answer is longer than one is willing to read.
    #[error("the tracker's answer is too long")]
    TooLong,
    /// The tracker wants a login, status 401.
    #[error("the tracker wants a login")]
    Unauthorized,
    /// The answer is no list of issues.
    #[error("the tracker's answer is no list of issues")]
    Unreadable,
}

impl FetchError {
    /// What an HTTP status means; nothing for 200, whose body is to be read.
    ///
    /// # Errors
    /// The reason, for every other status.
    pub const fn check_status(status: u16) -> Result<(), Self> {
        match status {
            200 => Ok(()),
            400 => Err(Self::Query),
            401 => Err(Self::Unauthorized),
            403 => Err(Self::Forbidden),
            other => Err(Self::Status(other)),
        }
    }
}

/// [`IssueSource`] behind a pointer.
pub(crate) trait IssueSourceDyn: Send + Sync {
    fn search_dyn<'a>(
        &'a self,
        user: Option<&'a str>,
        query: &'a str,
    ) -> Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>;
}

impl<S: IssueSource> IssueSourceDyn for S {
    fn search_dyn<'a>(
        &'a self,
        user: Option<&'a str>,
        query: &'a str,
    ) -> Pin<Box<dyn Future<Output = Fetched> + Send + 'a>> {
        Box::pin(self.search(user, query))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_with_and_without_warnings() {
        let other = TrustNotice::Other { code: "OLD_CERT".into(), message: "too old".into() };
        for (notice, on, off) in [
            (TrustNotice::Trusted, false, false),
            (TrustNotice::Anonymous, false, false),
            (TrustNotice::NotSupported, true, false),
            (TrustNotice::ApplicationUnknown, true, false),
            (TrustNotice::UserUnknown, true, true),
            (TrustNotice::Unproven, true, true),
            (other, true, true),
        ] {
            assert_eq!((notice.is_shown(true), notice.is_shown(false)), (on, off), "{notice:?}");
        }
    }

    #[test]
    fn statuses() {
        assert_eq!(FetchError::check_status(200), Ok(()));
        assert_eq!(FetchError::check_status(403), Err(FetchError::Forbidden));
        assert_eq!(FetchError::check_status(302), Err(FetchError::Status(302)));
    }
}
