use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;

use crate::console::Console;
use crate::extract::Posted;
use crate::failure::{Failure, FieldProblem};
use crate::own_key::change_profile;
use crate::page::{Frame, Input, Section, is_about_the_form, see_other};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/own/profile", post(change))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProfileText {
    name: String,
    base_url: String,
}

/// `POST /own/profile`: another name or base URL.
async fn change(
    State(console): State<Console>,
    visit: Visit,
    Posted(text): Posted<ProfileText>,
) -> Result<Response, Failure> {
    match change_profile(&console, &visit, &text.name, &text.base_url).await {
        Ok(_) => see_other(&visit.links().own_done("profile")),
        Err(failure) if is_about_the_form(&failure) => {
            let frame = Frame::new(&console, &visit, Section::Own)?.failed(&failure);
            let typed = fields(&text.name, &text.base_url, failure.fields());
            super::page(&console, frame, failure.status(), Some(typed)).await
        }
        Err(failure) => Err(failure),
    }
}

pub(super) fn fields(name: &str, base_url: &str, problems: &[FieldProblem]) -> Vec<Input> {
    let all = vec![
        Input::text("name", "Name", name).help("What others see when they set trust up."),
        Input::url("base_url", "Base URL", base_url)
            .help("Where others reach this application, with its context path.")
            .warning("When it changes, a person has to look at it at every peer before its certificate is taken over."),
    ];
    all.into_iter().map(|input| input.judged(problems)).collect()
}
