//! The trusted connection to the tracker: every question is asked as the user who looks at the page.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use reqwest_middleware::ClientWithMiddleware;
use taa_client::reqwest::{RequestBuilderExt as _, ResponseExt as _};
use taa_client::{BodyError, Signer, TrustStatus};
use taa_core::answer::Code;
use taa_core::id::{AppId, UserName};
use url::Url;

use crate::issue_table::IssueTable;
use crate::source::{FetchError, Fetched, IssueSource, TrustNotice};

/// The longest answer that is read.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// The most issues that are asked for.
const MAX_ISSUES: &str = "100";

/// Hears of a server.
type Told = dyn Fn(&AppId) + Send + Sync;

/// Issues of one tracker, asked for over a client that signs.
#[derive(Clone)]
pub struct TrustedTracker {
    client: ClientWithMiddleware,
    signer: Signer,
    base_url: Arc<Url>,
    on_keys_unknown: Option<Arc<Told>>,
}

impl TrustedTracker {
    /// Asks the tracker at `base_url`, signing with `signer`, which may come to know the tracker later.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(signer: Signer, base_url: Url) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder().timeout(std::time::Duration::from_secs(10));
        let client = taa_client::reqwest::client(signer.clone(), builder)?;
        Ok(Self { client, signer, base_url: Arc::new(base_url), on_keys_unknown: None })
    }

    /// `told` hears of a tracker that refused a request with `BAD_SIGNATURE` and proved nothing: it may have other keys
    /// by now than those that are known here.
    #[must_use]
    pub fn on_keys_unknown(mut self, told: impl Fn(&AppId) + Send + Sync + 'static) -> Self {
        self.on_keys_unknown = Some(Arc::new(told));
        self
    }

    fn look_at(&self, status: &TrustStatus) {
        let unproven = matches!(status, TrustStatus::Unproven { .. });
        let Some(told) = self.on_keys_unknown.as_ref().filter(|_| unproven) else { return };
        if status.code() == Some(Code::BadSignature) {
            let place = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
            for server in self.signer.servers() {
                if place(server.base_url()) == place(&self.base_url) {
                    told(server.id());
                }
            }
        }
    }

    fn search_url(&self, query: &str) -> Url {
        let mut url = Url::clone(&self.base_url);
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/sr/jira.issueviews:searchrequest-xml/temp/SearchRequest.xml"));
        url.query_pairs_mut().append_pair("jqlQuery", query).append_pair("tempMax", MAX_ISSUES);
        url
    }
}

impl IssueSource for TrustedTracker {
    async fn search(&self, user: Option<&str>, query: &str) -> Fetched {
        let url = self.search_url(query);
        let user = user.and_then(|name| UserName::parse(name).ok());
        // Until the tracker's certificate was taken nothing can be signed for it: ask as anybody, and say so.
        let known = url.as_str().parse().is_ok_and(|uri| self.signer.knows(&uri));
        let request = self.client.get(url);
        let (request, attempted) = match &user {
            Some(user) if known => (request.on_behalf_of(user), true),
            _ => (request, false),
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(error = %error, "the tracker could not be asked");
                return Fetched {
                    issues: Err(FetchError::Connection),
                    trust: TrustNotice::Trusted,
                    warning: None,
                };
            }
        };
        let (trust, warning) = if attempted {
            let status = response.trust();
            self.look_at(&status);
            (notice(&status), status.warning().map(|warning| warning.text().to_owned()))
        } else if user.is_some() {
            let text = "The certificate of the issue tracker has not been taken yet. The issues are those that anybody may see.";
            (TrustNotice::NotSupported, Some(text.to_owned()))
        } else {
            (TrustNotice::Anonymous, None)
        };
        // What came without a proof may be anybody's: it is not shown as the tracker's.
        let issues =
            if trust == TrustNotice::Unproven { Err(FetchError::Unreadable) } else { read(response).await };
        Fetched { issues, trust, warning }
    }
}

impl fmt::Debug for TrustedTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedTracker({})", self.base_url)
    }
}

async fn read(mut response: reqwest::Response) -> Result<IssueTable, FetchError> {
    FetchError::check_status(response.status().as_u16())?;
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if content.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(FetchError::TooLong);
        }
        content.extend_from_slice(&chunk);
    }
    IssueTable::from_xml(&content)
}

/// An answer that was altered on its way is not one that did not come.
fn broken(error: &reqwest::Error) -> FetchError {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(at) = source {
        if let Some(BodyError::Digest(_)) = at.downcast_ref::<BodyError<reqwest::Error>>() {
            return FetchError::Unreadable;
        }
        source = at.source();
    }
    FetchError::Connection
}

fn notice(status: &TrustStatus) -> TrustNotice {
    match status {
        TrustStatus::Trusted => TrustNotice::Trusted,
        TrustStatus::ApplicationUnknown => TrustNotice::ApplicationUnknown,
        TrustStatus::UserUnknown => TrustNotice::UserUnknown,
        TrustStatus::NotSupported => TrustNotice::NotSupported,
        TrustStatus::Refused { code, .. } => {
            TrustNotice::Other { code: code.to_string(), message: code.message().to_owned() }
        }
        // A kind this wiki does not know is as good as no proof.
        _ => TrustNotice::Unproven,
    }
}
