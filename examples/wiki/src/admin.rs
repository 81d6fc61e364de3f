//! Who may administer trust: the user `admin`, with the wiki's own log-in.

use std::sync::Arc;

use axum_extra::extract::CookieJar;
use http::request::Parts;
use taa_console::{Access, AdminCheck, AdminCheckError, Administrator};

use crate::login::cookie;
use crate::wiki::Wiki;

/// Where whoever is not logged in goes; afterwards they come back.
const LOG_IN_AT: &str = "/login?page=%2Ftrust";
/// Where the password is typed once more.
const CONFIRM_AT: &str = "/login/confirm";

/// The console's question, answered out of the wiki's sessions.
#[derive(Clone, Debug)]
pub(crate) struct WikiAdmin(pub(crate) Arc<Wiki>);

impl AdminCheck for WikiAdmin {
    async fn check(&self, request: &Parts) -> Result<Access, AdminCheckError> {
        let Self(wiki) = self;
        let session = cookie::session(wiki, &CookieJar::from_headers(&request.headers));
        let user = session.as_ref().and_then(|session| wiki.sessions.user(session));
        let (Some(session), Some(user)) = (session, user) else {
            return Ok(Access::NotLoggedIn { log_in_at: Some(LOG_IN_AT.to_owned()) });
        };
        if wiki.administrator.is_none_or(|administrator| administrator != user) {
            return Ok(Access::NotAdministrator);
        }
        // Not the cookie itself: what it is remembered by serves as well, and opens nothing.
        let administrator = Administrator::new(&user, session.digest());
        Ok(Access::Administrator(if wiki.sessions.is_fresh(&session) {
            administrator
        } else {
            administrator.must_confirm_at(CONFIRM_AT)
        }))
    }
}
