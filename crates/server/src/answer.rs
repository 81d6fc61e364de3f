//! The answer's fields, made last: status, error, digest, proof, and what keeps caches away.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body::Body;
use taa_core::answer::{Code, ProvenAnswer};
use taa_core::decision::{Prover, Refusal};
use taa_core::fields;
use taa_core::request::ContentDigest;

use crate::body::{self, BoxError, ResponseBody};
use crate::route::Route;

/// What an answer to a request with TAA fields depends on.
pub(crate) struct Answering {
    pub(crate) prover: Option<Prover>,
    pub(crate) method: Method,
}

const VARY_CERT: HeaderValue = HeaderValue::from_static("X-Seraph-Trusted-App-Cert");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store, no-transform");

/// Shared caches must not give an anonymous answer to a trusted request, or the other way round.
pub(crate) fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, VARY_CERT);
}

impl Answering {
    /// True when the handler runs without a user, as the route chose (wire document, section 6).
    pub(crate) fn goes_on_as_nobody(&self, route: Route, refusal: &Refusal) -> bool {
        let never = matches!(refusal.code(), Code::Malformed | Code::BadDigest | Code::Busy | Code::System);
        route.anonymous && self.method.is_safe() && !never
    }

    /// The answer to a request that goes no further.
    pub(crate) fn reject<B>(&self, refusal: Refusal, limit: u64) -> Response<ResponseBody<B>> {
        let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        // Some servers send what is in the body of an answer to HEAD, and break the connection with it.
        let text = match self.method {
            Method::HEAD => String::new(),
            _ => format!("{}: {}\n", refusal.code(), refusal.code().message()),
        };
        let content = Bytes::from(text);
        let digest = (self.has_content(status) && length(&content) <= limit).then(|| digest_of(&content));
        let (mut head, body) = Response::new(ResponseBody::whole(content)).into_parts();
        head.status = status;
        let headers = &mut head.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("TAA"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        clean(headers);
        self.seal(&mut head, digest.flatten(), Some(refusal));
        Response::from_parts(head, body)
    }

    /// Puts the fields on an answer of the handler. `Content-Digest` is set when the whole content is known and no longer than
    /// `limit` (wire document, section 6); a digest the handler made for a longer content stays as it is.
    pub(crate) fn finish<B>(
        &self,
        response: Response<B>,
        refusal: Option<Refusal>,
        limit: u64,
    ) -> impl Future<Output = Response<ResponseBody<B>>>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let (mut head, body) = response.into_parts();
        async move {
            clean(&mut head.headers);
            let mut digest = None;
            let body = if !self.has_content(head.status) {
                head.headers.remove(fields::CONTENT_DIGEST);
                ResponseBody::handler(body)
            } else if body.size_hint().exact().is_none_or(|length| length > limit) {
                ResponseBody::handler(body)
            } else {
                match body::whole(body, limit).await {
                    Ok(content) => {
                        digest = digest_of(&content);
                        ResponseBody::whole(content)
                    }
                    Err(error) => {
                        // What the handler began cannot be sent: the length it promised will not come.
                        tracing::error!(error = &*error, "the content of an answer failed");
                        head.status = StatusCode::INTERNAL_SERVER_ERROR;
                        head.headers.remove(header::CONTENT_LENGTH);
                        head.headers.remove(fields::CONTENT_DIGEST);
                        ResponseBody::default()
                    }
                }
            };
            self.seal(&mut head, digest, refusal);
            Response::from_parts(head, body)
        }
    }

    /// Whether an answer of this status has content: none on HEAD, 204 and 304.
    fn has_content(&self, status: StatusCode) -> bool {
        self.method != Method::HEAD && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }

    /// The last step: status, error, digest, and the proof of all of them.
    fn seal(&self, head: &mut Parts, digest: Option<HeaderValue>, refusal: Option<Refusal>) {
        let headers = &mut head.headers;
        let status = if refusal.is_some() { "ERROR" } else { "OK" };
        let error = refusal.as_ref().map(Refusal::error_text).unwrap_or_default();
        headers.insert(fields::STATUS, HeaderValue::from_static(status));
        if !error.is_empty() {
            // Version 4 writes ASCII with tabs, always a field value; an older text may hold U+007F and then stays away.
            if let Ok(value) = HeaderValue::try_from(&error) {
                headers.insert(fields::ERROR, value);
            }
        }
        if let Some(prover) = &self.prover {
            let digest = digest.as_ref().or_else(|| headers.get(fields::CONTENT_DIGEST));
            let content_digest = digest.and_then(|digest| digest.to_str().ok()).unwrap_or_default();
            let answer =
                ProvenAnswer { http_status: head.status.as_u16(), status, error: &error, content_digest };
            if let Ok(value) = HeaderValue::try_from(prover.prove(&answer)) {
                headers.insert(fields::PROOF, value);
            }
        }
        if let Some(digest) = digest {
            headers.insert(fields::CONTENT_DIGEST, digest);
        }
        if let Some(refusal) = refusal {
            // For layers outside that log or count the reason.
            head.extensions.insert(refusal);
        }
    }
}

/// The digest as a field. It is ASCII without control characters, so there always is one.
fn digest_of(content: &[u8]) -> Option<HeaderValue> {
    HeaderValue::try_from(ContentDigest::of(content).to_field()).ok()
}

fn length(content: &[u8]) -> u64 {
    u64::try_from(content.len()).unwrap_or(u64::MAX)
}

/// Removes the fields of these names. Most often there is none: then it is one walk.
pub(crate) fn remove_if(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Removes what must not go out with an answer to a trusted request.
fn clean(headers: &mut HeaderMap) {
    remove_if(headers, |name| {
        matches!(name, "set-cookie" | "expires" | "cdn-cache-control" | "surrogate-control")
            || name.starts_with(fields::PREFIX)
    });
    headers.insert(header::CACHE_CONTROL, NO_STORE);
}
