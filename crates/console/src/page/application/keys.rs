use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use taa_core::id::KeyId;

use super::{app_id, find};
use crate::console::Console;
use crate::extract::{Posted, Query};
use crate::failure::Failure;
use crate::page::confirm::ConfirmPage;
use crate::page::{Frame, Section, render, see_other};
use crate::view::PeerKey;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/application/revoke-key", get(ask).post(revoke))
}

#[derive(Debug, Deserialize)]
struct NamedKey {
    id: String,
    key: String,
}

impl NamedKey {
    fn key(&self) -> Result<KeyId, Failure> {
        self.key.parse().map_err(|_| Failure::NotFound("such key".to_owned()))
    }
}

/// `GET /application/revoke-key?id=…&key=…`
async fn ask(
    State(console): State<Console>,
    visit: Visit,
    Query(named): Query<NamedKey>,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let application = find(&snapshot, &named.id)?;
    let id = named.key()?;
    let key = PeerKey::all_of_application(application, console.now()?)
        .into_iter()
        .find(|key| key.id == id && !key.revoked)
        .ok_or_else(|| Failure::NotFound("such key of this application".to_owned()))?;
    let frame = Frame::new(&console, &visit, Section::Incoming)?;
    let page = ConfirmPage {
        title: format!("Revoke a key of {}?", application.name),
        facts: vec![
            ("Application", format!("{} ({})", application.name, application.id)),
            ("Key id", key.id.to_string()),
            ("For", key.purpose.to_owned()),
            ("Status", key.status_text()),
        ],
        text: vec![
            "Do this when the other application's administrator says that this key has leaked. Nothing signed with it is \
             accepted from the next request on."
                .to_owned(),
        ],
        warning: Some(
            "This cannot be taken back: no certificate brings the key back. If it is the current signing key, the \
             application is refused until it has a new one and you have compared its fingerprint."
                .to_owned(),
        ),
        action: frame.at.application_key(&named.id, &named.key),
        hidden: vec![("id", named.id.clone()), ("key", named.key.clone())],
        fields: Vec::new(),
        button: "Revoke the key",
        destroys: true,
        cancel: frame.at.application(&named.id),
        frame,
    };
    Ok(render(StatusCode::OK, &page))
}

/// `POST /application/revoke-key`
async fn revoke(
    State(console): State<Console>,
    visit: Visit,
    Posted(named): Posted<NamedKey>,
) -> Result<Response, Failure> {
    let id = app_id(&named.id)?;
    console.store().revoke_application_key(&id, named.key()?, visit.actor()).await?;
    see_other(&visit.links().application_done(id.as_str(), "key-revoked"))
}
