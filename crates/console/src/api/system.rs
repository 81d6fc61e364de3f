use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::console::Console;
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::view::SystemState;
use crate::visit::Visit;

pub(super) fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(get))
}

/// How this service and its store are doing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct System {
    /// The server's clock.
    #[schema(format = DateTime)]
    now: String,
    /// The version of this software.
    software: &'static str,
    /// The protocol versions that are accepted.
    protocols: &'static [u8],
    /// `SQLite` or `PostgreSQL`.
    store: &'static str,
    /// Whether other machines can use the store too.
    shared: bool,
    /// Whether private keys are sealed at rest.
    sealed: bool,
    /// Goes up with every change of anything.
    generation: u64,
    /// The address of who asks.
    address: SeenAddress,
    nodes: Vec<NodeJson>,
    /// What somebody should look at.
    problems: Vec<String>,
}

/// Where a request came from, as this service sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SeenAddress {
    /// The socket's address; null when the service does not pass it on.
    socket: Option<String>,
    /// `X-Forwarded-For` as sent.
    forwarded_for: Option<String>,
    /// Whether the socket's address is a configured proxy, so that the field is believed.
    by_proxy: bool,
    /// The address that rules would be asked about.
    client: Option<String>,
}

/// A process that answers for this application.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Node)]
pub(crate) struct NodeJson {
    id: String,
    /// How it names itself: host and process.
    label: String,
    /// The version of its software.
    software: String,
    /// Whether its nonces are shared with other nodes.
    shared_nonces: bool,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// Whether it has said nothing for too long.
    gone: bool,
}

/// Get how this service and its store are doing.
#[utoipa::path(get, path = "/system", tag = "system", operation_id = "get_system",
    responses((status = 200, body = System)))]
async fn get(State(console): State<Console>, visit: Visit) -> Result<Json<System>, Failure> {
    let state = SystemState::of(&console).await?;
    let seen = visit.seen();
    let nodes = state.nodes.into_iter().map(|view| NodeJson {
        id: view.node.id,
        label: view.node.label,
        software: view.node.software,
        shared_nonces: view.node.shared_nonces,
        started_at: rfc3339(view.node.started),
        last_seen_at: rfc3339(view.node.last_seen),
        gone: view.gone,
    });
    Ok(Json(System {
        now: rfc3339(state.now),
        software: state.software,
        protocols: state.protocols,
        store: state.store,
        shared: state.shared,
        sealed: state.sealed,
        generation: state.generation,
        address: SeenAddress {
            socket: seen.socket.map(|address| address.to_string()),
            forwarded_for: seen.forwarded_for.clone(),
            by_proxy: seen.by_proxy,
            client: seen.client.map(|address| address.to_string()),
        },
        nodes: nodes.collect(),
        problems: state.problems,
    }))
}
