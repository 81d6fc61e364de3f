use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use example_support::{Password, Purpose, Secret};
use http::{Extensions, HeaderMap, StatusCode};
use serde::Deserialize;

use super::session::Session;
use super::{AdminLogin, CONFIRM_AT, CONSOLE_AT, Checked, LOG_IN_AT, LoggedIn, NAME};

/// Ties the form to a browser before there is a session.
const FORM_COOKIE: &str = "tracker_admin_form";

#[derive(Deserialize)]
pub(super) struct LogIn {
    name: String,
    password: Password,
    token: String,
}

#[derive(Deserialize)]
pub(super) struct Confirm {
    password: Password,
    token: String,
}

#[derive(Deserialize)]
pub(super) struct LogOut {
    token: String,
}

#[derive(Template)]
#[template(path = "admin_login.html")]
struct LogInPage<'a> {
    who: Option<String>,
    action: &'static str,
    /// The password is asked for once more.
    again: bool,
    name: &'a str,
    token: String,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "admin.html")]
struct HomePage {
    who: Option<String>,
    console: &'static str,
    token: String,
}

const TOO_OLD: &str = "This form was too old. Please try again.";
const TOO_MANY: &str = "Too many attempts have failed. Please wait five minutes.";
const WRONG: &str = "There is no such administrator, or the password is wrong.";

/// `GET /admin`
pub(super) async fn home(State(admin): State<AdminLogin>, headers: HeaderMap) -> Response {
    let Some(logged_in) = admin.logged_in(&headers) else { return Redirect::to(LOG_IN_AT).into_response() };
    let token = admin.0.form_key.token(Purpose::LogOut, &logged_in.secret);
    render(StatusCode::OK, &HomePage { who: Some(NAME.to_owned()), console: CONSOLE_AT, token })
}

/// `GET /admin/login`
pub(super) async fn form(State(admin): State<AdminLogin>, headers: HeaderMap, jar: CookieJar) -> Response {
    if admin.logged_in(&headers).is_some() {
        return Redirect::to(CONSOLE_AT).into_response();
    }
    show_form(&admin, jar, StatusCode::OK, "", None)
}

/// `POST /admin/login`
pub(super) async fn log_in(
    State(admin): State<AdminLogin>,
    extensions: Extensions,
    headers: HeaderMap,
    jar: CookieJar,
    form: Result<Form<LogIn>, FormRejection>,
) -> Response {
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => return rejection.status().into_response(),
    };
    let genuine =
        form_secret(&jar).is_some_and(|secret| admin.0.form_key.check(Purpose::LogIn, &secret, &form.token));
    if !genuine {
        return show_form(&admin, jar, StatusCode::FORBIDDEN, &form.name, Some(TOO_OLD));
    }
    let from = admin.address(&extensions, &headers);
    match admin.check(from, &form.name, form.password).await {
        Checked::Right => {}
        Checked::Wrong => {
            tracing::warn!(target: "taa", ?from, "an attempt to log in as administrator failed");
            return show_form(&admin, jar, StatusCode::FORBIDDEN, &form.name, Some(WRONG));
        }
        Checked::TooMany => {
            return show_form(&admin, jar, StatusCode::TOO_MANY_REQUESTS, &form.name, Some(TOO_MANY));
        }
    }
    // A login always begins a new session, so that nobody can prepare one for somebody else.
    if let Some(old) = admin.logged_in(&headers) {
        admin.end(&old.session);
    }
    let session = admin.0.clock.wall().ok().and_then(|now| Session::begin(now).ok());
    match session {
        Some(session) => {
            let jar = jar.remove(Cookie::build((FORM_COOKIE, "")).path("/admin")).add(admin.cookie(&session));
            (jar, Redirect::to(CONSOLE_AT)).into_response()
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// `GET /admin/confirm`
pub(super) async fn confirm_form(State(admin): State<AdminLogin>, headers: HeaderMap) -> Response {
    match admin.logged_in(&headers) {
        Some(logged_in) => show_confirm(&admin, &logged_in, StatusCode::OK, None),
        None => Redirect::to(LOG_IN_AT).into_response(),
    }
}

/// `POST /admin/confirm`
pub(super) async fn confirm(
    State(admin): State<AdminLogin>,
    extensions: Extensions,
    headers: HeaderMap,
    jar: CookieJar,
    form: Result<Form<Confirm>, FormRejection>,
) -> Response {
    let Some(logged_in) = admin.logged_in(&headers) else { return Redirect::to(LOG_IN_AT).into_response() };
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => return rejection.status().into_response(),
    };
    if !admin.0.form_key.check(Purpose::Confirm, &logged_in.secret, &form.token) {
        return show_confirm(&admin, &logged_in, StatusCode::FORBIDDEN, Some(TOO_OLD));
    }
    match admin.check(admin.address(&extensions, &headers), NAME, form.password).await {
        Checked::Right => {}
        Checked::Wrong => return show_confirm(&admin, &logged_in, StatusCode::FORBIDDEN, Some(WRONG)),
        Checked::TooMany => {
            return show_confirm(&admin, &logged_in, StatusCode::TOO_MANY_REQUESTS, Some(TOO_MANY));
        }
    }
    match admin.0.clock.wall() {
        Ok(now) => {
            let jar = jar.add(admin.cookie(&logged_in.session.confirm(now)));
            (jar, Redirect::to(CONSOLE_AT)).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// `POST /admin/logout`
pub(super) async fn log_out(
    State(admin): State<AdminLogin>,
    headers: HeaderMap,
    jar: CookieJar,
    form: Result<Form<LogOut>, FormRejection>,
) -> Response {
    let Some(logged_in) = admin.logged_in(&headers) else { return Redirect::to("/").into_response() };
    match form {
        Ok(Form(form)) if admin.0.form_key.check(Purpose::LogOut, &logged_in.secret, &form.token) => {
            admin.end(&logged_in.session);
            (jar.remove(admin.cookie_removal()), Redirect::to("/")).into_response()
        }
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

fn form_secret(jar: &CookieJar) -> Option<Secret> {
    jar.get(FORM_COOKIE).and_then(|cookie| Secret::parse(cookie.value()))
}

fn show_form(
    admin: &AdminLogin,
    jar: CookieJar,
    status: StatusCode,
    name: &str,
    problem: Option<&'static str>,
) -> Response {
    // A form in another tab stays good: the cookie it belongs to is kept.
    let Ok(secret) = form_secret(&jar).map_or_else(Secret::random, Ok) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let token = admin.0.form_key.token(Purpose::LogIn, &secret);
    let cookie = Cookie::build((FORM_COOKIE, secret.reveal()))
        .path("/admin")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(admin.0.https)
        .build();
    let page = LogInPage { who: None, action: LOG_IN_AT, again: false, name, token, problem };
    (jar.add(cookie), render(status, &page)).into_response()
}

fn show_confirm(
    admin: &AdminLogin,
    logged_in: &LoggedIn,
    status: StatusCode,
    problem: Option<&'static str>,
) -> Response {
    let token = admin.0.form_key.token(Purpose::Confirm, &logged_in.secret);
    let who = Some(NAME.to_owned());
    render(status, &LogInPage { who, action: CONFIRM_AT, again: true, name: NAME, token, problem })
}

fn render(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
