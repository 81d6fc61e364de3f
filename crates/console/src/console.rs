use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Redirect;
use axum::routing::any;
use http::Extensions;
use taa_core::crypto::{Random, SystemRandom};
use taa_core::policy::{GreatestTimeout, TrustedProxies};
use taa_core::time::UnixMillis;
use taa_server::UserResolver;
use taa_server::resolver::NameTransform;
use taa_service::Setup;
use taa_service::refresh::Refresher;
use taa_store::Store;
use taa_store::model::Snapshot;

use crate::admin::{AdminCheck, DynAdminCheck};
use crate::change::BODY_LIMIT;
use crate::failure::Failure;
use crate::links::Links;
use crate::token::FormKey;
use crate::users::Users;
use crate::visit::PeerFn;
use crate::{api, guard, headers, page};

/// The administration of trust, as a router to mount. Cloning shares it.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) setup: Setup,
    pub(crate) refresher: Refresher,
    pub(crate) admin: Box<dyn DynAdminCheck>,
    pub(crate) form_key: FormKey,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) base: Option<Links>,
    pub(crate) service: Option<Service>,
    pub(crate) users: Option<Users>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) peer: Option<PeerFn>,
    pub(crate) greatest: GreatestTimeout,
    pub(crate) older_versions: bool,
    pub(crate) problems: Option<ProblemsFn>,
}

/// The service around the console.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) url: String,
}

pub(crate) type ProblemsFn = Box<dyn Fn() -> Vec<String> + Send + Sync>;

impl Console {
    /// A console over this store, for whom `admin` lets in.
    pub fn builder(
        store: Store,
        setup: Setup,
        refresher: Refresher,
        admin: impl AdminCheck,
    ) -> ConsoleBuilder {
        ConsoleBuilder {
            inner: Inner {
                store,
                setup,
                refresher,
                admin: Box::new(admin),
                form_key: FormKey::new([0; 32]),
                random: Arc::new(SystemRandom),
                base: None,
                service: None,
                users: None,
                proxies: TrustedProxies::default(),
                peer: None,
                greatest: GreatestTimeout::default(),
                older_versions: false,
                problems: None,
            },
            form_key: None,
            base_path: None,
        }
    }

    /// Every page and the REST interface below `/api`, each behind the administrator check. Mount it with
    /// [`Router::nest`].
    pub fn router(&self) -> Router {
        let routes = page::routes().nest("/api", api::routes());
        // Before the guard, so that it stands around them too.
        self.guarded(routes.fallback(nothing_here).method_not_allowed_fallback(other_method))
    }

    /// The same under a path, to [`Router::merge`]. It also answers the path with a `/` at its end, which a nested router
    /// does not see.
    ///
    /// # Errors
    /// When the path is none to nest a router under: it begins with `/`, does not end with one, and has no `{` or `*`.
    pub fn router_at(&self, path: &str) -> Result<Router, ConsoleError> {
        if path.is_empty() || path.ends_with('/') || path.contains(['{', '}', '*']) || !is_path(path) {
            return Err(ConsoleError::BasePath(path.to_owned()));
        }
        let home = self.0.base.as_ref().map_or_else(|| path.to_owned(), Links::incoming);
        let slash = Router::new().route(&format!("{path}/"), any(async move || Redirect::to(&home)));
        Ok(Router::new().nest(path, self.router()).merge(self.guarded(slash)))
    }

    /// With the guard around every route, and around what leads nowhere.
    fn guarded(&self, router: Router<Self>) -> Router {
        router
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(from_fn_with_state(self.clone(), guard::guard))
            .layer(map_response(headers::add))
            .with_state(self.clone())
    }

    /// The OpenAPI document of the REST interface.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn openapi() -> Result<String, serde_json::Error> {
        api::openapi()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// What the database holds now: another node may have changed it.
    pub(crate) async fn snapshot(&self) -> Result<Arc<Snapshot>, Failure> {
        Ok(self.0.store.poll().await?)
    }

    pub(crate) fn now(&self) -> Result<UnixMillis, Failure> {
        self.0.store.clock().wall().map_err(|_| {
            tracing::error!("the clock cannot tell the time");
            Failure::Internal
        })
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console(..)")
    }
}

async fn nothing_here() -> Failure {
    Failure::NotFound("such page".to_owned())
}

async fn other_method() -> Failure {
    Failure::MethodNotAllowed
}

/// Collects the settings of a [`Console`].
#[must_use = "a builder does nothing until `build`"]
pub struct ConsoleBuilder {
    inner: Inner,
    form_key: Option<FormKey>,
    base_path: Option<String>,
}

impl ConsoleBuilder {
    /// The path links begin with, as the browser has to ask for it: needed when a proxy in front removes a part of it.
    /// Without this setting links begin with the path the router is nested under.
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = Some(path.into());
        self
    }

    /// The key under which tokens of forms are made, for nodes that stand behind one address. Each process makes its own
    /// by default.
    pub fn form_key(mut self, key: FormKey) -> Self {
        self.form_key = Some(key);
        self
    }

    /// Name and address of the service around the console: every page links back to it.
    pub fn service(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.inner.service = Some(Service { name: name.into(), url: url.into() });
        self
    }

    /// The service's user base and what is done to names before it is asked: then "would this be allowed?" answers
    /// step 11 too.
    pub fn users(mut self, resolver: impl UserResolver, transform: NameTransform) -> Self {
        self.inner.users = Some(Users::new(resolver, transform));
        self
    }

    /// The proxies in front, as [`taa_server::TrustBuilder::trusted_proxies`] has them.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.inner.proxies = proxies;
        self
    }

    /// Where the socket's address is, as [`taa_server::TrustBuilder::peer_address`] has it. A
    /// [`PeerAddress`](taa_server::PeerAddress) or axum's `ConnectInfo<SocketAddr>` in the extensions is found without.
    pub fn peer_address(
        mut self,
        peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.inner.peer = Some(Box::new(peer));
        self
    }

    /// The server's greatest timeout: no rule may name a longer one.
    pub fn greatest_timeout(mut self, greatest: GreatestTimeout) -> Self {
        self.inner.greatest = greatest;
        self
    }

    /// Whether the server accepts versions 2 and 3 from applications whose record allows them. Only for what pages say.
    pub fn older_versions_are_accepted(mut self, accepted: bool) -> Self {
        self.inner.older_versions = accepted;
        self
    }

    /// What else is wrong with this service's trust right now, for the system page: asked each time it is shown.
    /// [`Keeper::problems`](taa_service::Keeper::problems) knows, for example.
    pub fn problems(mut self, problems: impl Fn() -> Vec<String> + Send + Sync + 'static) -> Self {
        self.inner.problems = Some(Box::new(problems));
        self
    }

    /// Another source of randomness than the system's.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.inner.random = random;
        self
    }

    /// The console.
    ///
    /// # Errors
    /// When a setting cannot be used, or there is no randomness for the key of the forms.
    pub fn build(self) -> Result<Console, ConsoleError> {
        let Self { mut inner, form_key, base_path } = self;
        inner.form_key = match form_key {
            Some(key) => key,
            None => FormKey::random(inner.random.as_ref()).map_err(|_| ConsoleError::Random)?,
        };
        inner.base = match base_path {
            Some(path) if is_path(&path) => Some(Links::new(&path)),
            Some(path) => return Err(ConsoleError::BasePath(path)),
            None => None,
        };
        Ok(Console(Arc::new(inner)))
    }
}

/// A path that can stand in front of a link without becoming anything else.
fn is_path(path: &str) -> bool {
    path.is_empty()
        || path.starts_with('/')
            && !path.starts_with("//")
            && path
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'"' | b'\\' | b'<' | b'>'))
}

impl fmt::Debug for ConsoleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsoleBuilder(..)")
    }
}

/// Why there is no [`Console`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// The base path is no path.
    #[error("{0:?} is no path of a console: it begins with one / and has no query")]
    BasePath(String),
    /// There is no randomness.
    #[error("the system gives no randomness for the key of the forms")]
    Random,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_paths() {
        for yes in ["", "/", "/admin/trust", "/admin/trust/", "/a%20b"] {
            assert!(is_path(yes), "{yes}");
        }
        for no in ["admin", "//evil.example", "/a?b", "/a#b", "/a b", "/\"", "/\\evil", "https://x/"] {
            assert!(!is_path(no), "{no}");
        }
    }
}
