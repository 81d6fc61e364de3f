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
        // The outcome is written over. A principal beside it was not put there by this layer.
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
        let took = |started| move || trust.clock.monotonic().saturating_sub(started);
        let mut answering = Answering { prover: None, method: parts.method.clone() };
        let (body, end, refusal) =
            match check(trust, route, &parts, body, started, &mut answering.prover).await {
                Ok((principal, body, end)) => {
                    observe::trusted(&principal, took(started));
                    let end = end.map(|end| (end, principal.clone()));
                    parts.extensions.insert(Outcome::Trusted(principal));
                    (body, end, None)
                }
                Err((refusal, body)) => {
                    let protocol = judge::claimed_protocol(&parts);
                    let application = judge::named_application(trust, &parts.headers);
                    let proven = answering.prover.is_some();
                    observe::refused(&refusal, application.as_ref(), protocol, proven, took(started));
                    let (Some(body), true) = (body, answering.goes_on_as_nobody(route, &refusal)) else {
                        return Ok(answering.reject(refusal, trust.response_limit));
                    };
                    parts.extensions.insert(Outcome::Refused(refusal.code()));
                    (RequestBody::untouched(body), None, Some(refusal))
                }
            };
        remove_credentials(&mut parts.headers);
        let response = inner.call(Request::from_parts(parts, body)).await?;
        if let Some((end, principal)) = end
            && !end.is_good()
        {
            let refusal = Refusal::new(Reason::DigestWrong);
            let (application, protocol) = (Some(principal.application()), Some(principal.protocol()));
            observe::refused(&refusal, application, protocol, true, took(started));
            return Ok(answering.reject(refusal, trust.response_limit));
        }
        Ok(answering.finish(response, refusal, trust.response_limit).await)
    }
}

/// A request that may go on: as whom, with which body, and where the end of a body is noted that is checked on the way.
type Checked<B> = (Principal, RequestBody<B>, Option<Verdict>);

/// The whole check. A refusal comes with the body if that was not touched. What proves the answer is in `prover` as soon
/// as the tag was found good.
async fn check<R, B>(
    trust: &Inner<R>,
    route: Route,
    parts: &Parts,
    body: B,
    started: Duration,
    prover: &mut Option<Prover>,
) -> Result<Checked<B>, (Refusal, Option<B>)>
where
    R: UserResolver,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    // An answer after a panic has its proof all the same.
    let granted = match AssertUnwindSafe(judge::judge(trust, parts, started, prover)).catch_unwind().await {
        Ok(Ok(granted)) => granted,
        Ok(Err(refusal)) => return Err((refusal, Some(body))),
        Err(_) => {
            tracing::error!("a panic while a request was checked: it is refused");
            return Err((Reason::System("panic").into(), Some(body)));
        }
    };
    // Step 12.
    let Granted { principal, content } = granted;
    let (expected, limit) = match content {
        Content::Unsigned => return Ok((principal, RequestBody::untouched(body), None)),
        Content::Signed(Ok(expected)) => (expected, trust.request_limit),
        Content::Signed(Err(refusal)) => return Err((refusal, None)),
    };
    if let (true, Some(expected)) = (route.verifying_stream, expected) {
        let exact = body.size_hint().exact();
        if !exact.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length <= limit)) {
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
