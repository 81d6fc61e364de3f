//! What of a request is covered, and what keeps it from being signed.

use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, header};
use taa_core::fields;
use taa_core::policy::CanonicalPath;
use taa_core::request::{Covered, Target};

use crate::base_url::BaseUrl;
use crate::error::SignError;

/// Refuses what the server could only refuse, and gives what is covered.
pub(crate) fn cover<'a>(
    request: &'a Parts,
    base: &BaseUrl,
    content_digest: &'a str,
) -> Result<Covered<'a>, SignError> {
    let Parts { method, uri, headers, .. } = request;
    if method == Method::CONNECT {
        return Err(SignError::Method);
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
        || [header::AUTHORIZATION, header::COOKIE].iter().any(|name| headers.contains_key(name))
    {
        return Err(SignError::Credentials);
    }
    if headers.get_all(header::HOST).iter().any(|host| !base.is_host(host.as_bytes())) {
        return Err(SignError::Host);
    }
    if let Some(name) = fields::OVERRIDES.iter().find(|name| headers.contains_key(*name)) {
        return Err(SignError::Override(name.clone()));
    }
    refuse_hop_by_hop(headers)?;
    // As it goes on the wire; an absolute URI with a query and no path is refused, since it depends on the HTTP library
    // what that becomes.
    let target = Target::parse(uri.path_and_query().map_or("/", |target| target.as_str()))?;
    if !base.path().is_empty() {
        CanonicalPath::parse(target.path())?;
    }
    Ok(Covered { method, target, content_type: content_type(headers)?, content_digest })
}

fn refuse_hop_by_hop(headers: &HeaderMap) -> Result<(), SignError> {
    for value in headers.get_all(header::CONNECTION) {
        for token in value.as_bytes().split(|b| *b == b',') {
            let named =
                |name: &&HeaderName| token.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes());
            if let Some(name) = fields::REQUEST.iter().find(named) {
                return Err(SignError::Connection(name.clone()));
            }
        }
    }
    Ok(())
}

/// The value of `Content-Type`: at most one line, ASCII, surrounding blanks removed; absent is empty.
fn content_type(headers: &HeaderMap) -> Result<&str, SignError> {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(line) = lines.next() else { return Ok("") };
    if lines.next().is_some() {
        return Err(SignError::FieldDoubled(header::CONTENT_TYPE));
    }
    let text = line.to_str().map_err(|_| SignError::FieldNotAscii(header::CONTENT_TYPE))?;
    Ok(text.trim_matches([' ', '\t']))
}

/// Takes out every field of the protocol, in any version or spelling, and the digest that goes with them.
pub(crate) fn remove_fields(headers: &mut HeaderMap) {
    headers.remove(fields::CONTENT_DIGEST);
    remove_trust_fields(headers);
}

/// Takes out every field of the protocol, in any version or spelling.
pub(crate) fn remove_trust_fields(headers: &mut HeaderMap) {
    if !headers.keys().any(is_trust_field) {
        return;
    }
    let names: Vec<HeaderName> = headers.keys().filter(|name| is_trust_field(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Some servers hand `A_B` and `A-B` to their applications as one.
fn is_trust_field(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.len() >= fields::PREFIX.len()
        && name.bytes().zip(fields::PREFIX.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
}
