//! Setting trust up in two steps: fetch, compare, save. What was fetched stays on the server; the second step names the
//! fingerprint that was shown, and only that one is saved.

mod fetch_form;
mod form;
mod held;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use taa_service::{FetchWhat, Fetched, Remark};
use taa_store::model::{PendingId, Presented};

pub(super) use fetch_form::FetchForm;
pub(super) use form::Direction;
use form::{Choice, SetUpText};
use held::Held;

use super::fingerprint::Fingerprint;
use super::frame::Frame;
use super::input::Input;
use super::parts::{KeyTable, When};
use super::rules_form::RulesForm;
use super::{incoming, is_about_the_form, render, see_other, server};
use crate::console::Console;
use crate::extract::{Path, Posted, Query};
use crate::failure::{Failure, FieldProblem};
use crate::moment::Moment;
use crate::view::PeerKey;
use crate::visit::Visit;
use crate::waiting::{lapsed, waiting};

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/set-up", post(fetch))
        .route("/set-up/{id}", get(show).post(save))
        .route("/set-up/{id}/give-up", post(give_up))
}

/// [`FetchWhat`] as a form sends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FetchText {
    direction: Direction,
    base_url: String,
    insecure_allow_http: String,
    older_versions: String,
}

impl FetchText {
    fn what(self) -> FetchWhat {
        FetchWhat {
            base_url: self.base_url,
            insecure_allow_http: self.insecure_allow_http == "true",
            older_versions: self.older_versions == "true",
        }
    }
}

/// `POST /set-up`: the first step.
async fn fetch(
    State(console): State<Console>,
    visit: Visit,
    Posted(text): Posted<FetchText>,
) -> Result<Response, Failure> {
    let direction = text.direction;
    let what = text.what();
    match console.inner().setup.fetch(&what, visit.actor()).await.map_err(Failure::from) {
        Ok(fetched) => see_other(&visit.links().set_up_for(&fetched.pending.id, direction.word())),
        Err(failure) if is_about_the_form(&failure) => match direction {
            Direction::Outgoing => server::list_again(&console, &visit, &what, &failure).await,
            _ => incoming::list_again(&console, &visit, &what, &failure).await,
        },
        Err(failure) => Err(failure),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ShowQuery {
    direction: Direction,
}

/// `GET /set-up/{id}`: the second step.
async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Result<Response, Failure> {
    let fetched = waiting(&console.inner().setup, &id).await?;
    let text = SetUpText::suggested(&fetched, query.direction);
    let frame = Frame::new(&console, &visit, text.direction.section())?;
    page(&console, frame, &fetched, &text, &[], StatusCode::OK).await
}

/// `POST /set-up/{id}`: saves what was shown.
async fn save(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    Posted(text): Posted<SetUpText>,
) -> Result<Response, Failure> {
    let setup = &console.inner().setup;
    let fetched = waiting(setup, &id).await?;
    let saved = match text.what(&fetched, console.inner().greatest) {
        Ok(what) => setup
            .save(&fetched.pending.id, &text.fingerprint, &what, visit.actor())
            .await
            .map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match saved {
        Ok(id) => {
            // It is saved: what is asked of the database now must not make a failure of it.
            let snapshot = console.store().snapshot();
            let links = visit.links();
            see_other(&match text.direction {
                Direction::Outgoing => links.servers_done("server-added"),
                Direction::Incoming | Direction::Both => links.incoming_done("added"),
                Direction::Keys if snapshot.application(id.as_str()).is_some() => {
                    links.application_done(id.as_str(), "keys-taken")
                }
                Direction::Keys => links.server_done(id.as_str(), "keys-taken"),
            })
        }
        Err(failure) if is_about_the_form(&failure) => {
            let frame = Frame::new(&console, &visit, text.direction.section())?.failed(&failure);
            page(&console, frame, &fetched, &text, failure.fields(), failure.status()).await
        }
        Err(failure) => Err(failure),
    }
}

/// `POST /set-up/{id}/give-up`
async fn give_up(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id: PendingId = id.parse().map_err(|_| lapsed())?;
    console.inner().setup.give_up(&id).await?;
    see_other(&visit.links().incoming_done("given-up"))
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    frame: Frame,
    id: String,
    name: String,
    base_url: String,
    named_base_url: Option<String>,
    protocols: String,
    fingerprint_text: String,
    fingerprint: Fingerprint,
    older: bool,
    keys: KeyTable,
    remarks: Vec<(String, bool)>,
    can_be_saved: bool,
    held: Option<Held>,
    fetched_at: When,
    choices: Vec<Choice>,
    direction_error: Option<String>,
    form: RulesForm,
    outgoing: Vec<Input>,
    compared: Input,
    save: String,
    give_up: String,
}

async fn page(
    console: &Console,
    frame: Frame,
    fetched: &Fetched,
    text: &SetUpText,
    problems: &[FieldProblem],
    status: StatusCode,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let now = console.now()?;
    let pending = &fetched.pending;
    let fingerprint_text = pending.fingerprint();
    let keys = PeerKey::all_presented(&pending.presented, now);
    let (name, named_base_url, protocols, older) = match &pending.presented {
        Presented::Certificate(certificate) => {
            let content = certificate.content();
            let protocols: Vec<_> = content.protocols.iter().map(ToString::to_string).collect();
            let named = (content.base_url != pending.base_url).then(|| content.base_url.to_string());
            (content.name.clone(), named, protocols.join(", "), false)
        }
        Presented::LegacyPage(page) => {
            let version = page.version.map_or_else(|| "not said".to_owned(), |version| version.to_string());
            (String::new(), None, format!("{version} (the older versions)"), true)
        }
    };
    let (save, give_up) = (frame.at.set_up(&pending.id), frame.at.give_up(&pending.id));
    let page = SetUpPage {
        frame,
        id: pending.app_id().to_string(),
        name,
        base_url: pending.base_url.to_string(),
        named_base_url,
        protocols,
        fingerprint: Fingerprint::new(&fingerprint_text),
        fingerprint_text,
        older,
        keys: KeyTable { keys: keys.into_iter().map(|key| (key, None)).collect(), held: false },
        remarks: fetched.remarks.iter().map(|remark| (remark.text(), is_grave(remark))).collect(),
        can_be_saved: !fetched.remarks.iter().any(Remark::prevents_saving),
        held: Held::of(&snapshot, pending),
        fetched_at: Moment::of(pending.fetched.at).into(),
        choices: Choice::all(fetched, text.direction),
        direction_error: problems
            .iter()
            .find(|problem| problem.field == "direction")
            .map(|problem| problem.message.clone()),
        form: RulesForm::new(&text.rules(), problems, console.inner().greatest),
        outgoing: text.outgoing_fields(problems),
        compared: text.compared_field(older).judged(problems),
        save,
        give_up,
    };
    Ok(render(status, &page))
}

/// What only an attack or a mistake brings.
fn is_grave(remark: &Remark) -> bool {
    remark.prevents_saving()
        || matches!(
            remark,
            Remark::Unannounced(_)
                | Remark::OtherLegacyKey
                | Remark::InsecureHttp
                | Remark::Known { other_base_url: Some(_), .. }
        )
}
