use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use example_support::{Password, Purpose, peer_address};
use http::{Extensions, StatusCode};
use serde::Deserialize;

use super::{CONSOLE_AT, LoginPage, TOO_MANY, TOO_OLD, WRONG};
use crate::pages::render;
use crate::visitor::Visitor;
use crate::wiki::{Checked, Wiki};

#[derive(Deserialize)]
pub(crate) struct ConfirmForm {
    password: Password,
    token: String,
}

/// `GET /login/confirm`
pub(crate) async fn confirm_form(State(wiki): State<Arc<Wiki>>, visitor: Visitor) -> Response {
    show(&wiki, &visitor, StatusCode::OK, None)
}

/// `POST /login/confirm`: whoever is logged in types the password once more, because they want to change who is trusted.
pub(crate) async fn confirm(
    State(wiki): State<Arc<Wiki>>,
    visitor: Visitor,
    extensions: Extensions,
    form: Result<Form<ConfirmForm>, FormRejection>,
) -> Response {
    let Some(user) = &visitor.0 else { return Redirect::to("/login").into_response() };
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => return rejection.status().into_response(),
    };
    if !wiki.form_key.check(Purpose::Confirm, &user.session, &form.token) {
        return show(&wiki, &visitor, StatusCode::FORBIDDEN, Some(TOO_OLD));
    }
    match wiki.check_password(peer_address(&extensions), &user.name, form.password).await {
        Checked::Right(_) => {
            wiki.sessions.confirm(&user.session);
            Redirect::to(CONSOLE_AT).into_response()
        }
        Checked::Wrong => show(&wiki, &visitor, StatusCode::FORBIDDEN, Some(WRONG)),
        Checked::TooMany => show(&wiki, &visitor, StatusCode::TOO_MANY_REQUESTS, Some(TOO_MANY)),
    }
}

fn show(wiki: &Wiki, visitor: &Visitor, status: StatusCode, problem: Option<&'static str>) -> Response {
    let Some(user) = &visitor.0 else { return Redirect::to("/login").into_response() };
    let token = wiki.form_key.token(Purpose::Confirm, &user.session);
    render(status, &LoginPage { visitor, again: true, token, name: &user.name, page: "", problem })
}
