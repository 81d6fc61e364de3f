//! Who this application is: what others compare, and the rotation of its keys. Private keys never leave here.

mod profile;
mod rotation;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use taa_core::certificate::KeyStatus;
use taa_core::time::UnixMillis;
use taa_store::model::{KeyPurpose, OwnIdentity, OwnKeyInfo, Snapshot};

use super::fingerprint::Fingerprint;
use super::frame::{Frame, Section};
use super::input::Input;
use super::parts::When;
use super::{DoneQuery, render};
use crate::console::Console;
use crate::extract::Query;
use crate::failure::Failure;
use crate::links::Links;
use crate::moment::Moment;
use crate::own_key::promotable_at;
use crate::view::UNSEALED;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/own", get(show)).merge(profile::routes()).merge(rotation::routes())
}

/// `GET /own`
async fn show(
    State(console): State<Console>,
    visit: Visit,
    Query(query): Query<DoneQuery>,
) -> Result<Response, Failure> {
    let frame = Frame::new(&console, &visit, Section::Own)?.done(query.done.as_deref());
    page(&console, frame, StatusCode::OK, None).await
}

/// The page, with the form of the profile as typed if there is one.
async fn page(
    console: &Console,
    frame: Frame,
    status: StatusCode,
    typed: Option<Vec<Input>>,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let own = match &snapshot.own {
        Some(own) => Some(Own::new(own, console.now()?, &frame.at, typed)),
        None => None,
    };
    let warning = (!console.store().is_sealed() && own.is_some()).then_some(UNSEALED);
    Ok(render(status, &OwnPage { frame, own, warning }))
}

#[derive(Template)]
#[template(path = "own.html")]
struct OwnPage {
    frame: Frame,
    /// None before `taa init`.
    own: Option<Own>,
    warning: Option<&'static str>,
}

struct Own {
    id: String,
    name: String,
    base_url: String,
    certificate_url: String,
    /// The page of the older versions, if there is a key for them.
    older_url: Option<String>,
    fingerprint: Fingerprint,
    seq: u64,
    made: When,
    protocols: String,
    document: String,
    keys: Vec<KeyRow>,
    rotations: Vec<Rotation>,
    has_ended: bool,
    profile: Vec<Input>,
    profile_open: bool,
}

struct KeyRow {
    purpose: String,
    status: &'static str,
    tone: &'static str,
    end: When,
    bits: usize,
    created: When,
    created_by: String,
    last_used: When,
    id: String,
    revoke: String,
}

/// Where the rotation of one purpose stands.
struct Rotation {
    purpose: KeyPurpose,
    title: &'static str,
    text: String,
    /// A next key waits: where it is made current.
    promote: Option<String>,
}

impl Own {
    fn new(own: &OwnIdentity, now: UnixMillis, at: &Links, typed: Option<Vec<Input>>) -> Self {
        let content = own.certificate.content();
        let protocols: Vec<_> = content.protocols.iter().map(ToString::to_string).collect();
        let has_legacy = own.keys.iter().any(|key| key.purpose == KeyPurpose::Legacy);
        let older_url = has_legacy.then(|| taa_client::legacy_certificate_url(&content.base_url).to_string());
        let profile_open = typed.is_some();
        Self {
            id: content.iss.to_string(),
            name: content.name.clone(),
            base_url: content.base_url.to_string(),
            certificate_url: taa_client::certificate_url(&content.base_url).to_string(),
            older_url,
            fingerprint: Fingerprint::new(&own.certificate.fingerprint().to_string()),
            seq: content.seq,
            made: Moment::of_seconds(content.iat).into(),
            protocols: protocols.join(", "),
            document: own.certificate.document().to_owned(),
            keys: own.keys.iter().map(|key| key_row(key, now, at)).collect(),
            rotations: rotations(own, now, at),
            has_ended: own
                .keys
                .iter()
                .any(|key| key.status == KeyStatus::Previous && !now.is_before(key.exp)),
            profile: typed.unwrap_or_else(|| profile::fields(&content.name, content.base_url.as_str(), &[])),
            profile_open,
        }
    }
}

fn key_row(key: &OwnKeyInfo, now: UnixMillis, at: &Links) -> KeyRow {
    let (status, tone) = match key.status {
        _ if !now.is_before(key.exp) => ("ended", "bad"),
        KeyStatus::Next => ("next", "info"),
        KeyStatus::Current => ("current", "good"),
        KeyStatus::Previous => ("previous", "quiet"),
    };
    KeyRow {
        purpose: key.purpose.to_string(),
        status,
        tone,
        end: When::or(key.exp.map(Moment::of_seconds), "no end"),
        bits: key.bits,
        created: Moment::of(key.created.at).into(),
        created_by: key.created.by.to_string(),
        last_used: When::or(key.last_used.map(Moment::of), "never"),
        id: key.id.to_string(),
        revoke: at.own_revoke(&key.id.to_string()),
    }
}

fn rotations(own: &OwnIdentity, now: UnixMillis, at: &Links) -> Vec<Rotation> {
    let mut all = Vec::new();
    for (purpose, title) in [(KeyPurpose::Signing, "Signing key"), (KeyPurpose::Decryption, "Decryption key")]
    {
        let next = own.keys.iter().find(|key| key.purpose == purpose && key.status == KeyStatus::Next);
        let text = match next {
            None => "No next key is published. Make one first; it becomes current a day later, when every peer has \
                     seen it."
                .to_owned(),
            Some(next) if promotable_at(next) <= now => {
                "The next key was published more than a day ago: it can become the current one.".to_owned()
            }
            Some(next) => format!(
                "A next key is published. Peers fetch certificates at least every 12 hours, so it should become current \
                 from {} on.",
                Moment::of(promotable_at(next)).text
            ),
        };
        let promote = next.map(|_| at.own_promote_of(&purpose.to_string()));
        all.push(Rotation { purpose, title, text, promote });
    }
    if !own.keys.iter().any(|key| key.purpose == KeyPurpose::Legacy) {
        all.push(Rotation {
            purpose: KeyPurpose::Legacy,
            title: "Key of the older versions",
            text: "There is none, and none is needed unless a peer only speaks versions 2 or 3. It has no rotation, and \
                   serves no other purpose."
                .to_owned(),
            promote: None,
        });
    }
    all
}

fn identity(snapshot: &Snapshot) -> Result<&OwnIdentity, Failure> {
    snapshot.own.as_ref().ok_or_else(|| Failure::Conflict(taa_store::StoreError::NoIdentity.to_string()))
}
