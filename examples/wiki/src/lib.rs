//! A wiki in miniature: the reference for the side that is trusted.
//!
//! It has users with passwords, sessions, and pages whose text may hold the `jiraissues` macro: a table of the tracker's
//! issues, as whoever reads the page may see them. How the tracker is asked is decided elsewhere, behind [`IssueSource`];
//! whoever implements it says with the issues how the trust between the two went, and the page shows that.
//!
//! ```
//! use std::sync::Arc;
//! use taa_core::time::SystemClock;
//! use wiki::{FetchError, Fetched, IssueSource, TrustNotice, Wiki};
//!
//! struct Nowhere;
//!
//! impl IssueSource for Nowhere {
//!     async fn search(&self, _user: Option<&str>, _query: &str) -> Fetched {
//!         Fetched { issues: Err(FetchError::Connection), trust: TrustNotice::Anonymous, warning: None }
//!     }
//! }
//!
//! let base = "http://localhost:8090/".parse()?;
//! let tracker = "http://localhost:8080/".parse()?;
//! let wiki = Wiki::sample(base, tracker, Nowhere, Arc::new(SystemClock::new()))?;
//! let app = wiki::router(Arc::new(wiki));
//! # let _: axum::Router = app;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admin;
mod column;
mod issue_table;
mod jira_issues;
mod login;
mod markup;
mod pages;
mod sample;
mod session;
mod source;
mod trusted;
mod user;
mod visitor;
mod wiki;

pub mod service;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::{get, post};
use example_support::add_security_headers;

pub use column::Column;
pub use example_support::{NoRandomness, PasswordError};
pub use issue_table::{IssueRow, IssueTable};
pub use jira_issues::{JiraIssues, MacroError};
pub use markup::{Block, Markup};
pub use source::{FetchError, Fetched, IssueSource, TrustNotice};
pub use trusted::TrustedTracker;
pub use user::UserBase;
pub use wiki::{Page, Settings, SetupError, Wiki};

/// The largest body that is read: a login form is short.
const BODY_LIMIT: usize = 16 * 1024;

/// Every route of the wiki.
pub fn router(wiki: Arc<Wiki>) -> Router {
    Router::new()
        .route("/", get(pages::list))
        .route("/pages/{id}", get(pages::page))
        .route("/login", get(login::form).post(login::log_in))
        .route("/login/confirm", get(login::confirm_form).post(login::confirm))
        .route("/logout", post(login::log_out))
        .route("/style.css", get(pages::style))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(map_response(add_security_headers))
        .with_state(wiki)
}
