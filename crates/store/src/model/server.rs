use taa_core::certificate::Certificate;
use taa_core::envelope::Lifetime;
use taa_core::id::AppId;
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;
use url::Url;

use super::{Refreshed, Stamp};

/// A server that trusts this application (outgoing): requests on behalf of users are signed for it.
#[derive(Clone, Debug)]
pub struct TrustingServer {
    /// Its application id; never changes.
    pub id: AppId,
    /// Its name for people.
    pub name: String,
    /// Where it is reached.
    pub base_url: Url,
    /// Its certificate; none for a server of the older versions.
    pub certificate: Option<Certificate>,
    /// The version spoken to it; only a person changes it.
    pub protocol: Protocol,
    /// How long a session with it lasts.
    pub lifetime: Lifetime,
    /// Whether plain `http` to another host is allowed.
    pub insecure_allow_http: bool,
    /// Whether content is only accepted with a proven digest.
    pub require_content_digest: bool,
    /// False: nothing is signed for it.
    pub enabled: bool,
    /// As [`TrustedApplication::version`](super::TrustedApplication::version).
    pub version: u64,
    /// When and by whom it was added.
    pub created: Stamp,
    /// When and by whom it was changed last.
    pub updated: Stamp,
    /// When a request was last signed for it; kept to about a minute.
    pub last_used: Option<UnixMillis>,
    /// What became of the last refresh of its certificate.
    pub refreshed: Option<Refreshed>,
}

/// What it takes to call a server as one's users.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of TrustingServer")]
pub struct NewServer {
    pub id: AppId,
    pub name: String,
    pub base_url: Url,
    pub certificate: Option<Certificate>,
    pub protocol: Protocol,
    pub lifetime: Lifetime,
    pub insecure_allow_http: bool,
    pub require_content_digest: bool,
}

/// A change of a server by a person.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of TrustingServer")]
pub struct ServerUpdate {
    pub version: u64,
    pub name: String,
    pub base_url: Url,
    pub protocol: Protocol,
    pub lifetime: Lifetime,
    pub insecure_allow_http: bool,
    pub require_content_digest: bool,
    pub enabled: bool,
}

impl ServerUpdate {
    /// The change that changes nothing: what is to be another is put into it.
    #[must_use]
    pub fn of(server: &TrustingServer) -> Self {
        Self {
            version: server.version,
            name: server.name.clone(),
            base_url: server.base_url.clone(),
            protocol: server.protocol,
            lifetime: server.lifetime,
            insecure_allow_http: server.insecure_allow_http,
            require_content_digest: server.require_content_digest,
            enabled: server.enabled,
        }
    }
}
