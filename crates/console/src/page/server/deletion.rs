use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use taa_store::model::Row;

use super::Named;
use crate::console::Console;
use crate::extract::{Posted, Query};
use crate::failure::Failure;
use crate::page::confirm::ConfirmPage;
use crate::page::{Frame, Section, render, see_other};
use crate::server_text::missing;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/server/delete", get(ask).post(delete))
}

/// `GET /server/delete?id=…`: asks, naming the server. Broken records can be deleted too.
async fn ask(
    State(console): State<Console>,
    visit: Visit,
    Query(named): Query<Named>,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let (name, base_url) = snapshot
        .servers
        .iter()
        .find_map(|row| match row {
            Row::Good(server) if server.id.as_str() == named.id => {
                Some((server.name.clone(), server.base_url.to_string()))
            }
            Row::Broken { id, name, .. } if *id == named.id => Some((name.clone(), "unknown".to_owned())),
            Row::Good(_) | Row::Broken { .. } => None,
        })
        .ok_or_else(missing)?;
    let frame = Frame::new(&console, &visit, Section::Outgoing)?;
    let page = ConfirmPage {
        title: format!("Delete {name}?"),
        facts: vec![("Name", name), ("Application id", named.id.clone()), ("Base URL", base_url)],
        text: vec![
            "No request is signed for it any more: users of this application see there what anybody sees. That it may \
             call this application, if it may, stays as it is."
                .to_owned(),
        ],
        warning: None,
        action: frame.at.server_delete(&named.id),
        hidden: vec![("id", named.id)],
        fields: Vec::new(),
        button: "Delete",
        destroys: true,
        cancel: frame.at.servers(),
        frame,
    };
    Ok(render(StatusCode::OK, &page))
}

/// `POST /server/delete`
async fn delete(
    State(console): State<Console>,
    visit: Visit,
    Posted(named): Posted<Named>,
) -> Result<Response, Failure> {
    console.store().remove_server(&named.id, visit.actor()).await?;
    see_other(&visit.links().servers_done("server-removed"))
}
