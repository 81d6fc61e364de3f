use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum_extra::extract::CookieJar;
use example_support::{Purpose, Secret};
use http::request::Parts;

use crate::login::cookie;
use crate::wiki::Wiki;

/// Who reads a page: somebody logged in, or anybody.
#[derive(Debug)]
pub(crate) struct Visitor(pub(crate) Option<LoggedIn>);

/// Somebody logged in.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    pub(crate) name: String,
    pub(crate) display_name: String,
    /// The hidden field of the form that logs out.
    pub(crate) logout_token: String,
    /// Whether this user may administer trust, and there is a console for it.
    pub(crate) administers: bool,
    pub(crate) session: Secret,
}

impl Visitor {
    /// The name, when there is one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.as_ref().map(|user| user.name.as_str())
    }
}

impl FromRequestParts<Arc<Wiki>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, wiki: &Arc<Wiki>) -> Result<Self, Infallible> {
        let jar = CookieJar::from_headers(&parts.headers);
        Ok(Self(cookie::session(wiki, &jar).and_then(|session| {
            let name = wiki.sessions.user(&session)?;
            let display_name = wiki.users.find(&name)?.display_name.clone();
            let logout_token = wiki.form_key.token(Purpose::LogOut, &session);
            let administers = wiki.administrator.is_some_and(|administrator| administrator == name);
            Some(LoggedIn { name, display_name, logout_token, administers, session })
        })))
    }
}
