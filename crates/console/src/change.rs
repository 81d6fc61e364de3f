//! What a change has to bring, whatever it changes. Checked in one place, before any handler sees the request:
//!
//! 1. A browser's word that it was not sent for another site: `Sec-Fetch-Site`, or `Origin` where a browser sends no such
//!    field. A program sends neither.
//! 2. No confirmation of who the administrator is may be due.
//! 3. Pages: a form with the token of this session. REST: the field `X-TAA-Console` with `1` or the token, which a form of
//!    another site cannot send.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Uri};
use url::{Url, form_urlencoded};

use crate::admin::Administrator;
use crate::failure::Failure;
use crate::token::FormKey;

/// The longest content that is read: lists of rules can be long.
pub(crate) const BODY_LIMIT: usize = 256 * 1024;
/// The field a program sends with a change.
pub(crate) const FIELD: &str = "x-taa-console";
/// The hidden field of every form.
pub(crate) const TOKEN: &str = "token";

const FORM: &str = "application/x-www-form-urlencoded";

/// Checks a change through a page, and hands its request back.
pub(crate) async fn check_form(
    key: &FormKey,
    administrator: &Administrator,
    request: Request,
) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    check_common(administrator, &parts)?;
    if media_type(&parts.headers) != FORM {
        return Err(Failure::UnsupportedMediaType(FORM));
    }
    let content = to_bytes(body, BODY_LIMIT).await.map_err(|_| Failure::TooLarge)?;
    let mut tokens = form_urlencoded::parse(&content).filter(|(name, _)| name == TOKEN);
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) if key.check(administrator, &token) => {}
        _ => return Err(Failure::Token),
    }
    Ok(Request::from_parts(parts, Body::from(content)))
}

/// Checks a change through the REST interface.
pub(crate) fn check_rest(
    key: &FormKey,
    administrator: &Administrator,
    request: Request,
) -> Result<Request, Failure> {
    let (parts, body) = request.into_parts();
    check_common(administrator, &parts)?;
    let mut fields = parts.headers.get_all(FIELD).iter();
    match (fields.next().and_then(|value| value.to_str().ok()), fields.next()) {
        (Some(value), None) if value == "1" || key.check(administrator, value) => {}
        _ => return Err(Failure::Token),
    }
    Ok(Request::from_parts(parts, body))
}

fn check_common(administrator: &Administrator, parts: &Parts) -> Result<(), Failure> {
    if !same_site(&parts.headers, &parts.uri) {
        return Err(Failure::CrossSite);
    }
    match administrator.confirm_at() {
        Some(at) => Err(Failure::MustConfirm { at: at.to_owned() }),
        None => Ok(()),
    }
}

/// Whether a browser says that this comes from the console's own pages, or nothing says that it comes from a browser.
fn same_site(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    match (sites.next(), sites.next()) {
        // `none` is a person's own doing: an address typed, a page opened again.
        (Some(site), None) => matches!(site.as_bytes(), b"same-origin" | b"none"),
        (Some(_), Some(_)) => false,
        (None, _) => same_origin(headers, uri),
    }
}

/// Host and port have to agree. The scheme cannot be compared: behind a proxy this service does not know it.
fn same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (None, _) => return true,
        (Some(origin), None) => origin,
        (Some(_), Some(_)) => return false,
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.or_else(|| uri.authority().map(http::uri::Authority::as_str)) else { return false };
    let Some(origin) = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()) else { return false };
    // Read with the same scheme, so that the scheme's own port is left out on both sides.
    let own = Url::parse(&format!("{}://{host}/", origin.scheme()));
    matches!(origin.scheme(), "http" | "https") && own.is_ok_and(|own| own.origin() == origin.origin())
}

pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(fields: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        same_site(&headers, &Uri::from_static("/own/publish"))
    }

    #[test]
    fn who_may_send() {
        for yes in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://elsewhere.example")],
            &[("origin", "https://tracker.example"), ("host", "tracker.example")],
            &[("origin", "http://tracker.example"), ("host", "tracker.example:80")],
            &[("origin", "https://TRACKER.example:8443"), ("host", "tracker.example:8443")],
            &[("origin", "http://[::1]:81"), ("host", "[::1]:81")],
        ] {
            assert!(judged(yes), "{yes:?}");
        }
        for no in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("origin", "null"), ("host", "tracker.example")],
            &[("origin", "https://evil.example"), ("host", "tracker.example")],
            &[("origin", "https://tracker.example.evil.example"), ("host", "tracker.example")],
            &[("origin", "https://tracker.example:8443"), ("host", "tracker.example")],
            &[("origin", "https://tracker.example")],
            &[("origin", "file:///x"), ("host", "x")],
            &[("origin", "https://a.example"), ("origin", "https://b.example"), ("host", "a.example")],
        ] {
            assert!(!judged(no), "{no:?}");
        }
    }
}
