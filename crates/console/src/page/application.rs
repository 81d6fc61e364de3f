//! One trusted application: its rules, its keys, and what can be done to it.

mod deletion;
mod keys;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use taa_core::id::AppId;
use taa_core::time::UnixMillis;
use taa_store::model::{ApplicationUpdate, Row, RulesText, Snapshot, TrustedApplication};

use super::fingerprint::Fingerprint;
use super::frame::{Frame, Section};
use super::parts::{Conditions, KeyTable, When};
use super::rules_form::RulesForm;
use super::{is_about_the_form, render, see_other};
use crate::console::Console;
use crate::extract::{Posted, Query};
use crate::failure::{Failure, FieldProblem};
use crate::moment::Moment;
use crate::view::{Condition, PeerKey, fingerprint};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/application", get(show).post(update))
        .route("/application/enable", post(enable))
        .route("/application/disable", post(disable))
        .merge(deletion::routes())
        .merge(keys::routes())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ShowQuery {
    id: String,
    done: Option<String>,
    /// A path to append to those that are allowed: it is only put into the form.
    add_path: Option<String>,
}

/// Only names an application.
#[derive(Debug, Deserialize)]
struct Named {
    id: String,
}

/// The form, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UpdateText {
    id: String,
    version: u64,
    name: String,
    addresses: String,
    paths: String,
    methods: String,
    never_as: String,
    timeout: String,
    min_protocol: String,
    allow_repeats: String,
}

impl UpdateText {
    fn rules(&self) -> RulesText {
        RulesText {
            name: self.name.clone(),
            timeout: self.timeout.clone(),
            addresses: self.addresses.clone(),
            paths: self.paths.clone(),
            methods: self.methods.clone(),
            never_as: self.never_as.clone(),
            min_protocol: self.min_protocol.clone(),
            allow_repeats: self.allow_repeats == "true",
        }
    }
}

/// `GET /application?id=…`
async fn show(
    State(console): State<Console>,
    visit: Visit,
    Query(query): Query<ShowQuery>,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let application = find(&snapshot, &query.id)?;
    let mut text = RulesText::of(&application.name, &application.rules);
    let mut frame = Frame::new(&console, &visit, Section::Incoming)?.done(query.done.as_deref());
    if let Some(path) = query.add_path.as_deref().filter(|path| !path.trim().is_empty()) {
        text.paths = format!("{}\n{}", text.paths.trim_end(), path.trim());
        frame.notice = Some("The path was put below the others. It is not saved yet.");
    }
    let page = Page::new(&console, frame, application, Typed::first(application, text, &[]))?;
    Ok(render(StatusCode::OK, &page))
}

/// `POST /application`
async fn update(
    State(console): State<Console>,
    visit: Visit,
    Posted(text): Posted<UpdateText>,
) -> Result<Response, Failure> {
    let id = app_id(&text.id)?;
    let rules = text.rules();
    let failure = match save(&console, &visit, &id, text.version, &rules).await {
        Ok(()) => return see_other(&visit.links().application_done(id.as_str(), "saved")),
        Err(failure) if is_about_the_form(&failure) || failure == Failure::Changed => failure,
        Err(failure) => return Err(failure),
    };
    let snapshot = console.snapshot().await?;
    let application = find(&snapshot, id.as_str())?;
    let mut frame = Frame::new(&console, &visit, Section::Incoming)?;
    let typed = if failure == Failure::Changed {
        Typed::beside(application, rules)
    } else {
        frame = frame.failed(&failure);
        Typed { version: text.version, text: rules, problems: failure.fields().to_vec(), stored: None }
    };
    Ok(render(failure.status(), &Page::new(&console, frame, application, typed)?))
}

async fn save(
    console: &Console,
    visit: &Visit,
    id: &AppId,
    version: u64,
    rules: &RulesText,
) -> Result<(), Failure> {
    let (name, rules) = rules.parse(console.inner().greatest)?;
    let update = ApplicationUpdate { version, name, rules };
    console.store().update_application(id, update, visit.actor()).await?;
    Ok(())
}

/// `POST /application/enable`
async fn enable(
    State(console): State<Console>,
    visit: Visit,
    Posted(named): Posted<Named>,
) -> Result<Response, Failure> {
    console.store().set_application_enabled(&app_id(&named.id)?, true, visit.actor()).await?;
    see_other(&visit.links().incoming_done("enabled"))
}

/// `POST /application/disable`
async fn disable(
    State(console): State<Console>,
    visit: Visit,
    Posted(named): Posted<Named>,
) -> Result<Response, Failure> {
    console.store().set_application_enabled(&app_id(&named.id)?, false, visit.actor()).await?;
    see_other(&visit.links().incoming_done("disabled"))
}

/// The id as one; what is none cannot be the id of a record that can be used.
pub(super) fn app_id(text: &str) -> Result<AppId, Failure> {
    AppId::parse(text).map_err(|_| missing())
}

fn find<'s>(snapshot: &'s Snapshot, id: &str) -> Result<&'s TrustedApplication, Failure> {
    let broken = |row: &Row<TrustedApplication>| matches!(row, Row::Broken { id: there, .. } if there == id);
    match snapshot.application(id) {
        Some(application) => Ok(application),
        None if snapshot.applications.iter().any(broken) => Err(Failure::Conflict(
            "The record of this application cannot be read. It can only be deleted.".to_owned(),
        )),
        None => Err(missing()),
    }
}

fn missing() -> Failure {
    Failure::NotFound("such application".to_owned())
}

/// What stands in the form.
struct Typed {
    version: u64,
    text: RulesText,
    problems: Vec<FieldProblem>,
    /// What somebody else has stored meanwhile, where it differs.
    stored: Option<Vec<Difference>>,
}

/// A field that somebody else has changed.
struct Difference {
    label: &'static str,
    typed: String,
    stored: String,
}

impl Typed {
    fn first(application: &TrustedApplication, text: RulesText, problems: &[FieldProblem]) -> Self {
        Self { version: application.version, text, problems: problems.to_vec(), stored: None }
    }

    /// What was typed, with what is stored now beside it. Saving once more replaces that.
    fn beside(application: &TrustedApplication, text: RulesText) -> Self {
        let stored = RulesText::of(&application.name, &application.rules);
        let yes = |on: bool| if on { "yes" } else { "no" }.to_owned();
        let pairs = [
            ("Name", text.name.clone(), stored.name),
            ("Addresses", text.addresses.clone(), stored.addresses),
            ("Paths", text.paths.clone(), stored.paths),
            ("Methods", text.methods.clone(), stored.methods),
            ("Never as", text.never_as.clone(), stored.never_as),
            ("Timeout", text.timeout.clone(), stored.timeout),
            ("Lowest version", text.min_protocol.clone(), stored.min_protocol),
            ("Repeats", yes(text.allow_repeats), yes(stored.allow_repeats)),
        ];
        let differ = |(label, typed, stored): (&'static str, String, String)| {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            (words(&typed) != words(&stored)).then_some(Difference { label, typed, stored })
        };
        let stored = Some(pairs.into_iter().filter_map(differ).collect());
        Self { version: application.version, text, problems: Vec::new(), stored }
    }
}

#[derive(Template)]
#[template(path = "application.html")]
struct Page {
    frame: Frame,
    id: String,
    name: String,
    base_url: String,
    enabled: bool,
    conditions: Conditions,
    fingerprint: Option<Fingerprint>,
    certificate: Option<(u64, When, String)>,
    created: (When, String),
    updated: (When, String),
    last_used: When,
    refreshed: When,
    version: u64,
    form: RulesForm,
    stored: Option<Vec<Difference>>,
    keys: KeyTable,
    links: PageLinks,
}

struct PageLinks {
    switch: String,
    delete: String,
    audit: String,
    what_if: String,
}

impl Page {
    fn new(
        console: &Console,
        frame: Frame,
        application: &TrustedApplication,
        typed: Typed,
    ) -> Result<Self, Failure> {
        let now = console.now()?;
        let id = application.id.as_str();
        let links = PageLinks {
            switch: frame.at.application_switch(!application.enabled),
            delete: frame.at.application_delete(id),
            audit: frame.at.audit_about(id),
            what_if: frame.at.what_if_for(id),
        };
        let legacy = application.keys.legacy.as_ref().map(|key| &key.0);
        let certificate = application.keys.certificate.as_ref();
        let fingerprint = fingerprint(certificate, legacy).as_deref().map(Fingerprint::new);
        let certificate = certificate.map(|held| {
            let content = held.content();
            let protocols: Vec<_> = content.protocols.iter().map(ToString::to_string).collect();
            (content.seq, Moment::of_seconds(content.iat).into(), protocols.join(", "))
        });
        Ok(Self {
            id: id.to_owned(),
            name: application.name.clone(),
            base_url: application.base_url.to_string(),
            enabled: application.enabled,
            conditions: Conditions(Condition::of_application(application, now)),
            fingerprint,
            certificate,
            created: (Moment::of(application.created.at).into(), application.created.by.to_string()),
            updated: (Moment::of(application.updated.at).into(), application.updated.by.to_string()),
            last_used: When::or(application.last_used.map(Moment::of), "never"),
            refreshed: When::or(application.refreshed.as_ref().map(|last| Moment::of(last.at)), "not yet"),
            version: typed.version,
            form: RulesForm::new(&typed.text, &typed.problems, console.inner().greatest),
            stored: typed.stored,
            keys: key_table(application, &frame, now),
            links,
            frame,
        })
    }
}

fn key_table(application: &TrustedApplication, frame: &Frame, now: UnixMillis) -> KeyTable {
    let keys = PeerKey::all_of_application(application, now).into_iter().map(|key| {
        let revoke =
            (!key.revoked).then(|| frame.at.application_key(application.id.as_str(), &key.id.to_string()));
        (key, revoke)
    });
    KeyTable { keys: keys.collect(), held: true }
}
