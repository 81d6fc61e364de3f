use askama::Template;
use axum::response::{IntoResponse, Response};

use super::frame::{Frame, Section};
use super::render;
use crate::console::Console;
use crate::failure::Failure;
use crate::links::Links;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    heading: &'static str,
    message: String,
    /// A link that helps, and its text.
    way_out: Option<(String, &'static str)>,
}

/// The page of a failure that no form can show.
pub(crate) fn failure(
    console: &Console,
    links: &Links,
    visit: Option<&Visit>,
    failure: &Failure,
) -> Response {
    let frame = visit.and_then(|visit| Frame::new(console, visit, Section::None).ok());
    let mut frame = frame.unwrap_or_else(|| Frame::bare(console, links));
    let way_out = match failure {
        Failure::NotLoggedIn { at } => at.clone().map(|at| (at, "Log in")),
        Failure::MustConfirm { at } => {
            // The page itself says it.
            frame.confirm_at = None;
            Some((at.clone(), "Confirm who you are"))
        }
        _ if visit.is_some() => Some((links.incoming(), "Incoming trust")),
        _ => None,
    };
    let page = ProblemPage { frame, heading: heading(failure), message: failure.message(), way_out };
    render(failure.status(), &page).into_response()
}

const fn heading(failure: &Failure) -> &'static str {
    match failure {
        Failure::Changed => "Somebody else was quicker",
        Failure::Conflict(_) => "This cannot be done now",
        Failure::CrossSite => "Not from another site",
        Failure::Fetch(_) => "The other application did not answer as it should",
        Failure::Fields(_) | Failure::Malformed(_) | Failure::UnsupportedMediaType(_) => {
            "This request cannot be understood"
        }
        Failure::Internal => "Something went wrong",
        Failure::MethodNotAllowed => "Not in this way",
        Failure::MustConfirm { .. } => "Confirm who you are",
        Failure::NotAdministrator => "Administrators only",
        Failure::NotFound(_) => "Nothing here",
        Failure::NotLoggedIn { .. } => "Log in first",
        Failure::Token => "This form is out of date",
        Failure::TooLarge => "Too long",
        Failure::Unavailable => "The database cannot be reached",
    }
}
