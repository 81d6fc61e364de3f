use axum::Json;
use axum::extract::State;
use serde::Serialize;
use taa_store::model::AuditFilter;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Error;
use crate::audit_text::AuditText;
use crate::console::Console;
use crate::extract::Query;
use crate::failure::Failure;
use crate::moment::rfc3339;

/// Rows when nothing is said, and the most.
const DEFAULT: u32 = 100;
const MOST: u32 = 1000;

pub(super) fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verify))
}

/// Rows of the audit trail, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    entries: Vec<AuditEntry>,
    /// `before_seq` of the next page; null on the last one.
    next_before_seq: Option<u64>,
}

/// One row of the audit trail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Its number, from 1, without gaps.
    seq: u64,
    #[schema(format = DateTime)]
    at: String,
    actor: String,
    /// Such as `application.changed`.
    action: String,
    /// What it was done to: an application id, a key id, a user.
    subject: String,
    /// What changed; for a change `{"old": …, "new": …}` of each field.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// The generation it made.
    generation: u64,
    /// SHA-256 over this row and the hash of the one before, in hex.
    hash: String,
}

/// What became of verifying the trail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditReport {
    /// Whether the trail is whole.
    whole: bool,
    /// How many rows were read.
    rows: u64,
    /// Null for an empty trail.
    head: Option<AuditHead>,
    /// What is wrong, the first 100.
    problems: Vec<String>,
}

/// The last row. Written down elsewhere, it shows later that nothing before it was changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditHead {
    seq: u64,
    hash: String,
}

/// Read the audit trail.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "list_audit", params(AuditText),
    responses((status = 200, body = AuditPage), (status = 422, body = Error)))]
async fn list(
    State(console): State<Console>,
    Query(text): Query<AuditText>,
) -> Result<Json<AuditPage>, Failure> {
    let filter = text.filter()?;
    let limit = if filter.limit == 0 { DEFAULT } else { filter.limit.min(MOST) };
    let entries = console.store().audit(&AuditFilter { limit, ..filter }).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|count| count >= limit);
    let next_before_seq = entries.last().filter(|last| full && last.seq > 1).map(|last| last.seq);
    let entries = entries.into_iter().map(|entry| AuditEntry {
        seq: entry.seq,
        at: rfc3339(entry.at),
        actor: entry.actor.to_string(),
        action: entry.action,
        subject: entry.subject,
        detail: entry.detail,
        generation: entry.generation,
        hash: entry.hash,
    });
    Ok(Json(AuditPage { entries: entries.collect(), next_before_seq }))
}

/// Read the whole audit trail and recompute it.
#[utoipa::path(get, path = "/audit/verify", tag = "audit", operation_id = "verify_audit",
    responses((status = 200, body = AuditReport)))]
async fn verify(State(console): State<Console>) -> Result<Json<AuditReport>, Failure> {
    let report = console.store().verify_audit().await?;
    Ok(Json(AuditReport {
        whole: report.problems.is_empty(),
        rows: report.rows,
        head: report.head.map(|(seq, hash)| AuditHead { seq, hash }),
        problems: report.problems,
    }))
}
