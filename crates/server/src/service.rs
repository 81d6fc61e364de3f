use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use http::request::Parts;
use http::{Request, Response, header};
use http_body::Body;
use taa_core::decision::{self, Reason, Refusal};
use taa_core::policy::Protocol;
use taa_core::request::ContentDigest;
use tower_service::Service;

use crate::answer::{self, Answering};
use crate::body::{self, BoxError, RequestBody, ResponseBody, Verdict};
use crate::judge::{self, Content, Granted, Judgement};
use crate::observe;
use crate::principal::{Outcome, Principal};
use crate::resolver::UserResolver;
use crate::route::Route;
use crate::trust::Trust;

/// The service that [`TrustLayer`](crate::TrustLayer) makes.
pub struct TrustService<S, R> {
    inner: S,
    trust: Trust<R>,
    route: Route,
}

impl<S, R> TrustService<S, R> {
    pub(crate) fn new(inner: S, trust: Trust<R>, route: Route) -> Self {
        Self { inner, trust, route }
    }
}

impl<S: Clone, R> Clone for TrustService<S, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), trust: self.trust.clone(), route: self.route }
    }
}

impl<S, R> fmt::Debug for TrustService<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustService")
            .field("trust", &self.trust)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

/// The future of a [`TrustService`].
pub type ResponseFuture<B, E> =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody<B>>, E>> + Send + 'static>>;

impl<S, R, B, ResB> Service<Request<B>> for TrustService<S, R>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResB>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    R: UserResolver,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    ResB: Body<Data = Bytes> + Send + 'static,
    ResB::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = S::Error;
    type Future = ResponseFuture<ResB, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Only the instance that was polled ready may be called (tower's documentation of `Service`).
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let (trust, route) = (self.trust.clone(), self.route);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            // A principal that is already there was not put there by this layer.
            parts.extensions.remove::<Principal>();
            parts.extensions.remove::<Outcome>();
            if decision::is_attempt(&parts.headers) {
                attempt(inner, &trust, route, parts, body).await
            } else {
                no_attempt(inner, parts, body).await
            }
        })
    }
}

async fn no_attempt<S, B, ResB>(
    mut inner: S,
    mut parts: Parts,
    body: B,
) -> Result<Response<ResponseBody<ResB>>, S::Error>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResB>>,
{
    parts.extensions.insert(Outcome::NoAttempt);
    let mut response = inner.call(Request::from_parts(parts, RequestBody::untouched(body))).await?;
    answer::vary(response.headers_mut());
    Ok(response.map(ResponseBody::handler))
}

async fn attempt<S, R, B, ResB>(
    mut inner: S,
    trust: &Trust<R>,
    route: Route,
    parts: Parts,
    body: B,
) -> Result<Response<ResponseBody<ResB>>, S::Error>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResB>>,
    R: UserResolver,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
    ResB: Body<Data = Bytes>,
    ResB::Error: Into<BoxError>,
{
    let started = trust.inner().clock.monotonic();
    let protocol = judge::claimed_protocol(&parts);
    let method = parts.method.clone();
    let judged = AssertUnwindSafe(judge(trust.clone(), protocol, parts)).catch_unwind().await;
    let Ok((mut parts, Judgement { prover, application, verdict })) = judged else {
        tracing::error!("a panic while a request was checked: it is refused");
        let answering = Answering { prover: None, method };
        return Ok(answering.reject(Reason::System("panic").into(), trust.inner().response_limit).await);
    };
    let answering = Answering { prover, method };
    let limits = (trust.inner().request_limit, trust.inner().response_limit);

    let checked = match verdict {
        Ok(granted) => content(granted, body, limits.0, route).await,
        Err(refusal) => Err((refusal, Some(body))),
    };
    let took = trust.inner().clock.monotonic().saturating_sub(started);
    let (principal, body, end) = match checked {
        Ok(checked) => checked,
        Err((refusal, body)) => {
            observe::refused(&refusal, application.as_ref(), protocol, answering.prover.is_some(), took);
            return match body {
                Some(body) if answering.goes_on_as_nobody(route, &refusal) => {
                    remove_credentials(&mut parts);
                    parts.extensions.insert(Outcome::Refused(refusal.code()));
                    let request = Request::from_parts(parts, RequestBody::untouched(body));
                    let response = inner.call(request).await?.map(ResponseBody::handler);
                    Ok(answering.finish(response, Some(refusal), limits.1).await)
                }
                _ => Ok(answering.reject(refusal, limits.1).await),
            };
        }
    };
    observe::trusted(&principal, took);

    remove_credentials(&mut parts);
    parts.extensions.insert(principal.clone());
    parts.extensions.insert(Outcome::Trusted(principal));
    let response = inner.call(Request::from_parts(parts, body)).await?;
    if end.is_some_and(|end| !end.is_good()) {
        let refusal = Refusal::new(Reason::DigestWrong);
        observe::refused(&refusal, application.as_ref(), protocol, true, took);
        return Ok(answering.reject(refusal, limits.1).await);
    }
    Ok(answering.finish(response.map(ResponseBody::handler), None, limits.1).await)
}

/// Takes and gives back the head, so that the future owns all it needs.
async fn judge<R: UserResolver>(
    trust: Trust<R>,
    protocol: Option<Protocol>,
    parts: Parts,
) -> (Parts, Judgement) {
    let judgement = match protocol {
        #[cfg(feature = "legacy")]
        Some(Protocol::V2 | Protocol::V3) if trust.inner().older_versions => {
            crate::legacy::judge(trust.inner(), &parts).await
        }
        // Version 4, and every version that is not accepted here.
        _ => judge::version4(trust.inner(), &parts).await,
    };
    (parts, judgement)
}

type CheckedContent<B> = (Principal, RequestBody<B>, Option<Verdict>);

/// Step 12. A refusal here comes without the body: it was read.
async fn content<B>(
    granted: Granted,
    body: B,
    limit: usize,
    route: Route,
) -> Result<CheckedContent<B>, (Refusal, Option<B>)>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let Granted { principal, content } = granted;
    let expected: Option<ContentDigest> = match content {
        Content::Unsigned => return Ok((principal, RequestBody::untouched(body), None)),
        Content::Signed(Ok(expected)) => expected,
        Content::Signed(Err(refusal)) => return Err((refusal, None)),
    };
    if let (true, Some(expected)) = (route.verifying_stream, expected) {
        let short =
            body.size_hint().exact().is_some_and(|length| usize::try_from(length).is_ok_and(|l| l <= limit));
        if !short {
            let (body, end) = body::verify_stream(body, expected);
            return Ok((principal, body, Some(end)));
        }
    }
    match body::check(body, expected, limit).await {
        Ok(content) => Ok((principal, RequestBody::checked(content), None)),
        Err(reason) => Err((reason.into(), None)),
    }
}

/// No other way of logging in is tried with these fields, whatever came of them.
fn remove_credentials(parts: &mut Parts) {
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.remove(header::COOKIE);
    answer::remove_fields(&mut parts.headers);
}
