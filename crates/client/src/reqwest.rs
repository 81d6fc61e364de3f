//! A client of the crate `reqwest` that signs (feature `reqwest`).
//!
//! [`client`] makes the only client that does: it follows no redirects and repeats nothing by itself, because both
//! would send a signature a second time.
//!
//! ```no_run
//! use taa_client::reqwest::{RequestBuilderExt, ResponseExt, client};
//!
//! # async fn search(signer: taa_client::Signer, fred: taa_core::id::UserName) -> Result<(), Box<dyn std::error::Error>> {
//! let client = client(signer, reqwest::Client::builder())?;
//! let url = "https://tracker.example/jira/rest/api/2/search?jql=project=HSP";
//! let answer = client.get(url).on_behalf_of(&fred).send().await?;
//! let warning = answer.trust().warning();
//! // The text is an error if it is not what the server sent.
//! let issues = answer.text().await?;
//! # drop((warning, issues));
//! # Ok(())
//! # }
//! ```

use ::reqwest::{Body, Client, ClientBuilder, Request, Response, ResponseBuilderExt as _, redirect, retry};
use async_trait::async_trait;
use http::Extensions;
use http::request::Parts;
use reqwest_middleware::{ClientWithMiddleware, Middleware, Next, RequestBuilder};
use taa_core::id::UserName;
use taa_core::request::{ContentDigest, TargetError};

use crate::answer::{Retry, TrustAnswer};
use crate::body::VerifiedBody;
use crate::error::SignError;
use crate::layer::OnBehalfOf;
use crate::outgoing;
use crate::pending::Pending;
use crate::signer::Signer;
use crate::status::TrustStatus;

/// Builds a client that signs requests made [`on_behalf_of`](RequestBuilderExt::on_behalf_of) a user and sends the others
/// as they are.
///
/// `builder` is for certificates, proxies, time limits and the like; its settings for redirects and retries are replaced.
/// It must not have default headers that are about content or credentials, nor a cookie store: they are added after
/// signing, and the server refuses or drops them. More middleware goes *around* this client, not into it.
///
/// # Errors
/// When `reqwest` cannot build it.
pub fn client(signer: Signer, builder: ClientBuilder) -> Result<ClientWithMiddleware, ::reqwest::Error> {
    let client: Client = builder.redirect(redirect::Policy::none()).retry(retry::never()).build()?;
    Ok(reqwest_middleware::ClientBuilder::new(client).with(Sign(signer)).build())
}

/// Not public: in another client it could be followed by redirects.
#[derive(Debug)]
struct Sign(Signer);

#[async_trait]
impl Middleware for Sign {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let Some(OnBehalfOf(user)) = extensions.remove() else {
            outgoing::remove_trust_fields(request.headers_mut());
            return next.run(request, extensions).await;
        };
        let mut first = true;
        loop {
            let pending = self.sign(&mut request, &user).map_err(reqwest_middleware::Error::middleware)?;
            let again = request.try_clone();
            let url = request.url().clone();
            let response = next.clone().run(request, extensions).await?;
            let (mut head, body) = http::Response::<Body>::from(response).into_parts();
            let trust = pending.read(&head);
            match again {
                Some(again) if first && trust.retry() == Retry::SignAnew => {
                    first = false;
                    request = again;
                    continue;
                }
                _ => {}
            }
            let body = Body::wrap(VerifiedBody::new(body, trust.body_check()));
            head.extensions.insert(trust);
            let mut response = http::Response::builder()
                .url(url)
                .body(body)
                .map_err(|_| reqwest_middleware::Error::middleware(RequestError::Sign(SignError::Field)))?;
            *response.status_mut() = head.status;
            *response.version_mut() = head.version;
            *response.headers_mut() = head.headers;
            response.extensions_mut().extend(head.extensions);
            return Ok(Response::from(response));
        }
    }
}

impl Sign {
    fn sign(&self, request: &mut Request, user: &UserName) -> Result<Pending, RequestError> {
        let digest = match request.body().map(Body::as_bytes) {
            None | Some(Some([])) => None,
            Some(Some(content)) => Some(ContentDigest::of(content)),
            Some(None) => return Err(RequestError::Stream),
        };
        let mut parts = parts_of(request)?;
        let pending = self.0.sign(&mut parts, user, digest.as_ref());
        *request.headers_mut() = parts.headers;
        Ok(pending?)
    }
}

/// The head of a request. Its fields are moved out; whoever calls this puts them back.
fn parts_of(request: &mut Request) -> Result<Parts, SignError> {
    if request.url().fragment().is_some() {
        return Err(SignError::Target(TargetError::Character));
    }
    let uri = request.url().as_str().parse().map_err(|_| SignError::Target(TargetError::Form))?;
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = request.method().clone();
    parts.uri = uri;
    parts.headers = std::mem::take(request.headers_mut());
    Ok(parts)
}

/// What makes a request one of a user.
pub trait RequestBuilderExt {
    /// Makes this request on behalf of `user`: it is signed, and refused if it cannot be.
    #[must_use]
    fn on_behalf_of(self, user: &UserName) -> Self;
}

impl RequestBuilderExt for RequestBuilder {
    fn on_behalf_of(self, user: &UserName) -> Self {
        self.with_extension(OnBehalfOf(user.clone()))
    }
}

/// What an answer says about trust.
pub trait ResponseExt {
    /// What was read from it; `None` when the request was not made on behalf of a user.
    fn trust_answer(&self) -> Option<&TrustAnswer>;

    /// What the server said. [`TrustStatus::NotSupported`] when the request was not made on behalf of a user.
    fn trust(&self) -> TrustStatus {
        self.trust_answer().map_or(TrustStatus::NotSupported, |answer| answer.status().clone())
    }
}

impl ResponseExt for Response {
    fn trust_answer(&self) -> Option<&TrustAnswer> {
        self.extensions().get()
    }
}

/// Why a request was not sent. Found in [`reqwest_middleware::Error::Middleware`] with `downcast_ref`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It was not signed.
    #[error("the request was not signed: {0}")]
    Sign(#[from] SignError),
    /// Its content is a stream: the digest has to be known before the first byte is sent.
    #[error("the content of a signed request has to be in memory")]
    Stream,
}
