//! The REST interface below `/api`: the same as the pages, for programs.
//!
//! * Types of its own with stable names in `snake_case`; times are RFC 3339 in UTC, durations name their unit.
//! * A change needs the field `X-TAA-Console` and, where it has content, JSON. An unknown member is refused.
//! * An error is `{error, message, fields}`: a stable word, a sentence, and which fields are wrong.

mod applications;
mod audit;
mod document;
mod error;
mod list;
mod model;
mod own;
mod rules;
mod servers;
mod set_ups;
mod system;
mod users;
mod what_if;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use document::openapi;
pub(crate) use error::failure;

use crate::console::Console;

/// Every route, and the document about them.
pub(crate) fn routes() -> Router<Console> {
    let (router, _) = described().split_for_parts();
    router.merge(document::routes())
}

fn described() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .merge(applications::routes())
        .merge(servers::routes())
        .merge(set_ups::routes())
        .merge(own::routes())
        .merge(users::routes())
        .merge(audit::routes())
        .merge(what_if::routes())
        .merge(system::routes())
}
