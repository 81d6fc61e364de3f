use std::fmt;

use taa_core::certificate::{Certificate, CertificateKey, KeyUse};
use taa_core::envelope::Lifetime;
use taa_core::id::AppId;
#[cfg(feature = "legacy")]
use taa_core::legacy::SignedVersion;
use taa_core::policy::Protocol;
use url::Url;

use crate::base_url::{BaseUrl, BaseUrlError};

/// A server that may get requests on behalf of users, as a person confirmed it.
///
/// The certificate must be one that was verified and whose fingerprint a person compared (wire document, section 7):
/// requests are sealed to the decryption key in it.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerRecord {
    id: AppId,
    base: BaseUrl,
    speaks: Speaks,
    lifetime: Lifetime,
    require_content_digest: bool,
}

/// Which version is spoken to a server. It is part of its record and never changes by itself.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Version 4, to this current decryption key.
    V4(Box<CertificateKey>),
    /// An older version.
    #[cfg(feature = "legacy")]
    Legacy(SignedVersion),
}

impl ServerRecord {
    /// Begins with what the certificate says: id, base URL, current decryption key; version 4.
    pub fn builder(certificate: &Certificate) -> ServerRecordBuilder {
        let content = certificate.content();
        ServerRecordBuilder {
            id: content.iss.clone(),
            base_url: content.base_url.clone(),
            speaks: content.current(KeyUse::Decryption).cloned().map(|key| Speaks::V4(Box::new(key))),
            lifetime: Lifetime::default(),
            insecure_allow_http: false,
            require_content_digest: false,
        }
    }

    /// Begins with a server that knows nothing newer than version 2 or 3.
    ///
    /// Whoever can hold back one request can use it with another method and content, in version 2 for another user as
    /// well, and no answer is proven (older versions, sections 17 to 19).
    #[cfg(feature = "legacy")]
    pub fn insecure_legacy(id: AppId, base_url: Url, version: SignedVersion) -> ServerRecordBuilder {
        ServerRecordBuilder {
            id,
            base_url,
            speaks: Some(Speaks::Legacy(version)),
            lifetime: Lifetime::default(),
            insecure_allow_http: false,
            require_content_digest: false,
        }
    }

    /// The server's application id.
    #[must_use]
    pub fn id(&self) -> &AppId {
        &self.id
    }

    /// Where it is: only requests to this URL and below are signed for it.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        self.base.url()
    }

    /// The version that is spoken to it.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match &self.speaks {
            Speaks::V4(_) => Protocol::V4,
            #[cfg(feature = "legacy")]
            Speaks::Legacy(SignedVersion::V3) => Protocol::V3,
            #[cfg(feature = "legacy")]
            Speaks::Legacy(SignedVersion::V2) => Protocol::V2,
        }
    }

    /// How long its sessions last.
    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// Whether content is only accepted with a proven digest.
    #[must_use]
    pub fn requires_content_digest(&self) -> bool {
        self.require_content_digest
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub(crate) fn speaks(&self) -> &Speaks {
        &self.speaks
    }
}

impl fmt::Debug for ServerRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerRecord({} at {}, version {})", self.id, self.base_url(), self.protocol())
    }
}

/// Collects a [`ServerRecord`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ServerRecordBuilder {
    id: AppId,
    base_url: Url,
    speaks: Option<Speaks>,
    lifetime: Lifetime,
    insecure_allow_http: bool,
    require_content_digest: bool,
}

impl ServerRecordBuilder {
    /// Another URL under which this application reaches the server, such as one of an inner network.
    pub fn base_url(mut self, base_url: Url) -> Self {
        self.base_url = base_url;
        self
    }

    /// How long a session lasts; 300 s by default.
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Allows plain `http` to a server that is not on loopback.
    ///
    /// Whoever is on the way then reads every answer, and every request but for the user's name.
    pub fn insecure_allow_http(mut self, allow: bool) -> Self {
        self.insecure_allow_http = allow;
        self
    }

    /// Accepts content only with a digest under a valid proof. Without this, content that has none is protected by TLS
    /// alone (wire document, section 6); a server sends none with content that is longer than its limit.
    pub fn require_content_digest(mut self, require: bool) -> Self {
        self.require_content_digest = require;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// When the base URL is of no use or plain `http` to another machine, or the certificate has no current decryption
    /// key.
    pub fn build(self) -> Result<ServerRecord, RecordError> {
        let base = BaseUrl::new(self.base_url)?;
        if base.is_plain() && !base.is_loopback() && !self.insecure_allow_http {
            return Err(RecordError::HttpNotAllowed);
        }
        let speaks = self.speaks.ok_or(RecordError::NoDecryptionKey)?;
        Ok(ServerRecord {
            id: self.id,
            base,
            speaks,
            lifetime: self.lifetime,
            require_content_digest: self.require_content_digest,
        })
    }
}

impl fmt::Debug for ServerRecordBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerRecordBuilder({} at {})", self.id, self.base_url)
    }
}

/// Why a server cannot be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The base URL is of no use.
    #[error(transparent)]
    BaseUrl(#[from] BaseUrlError),
    /// The base URL is plain `http` to another machine.
    #[error("plain http is only for servers on loopback; insecure_allow_http allows it")]
    HttpNotAllowed,
    /// The certificate lists no current decryption key: the application is a client only.
    #[error("the server's certificate has no current decryption key")]
    NoDecryptionKey,
}
