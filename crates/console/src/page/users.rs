use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;

use super::frame::{Frame, Section};
use super::input::Input;
use super::parts::When;
use super::{DoneQuery, is_about_the_form, render, see_other};
use crate::console::Console;
use crate::extract::{Posted, Query};
use crate::failure::{Failure, FieldProblem};
use crate::moment::Moment;
use crate::user_pattern::pattern;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/users", get(list).post(revoke)).route("/users/restore", post(restore))
}

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    frame: Frame,
    rows: Vec<UserRow>,
    field: Input,
}

struct UserRow {
    pattern: String,
    at: When,
    by: String,
}

#[derive(Debug, Deserialize)]
struct PatternText {
    #[serde(default)]
    pattern: String,
}

/// `GET /users`: whom no application may name.
async fn list(
    State(console): State<Console>,
    visit: Visit,
    Query(query): Query<DoneQuery>,
) -> Result<Response, Failure> {
    let frame = Frame::new(&console, &visit, Section::Users)?.done(query.done.as_deref());
    page(&console, frame, "", &[], StatusCode::OK).await
}

/// `POST /users`
async fn revoke(
    State(console): State<Console>,
    visit: Visit,
    Posted(text): Posted<PatternText>,
) -> Result<Response, Failure> {
    let done = match pattern(&text.pattern) {
        Ok(pattern) => console.store().revoke_user(pattern, visit.actor()).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match done {
        Ok(_) => see_other(&visit.links().users_done("user-revoked")),
        Err(failure) if is_about_the_form(&failure) => {
            let frame = Frame::new(&console, &visit, Section::Users)?.failed(&failure);
            page(&console, frame, &text.pattern, failure.fields(), failure.status()).await
        }
        Err(failure) => Err(failure),
    }
}

/// `POST /users/restore`
async fn restore(
    State(console): State<Console>,
    visit: Visit,
    Posted(text): Posted<PatternText>,
) -> Result<Response, Failure> {
    console.store().restore_user(&pattern(&text.pattern)?, visit.actor()).await?;
    see_other(&visit.links().users_done("user-restored"))
}

async fn page(
    console: &Console,
    frame: Frame,
    typed: &str,
    problems: &[FieldProblem],
    status: StatusCode,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let rows = snapshot.revoked_users.iter().map(|user| UserRow {
        pattern: user.pattern.to_string(),
        at: Moment::of(user.revoked.at).into(),
        by: user.revoked.by.to_string(),
    });
    let field = Input::text("pattern", "User name or pattern", typed)
        .help("* stands for any characters: svc-*. Letter case plays no part. The pattern * alone stops everybody.")
        .required()
        .judged(problems);
    Ok(render(status, &UsersPage { rows: rows.collect(), field, frame }))
}
