//! Serves this application's certificate, so that another one can fetch it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;
use taa_core::certificate::{Certificate, MEDIA_TYPE, WELL_KNOWN_PATH};
use taa_core::identity::Identity;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::ResponseBody;

/// Answers `GET <base URL>/.well-known/taa-certificate`, and the older versions' page when it has one; everything else
/// goes on. No login is asked for: a certificate is public (wire document, section 7). Clones serve the same pages, whatever
/// they are replaced by later.
#[derive(Clone)]
#[must_use]
pub struct CertificateLayer {
    pages: Arc<Pages>,
}

struct Pages {
    document: ArcSwap<Bytes>,
    older: ArcSwapOption<Bytes>,
}

impl CertificateLayer {
    /// Serves the certificate of this identity.
    pub fn new(identity: &Identity) -> Self {
        let document = ArcSwap::from_pointee(document(identity.certificate()));
        Self { pages: Arc::new(Pages { document, older: ArcSwapOption::empty() }) }
    }

    /// Serves the text page of the older versions as well, on every path that ends with
    /// `/admin/appTrustCertificate` (older versions, section 12).
    #[cfg(feature = "legacy")]
    pub fn with_legacy_page(self, page: impl Into<Bytes>) -> Self {
        self.replace_legacy_page(Some(page.into()));
        self
    }

    /// Replaces the text page of the older versions, as a change of the key or of the name does; `None` serves none.
    #[cfg(feature = "legacy")]
    pub fn replace_legacy_page(&self, page: Option<Bytes>) {
        self.pages.older.store(page.map(Arc::new));
    }

    /// Replaces the document, as a rotation does.
    pub fn replace(&self, identity: &Identity) {
        self.replace_certificate(identity.certificate());
    }

    /// Replaces the document by one that was made elsewhere, so that all nodes serve the same.
    pub fn replace_certificate(&self, certificate: &Certificate) {
        self.pages.document.store(Arc::new(document(certificate)));
    }
}

fn document(certificate: &Certificate) -> Bytes {
    Bytes::copy_from_slice(certificate.document().as_bytes())
}

impl Pages {
    fn find(&self, method: &Method, path: &str) -> Option<(Bytes, &'static str)> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        if path.ends_with(WELL_KNOWN_PATH) {
            return Some((self.document.load().as_ref().clone(), MEDIA_TYPE));
        }
        if !path.ends_with("/admin/appTrustCertificate") {
            return None;
        }
        let older = self.older.load();
        Some((older.as_ref()?.as_ref().clone(), "text/plain"))
    }
}

impl fmt::Debug for CertificateLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateLayer(older page: {})", self.pages.older.load().is_some())
    }
}

impl<S> Layer<S> for CertificateLayer {
    type Service = CertificateService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CertificateService { inner, pages: Arc::clone(&self.pages) }
    }
}

/// The service that [`CertificateLayer`] makes.
#[derive(Clone)]
pub struct CertificateService<S> {
    inner: S,
    pages: Arc<Pages>,
}

impl<S> fmt::Debug for CertificateService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateService(..)")
    }
}

impl<S, B, ResB> Service<Request<B>> for CertificateService<S>
where
    S: Service<Request<B>, Response = Response<ResB>>,
    ResB: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = S::Error;
    type Future = CertificateFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let head = *request.method() == Method::HEAD;
        let answer = match self.pages.find(request.method(), request.uri().path()) {
            Some(page) => Answer::Page { page: Some(page), head },
            None => Answer::Inner { future: self.inner.call(request) },
        };
        CertificateFuture { answer }
    }
}

pin_project! {
    /// The future of a [`CertificateService`].
    #[derive(Debug)]
    pub struct CertificateFuture<F> {
        #[pin]
        answer: Answer<F>,
    }
}

pin_project! {
    #[project = Projected]
    #[derive(Debug)]
    enum Answer<F> {
        Inner { #[pin] future: F },
        Page { page: Option<(Bytes, &'static str)>, head: bool },
    }
}

impl<F, ResB, E> Future for CertificateFuture<F>
where
    F: Future<Output = Result<Response<ResB>, E>>,
{
    type Output = Result<Response<ResponseBody<ResB>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().answer.project() {
            Projected::Inner { future } => {
                Poll::Ready(ready!(future.poll(context)).map(|response| response.map(ResponseBody::handler)))
            }
            Projected::Page { page, head } => {
                let (content, media_type) = page.take().unwrap_or_default();
                let length = content.len();
                // Some servers send what is in the body of an answer to HEAD, and break the connection with it.
                let content = if *head { Bytes::new() } else { content };
                let mut response = Response::new(ResponseBody::whole(content));
                *response.status_mut() = StatusCode::OK;
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
                Poll::Ready(Ok(response))
            }
        }
    }
}
