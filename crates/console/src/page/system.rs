use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;

use super::frame::{Frame, Section};
use super::parts::When;
use super::render;
use crate::console::Console;
use crate::failure::Failure;
use crate::moment::{Moment, roughly};
use crate::view::SystemState;
use crate::visit::{Seen, Visit};

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/system", get(show))
}

#[derive(Template)]
#[template(path = "system.html")]
struct SystemPage {
    frame: Frame,
    state: SystemState,
    clock: When,
    protocols: String,
    seen: Seen,
    nodes: Vec<NodeRow>,
}

struct NodeRow {
    label: String,
    id: String,
    software: String,
    shared_nonces: bool,
    started: When,
    last_seen: String,
    gone: bool,
}

/// `GET /system`
async fn show(State(console): State<Console>, visit: Visit) -> Result<Response, Failure> {
    let frame = Frame::new(&console, &visit, Section::System)?;
    let state = SystemState::of(&console).await?;
    let protocols: Vec<_> = state.protocols.iter().map(ToString::to_string).collect();
    let nodes = state
        .nodes
        .iter()
        .map(|view| NodeRow {
            label: view.node.label.clone(),
            id: view.node.id.clone(),
            software: view.node.software.clone(),
            shared_nonces: view.node.shared_nonces,
            started: Moment::of(view.node.started).into(),
            last_seen: format!("{} ago", roughly(state.now.0.saturating_sub(view.node.last_seen.0))),
            gone: view.gone,
        })
        .collect();
    let page = SystemPage {
        clock: Moment::of_clock(state.now).into(),
        protocols: protocols.join(", "),
        seen: visit.seen().clone(),
        nodes,
        state,
        frame,
    };
    Ok(render(StatusCode::OK, &page))
}
