use http::Uri;
use taa_core::certificate::WELL_KNOWN_PATH;
use taa_core::policy::{CanonicalPath, PathError};
use url::{Host, Url};

/// Where an application serves its certificate document: below its base URL (wire document, section 7).
#[must_use]
pub fn certificate_url(base: &Url) -> Url {
    below(base, WELL_KNOWN_PATH)
}

/// Where an application serves the certificate page of the older versions (older versions, section 11).
#[must_use]
pub fn legacy_certificate_url(base: &Url) -> Url {
    below(base, "/admin/appTrustCertificate")
}

fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// True when a URL leads to this host.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The URL that a server's requests begin with, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    url: Url,
    host: String,
    port: u16,
    /// Without `/` at its end; empty for a whole host.
    path: String,
}

impl BaseUrl {
    pub(crate) fn new(url: Url) -> Result<Self, BaseUrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        let host = url.host_str().ok_or(BaseUrlError::Host)?.to_owned();
        let port = url.port_or_known_default().ok_or(BaseUrlError::Host)?;
        let path = url.path().trim_end_matches('/').to_owned();
        if !path.is_empty() {
            CanonicalPath::parse(&path)?;
        }
        Ok(Self { url, host, port, path })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Scheme, host, and the port unless it is the scheme's own.
    #[cfg(feature = "legacy")]
    pub(crate) fn origin(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", self.url.scheme(), self.host)
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// True when both are reached at the same place and neither would get what the other does not.
    pub(crate) fn same_place(&self, other: &Self) -> bool {
        self.url.scheme() == other.url.scheme()
            && self.host == other.host
            && self.port == other.port
            && self.path == other.path
    }

    /// True when the request goes to this URL or below it, at a segment's boundary.
    pub(crate) fn covers(&self, uri: &Uri) -> bool {
        uri.scheme_str() == Some(self.url.scheme())
            && uri.host().is_some_and(|host| host.eq_ignore_ascii_case(&self.host))
            && uri.port_u16().unwrap_or(self.default_port()) == self.port
            && uri
                .path()
                .strip_prefix(self.path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// True when a `Host` field names this server.
    pub(crate) fn is_host(&self, field: &[u8]) -> bool {
        let Ok(field) = std::str::from_utf8(field) else { return false };
        let Ok(authority) = field.trim().parse::<http::uri::Authority>() else { return false };
        !authority.as_str().contains('@')
            && authority.host().eq_ignore_ascii_case(&self.host)
            && authority.port_u16().unwrap_or(self.default_port()) == self.port
    }

    fn default_port(&self) -> u16 {
        if self.is_plain() { 80 } else { 443 }
    }
}

/// Why a base URL is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// It has a user name or a password.
    #[error("a base URL has no user name and no password")]
    Credentials,
    /// It has no host.
    #[error("a base URL has a host")]
    Host,
    /// Servers would read its path differently.
    #[error("the path of the base URL is ambiguous: {0}")]
    Path(#[from] PathError),
    /// It has a query or a fragment.
    #[error("a base URL has no query and no fragment")]
    Query,
    /// It is neither `http` nor `https`.
    #[error("a base URL is http or https")]
    Scheme,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        BaseUrl::new(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn what_it_covers() {
        let wiki = base("https://wiki.example/confluence/");
        for inside in [
            "https://wiki.example/confluence",
            "https://WIKI.example:443/confluence/x?y",
            "https://wiki.example/confluence?x",
        ] {
            assert!(wiki.covers(&inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "http://wiki.example/confluence",
            "https://wiki.example:8443/confluence",
            "https://wiki.example/confluence2",
            "https://wiki.example/Confluence",
            "https://wiki.example/",
            "https://wiki.example.evil/confluence",
            "https://evil.example/confluence",
            "https://wiki.example@evil.example/confluence",
            "/confluence",
        ] {
            assert!(!wiki.covers(&outside.parse().unwrap()), "{outside}");
        }
        assert!(base("http://[::1]:8080").covers(&"http://[::1]:8080/a".parse().unwrap()));
    }

    #[test]
    fn loopback() {
        for inside in ["http://localhost:1", "http://127.8.8.8", "http://[::1]"] {
            assert!(base(inside).is_loopback(), "{inside}");
        }
        for outside in
            ["http://localhost.example", "http://128.0.0.1", "http://[::2]", "http://127.0.0.1.nip.io"]
        {
            assert!(!base(outside).is_loopback(), "{outside}");
        }
    }

    #[test]
    fn hosts() {
        let wiki = base("https://wiki.example");
        for same in ["wiki.example", "WIKI.example:443"] {
            assert!(wiki.is_host(same.as_bytes()), "{same}");
        }
        for other in ["wiki.example:80", "evil.example", "wiki.example@evil.example", "", "a@wiki.example"] {
            assert!(!wiki.is_host(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn refused() {
        for (text, why) in [
            ("ftp://h/", BaseUrlError::Scheme),
            ("https://u@h/", BaseUrlError::Credentials),
            ("https://h/?", BaseUrlError::Query),
            ("https://h/#f", BaseUrlError::Query),
            ("https://h/a%2Fb", BaseUrlError::Path(PathError::EscapedSlash)),
        ] {
            assert_eq!(BaseUrl::new(text.parse().unwrap()).err(), Some(why), "{text}");
        }
    }

    #[test]
    fn certificates_are_below_the_base() {
        for base in ["https://h/c", "https://h/c/"] {
            let base = base.parse().unwrap();
            assert_eq!(certificate_url(&base).as_str(), "https://h/c/.well-known/taa-certificate");
            assert_eq!(legacy_certificate_url(&base).as_str(), "https://h/c/admin/appTrustCertificate");
        }
        assert_eq!(certificate_url(&"http://h".parse().unwrap()).path(), WELL_KNOWN_PATH);
    }
}
