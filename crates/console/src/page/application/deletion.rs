use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use taa_store::model::Row;

use super::{Named, missing};
use crate::console::Console;
use crate::extract::{Posted, Query};
use crate::failure::Failure;
use crate::page::confirm::ConfirmPage;
use crate::page::{Frame, Section, render, see_other};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/application/delete", get(ask).post(delete))
}

/// `GET /application/delete?id=…`: asks, naming the application. Broken records can be deleted too.
async fn ask(
    State(console): State<Console>,
    visit: Visit,
    Query(named): Query<Named>,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let (name, base_url) = snapshot
        .applications
        .iter()
        .find_map(|row| match row {
            Row::Good(application) if application.id.as_str() == named.id => {
                Some((application.name.clone(), application.base_url.to_string()))
            }
            Row::Broken { id, name, .. } if *id == named.id => Some((name.clone(), "unknown".to_owned())),
            Row::Good(_) | Row::Broken { .. } => None,
        })
        .ok_or_else(missing)?;
    let frame = Frame::new(&console, &visit, Section::Incoming)?;
    let page = ConfirmPage {
        title: format!("Delete {name}?"),
        facts: vec![("Name", name), ("Application id", named.id.clone()), ("Base URL", base_url)],
        text: vec![
            "Its requests are refused from then on. Its rules are gone; the audit trail keeps what they were.".to_owned(),
            "To trust it again, its certificate has to be fetched and compared once more. To stop it for a while, \
             disable it instead."
                .to_owned(),
        ],
        warning: None,
        action: frame.at.application_delete(&named.id),
        hidden: vec![("id", named.id)],
        fields: Vec::new(),
        button: "Delete",
        destroys: true,
        cancel: frame.at.incoming(),
        frame,
    };
    Ok(render(StatusCode::OK, &page))
}

/// `POST /application/delete`
async fn delete(
    State(console): State<Console>,
    visit: Visit,
    Posted(named): Posted<Named>,
) -> Result<Response, Failure> {
    console.store().remove_application(&named.id, visit.actor()).await?;
    see_other(&visit.links().incoming_done("removed"))
}
