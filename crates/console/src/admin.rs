use std::error::Error;
use std::fmt;
use std::pin::Pin;

use http::request::Parts;
use taa_store::model::Actor;
use zeroize::Zeroizing;

/// The service's own administrator check. It is asked before anything else for every request: pages, stylesheet, REST
/// and whatever leads nowhere.
///
/// An implementor must answer from the request alone (its cookie, or what the service's own middleware put into the
/// extensions). `request.uri` is the one that came in, with the path the console is mounted under. A check that fails or
/// panics lets nobody in: the answer is 500.
///
/// ```
/// use http::request::Parts;
/// use taa_console::{Access, AdminCheck, AdminCheckError, Administrator};
///
/// /// What the service's login middleware put into the extensions.
/// #[derive(Clone)]
/// struct LoggedIn { name: String, session: [u8; 32], administrator: bool, password_age_minutes: u32 }
///
/// struct Check;
/// impl AdminCheck for Check {
///     async fn check(&self, request: &Parts) -> Result<Access, AdminCheckError> {
///         let Some(user) = request.extensions.get::<LoggedIn>() else {
///             return Ok(Access::NotLoggedIn { log_in_at: Some("/login".into()) });
///         };
///         if !user.administrator {
///             return Ok(Access::NotAdministrator);
///         }
///         let administrator = Administrator::new(&user.name, user.session);
///         Ok(Access::Administrator(if user.password_age_minutes > 10 {
///             administrator.must_confirm_at("/login/confirm")
///         } else {
///             administrator
///         }))
///     }
/// }
/// # let _ = Check;
/// ```
pub trait AdminCheck: Send + Sync + 'static {
    /// Finds out who sent this request and whether they may administer trust.
    ///
    /// # Errors
    /// When it cannot be found out.
    fn check(&self, request: &Parts) -> impl Future<Output = Result<Access, AdminCheckError>> + Send;
}

/// What an [`AdminCheck`] found.
#[derive(Clone, Debug)]
pub enum Access {
    /// An administrator.
    Administrator(Administrator),
    /// Somebody who is logged in and is no administrator: 403.
    NotAdministrator,
    /// Nobody is logged in.
    NotLoggedIn {
        /// Where to log in: pages redirect there. None: 401, as the REST interface answers in any case.
        log_in_at: Option<String>,
    },
}

/// An administrator, in one session.
#[derive(Clone)]
pub struct Administrator {
    name: Actor,
    session: Zeroizing<Vec<u8>>,
    confirm_at: Option<String>,
}

impl Administrator {
    /// `name` goes into the audit trail. `session` is a value that only this session has and nobody outside can guess, as
    /// the session's cookie or its hash; the tokens of forms are bound to it, and it is neither shown nor logged. Without
    /// one (it is empty) the request is answered with 500.
    #[must_use]
    pub fn new(name: &str, session: impl Into<Vec<u8>>) -> Self {
        Self { name: Actor::new(name), session: Zeroizing::new(session.into()), confirm_at: None }
    }

    /// This administrator has to confirm who they are at `url` before they may change anything, because they typed their
    /// password too long ago for example. Until then pages can be looked at, and changes are refused.
    #[must_use]
    pub fn must_confirm_at(mut self, url: impl Into<String>) -> Self {
        self.confirm_at = Some(url.into());
        self
    }

    /// The name, as the audit trail has it.
    #[must_use]
    pub fn name(&self) -> &Actor {
        &self.name
    }

    pub(crate) fn session(&self) -> &[u8] {
        &self.session
    }

    pub(crate) fn confirm_at(&self) -> Option<&str> {
        self.confirm_at.as_deref()
    }
}

impl fmt::Debug for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Administrator({})", self.name)
    }
}

/// It cannot be found out who sent a request.
#[derive(Debug, thiserror::Error)]
#[error("the administrator check failed")]
pub struct AdminCheckError(#[source] Box<dyn Error + Send + Sync>);

impl AdminCheckError {
    /// Wraps whatever went wrong, for the log.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// [`AdminCheck`] behind a pointer.
pub(crate) trait DynAdminCheck: Send + Sync {
    fn check<'a>(&'a self, request: &'a Parts) -> Checking<'a>;
}

pub(crate) type Checking<'a> = Pin<Box<dyn Future<Output = Result<Access, AdminCheckError>> + Send + 'a>>;

impl<C: AdminCheck> DynAdminCheck for C {
    fn check<'a>(&'a self, request: &'a Parts) -> Checking<'a> {
        Box::pin(AdminCheck::check(self, request))
    }
}
