//! The JSON answers, in the shape that clients of such trackers know.

mod body;
mod error;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use serde::Deserialize;

use self::body::{CreatedBody, IssueBody, MyselfBody, NewIssueBody, SearchBody};
use self::error::ApiError;
use crate::issue::IssueKey;
use crate::jql::Jql;
use crate::paging::Window;
use crate::tracker::Tracker;
use crate::viewer::Viewer;

/// How many issues an answer holds when the question does not say.
const DEFAULT_RESULTS: usize = 50;

/// The query of a search. Numbers stay text here, so that a bad one is answered like any other mistake.
#[derive(Debug, Deserialize)]
pub(crate) struct SearchQuery {
    #[serde(default)]
    jql: String,
    #[serde(rename = "startAt")]
    start_at: Option<String>,
    #[serde(rename = "maxResults")]
    max_results: Option<String>,
}

/// `GET /rest/api/2/search`
pub(crate) async fn search(
    State(tracker): State<Arc<Tracker>>,
    viewer: Viewer,
    query: Result<Query<SearchQuery>, QueryRejection>,
) -> Result<Json<SearchBody>, ApiError> {
    let Query(query) = query?;
    let jql = Jql::parse(&query.jql).map_err(|error| ApiError::bad_request(&error))?;
    let max_results = number(query.max_results.as_deref(), "maxResults", DEFAULT_RESULTS)?.min(Window::MAX);
    let window = Window { start: number(query.start_at.as_deref(), "startAt", 0)?, max: max_results };
    let found = tracker.search(&viewer, &jql, window);
    Ok(Json(SearchBody {
        start_at: found.start,
        max_results,
        total: found.total,
        issues: found.issues.iter().map(|issue| IssueBody::of(&tracker, issue)).collect(),
    }))
}

/// `GET /rest/api/2/issue/{key}`
pub(crate) async fn issue(
    State(tracker): State<Arc<Tracker>>,
    viewer: Viewer,
    Path(key): Path<String>,
) -> Result<Json<IssueBody>, ApiError> {
    let issue = key.parse::<IssueKey>().ok().and_then(|key| tracker.issue(&viewer, &key));
    match issue {
        Some(issue) => Ok(Json(IssueBody::of(&tracker, &issue))),
        None => Err(ApiError::new(StatusCode::NOT_FOUND, "The issue does not exist, or you may not see it.")),
    }
}

/// `POST /rest/api/2/issue`
pub(crate) async fn create(
    State(tracker): State<Arc<Tracker>>,
    viewer: Viewer,
    body: Result<Json<NewIssueBody>, JsonRejection>,
) -> Result<impl IntoResponse, ApiError> {
    // Nobody's body is looked at; whoever is nobody is told so first.
    if tracker.viewer(&viewer).is_none() {
        return Err(ApiError::not_logged_in());
    }
    let Json(body) = body?;
    let issue = tracker.create(&viewer, body.parse()?)?;
    let created = CreatedBody::of(&tracker, &issue);
    Ok((StatusCode::CREATED, [(LOCATION, created.address.clone())], Json(created)))
}

/// `GET /rest/api/2/myself`
pub(crate) async fn myself(
    State(tracker): State<Arc<Tracker>>,
    viewer: Viewer,
) -> Result<Json<MyselfBody>, ApiError> {
    tracker.viewer(&viewer).map(|user| Json(MyselfBody::of(user))).ok_or_else(ApiError::not_logged_in)
}

fn number(text: Option<&str>, name: &str, default: usize) -> Result<usize, ApiError> {
    match text {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| {
            ApiError::new(StatusCode::BAD_REQUEST, &format!("{name} is a whole number, not below zero."))
        }),
    }
}

/// Messages that belong to one field each.
type FieldErrors = BTreeMap<&'static str, String>;
