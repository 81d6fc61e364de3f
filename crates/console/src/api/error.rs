use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::Failure;

/// Why a request was not carried out. Nothing has changed; only after `store_unavailable` look whether it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Error {
    /// A stable word: `malformed` (400), `not_logged_in` (401), `not_administrator`, `cross_site`, `token`,
    /// `confirmation_required` (403), `not_found` (404), `method_not_allowed` (405), `changed`, `conflict` (409),
    /// `too_large` (413), `unsupported_media_type` (415), `invalid_fields` (422), `internal` (500), `fetch_failed` (502),
    /// `store_unavailable` (503).
    pub(crate) error: &'static str,
    /// A sentence for a person.
    pub(crate) message: String,
    /// Which fields are wrong; empty unless `invalid_fields`.
    pub(crate) fields: Vec<ErrorField>,
    /// Where to log in, or to confirm who one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
}

/// One field is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ErrorField {
    /// Its name in the request.
    pub(crate) field: &'static str,
    /// Why, as a sentence.
    pub(crate) message: String,
}

/// The answer for a failure.
pub(crate) fn failure(failure: Failure) -> Response {
    let fields = failure
        .fields()
        .iter()
        .map(|problem| ErrorField { field: name(problem.field), message: problem.message.clone() });
    let body = Error {
        error: failure.word(),
        message: failure.message(),
        fields: fields.collect(),
        at: match &failure {
            Failure::MustConfirm { at } => Some(at.clone()),
            Failure::NotLoggedIn { at } => at.clone(),
            _ => None,
        },
    };
    (failure.status(), Json(body)).into_response()
}

/// Forms have their own names for what has a unit here.
fn name(field: &'static str) -> &'static str {
    match field {
        "lifetime" => "lifetime_s",
        "timeout" => "timeout_ms",
        field => field,
    }
}
