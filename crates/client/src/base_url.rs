use std::cmp::Ordering;
use std::fmt;

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

/// Scheme, host and port of a URL (RFC 6454), as text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    plain: bool,
    /// Host, and the port unless it is the scheme's own. Letter case does not count.
    authority: &'a str,
}

impl<'a> Origin<'a> {
    /// Where a request to this URI goes; `None` when it is not absolute.
    pub(crate) fn of(uri: &'a Uri) -> Option<Self> {
        let plain = match uri.scheme_str()? {
            "https" => false,
            "http" => true,
            _ => return None,
        };
        let authority = uri.authority()?.as_str();
        // A user in the URL is no part of where it goes.
        let authority = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        Some(Self { plain, authority: without_own_port(plain, authority) })
    }

    /// An order in which the same origins are equal.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let lower = |text: &str, other: &str| {
            let lower = |byte: u8| byte.to_ascii_lowercase();
            text.bytes().map(lower).cmp(other.bytes().map(lower))
        };
        (self.authority.len(), self.plain).cmp(&(other.authority.len(), other.plain)).then_with(|| {
            if self.authority == other.authority {
                Ordering::Equal
            } else {
                lower(self.authority, other.authority)
            }
        })
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.plain { "http" } else { "https" }, self.authority)
    }
}

/// Takes away the port that is the scheme's own.
fn without_own_port(plain: bool, authority: &str) -> &str {
    let port = if plain { ":80" } else { ":443" };
    authority.strip_suffix(port).or(authority.strip_suffix(':')).unwrap_or(authority)
}

/// The URL that a server's requests begin with, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    url: Url,
    plain: bool,
    /// As in [`Origin`].
    authority: String,
    /// Without `/` at its end; empty for a whole host.
    path: String,
}

impl BaseUrl {
    pub(crate) fn new(url: Url) -> Result<Self, BaseUrlError> {
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(BaseUrlError::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        let mut authority = url.host_str().ok_or(BaseUrlError::Host)?.to_owned();
        // The port of the scheme itself is none here.
        if let Some(port) = url.port() {
            authority = format!("{authority}:{port}");
        }
        let path = url.path().trim_end_matches('/').to_owned();
        if !path.is_empty() {
            CanonicalPath::parse(&path)?;
        }
        Ok(Self { url, plain, authority, path })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin { plain: self.plain, authority: &self.authority }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// True when both are reached at the same place and neither would get what the other does not.
    pub(crate) fn same_place(&self, other: &Self) -> bool {
        self.origin().compare(&other.origin()).is_eq() && self.path == other.path
    }

    /// True when the request's path is this URL's or below it, at a segment's boundary.
    pub(crate) fn covers_path(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// True when a `Host` field names this server.
    pub(crate) fn is_host(&self, field: &[u8]) -> bool {
        std::str::from_utf8(field).is_ok_and(|field| {
            without_own_port(self.plain, field.trim()).eq_ignore_ascii_case(&self.authority)
        })
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

    fn covers(base: &BaseUrl, uri: &str) -> bool {
        let uri = uri.parse().unwrap();
        Origin::of(&uri).is_some_and(|origin| base.origin().compare(&origin).is_eq())
            && base.covers_path(uri.path())
    }

    #[test]
    fn what_it_covers() {
        let wiki = base("https://wiki.example/confluence/");
        for inside in [
            "https://wiki.example/confluence",
            "https://WIKI.example:443/confluence/x?y",
            "https://wiki.example/confluence?x",
        ] {
            assert!(covers(&wiki, inside), "{inside}");
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
            "https://wiki.example:4430/confluence",
            "https://wiki.example:80/confluence",
            "https://wiki.example:99999/confluence",
            "/confluence",
        ] {
            assert!(!covers(&wiki, outside), "{outside}");
        }
        assert!(covers(&base("http://[::1]:8080"), "http://[::1]:8080/a"));
    }

    #[test]
    fn origins_have_one_order() {
        let sorted =
            ["https://a", "https://b", "http://a", "https://aa", "http://a:8080", "http://B:8080"].map(base);
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(one.origin().compare(&other.origin()), at.cmp(&other_at), "{one:?} {other:?}");
            }
        }
        let uri = "http://b:8080".parse().unwrap();
        assert!(Origin::of(&uri).unwrap().compare(&base("http://B:8080").origin()).is_eq());
        assert_eq!(base("https://H:443/x").origin().to_string(), "https://h");
        assert_eq!(base("http://[::1]:8080").origin().to_string(), "http://[::1]:8080");
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
        for same in ["wiki.example", "WIKI.example:443", " wiki.example "] {
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
