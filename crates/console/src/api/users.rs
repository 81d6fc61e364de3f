use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use taa_store::model::Snapshot;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Error;
use super::model::StampJson;
use crate::console::Console;
use crate::extract;
use crate::failure::Failure;
use crate::user_pattern::pattern;
use crate::visit::Visit;

pub(super) fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(list, revoke)).routes(routes!(restore))
}

/// The users no application may name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RevokedUserList {
    /// Goes up with every change of anything.
    generation: u64,
    users: Vec<RevokedUser>,
}

/// A user no application may name, or a pattern.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RevokedUser {
    /// Name or pattern; `*` stands for any characters.
    pattern: String,
    /// When and by whom.
    revoked: StampJson,
}

/// A user name or pattern.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPattern {
    #[schema(example = "svc-*")]
    pattern: String,
}

/// List the users no application may name.
#[utoipa::path(get, path = "/revoked-users", tag = "users", operation_id = "list_revoked_users",
    responses((status = 200, body = RevokedUserList)))]
async fn list(State(console): State<Console>) -> Result<Json<RevokedUserList>, Failure> {
    Ok(shown(&*console.snapshot().await?))
}

/// Let no application name this user any more.
#[utoipa::path(post, path = "/revoked-users", tag = "users", operation_id = "revoke_user", request_body = UserPattern,
    responses((status = 201, body = RevokedUserList), (status = 422, body = Error)))]
async fn revoke(
    State(console): State<Console>,
    visit: Visit,
    extract::Json(user): extract::Json<UserPattern>,
) -> Result<(StatusCode, Json<RevokedUserList>), Failure> {
    let snapshot = console.store().revoke_user(pattern(&user.pattern)?, visit.actor()).await?;
    Ok((StatusCode::CREATED, shown(&snapshot)))
}

/// Take a user off the list.
#[utoipa::path(post, path = "/revoked-users/restore", tag = "users", operation_id = "restore_user",
    request_body = UserPattern,
    responses((status = 200, body = RevokedUserList), (status = 404, body = Error), (status = 422, body = Error)))]
async fn restore(
    State(console): State<Console>,
    visit: Visit,
    extract::Json(user): extract::Json<UserPattern>,
) -> Result<Json<RevokedUserList>, Failure> {
    let snapshot = console.store().restore_user(&pattern(&user.pattern)?, visit.actor()).await?;
    Ok(shown(&snapshot))
}

fn shown(snapshot: &Snapshot) -> Json<RevokedUserList> {
    let users = snapshot.revoked_users.iter();
    Json(RevokedUserList {
        generation: snapshot.generation,
        users: users
            .map(|user| RevokedUser { pattern: user.pattern.to_string(), revoked: (&user.revoked).into() })
            .collect(),
    })
}
