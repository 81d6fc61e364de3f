use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use taa_core::id::UserName;
use taa_core::request::ContentDigest;
use tower_layer::Layer;
use tower_service::Service;

use crate::answer::Retry;
use crate::body::{BodyCheck, VerifiedBody};
use crate::error::SignError;
use crate::outgoing;
use crate::signer::Signer;

/// On whose behalf a request is made: an extension of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnBehalfOf(pub UserName);

/// Content of requests is held in memory up to this size unless another was named: 2 MiB.
pub const DEFAULT_BODY_LIMIT: usize = 2 * 1024 * 1024;

/// A tower layer that signs what a hyper client sends.
///
/// * A request with the extension [`OnBehalfOf`] is signed; without it, it goes on unsigned. Fields of the protocol that
///   are there already are taken out of both.
/// * Content is read into memory first, up to a limit.
/// * The answer carries a [`TrustAnswer`](crate::TrustAnswer) as an extension, and its content is checked as it is read.
/// * A request is signed anew and sent again, once, when the answer says [`Retry::SignAnew`].
/// * A redirect is an answer like any other. What follows redirects or repeats requests goes *around* this layer, so that
///   each attempt is signed anew or refused; nothing that does so may be inside.
#[derive(Clone, Debug)]
pub struct SignLayer {
    signer: Signer,
    body_limit: usize,
}

impl SignLayer {
    /// A layer that signs with `signer`.
    #[must_use]
    pub fn new(signer: Signer) -> Self {
        Self { signer, body_limit: DEFAULT_BODY_LIMIT }
    }

    /// How many bytes of content a request may have.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }
}

impl<S> Layer<S> for SignLayer {
    type Service = SignService<S>;

    fn layer(&self, inner: S) -> SignService<S> {
        SignService { inner, layer: self.clone() }
    }
}

/// What [`SignLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct SignService<S> {
    inner: S,
    layer: SignLayer,
}

impl<S, B, R> Service<Request<B>> for SignService<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<VerifiedBody<R>>;
    type Error = ServiceError<S::Error>;
    type Future = ResponseFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(ServiceError::Inner)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone is not ready; the one that was polled is. See the documentation of `tower_service::Service`.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        ResponseFuture(Box::pin(send(inner, self.layer.clone(), request)))
    }
}

async fn send<S, B, R>(
    mut inner: S,
    layer: SignLayer,
    request: Request<B>,
) -> Result<Response<VerifiedBody<R>>, ServiceError<S::Error>>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>>,
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: Body<Data = Bytes>,
{
    let (mut parts, body) = request.into_parts();
    let content = read(body, layer.body_limit).await?;
    let Some(OnBehalfOf(user)) = parts.extensions.remove() else {
        outgoing::remove_trust_fields(&mut parts.headers);
        let request = Request::from_parts(parts, Full::new(content));
        let answer = inner.call(request).await.map_err(ServiceError::Inner)?;
        return Ok(answer.map(|body| VerifiedBody::new(body, BodyCheck::Nothing)));
    };

    let digest = (!content.is_empty()).then(|| ContentDigest::of(&content));
    let mut first = true;
    loop {
        let pending = layer.signer.sign(&mut parts, &user, digest.as_ref())?;
        let request = Request::from_parts(parts.clone(), Full::new(content.clone()));
        let (mut head, body) = inner.call(request).await.map_err(ServiceError::Inner)?.into_parts();
        let trust = pending.read(&head);
        if first && trust.retry() == Retry::SignAnew {
            first = false;
            poll_fn(|cx| inner.poll_ready(cx)).await.map_err(ServiceError::Inner)?;
            continue;
        }
        let body = VerifiedBody::new(body, trust.body_check());
        head.extensions.insert(trust);
        return Ok(Response::from_parts(head, body));
    }
}

/// Reads the content of a request.
async fn read<B, E>(body: B, limit: usize) -> Result<Bytes, ServiceError<E>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ServiceError::BodyTooLong { limit }),
        Err(error) => Err(ServiceError::Body(error)),
    }
}

/// The answer to come.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<R, E>(BoxedAnswer<R, E>);

type BoxedAnswer<R, E> =
    Pin<Box<dyn Future<Output = Result<Response<VerifiedBody<R>>, ServiceError<E>>> + Send>>;

impl<R, E> Future for ResponseFuture<R, E> {
    type Output = Result<Response<VerifiedBody<R>>, ServiceError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<R, E> fmt::Debug for ResponseFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture(..)")
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError<E> {
    /// The content of the request could not be read.
    #[error("the content of the request could not be read")]
    Body(#[source] Box<dyn Error + Send + Sync>),
    /// The content of the request is longer than what is held in memory.
    #[error("the content of the request is longer than {limit} bytes")]
    BodyTooLong {
        /// The most bytes that are.
        limit: usize,
    },
    /// The client failed.
    #[error("the request could not be sent")]
    Inner(#[source] E),
    /// The request was not signed, and not sent.
    #[error("the request was not signed: {0}")]
    Sign(#[from] SignError),
}
