//! The XML view of a search: RSS with one `item` per issue (product notes, section 7.1).

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use url::form_urlencoded;

use crate::icon;
use crate::issue::Issue;
use crate::jql::{Jql, JqlError};
use crate::paging::{Found, Window};
use crate::text::{rss_day, rss_time, xml_text};
use crate::tracker::Tracker;
use crate::viewer::Viewer;

/// Where the view is.
pub(crate) const PATH: &str = "/sr/jira.issueviews:searchrequest-xml/temp/SearchRequest.xml";

/// The query of the view. Parameters of the old view that are not here change nothing.
#[derive(Debug, Deserialize)]
pub(crate) struct ViewQuery {
    #[serde(rename = "jqlQuery", default)]
    jql: String,
    #[serde(rename = "tempMax")]
    max: Option<String>,
    #[serde(rename = "pager/start")]
    start: Option<String>,
}

/// `GET /sr/jira.issueviews:searchrequest-xml/temp/SearchRequest.xml`
pub(crate) async fn search(
    State(tracker): State<Arc<Tracker>>,
    viewer: Viewer,
    query: Result<Query<ViewQuery>, QueryRejection>,
) -> Result<Response, ViewError> {
    let Query(query) = query?;
    let jql = Jql::parse(&query.jql)?;
    let found = tracker.search(&viewer, &jql, query.window()?);
    let xml = Feed::of(&tracker, &query.jql, &found).render().map_err(|_| ViewError::Render)?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response())
}

impl ViewQuery {
    fn window(&self) -> Result<Window, ViewError> {
        let max = match self.max.as_deref() {
            None => Window::MAX,
            Some(text) => match text.parse::<i64>().map_err(|_| ViewError::Number)? {
                wanted @ 1.. => {
                    usize::try_from(wanted).ok().filter(|max| *max <= Window::MAX).ok_or(ViewError::Limit)?
                }
                _ => return Err(ViewError::Limit),
            },
        };
        let start = match self.start.as_deref() {
            None => 0,
            Some(text) => text.parse().map_err(|_| ViewError::Number)?,
        };
        Ok(Window { start, max })
    }
}

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewError {
    #[error("tempMax is above 0 and at most 1000")]
    Limit,
    #[error("tempMax and pager/start are whole numbers")]
    Number,
    #[error(transparent)]
    Jql(#[from] JqlError),
    #[error(transparent)]
    Query(#[from] QueryRejection),
    #[error("the view could not be written")]
    Render,
}

impl IntoResponse for ViewError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Limit => StatusCode::FORBIDDEN,
            Self::Number | Self::Jql(_) | Self::Query(_) => StatusCode::BAD_REQUEST,
            Self::Render => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, format!("{self}\n")).into_response()
    }
}

/// The document. Every text in it went through [`xml_text`]; the template escapes.
#[derive(Template)]
#[template(path = "search.xml")]
struct Feed {
    link: String,
    start: usize,
    end: usize,
    total: usize,
    items: Vec<Item>,
}

struct Item {
    link: String,
    project: Named,
    id: u32,
    key: String,
    summary: String,
    description: String,
    issue_type: Iconed,
    priority: Iconed,
    status: Iconed,
    resolution: Named,
    assignee: Named,
    reporter: Named,
    labels: Vec<String>,
    created: String,
    updated: String,
    due: String,
    versions: Vec<String>,
    fix_versions: Vec<String>,
    components: Vec<String>,
    votes: u32,
}

/// A text, and the id programs know it by.
struct Named {
    id: String,
    text: String,
}

struct Iconed {
    id: u32,
    icon: String,
    text: &'static str,
}

impl Feed {
    fn of(tracker: &Tracker, jql: &str, found: &Found<Issue>) -> Self {
        let query: String = form_urlencoded::byte_serialize(jql.as_bytes()).collect();
        Self {
            link: tracker.link(&format!("/?jqlQuery={query}")),
            start: found.start,
            end: found.end(),
            total: found.total,
            items: found.issues.iter().map(|issue| Item::of(tracker, issue)).collect(),
        }
    }
}

impl Item {
    fn of(tracker: &Tracker, issue: &Issue) -> Self {
        let iconed =
            |id, text, icon: &str| Iconed { id, icon: xml_text(&tracker.link(&icon::path(icon))), text };
        let user = |name: &String| Named { id: xml_text(name), text: xml_text(tracker.display_name(name)) };
        let texts = |texts: &[String]| texts.iter().map(|text| xml_text(text)).collect();
        Self {
            link: xml_text(&tracker.link(&format!("/browse/{}", issue.key))),
            project: Named {
                id: issue.key.project().to_string(),
                text: tracker.project(issue.key.project()).map(|it| xml_text(&it.name)).unwrap_or_default(),
            },
            id: issue.id,
            key: issue.key.to_string(),
            summary: xml_text(issue.summary.as_str()),
            description: xml_text(&issue.description),
            issue_type: iconed(issue.issue_type.id(), issue.issue_type.name(), issue.issue_type.icon()),
            priority: iconed(issue.priority.id(), issue.priority.name(), issue.priority.icon()),
            status: iconed(issue.status.id(), issue.status.name(), issue.status.icon()),
            resolution: issue.resolution.map_or_else(
                || Named { id: "-1".into(), text: "Unresolved".into() },
                |it| Named { id: it.id().to_string(), text: it.name().into() },
            ),
            assignee: issue
                .assignee
                .as_ref()
                .map_or_else(|| Named { id: "-1".into(), text: "Unassigned".into() }, user),
            reporter: user(&issue.reporter),
            labels: texts(&issue.labels),
            created: rss_time(issue.created),
            updated: rss_time(issue.updated),
            due: issue.due.map(rss_day).unwrap_or_default(),
            versions: texts(&issue.versions),
            fix_versions: texts(&issue.fix_versions),
            components: texts(&issue.components),
            votes: issue.votes,
        }
    }
}
