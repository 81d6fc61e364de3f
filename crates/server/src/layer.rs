use std::fmt;

use tower_layer::Layer;

use crate::resolver::UserResolver;
use crate::route::Route;
use crate::service::TrustService;
use crate::trust::Trust;

/// Lets trusted applications call the routes behind it as their users. Made by [`Trust::layer`].
///
/// Put it outside everything that reads credentials, and inside everything that changes an answer's status, such as
/// time-outs, or that compresses: the proof covers the status and the content as this layer saw them.
#[must_use]
pub struct TrustLayer<R> {
    trust: Trust<R>,
    route: Route,
}

impl<R: UserResolver> Trust<R> {
    /// A layer for routes that trusted applications may use. It rejects what it refuses, and buffers content.
    pub fn layer(&self) -> TrustLayer<R> {
        TrustLayer::new(self.clone())
    }
}

impl<R: UserResolver> TrustLayer<R> {
    pub(crate) fn new(trust: Trust<R>) -> Self {
        Self { trust, route: Route::default() }
    }

    /// Lets refused requests with a safe method go on without a user, as JIRA did; the answer's fields tell the client.
    /// Without this they are rejected. Some refusals reject even so (wire document, section 6).
    pub fn anonymous_on_refusal(mut self) -> Self {
        self.route.anonymous = true;
        self
    }

    /// Hands content above the buffered limit to the handler while it is checked. The handler must commit nothing
    /// before it has read the end without an error; its answer is thrown away if it did not get there.
    pub fn verifying_stream(mut self) -> Self {
        self.route.verifying_stream = true;
        self
    }
}

impl<R> Clone for TrustLayer<R> {
    fn clone(&self) -> Self {
        Self { trust: self.trust.clone(), route: self.route }
    }
}

impl<R> fmt::Debug for TrustLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustLayer").field("trust", &self.trust).field("route", &self.route).finish()
    }
}

impl<S, R: UserResolver> Layer<S> for TrustLayer<R> {
    type Service = TrustService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        TrustService::new(inner, self.trust.clone(), self.route)
    }
}
