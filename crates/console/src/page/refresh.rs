use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use taa_service::refresh::Outcome;

use super::application::app_id;
use super::see_other;
use crate::console::Console;
use crate::extract::Posted;
use crate::failure::Failure;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/refresh", post(refresh)).route("/look-again", post(look_again))
}

#[derive(Debug, Deserialize)]
struct Peer {
    id: String,
    /// The page that asks: a peer may stand in both lists.
    #[serde(default)]
    from: From,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    #[default]
    Application,
    Server,
}

/// `POST /refresh`: fetches a peer's certificate now and takes it over if the one held has announced it.
async fn refresh(
    State(console): State<Console>,
    visit: Visit,
    Posted(peer): Posted<Peer>,
) -> Result<Response, Failure> {
    let id = app_id(&peer.id)?;
    let done = match console.inner().refresher.refresh(&id, visit.actor()).await? {
        Outcome::Taken => "refresh-taken",
        Outcome::Same => "refresh-same",
        // Why stands in the record.
        Outcome::Kept(_) => "refresh-kept",
    };
    see_other(&match peer.from {
        From::Application => visit.links().application_done(id.as_str(), done),
        From::Server => visit.links().server_done(id.as_str(), done),
    })
}

/// `POST /look-again`: fetches what a peer presents now and shows it beside what is held, for a person to compare.
async fn look_again(
    State(console): State<Console>,
    visit: Visit,
    Posted(peer): Posted<Peer>,
) -> Result<Response, Failure> {
    let fetched = console.inner().setup.fetch_again(&app_id(&peer.id)?, visit.actor()).await?;
    see_other(&visit.links().set_up_for(&fetched.pending.id, "keys"))
}
