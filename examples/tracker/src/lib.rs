//! An issue tracker in miniature: the reference for the side that trusts.
//!
//! It has users, projects, issues and permissions, and it answers three ways: JSON, the XML search view, and pages. Nothing
//! here is public, so whoever is not known sees no issue at all; that makes it easy to see whether trust works.
//! Who is asking is decided elsewhere and arrives as a [`Viewer`].
//!
//! ```
//! use std::sync::Arc;
//! use taa_core::time::SystemClock;
//! use tracker::Tracker;
//!
//! let base = "http://localhost:8080/".parse()?;
//! let tracker = Arc::new(Tracker::sample(base, Arc::new(SystemClock::new())));
//! let app = tracker::router(tracker);
//! # let _: axum::Router = app;
//! # Ok::<(), url::ParseError>(())
//! ```

pub mod admin;
mod icon;
mod issue;
mod jql;
mod pages;
mod paging;
mod permission;
mod rest;
mod sample;
mod text;
mod tracker;
mod trusted;
mod user;
mod viewer;
mod xml_view;

pub mod service;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::{get, post};
use example_support::add_security_headers;

pub use issue::{
    Issue, IssueKey, IssueType, KeyError, NewIssue, Priority, Project, ProjectKey, Resolution, Status,
    Summary, SummaryError,
};
pub use jql::{Jql, JqlError};
pub use paging::{Found, Window};
pub use permission::{Audience, Group, SecurityLevel};
pub use tracker::{CreateError, Tracker};
pub use trusted::{Users, trusted_router};
pub use user::{User, UserBase};
pub use viewer::{Viewer, ViewerName};

/// The largest body that is read: an issue is short.
const BODY_LIMIT: usize = 64 * 1024;

/// Every route of the tracker, as whoever asks is already known. See [`trusted_router`] for the one that finds out.
pub fn router(tracker: Arc<Tracker>) -> Router {
    rest_routes(&tracker).merge(page_routes(&tracker))
}

/// What programs ask for.
fn rest_routes(tracker: &Arc<Tracker>) -> Router {
    Router::new()
        .route("/rest/api/2/search", get(rest::search))
        .route("/rest/api/2/issue", post(rest::create))
        .route("/rest/api/2/issue/{key}", get(rest::issue))
        .route("/rest/api/2/myself", get(rest::myself))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(map_response(add_security_headers))
        .with_state(Arc::clone(tracker))
}

/// What people look at, and the view that other applications show to theirs.
fn page_routes(tracker: &Arc<Tracker>) -> Router {
    Router::new()
        .route("/", get(pages::list))
        .route("/browse/{key}", get(pages::browse))
        .route("/style.css", get(pages::style))
        .route("/images/icons/{file}", get(icon::serve))
        .route(xml_view::PATH, get(xml_view::search))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(map_response(add_security_headers))
        .with_state(Arc::clone(tracker))
}
