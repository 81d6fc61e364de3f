//! The pages for people. They only show; nothing is changed through them.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Deserialize;

use crate::icon;
use crate::issue::{Issue, IssueKey};
use crate::jql::Jql;
use crate::paging::Window;
use crate::text::{page_day, page_time};
use crate::tracker::Tracker;
use crate::viewer::Viewer;

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(rename = "jqlQuery", default)]
    jql: String,
}

/// `GET /`: what the viewer may see, all of it or what a search finds.
pub(crate) async fn list(
    State(tracker): State<Arc<Tracker>>,
    viewer: Viewer,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else { return StatusCode::BAD_REQUEST.into_response() };
    let who = display_name(&tracker, &viewer);
    match Jql::parse(&query.jql) {
        Ok(jql) => {
            let found = tracker.search(&viewer, &jql, Window::ALL);
            let issues = found.issues.iter().map(|issue| Row::of(&tracker, issue)).collect();
            page(StatusCode::OK, &ListPage { who, jql: query.jql, total: found.total, issues, error: None })
        }
        Err(error) => {
            let error = Some(error.to_string());
            page(
                StatusCode::BAD_REQUEST,
                &ListPage { who, jql: query.jql, total: 0, issues: Vec::new(), error },
            )
        }
    }
}

/// `GET /browse/{key}`: one issue. An issue that may not be seen and one that does not exist look the same.
pub(crate) async fn browse(
    State(tracker): State<Arc<Tracker>>,
    viewer: Viewer,
    Path(key): Path<String>,
) -> Response {
    let who = display_name(&tracker, &viewer);
    let issue = key.parse::<IssueKey>().ok().and_then(|key| tracker.issue(&viewer, &key));
    match issue {
        Some(issue) => {
            let project = tracker.project(issue.key.project()).map(|it| it.name.clone()).unwrap_or_default();
            let row = Row::of(&tracker, &issue);
            page(StatusCode::OK, &IssuePage { who, project, row, issue: &issue })
        }
        None => {
            let status = if who.is_some() { StatusCode::NOT_FOUND } else { StatusCode::UNAUTHORIZED };
            page(status, &HiddenPage { who, key })
        }
    }
}

/// `GET /style.css`
pub(crate) async fn style() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=300")],
        include_str!("../assets/style.css"),
    )
}

fn display_name(tracker: &Tracker, viewer: &Viewer) -> Option<String> {
    tracker.viewer(viewer).map(|user| user.display_name.clone())
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    who: Option<String>,
    jql: String,
    total: usize,
    issues: Vec<Row>,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "issue.html")]
struct IssuePage<'a> {
    who: Option<String>,
    project: String,
    row: Row,
    issue: &'a Issue,
}

#[derive(Template)]
#[template(path = "hidden.html")]
struct HiddenPage {
    who: Option<String>,
    key: String,
}

/// An issue as pages show it.
struct Row {
    key: String,
    summary: String,
    issue_type: Iconed,
    priority: Iconed,
    status: Iconed,
    resolution: &'static str,
    assignee: String,
    reporter: String,
    created: String,
    updated: String,
    due: String,
}

struct Iconed {
    icon: String,
    text: &'static str,
}

impl Row {
    fn of(tracker: &Tracker, issue: &Issue) -> Self {
        let iconed = |text, name: &str| Iconed { icon: icon::path(name), text };
        Self {
            key: issue.key.to_string(),
            summary: issue.summary.to_string(),
            issue_type: iconed(issue.issue_type.name(), issue.issue_type.icon()),
            priority: iconed(issue.priority.name(), issue.priority.icon()),
            status: iconed(issue.status.name(), issue.status.icon()),
            resolution: issue.resolution.map_or("Unresolved", |resolution| resolution.name()),
            assignee: issue
                .assignee
                .as_ref()
                .map_or_else(|| "Unassigned".to_owned(), |name| tracker.display_name(name).to_owned()),
            reporter: tracker.display_name(&issue.reporter).to_owned(),
            created: page_time(issue.created),
            updated: page_time(issue.updated),
            due: issue.due.map(page_day).unwrap_or_default(),
        }
    }
}
