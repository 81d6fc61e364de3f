//! The pages, for people. They need no script.

mod application;
mod assets;
mod audit;
mod confirm;
mod done;
mod fingerprint;
mod frame;
mod incoming;
mod input;
mod own;
mod parts;
mod problem;
mod refresh;
mod rules_form;
mod server;
mod set_up;
mod system;
mod users;
mod what_if;

use askama::Template;
use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

pub(crate) use fingerprint::Fingerprint;
pub(crate) use frame::{Frame, Section};
pub(crate) use input::Input;
pub(crate) use problem::failure;

use crate::console::Console;
use crate::failure::Failure;

/// Every page's routes; none has a guard of its own, because the router around them has.
pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .merge(assets::routes())
        .merge(incoming::routes())
        .merge(set_up::routes())
        .merge(application::routes())
        .merge(server::routes())
        .merge(refresh::routes())
        .merge(own::routes())
        .merge(users::routes())
        .merge(audit::routes())
        .merge(what_if::routes())
        .merge(system::routes())
}

fn render(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// After a change: the browser asks for this page, so that loading it again changes nothing.
fn see_other(location: &str) -> Result<Response, Failure> {
    // Links are percent-encoded, so this does not fail.
    let location = HeaderValue::from_str(location).map_err(|_| Failure::Internal)?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response())
}

/// Whether a form is shown again with what is wrong with it; other failures have a page of their own.
fn is_about_the_form(failure: &Failure) -> bool {
    matches!(failure, Failure::Conflict(_) | Failure::Fetch(_) | Failure::Fields(_))
}

/// Only says that a query may have a word of what was just done.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct DoneQuery {
    done: Option<String>,
}
