//! The administrator's log-in: one name, one password out of a file, for the console of trust.
//!
//! The tracker's users have no passwords: they come through applications that are trusted. Whoever decides which those
//! are has to log in here. Every key follows from the password, so that all nodes behind one address take each other's
//! cookies, and another password ends all sessions.

mod pages;
mod session;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use example_support::{Attempts, FormKey, Password, Secret, add_security_headers, peer_address};
use http::request::Parts;
use http::{Extensions, HeaderMap};
use taa_console::{Access, AdminCheck, AdminCheckError, Administrator};
use taa_core::id::AppId;
use taa_core::policy::TrustedProxies;
use taa_core::time::{Clock, UnixMillis};
use tokio::sync::Semaphore;
use url::Url;

use self::session::Session;

/// Where the administrator begins, and logs out.
pub const HOME_AT: &str = "/admin";
/// Where the administrator logs in.
pub const LOG_IN_AT: &str = "/admin/login";
/// Where they type the password once more.
pub const CONFIRM_AT: &str = "/admin/confirm";
/// Where the console of trust is.
pub const CONSOLE_AT: &str = "/admin/trust";
/// The administrator's name.
pub const NAME: &str = "admin";

/// The largest body that is read: a form with a password is short.
const BODY_LIMIT: usize = 4 * 1024;

/// Passwords that are checked at once; each takes a processor and 19 MiB for a while.
const PASSWORDS_AT_ONCE: usize = 2;

/// Logs the administrator in and out. Cloning shares it.
#[derive(Clone)]
pub struct AdminLogin(Arc<Inner>);

struct Inner {
    salt: Vec<u8>,
    /// What follows from the right password.
    password: Secret,
    session_key: Secret,
    form_key: FormKey,
    https: bool,
    proxies: TrustedProxies,
    attempts: Attempts,
    hashing: Semaphore,
    /// Sessions that were logged out at this node, until they would have ended.
    ended: Mutex<HashMap<[u8; 16], UnixMillis>>,
    clock: Arc<dyn Clock>,
}

/// An administrator who is logged in.
#[derive(Debug)]
pub struct LoggedIn {
    session: Session,
    /// What only this session has.
    pub secret: Secret,
    /// Whether the password was typed so lately that something may be changed.
    pub fresh: bool,
}

impl AdminLogin {
    /// Lets in whoever knows this password. `base` is the address browsers use; with `https` cookies are only sent that
    /// way. `proxies` tell the addresses that attempts are counted for.
    ///
    /// # Errors
    /// When the password cannot be hashed.
    pub fn new(
        password: &Password,
        id: &AppId,
        base: &Url,
        proxies: TrustedProxies,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let salt = format!("administrator of {id}").into_bytes();
        let password = Secret::from_bytes(*password.derive(&salt).context("the administrator's password")?);
        Ok(Self(Arc::new(Inner {
            salt,
            session_key: password.derive("sessions"),
            form_key: FormKey::new(password.derive("forms")),
            password,
            https: base.scheme() == "https",
            proxies,
            attempts: Attempts::new(Arc::clone(&clock)),
            hashing: Semaphore::new(PASSWORDS_AT_ONCE),
            ended: Mutex::default(),
            clock,
        })))
    }

    /// The pages to log in, to confirm, and to log out.
    pub fn router(&self) -> Router {
        Router::new()
            .route(HOME_AT, get(pages::home))
            .route(LOG_IN_AT, get(pages::form).post(pages::log_in))
            .route(CONFIRM_AT, get(pages::confirm_form).post(pages::confirm))
            .route("/admin/logout", post(pages::log_out))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(map_response(add_security_headers))
            .with_state(self.clone())
    }

    /// A key for the forms of the console, the same on all nodes.
    #[must_use]
    pub fn console_key(&self) -> Secret {
        self.0.password.derive("forms of the console")
    }

    /// Who sent a request with these fields, if it is the administrator.
    #[must_use]
    pub fn logged_in(&self, headers: &HeaderMap) -> Option<LoggedIn> {
        let now = self.0.clock.wall().ok()?;
        let jar = CookieJar::from_headers(headers);
        let session = Session::read(jar.get(self.cookie_name())?.value(), &self.0.session_key, now)?;
        if self.ended().contains_key(&session.id()) {
            return None;
        }
        let secret = session.secret(&self.0.session_key);
        Some(LoggedIn { session, secret, fresh: session.is_fresh(now) })
    }

    /// Whether this is the password. Too many failures: not even looked at.
    async fn check(&self, from: Option<IpAddr>, name: &str, password: Password) -> Checked {
        if !self.0.attempts.begin(from, name) {
            return Checked::TooMany;
        }
        // Closed never; but a check that did not happen is no success.
        let Ok(_permit) = self.0.hashing.acquire().await else { return Checked::Wrong };
        let salt = self.0.salt.clone();
        let derived = tokio::task::spawn_blocking(move || password.derive(&salt)).await;
        let right = derived.is_ok_and(|derived| derived.is_ok_and(|derived| self.0.password.is(&derived)));
        // Both are looked at whatever the other says, so that the time tells nothing about the name.
        if right & (name == NAME) {
            self.0.attempts.succeeded(from, name);
            Checked::Right
        } else {
            Checked::Wrong
        }
    }

    fn end(&self, session: &Session) {
        let mut ended = self.ended();
        if let Ok(now) = self.0.clock.wall() {
            ended.retain(|_, ends| *ends > now);
        }
        ended.insert(session.id(), session.ends());
    }

    fn ended(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 16], UnixMillis>> {
        // A panic elsewhere leaves the table whole: every change is one insert or remove.
        self.0.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address attempts are counted for.
    fn address(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer_address(extensions)?;
        Some(self.0.proxies.client_address(peer, headers).map_or(peer, |client| client.addr))
    }

    fn cookie(&self, session: &Session) -> Cookie<'static> {
        Cookie::build((self.cookie_name(), session.write(&self.0.session_key)))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.0.https)
            .build()
    }

    /// A browser only takes a `__Host-` cookie away again when told so with the same attributes.
    fn cookie_removal(&self) -> Cookie<'static> {
        Cookie::build((self.cookie_name(), "")).path("/").secure(self.0.https).build()
    }

    /// With `https` the name makes browsers refuse the cookie from any other host or scheme.
    fn cookie_name(&self) -> &'static str {
        if self.0.https { "__Host-tracker_admin" } else { "tracker_admin" }
    }
}

impl fmt::Debug for AdminLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminLogin(..)")
    }
}

impl AdminCheck for AdminLogin {
    async fn check(&self, request: &Parts) -> Result<Access, AdminCheckError> {
        let Some(logged_in) = self.logged_in(&request.headers) else {
            return Ok(Access::NotLoggedIn { log_in_at: Some(LOG_IN_AT.to_owned()) });
        };
        let administrator = Administrator::new(NAME, logged_in.secret.as_bytes());
        Ok(Access::Administrator(if logged_in.fresh {
            administrator
        } else {
            administrator.must_confirm_at(CONFIRM_AT)
        }))
    }
}

/// What became of a password.
enum Checked {
    Right,
    Wrong,
    TooMany,
}

#[cfg(test)]
mod tests;
