use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use taa_core::time::UnixMillis;
use taa_service::FetchWhat;
use taa_store::model::{Row, Snapshot, TrustingServer};

use crate::console::Console;
use crate::extract::Query;
use crate::failure::Failure;
use crate::links::Links;
use crate::moment::Moment;
use crate::page::parts::{Conditions, When};
use crate::page::set_up::{Direction, FetchForm};
use crate::page::{DoneQuery, Frame, Section, render};
use crate::view::Condition;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/servers", get(list))
}

#[derive(Template)]
#[template(path = "servers.html")]
struct ServersPage {
    frame: Frame,
    rows: Vec<ServerRow>,
    fetch: FetchForm,
}

struct ServerRow {
    id: String,
    name: String,
    base_url: String,
    conditions: Conditions,
    last_used: When,
    /// Version, length of a session, and what is asked of answers; none for a broken record.
    how: Option<String>,
    enabled: bool,
    switch: String,
    edit: String,
    delete: String,
}

/// `GET /servers`: whom this application calls as its users.
async fn list(
    State(console): State<Console>,
    visit: Visit,
    Query(query): Query<DoneQuery>,
) -> Result<Response, Failure> {
    let frame = Frame::new(&console, &visit, Section::Outgoing)?.done(query.done.as_deref());
    let page = page(&console, &visit, frame, FetchForm::empty(Direction::Outgoing)).await?;
    Ok(render(StatusCode::OK, &page))
}

/// The list once more, with what was wrong with the form below it.
pub(in crate::page) async fn list_again(
    console: &Console,
    visit: &Visit,
    what: &FetchWhat,
    failure: &Failure,
) -> Result<Response, Failure> {
    let frame = Frame::new(console, visit, Section::Outgoing)?.failed(failure);
    let page = page(console, visit, frame, FetchForm::again(Direction::Outgoing, what, failure)).await?;
    Ok(render(failure.status(), &page))
}

async fn page(
    console: &Console,
    visit: &Visit,
    frame: Frame,
    fetch: FetchForm,
) -> Result<ServersPage, Failure> {
    let snapshot = console.snapshot().await?;
    Ok(ServersPage { frame, rows: rows(&snapshot, visit.links(), console.now()?), fetch })
}

fn rows(snapshot: &Snapshot, links: &Links, now: UnixMillis) -> Vec<ServerRow> {
    let row = |row: &Row<TrustingServer>| match row {
        Row::Good(server) => ServerRow {
            id: server.id.to_string(),
            name: server.name.clone(),
            base_url: server.base_url.to_string(),
            conditions: Conditions(Condition::of_server(server, now)),
            last_used: When::or(server.last_used.map(Moment::of), "never"),
            how: Some(how(server)),
            enabled: server.enabled,
            switch: links.server_switch(!server.enabled),
            edit: links.server(server.id.as_str()),
            delete: links.server_delete(server.id.as_str()),
        },
        Row::Broken { id, name, problem } => ServerRow {
            id: id.clone(),
            name: name.clone(),
            base_url: String::new(),
            conditions: Conditions(vec![Condition::broken(problem)]),
            last_used: When::or(None, "unknown"),
            how: None,
            enabled: false,
            switch: String::new(),
            edit: String::new(),
            delete: links.server_delete(id),
        },
    };
    snapshot.servers.iter().map(row).collect()
}

fn how(server: &TrustingServer) -> String {
    let digest = if server.require_content_digest { ", only proven content" } else { "" };
    format!("version {}, sessions of {} s{digest}", server.protocol, server.lifetime.as_secs())
}
