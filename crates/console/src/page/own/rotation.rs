use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use taa_core::certificate::KeyStatus;
use taa_core::id::KeyId;
use taa_store::model::{KeyPurpose, OwnKeyInfo, Promotion, Snapshot};

use super::identity;
use crate::console::Console;
use crate::extract::{Posted, Query};
use crate::failure::Failure;
use crate::moment::Moment;
use crate::own_key::{promotable_at, purpose};
use crate::page::confirm::ConfirmPage;
use crate::page::{Frame, Input, Section, is_about_the_form, render, see_other};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/own/publish", post(publish))
        .route("/own/promote", get(ask_promote).post(promote))
        .route("/own/revoke", get(ask_revoke).post(revoke))
        .route("/own/remove-ended", post(remove_ended))
}

#[derive(Debug, Deserialize)]
struct Purpose {
    purpose: String,
    #[serde(default)]
    at_once: String,
}

impl Purpose {
    fn known(&self) -> Result<KeyPurpose, Failure> {
        purpose(&self.purpose).ok_or_else(|| Failure::NotFound("such purpose of a key".to_owned()))
    }
}

/// `POST /own/publish`: makes a next key.
async fn publish(
    State(console): State<Console>,
    visit: Visit,
    Posted(text): Posted<Purpose>,
) -> Result<Response, Failure> {
    let purpose = text.known()?;
    match console.store().publish_next_key(purpose, visit.actor()).await.map_err(Failure::from) {
        Ok(_) if purpose == KeyPurpose::Legacy => see_other(&visit.links().own_done("key-imported")),
        Ok(_) => see_other(&visit.links().own_done("key-published")),
        Err(failure) if is_about_the_form(&failure) => {
            let frame = Frame::new(&console, &visit, Section::Own)?.failed(&failure);
            super::page(&console, frame, failure.status(), None).await
        }
        Err(failure) => Err(failure),
    }
}

/// `GET /own/promote?purpose=…`
async fn ask_promote(
    State(console): State<Console>,
    visit: Visit,
    Query(text): Query<Purpose>,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let frame = Frame::new(&console, &visit, Section::Own)?;
    promotion_page(&console, &snapshot, frame, text.known()?, StatusCode::OK)
}

/// `POST /own/promote`: the next key becomes current.
async fn promote(
    State(console): State<Console>,
    visit: Visit,
    Posted(text): Posted<Purpose>,
) -> Result<Response, Failure> {
    let purpose = text.known()?;
    let when = if text.at_once == "true" { Promotion::InsecureAtOnce } else { Promotion::AfterADay };
    match console.store().promote_key(purpose, when, visit.actor()).await.map_err(Failure::from) {
        Ok(_) => see_other(&visit.links().own_done("key-promoted")),
        Err(failure) if is_about_the_form(&failure) => {
            let snapshot = console.snapshot().await?;
            let frame = Frame::new(&console, &visit, Section::Own)?.failed(&failure);
            promotion_page(&console, &snapshot, frame, purpose, failure.status())
        }
        Err(failure) => Err(failure),
    }
}

fn promotion_page(
    console: &Console,
    snapshot: &Snapshot,
    frame: Frame,
    purpose: KeyPurpose,
    status: StatusCode,
) -> Result<Response, Failure> {
    let next = identity(snapshot)?
        .keys
        .iter()
        .find(|key| key.purpose == purpose && key.status == KeyStatus::Next)
        .ok_or_else(|| Failure::NotFound(format!("next {purpose} key: make one first")))?;
    let due = promotable_at(next);
    let early = console.now()? < due;
    let at_once = Input::check("at_once", "Make it current at once all the same", false).warning(
        "Right where no peer exists yet, or where the current key may have leaked (then revoke that key instead).",
    );
    let page = ConfirmPage {
        title: format!("Make the next {purpose} key current?"),
        facts: vec![
            ("Next key", next.id.to_string()),
            ("Published", Moment::of(next.created.at).text),
            ("May become current", Moment::of(due).text),
        ],
        text: vec![
            "The key that is current now becomes the previous one. It is accepted for another 24 hours and 15 minutes, so \
             that nothing under way breaks."
                .to_owned(),
            "The fingerprint of this application changes with it. Peers that hold the certificate of the last day take \
             the new one over by themselves."
                .to_owned(),
        ],
        warning: early.then(|| {
            format!(
                "It was published less than a day ago: peers that have not fetched the certificate since then refuse this \
                 application, or cannot call it, until they do. Wait until {}.",
                Moment::of(due).text
            )
        }),
        action: frame.at.own_promote(),
        hidden: vec![("purpose", purpose.to_string())],
        fields: if early { vec![at_once] } else { Vec::new() },
        button: "Make it current",
        destroys: early,
        cancel: frame.at.own(),
        frame,
    };
    Ok(render(status, &page))
}

#[derive(Debug, Deserialize)]
struct NamedKey {
    key: String,
}

impl NamedKey {
    fn id(&self) -> Result<KeyId, Failure> {
        self.key.parse().map_err(|_| no_such_key())
    }
}

fn no_such_key() -> Failure {
    Failure::NotFound("such key of this application".to_owned())
}

/// `GET /own/revoke?key=…`
async fn ask_revoke(
    State(console): State<Console>,
    visit: Visit,
    Query(named): Query<NamedKey>,
) -> Result<Response, Failure> {
    let id = named.id()?;
    let snapshot = console.snapshot().await?;
    let own = identity(&snapshot)?;
    let key = own.keys.iter().find(|key| key.id == id).ok_or_else(no_such_key)?;
    let frame = Frame::new(&console, &visit, Section::Own)?;
    let page = ConfirmPage {
        title: format!("Revoke this {} key?", key.purpose),
        facts: vec![
            ("Key id", key.id.to_string()),
            ("For", key.purpose.to_string()),
            ("Status", key.status.to_string()),
        ],
        text: vec![
            "This is for emergencies: when the private key may be in somebody else's hands. To change keys without haste, \
             publish a next key and make it current a day later."
                .to_owned(),
            meaning(key).to_owned(),
        ],
        warning: Some(
            "The private key is deleted and the key is no longer listed. This cannot be taken back. Tell the \
             administrators of all peers to fetch this application's certificate and to compare its new fingerprint; \
             until then whoever has the old key can go on using it there."
                .to_owned(),
        ),
        action: frame.at.own_revoke(&named.key),
        hidden: vec![("key", named.key.clone())],
        fields: Vec::new(),
        button: "Revoke the key",
        destroys: true,
        cancel: frame.at.own(),
        frame,
    };
    Ok(render(StatusCode::OK, &page))
}

fn meaning(key: &OwnKeyInfo) -> &'static str {
    match (key.status, key.purpose) {
        (KeyStatus::Current, KeyPurpose::Signing) => {
            "It is the current key. The next key takes its place at once, or a new one if there is none. Peers refuse this \
             application until they hold its new certificate; a next key that they have seen is taken over by itself."
        }
        (KeyStatus::Current, KeyPurpose::Decryption) => {
            "It is the current key. The next key takes its place at once, or a new one if there is none. Peers that hold \
             the old certificate are refused until they have fetched the new one."
        }
        (_, KeyPurpose::Legacy) => {
            "Peers that only know the older versions refuse this application until they have been given another key."
        }
        (KeyStatus::Next | KeyStatus::Previous, _) => {
            "It is not the current key. What was signed or encrypted with it is refused from now on."
        }
    }
}

/// `POST /own/revoke`
async fn revoke(
    State(console): State<Console>,
    visit: Visit,
    Posted(named): Posted<NamedKey>,
) -> Result<Response, Failure> {
    console.store().revoke_own_key(named.id()?, visit.actor()).await?;
    see_other(&visit.links().own_done("key-revoked"))
}

/// `POST /own/remove-ended`
async fn remove_ended(State(console): State<Console>, visit: Visit) -> Result<Response, Failure> {
    let removed = console.store().remove_ended_keys(visit.actor()).await?;
    see_other(&visit.links().own_done(if removed == 0 { "no-ended-keys" } else { "keys-removed" }))
}
