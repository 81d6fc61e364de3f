//! Logging in and out.

pub(crate) mod cookie;

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use http::StatusCode;
use serde::Deserialize;

use crate::form_token::Purpose;
use crate::pages::render;
use crate::password::Password;
use crate::secret::Secret;
use crate::visitor::Visitor;
use crate::wiki::Wiki;

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
        let problem = Some("This form was too old. Please try again.");
        return show(&wiki, jar, StatusCode::FORBIDDEN, &form.name, &form.page, problem);
    }
    let Some(user) = wiki.check_password(form.name.clone(), form.password).await else {
        let problem = Some("There is no such user, or the password is wrong.");
        return show(&wiki, jar, StatusCode::FORBIDDEN, &form.name, &form.page, problem);
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
    let page = LoginPage { visitor: &Visitor(None), token, name, page, problem };
    (jar.add(cookie::for_login(wiki, &secret)), render(status, &page)).into_response()
}
