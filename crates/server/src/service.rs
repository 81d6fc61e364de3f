use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Request, Response};
use http_body::Body;
use taa_core::decision::{self, Prover, Reason, Refusal};
use taa_core::fields;
use taa_core::policy::Protocol;
use taa_core::request::ContentDigest;
use tower_service::Service;

use crate::answer::{self, Answering};
use crate::body::{self, BoxError, RequestBody, ResponseBody, Verdict};
use crate::judge::{self, Content, Granted};
use crate::observe;
use crate::principal::{Outcome, Principal};
use crate::resolver::UserResolver;
use crate::route::Route;
use crate::trust::{Inner, Trust};

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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // A principal that is already there was not put there by this layer. An outcome is written over.
        request.extensions_mut().remove::<Principal>();
        if !decision::is_attempt(request.headers()) {
            request.extensions_mut().insert(Outcome::NoAttempt);
            let response = self.inner.call(request.map(RequestBody::untouched));
            return Box::pin(async move {
                let mut response = response.await?;
                answer::vary(response.headers_mut());
                Ok(response.map(ResponseBody::handler))
            });
        }
        // Only the instance that was polled ready may be called (tower's documentation of `Service`).
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(attempt(inner, self.trust.clone(), self.route, request))
    }
}

fn attempt<S, R, B, ResB>(
    mut inner: S,
    trust: Trust<R>,
    route: Route,
    request: Request<B>,
) -> impl Future<Output = Result<Response<ResponseBody<ResB>>, S::Error>>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResB>>,
    R: UserResolver,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
    ResB: Body<Data = Bytes>,
    ResB::Error: Into<BoxError>,
{
    let (mut parts, body) = request.into_parts();
    // A block that owns these: an `async fn` has room for its arguments twice.
    async move {
        let trust = trust.inner();
        let started = trust.clock.monotonic();
        let took = || trust.clock.monotonic().saturating_sub(started);
        let protocol = judge::claimed_protocol(&parts);
        let mut answering = Answering { prover: None, method: parts.method.clone() };

        let judging = judge(trust, protocol, &parts, started, &mut answering.prover);
        // An answer after a panic has its proof all the same, if the tag was found good before.
        let judged = AssertUnwindSafe(judging).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a panic while a request was checked: it is refused");
            Err(Reason::System("panic").into())
        });
        let checked = match judged {
            Ok(granted) => content(granted, body, trust.request_limit, route).await,
            Err(refusal) => Err((refusal, Some(body))),
        };
        let (principal, body, end) = match checked {
            Ok(checked) => checked,
            Err((refusal, body)) => {
                let application = judge::named_application(trust, &parts.headers);
                let proven = answering.prover.is_some();
                observe::refused(&refusal, application.as_ref(), protocol, proven, took);
                return match body {
                    Some(body) if answering.goes_on_as_nobody(route, &refusal) => {
                        remove_credentials(&mut parts.headers);
                        parts.extensions.insert(Outcome::Refused(refusal.code()));
                        let request = Request::from_parts(parts, RequestBody::untouched(body));
                        let response = inner.call(request).await?.map(ResponseBody::handler);
                        Ok(answering.finish(response, Some(refusal), trust.response_limit).await)
                    }
                    _ => Ok(answering.reject(refusal, trust.response_limit).await),
                };
            }
        };
        observe::trusted(&principal, took);

        remove_credentials(&mut parts.headers);
        let end = end.map(|end| (end, principal.application().clone()));
        parts.extensions.insert(principal.clone());
        parts.extensions.insert(Outcome::Trusted(principal));
        let response = inner.call(Request::from_parts(parts, body)).await?;
        if let Some((end, application)) = end
            && !end.is_good()
        {
            let refusal = Refusal::new(Reason::DigestWrong);
            observe::refused(&refusal, Some(&application), protocol, true, took);
            return Ok(answering.reject(refusal, trust.response_limit).await);
        }
        Ok(answering.finish(response.map(ResponseBody::handler), None, trust.response_limit).await)
    }
}

async fn judge<R: UserResolver>(
    trust: &Inner<R>,
    protocol: Option<Protocol>,
    parts: &Parts,
    started: Duration,
    prover: &mut Option<Prover>,
) -> Result<Granted, Refusal> {
    match protocol {
        // In a box: it has RSA to do, and would make the future of every request larger.
        #[cfg(feature = "legacy")]
        Some(Protocol::V2 | Protocol::V3) if trust.older_versions => {
            Box::pin(crate::legacy::judge(trust, parts, started)).await
        }
        // Version 4, and every version that is not accepted here.
        _ => judge::version4(trust, parts, started, prover).await,
    }
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
fn remove_credentials(headers: &mut HeaderMap) {
    // These by their own names: to copy a name that came in asks for memory.
    for name in &FIELDS {
        headers.remove(name);
    }
    answer::remove_if(headers, |name| {
        matches!(name, "authorization" | "cookie") || name.starts_with(fields::PREFIX)
    });
}

static FIELDS: [HeaderName; 5] = fields::REQUEST;
