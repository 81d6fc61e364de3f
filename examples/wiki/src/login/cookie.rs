//! The two cookies: one for a session, one that ties the login form to a browser before there is a session.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use example_support::Secret;

use crate::wiki::Wiki;

const LOGIN: &str = "wiki_login";
const LOGIN_PATH: &str = "/login";

/// The session's secret, if the browser sent one; it may belong to no session.
pub(crate) fn session(wiki: &Wiki, jar: &CookieJar) -> Option<Secret> {
    jar.get(session_name(wiki)).and_then(|cookie| Secret::parse(cookie.value()))
}

/// The login form's secret, if the browser sent one.
pub(crate) fn login(jar: &CookieJar) -> Option<Secret> {
    jar.get(LOGIN).and_then(|cookie| Secret::parse(cookie.value()))
}

/// It ends with the browser's session; the wiki ends it sooner.
pub(crate) fn for_session(wiki: &Wiki, secret: &Secret) -> Cookie<'static> {
    Cookie::build((session_name(wiki), secret.reveal()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_https(wiki))
        .build()
}

pub(crate) fn for_login(wiki: &Wiki, secret: &Secret) -> Cookie<'static> {
    Cookie::build((LOGIN, secret.reveal()))
        .path(LOGIN_PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_https(wiki))
        .build()
}

/// A browser only takes a `__Host-` cookie away again when told so with the same attributes.
pub(crate) fn session_removal(wiki: &Wiki) -> Cookie<'static> {
    Cookie::build((session_name(wiki), "")).path("/").secure(is_https(wiki)).build()
}

pub(crate) fn login_removal() -> Cookie<'static> {
    Cookie::build((LOGIN, "")).path(LOGIN_PATH).build()
}

/// With `https` the name makes browsers refuse the cookie from any other host or scheme.
fn session_name(wiki: &Wiki) -> &'static str {
    if is_https(wiki) { "__Host-wiki_session" } else { "wiki_session" }
}

fn is_https(wiki: &Wiki) -> bool {
    wiki.settings.base.scheme() == "https"
}
