//! What of a request is covered, and what keeps it from being signed.

use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, header};
use taa_core::fields;
use taa_core::policy::CanonicalPath;
use taa_core::request::{Covered, Target};

use crate::base_url::BaseUrl;
use crate::error::SignError;

/// Refuses what the server could only refuse, and gives what is covered, and what stands in the places of the fields to come.
pub(crate) fn cover<'a>(
    request: &'a Parts,
    base: &BaseUrl,
    content_digest: &'a str,
) -> Result<(Covered<'a>, Present), SignError> {
    let Parts { method, uri, headers, .. } = request;
    if method == Method::CONNECT {
        return Err(SignError::Method);
    }
    let found = Found::in_names_of(headers);
    if found.credentials || uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(SignError::Credentials);
    }
    if found.host && headers.get_all(header::HOST).iter().any(|host| !base.is_host(host.as_bytes())) {
        return Err(SignError::Host);
    }
    if let Some(name) = found.overriding {
        return Err(SignError::Override(name.clone()));
    }
    if found.connection {
        refuse_hop_by_hop(headers)?;
    }
    // As it goes on the wire; an absolute URI with a query and no path is refused, since it depends on the HTTP library
    // what that becomes.
    let target = Target::parse(uri.path_and_query().map_or("/", |target| target.as_str()))?;
    if !base.path().is_empty() {
        CanonicalPath::parse(target.path())?;
    }
    let content_type = if found.content_type { content_type(headers)? } else { "" };
    Ok((Covered { method, target, content_type, content_digest }, found.present))
}

/// Which names a request has that matter here. A walk over the few that are there costs less than a look for each that could be.
#[derive(Default)]
struct Found<'a> {
    credentials: bool,
    host: bool,
    connection: bool,
    content_type: bool,
    /// The first in the order of [`fields::OVERRIDES`].
    overriding: Option<&'a HeaderName>,
    present: Present,
}

/// What is in the places of the fields that signing puts in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Present {
    /// How many names of the protocol, in any version or spelling.
    trust: usize,
    content_digest: bool,
    accept_encoding: bool,
}

impl<'a> Found<'a> {
    fn in_names_of(headers: &'a HeaderMap) -> Self {
        let mut found = Self::default();
        for name in headers.keys() {
            match name.as_str() {
                "authorization" | "cookie" => found.credentials = true,
                "host" => found.host = true,
                "connection" => found.connection = true,
                "content-type" => found.content_type = true,
                "content-digest" => found.present.content_digest = true,
                "accept-encoding" => found.present.accept_encoding = true,
                "content-encoding"
                | "x-http-method"
                | "x-http-method-override"
                | "x-method-override"
                | "x-original-url"
                | "x-rewrite-url" => {
                    let first = found.overriding.filter(|other| other.as_str() < name.as_str());
                    found.overriding = first.or(Some(name));
                }
                _ if is_trust_field(name) => found.present.trust += 1,
                _ => {}
            }
        }
        found
    }
}

impl Present {
    /// How many names more a request has when it is signed, with a digest of its content or without.
    pub(crate) fn new_names(self, with_digest: bool) -> usize {
        let after = fields::REQUEST.len() + 1 + usize::from(with_digest);
        let before = self.trust + usize::from(self.content_digest) + usize::from(self.accept_encoding);
        after.saturating_sub(before)
    }

    /// Takes out every field of the protocol, in any version or spelling, and the digest that goes with them.
    pub(crate) fn remove_from(self, headers: &mut HeaderMap) {
        if self.content_digest {
            headers.remove(fields::CONTENT_DIGEST);
        }
        if self.trust > 0 {
            remove_trust_fields(headers);
        }
    }
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

/// Takes out every field of the protocol, in any version or spelling.
pub(crate) fn remove_trust_fields(headers: &mut HeaderMap) {
    while let Some(name) = headers.keys().find(|name| is_trust_field(name)).cloned() {
        headers.remove(name);
    }
}

/// Some servers hand `A_B` and `A-B` to their applications as one.
fn is_trust_field(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.len() >= fields::PREFIX.len()
        && name.bytes().zip(fields::PREFIX.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(names: impl IntoIterator<Item = HeaderName>) -> HeaderMap {
        names.into_iter().map(|name| (name, HeaderValue::from_static(""))).collect()
    }

    #[test]
    fn every_override_is_found_and_the_first_is_named() {
        for (at, name) in fields::OVERRIDES.iter().enumerate() {
            let last_first = fields::OVERRIDES.into_iter().skip(at).rev();
            let headers = with([header::ACCEPT].into_iter().chain(last_first));
            assert_eq!(Found::in_names_of(&headers).overriding, Some(name));
        }
        assert_eq!(Found::in_names_of(&with([header::ACCEPT, header::HOST])).overriding, None);
    }

    #[test]
    fn new_names_are_counted_once() {
        let twin = HeaderName::from_static("x_seraph_trusted_app_id");
        let signed = [header::ACCEPT_ENCODING].into_iter().chain(fields::REQUEST);
        for (there, new, new_with_digest) in [
            (with([header::ACCEPT]), 6, 7),
            (with([header::ACCEPT_ENCODING, twin.clone()]), 4, 5),
            (with([fields::CONTENT_DIGEST]), 5, 6),
            (with(signed.clone()), 0, 1),
            (with(signed.chain([twin])), 0, 0),
        ] {
            let present = Found::in_names_of(&there).present;
            let counts = (present.new_names(false), present.new_names(true));
            assert_eq!(counts, (new, new_with_digest), "{there:?}");
        }
    }
}
