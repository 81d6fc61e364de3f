//! Logging in and out.

mod confirm;
pub(crate) mod cookie;

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use example_support::{Password, Purpose, Secret, peer_address};
use http::{Extensions, StatusCode};
use serde::Deserialize;

use crate::pages::render;
use crate::visitor::Visitor;
use crate::wiki::{Checked, Wiki};

pub(crate) use confirm::{confirm, confirm_form};

/// Where the console of trust is.
pub(crate) const CONSOLE_AT: &str = "/admin/trust";
/// In place of a page's id: go to the console of trust afterwards. No page has a `/` in its id's place.
pub(crate) const TO_CONSOLE: &str = "/trust";

const TOO_OLD: &str = "This form was too old. Please try again.";
const TOO_MANY: &str = "Too many attempts have failed. Please wait five minutes.";
const WRONG: &str = "There is no such user, or the password is wrong.";

/// Where to go afterwards: the id of a page, so that nobody can be sent elsewhere.
#[derive(Deserialize)]
pub(crate) struct After {
    #[serde(default)]
    page: String,
}

#[derive(Deserialize)]
pub(crate) struct LoginForm {
    name: String,
    password: Password,
    token: String,
    #[serde(default)]
    page: String,
}

#[derive(Deserialize)]
pub(crate) struct LogoutForm {
    token: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    visitor: &'a Visitor,
    /// The password is asked for once more.
    again: bool,
    token: String,
    name: &'a str,
    page: &'a str,
    problem: Option<&'static str>,
}

/// `GET /login`
pub(crate) async fn form(
    State(wiki): State<Arc<Wiki>>,
    visitor: Visitor,
    jar: CookieJar,
    query: Result<Query<After>, QueryRejection>,
) -> Response {
    let page = query.map(|Query(after)| after.page).unwrap_or_default();
    if visitor.0.is_some() {
        return back_to(&wiki, &page);
    }
    show(&wiki, jar, StatusCode::OK, "", &page, None)
}

/// `POST /login`
pub(crate) async fn log_in(
    State(wiki): State<Arc<Wiki>>,
    visitor: Visitor,
    extensions: Extensions,
    jar: CookieJar,
    form: Result<Form<LoginForm>, FormRejection>,
) -> Response {
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => return rejection.status().into_response(),
    };
    let genuine =
        cookie::login(&jar).is_some_and(|secret| wiki.form_key.check(Purpose::LogIn, &secret, &form.token));
    if !genuine {
        return show(&wiki, jar, StatusCode::FORBIDDEN, &form.name, &form.page, Some(TOO_OLD));
    }
    let user = match wiki.check_password(peer_address(&extensions), &form.name, form.password).await {
        Checked::Right(user) => user,
        Checked::Wrong => {
            return show(&wiki, jar, StatusCode::FORBIDDEN, &form.name, &form.page, Some(WRONG));
        }
        Checked::TooMany => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            return show(&wiki, jar, status, &form.name, &form.page, Some(TOO_MANY));
        }
    };
    // A login always begins a new session, so that nobody can prepare one for somebody else.
    if let Some(old) = visitor.0 {
        wiki.sessions.end(&old.session);
    }
    match wiki.sessions.begin(user) {
        Ok(session) => {
            let jar = jar.remove(cookie::login_removal()).add(cookie::for_session(&wiki, &session));
            (jar, back_to(&wiki, &form.page)).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// `POST /logout`
pub(crate) async fn log_out(
    State(wiki): State<Arc<Wiki>>,
    visitor: Visitor,
    jar: CookieJar,
    form: Result<Form<LogoutForm>, FormRejection>,
) -> Response {
    let Some(user) = visitor.0 else { return Redirect::to("/").into_response() };
    match form {
        Ok(Form(form)) if wiki.form_key.check(Purpose::LogOut, &user.session, &form.token) => {
            wiki.sessions.end(&user.session);
            (jar.remove(cookie::session_removal(&wiki)), Redirect::to("/")).into_response()
        }
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

fn back_to(wiki: &Wiki, page: &str) -> Response {
    if page == TO_CONSOLE {
        return Redirect::to(CONSOLE_AT).into_response();
    }
    match wiki.page(page) {
        Some((page, _)) => Redirect::to(&format!("/pages/{}", page.id)).into_response(),
        None => Redirect::to("/").into_response(),
    }
}

fn show(
    wiki: &Wiki,
    jar: CookieJar,
    status: StatusCode,
    name: &str,
    page: &str,
    problem: Option<&'static str>,
) -> Response {
    // A form in another tab stays good: the cookie it belongs to is kept.
    let secret = match cookie::login(&jar).map_or_else(Secret::random, Ok) {
        Ok(secret) => secret,
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let token = wiki.form_key.token(Purpose::LogIn, &secret);
    let page = LoginPage { visitor: &Visitor(None), again: false, token, name, page, problem };
    (jar.add(cookie::for_login(wiki, &secret)), render(status, &page)).into_response()
}
