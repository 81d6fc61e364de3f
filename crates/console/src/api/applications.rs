use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use taa_core::id::{AppId, KeyId};
use taa_store::model::{ApplicationUpdate, Row, Snapshot};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Error;
use super::model::{Application, BrokenRecord, RefreshOutcome};
use super::rules::RulesJson;
use crate::console::Console;
use crate::extract::{self, Path};
use crate::failure::Failure;
use crate::visit::Visit;

pub(super) fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, update, remove))
        .routes(routes!(enable))
        .routes(routes!(disable))
        .routes(routes!(refresh))
        .routes(routes!(revoke_key))
}

/// The trusted applications, by name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ApplicationList {
    /// Goes up with every change of anything.
    generation: u64,
    applications: Vec<Application>,
    broken: Vec<BrokenRecord>,
}

/// Another name or other rules of a trusted application.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationChange {
    /// `version` of the application as it was read: if somebody else changed it since, the answer is 409 `changed`.
    version: u64,
    name: String,
    rules: RulesJson,
}

/// List the trusted applications.
#[utoipa::path(get, path = "/applications", tag = "applications", operation_id = "list_applications",
    responses((status = 200, body = ApplicationList)))]
async fn list(State(console): State<Console>) -> Result<Json<ApplicationList>, Failure> {
    let (snapshot, now) = (console.snapshot().await?, console.now()?);
    let applications = snapshot.applications.iter().filter_map(Row::good);
    Ok(Json(ApplicationList {
        generation: snapshot.generation,
        applications: applications.map(|application| Application::of(application, now)).collect(),
        broken: BrokenRecord::all(&snapshot.applications),
    }))
}

/// Get a trusted application.
#[utoipa::path(get, path = "/applications/{id}", tag = "applications", operation_id = "get_application",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 200, body = Application), (status = 404, body = Error)))]
async fn get(State(console): State<Console>, Path(id): Path<String>) -> Result<Json<Application>, Failure> {
    shown(&console, &*console.snapshot().await?, &id)
}

/// Change name and rules of a trusted application.
#[utoipa::path(put, path = "/applications/{id}", tag = "applications", operation_id = "update_application",
    params(("id" = String, Path, description = "Application id")), request_body = ApplicationChange,
    responses((status = 200, body = Application), (status = 404, body = Error), (status = 409, body = Error),
        (status = 422, body = Error)))]
async fn update(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    extract::Json(change): extract::Json<ApplicationChange>,
) -> Result<Json<Application>, Failure> {
    let (name, rules) = change.rules.parse(&change.name, console.inner().greatest)?;
    let update = ApplicationUpdate { version: change.version, name, rules };
    let snapshot = console.store().update_application(&app_id(&id)?, update, visit.actor()).await?;
    shown(&console, &snapshot, &id)
}

/// Delete a trusted application. Its requests are refused from then on. Broken records can be deleted too.
#[utoipa::path(delete, path = "/applications/{id}", tag = "applications", operation_id = "delete_application",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 204), (status = 404, body = Error)))]
async fn remove(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    console.store().remove_application(&id, visit.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switch a trusted application on.
#[utoipa::path(post, path = "/applications/{id}/enable", tag = "applications", operation_id = "enable_application",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 200, body = Application), (status = 404, body = Error)))]
async fn enable(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Json<Application>, Failure> {
    let snapshot = console.store().set_application_enabled(&app_id(&id)?, true, visit.actor()).await?;
    shown(&console, &snapshot, &id)
}

/// Switch a trusted application off: it counts as unknown from the next request on.
#[utoipa::path(post, path = "/applications/{id}/disable", tag = "applications", operation_id = "disable_application",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 200, body = Application), (status = 404, body = Error)))]
async fn disable(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Json<Application>, Failure> {
    let snapshot = console.store().set_application_enabled(&app_id(&id)?, false, visit.actor()).await?;
    shown(&console, &snapshot, &id)
}

/// Fetch a trusted application's certificate now, and take it over if the one held has announced it.
#[utoipa::path(post, path = "/applications/{id}/refresh", tag = "applications", operation_id = "refresh_application",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 200, body = RefreshOutcome), (status = 404, body = Error)))]
async fn refresh(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Json<RefreshOutcome>, Failure> {
    let id = app_id(&id)?;
    if console.snapshot().await?.application(id.as_str()).is_none() {
        return Err(missing());
    }
    Ok(Json(console.inner().refresher.refresh(&id, visit.actor()).await?.into()))
}

/// Revoke a key of a trusted application for ever.
#[utoipa::path(post, path = "/applications/{id}/keys/{key}/revoke", tag = "applications",
    operation_id = "revoke_application_key",
    params(("id" = String, Path, description = "Application id"), ("key" = String, Path, description = "Key id")),
    responses((status = 200, body = Application), (status = 404, body = Error)))]
async fn revoke_key(
    State(console): State<Console>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Result<Json<Application>, Failure> {
    let key: KeyId = key.parse().map_err(|_| Failure::NotFound("such key".to_owned()))?;
    let snapshot = console.store().revoke_application_key(&app_id(&id)?, key, visit.actor()).await?;
    shown(&console, &snapshot, &id)
}

/// The application as it stands in this snapshot.
pub(super) fn shown(console: &Console, snapshot: &Snapshot, id: &str) -> Result<Json<Application>, Failure> {
    let application = snapshot.application(id).ok_or_else(missing)?;
    Ok(Json(Application::of(application, console.now()?)))
}

pub(super) fn app_id(text: &str) -> Result<AppId, Failure> {
    AppId::parse(text).map_err(|_| missing())
}

fn missing() -> Failure {
    Failure::NotFound("such application".to_owned())
}
