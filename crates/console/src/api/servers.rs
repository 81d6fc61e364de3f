use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use taa_core::id::AppId;
use taa_store::model::{Row, Snapshot};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Error;
use super::model::{BrokenRecord, RefreshOutcome, Server};
use crate::console::Console;
use crate::extract::{self, Path};
use crate::failure::Failure;
use crate::server_text::{ServerText, find, missing, switch};
use crate::visit::Visit;

pub(super) fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, update, remove))
        .routes(routes!(enable))
        .routes(routes!(disable))
        .routes(routes!(refresh))
}

/// The servers that are called, by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ServerList {
    /// Goes up with every change of anything.
    generation: u64,
    servers: Vec<Server>,
    broken: Vec<BrokenRecord>,
}

/// A change of how a server is called.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerChange {
    /// `version` of the server as it was read: if somebody else changed it since, the answer is 409 `changed`.
    version: u64,
    name: String,
    base_url: String,
    /// The protocol version spoken to it: 2, 3 or 4. 4 needs its certificate; 2 and 3 need this application's key of the
    /// older versions, and prove less.
    #[schema(example = 4, minimum = 2, maximum = 4)]
    protocol: u8,
    /// 1 to 900.
    lifetime_s: u32,
    require_content_digest: bool,
    insecure_allow_http: bool,
}

/// List the servers that are called.
#[utoipa::path(get, path = "/servers", tag = "servers", operation_id = "list_servers",
    responses((status = 200, body = ServerList)))]
async fn list(State(console): State<Console>) -> Result<Json<ServerList>, Failure> {
    let (snapshot, now) = (console.snapshot().await?, console.now()?);
    let servers = snapshot.servers.iter().filter_map(Row::good);
    Ok(Json(ServerList {
        generation: snapshot.generation,
        servers: servers.map(|server| Server::of(server, now)).collect(),
        broken: BrokenRecord::all(&snapshot.servers),
    }))
}

/// Get a server.
#[utoipa::path(get, path = "/servers/{id}", tag = "servers", operation_id = "get_server",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 200, body = Server), (status = 404, body = Error)))]
async fn get(State(console): State<Console>, Path(id): Path<String>) -> Result<Json<Server>, Failure> {
    shown(&console, &*console.snapshot().await?, &id)
}

/// Change how a server is called.
#[utoipa::path(put, path = "/servers/{id}", tag = "servers", operation_id = "update_server",
    params(("id" = String, Path, description = "Application id")), request_body = ServerChange,
    responses((status = 200, body = Server), (status = 404, body = Error), (status = 409, body = Error),
        (status = 422, body = Error)))]
async fn update(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    extract::Json(change): extract::Json<ServerChange>,
) -> Result<Json<Server>, Failure> {
    let snapshot = console.snapshot().await?;
    let server = find(&snapshot, &id)?;
    let text = ServerText {
        name: change.name,
        base_url: change.base_url,
        protocol: change.protocol.to_string(),
        lifetime: change.lifetime_s.to_string(),
        require_content_digest: change.require_content_digest,
        insecure_allow_http: change.insecure_allow_http,
    };
    let update = text.update(server, change.version)?;
    let snapshot = console.store().update_server(&server.id, update, visit.actor()).await?;
    shown(&console, &snapshot, &id)
}

/// Delete a server: nothing is signed for it any more. Broken records can be deleted too.
#[utoipa::path(delete, path = "/servers/{id}", tag = "servers", operation_id = "delete_server",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 204), (status = 404, body = Error)))]
async fn remove(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    console.store().remove_server(&id, visit.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switch a server on.
#[utoipa::path(post, path = "/servers/{id}/enable", tag = "servers", operation_id = "enable_server",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 200, body = Server), (status = 404, body = Error)))]
async fn enable(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Json<Server>, Failure> {
    let snapshot = switch(&console, &visit, &id, true).await?;
    shown(&console, &snapshot, &id)
}

/// Switch a server off: nothing is signed for it.
#[utoipa::path(post, path = "/servers/{id}/disable", tag = "servers", operation_id = "disable_server",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 200, body = Server), (status = 404, body = Error)))]
async fn disable(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Json<Server>, Failure> {
    let snapshot = switch(&console, &visit, &id, false).await?;
    shown(&console, &snapshot, &id)
}

/// Fetch a server's certificate now, and take it over if the one held has announced it.
#[utoipa::path(post, path = "/servers/{id}/refresh", tag = "servers", operation_id = "refresh_server",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 200, body = RefreshOutcome), (status = 404, body = Error)))]
async fn refresh(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Json<RefreshOutcome>, Failure> {
    let id = AppId::parse(&id).map_err(|_| missing())?;
    if console.snapshot().await?.server(id.as_str()).is_none() {
        return Err(missing());
    }
    Ok(Json(console.inner().refresher.refresh(&id, visit.actor()).await?.into()))
}

/// The server as it stands in this snapshot.
pub(super) fn shown(console: &Console, snapshot: &Snapshot, id: &str) -> Result<Json<Server>, Failure> {
    let server = snapshot.server(id).ok_or_else(missing)?;
    Ok(Json(Server::of(server, console.now()?)))
}
