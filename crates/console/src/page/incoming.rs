use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use taa_core::time::UnixMillis;
use taa_service::FetchWhat;
use taa_store::model::{Row, Snapshot, TrustedApplication};

use super::frame::{Frame, Section};
use super::parts::{Conditions, When};
use super::set_up::{Direction, FetchForm};
use super::{DoneQuery, render};
use crate::console::Console;
use crate::extract::Query;
use crate::failure::Failure;
use crate::links::Links;
use crate::moment::Moment;
use crate::view::{Condition, RulesInShort};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/", get(list))
}

#[derive(Template)]
#[template(path = "incoming.html")]
struct IncomingPage {
    frame: Frame,
    rows: Vec<ApplicationRow>,
    fetch: FetchForm,
}

/// An application in the list.
struct ApplicationRow {
    id: String,
    name: String,
    base_url: String,
    conditions: Conditions,
    last_used: When,
    /// None: the record is broken.
    rules: Option<RulesInShort>,
    enabled: bool,
    switch: String,
    edit: String,
    delete: String,
}

/// `GET /`: whom this application trusts.
async fn list(
    State(console): State<Console>,
    visit: Visit,
    Query(query): Query<DoneQuery>,
) -> Result<Response, Failure> {
    let frame = Frame::new(&console, &visit, Section::Incoming)?.done(query.done.as_deref());
    let page = page(&console, &visit, frame, FetchForm::empty(Direction::Incoming)).await?;
    Ok(render(StatusCode::OK, &page))
}

/// The list once more, with what was wrong with the form below it.
pub(super) async fn list_again(
    console: &Console,
    visit: &Visit,
    what: &FetchWhat,
    failure: &Failure,
) -> Result<Response, Failure> {
    let frame = Frame::new(console, visit, Section::Incoming)?.failed(failure);
    let page = page(console, visit, frame, FetchForm::again(Direction::Incoming, what, failure)).await?;
    Ok(render(failure.status(), &page))
}

async fn page(
    console: &Console,
    visit: &Visit,
    frame: Frame,
    fetch: FetchForm,
) -> Result<IncomingPage, Failure> {
    let snapshot = console.snapshot().await?;
    Ok(IncomingPage { frame, rows: rows(&snapshot, visit.links(), console.now()?), fetch })
}

fn rows(snapshot: &Snapshot, links: &Links, now: UnixMillis) -> Vec<ApplicationRow> {
    let row = |row: &Row<TrustedApplication>| match row {
        Row::Good(application) => ApplicationRow {
            id: application.id.to_string(),
            name: application.name.clone(),
            base_url: application.base_url.to_string(),
            conditions: Conditions(Condition::of_application(application, now)),
            last_used: When::or(application.last_used.map(Moment::of), "never"),
            rules: Some(RulesInShort::of(&application.rules, application.seen_v4)),
            enabled: application.enabled,
            switch: links.application_switch(!application.enabled),
            edit: links.application(application.id.as_str()),
            delete: links.application_delete(application.id.as_str()),
        },
        Row::Broken { id, name, problem } => ApplicationRow {
            id: id.clone(),
            name: name.clone(),
            base_url: String::new(),
            conditions: Conditions(vec![Condition::broken(problem)]),
            last_used: When::or(None, "unknown"),
            rules: None,
            enabled: false,
            switch: String::new(),
            edit: String::new(),
            delete: links.application_delete(id),
        },
    };
    snapshot.applications.iter().map(row).collect()
}
