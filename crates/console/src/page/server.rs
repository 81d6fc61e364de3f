//! Servers that this application calls as its users: list, one of them, deletion.

mod deletion;
mod list;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use taa_service::OLDER_VERSIONS;
use taa_store::model::TrustingServer;

pub(super) use list::list_again;

use super::fingerprint::Fingerprint;
use super::frame::{Frame, Section};
use super::input::Input;
use super::parts::{Conditions, KeyTable, When};
use super::{is_about_the_form, render, see_other};
use crate::console::Console;
use crate::extract::{Posted, Query};
use crate::failure::{Failure, FieldProblem};
use crate::moment::Moment;
use crate::server_text::{ServerText, find, switch};
use crate::view::{Condition, PeerKey, fingerprint};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .merge(list::routes())
        .route("/server", get(show).post(update))
        .route("/server/enable", post(enable))
        .route("/server/disable", post(disable))
        .merge(deletion::routes())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ShowQuery {
    id: String,
    done: Option<String>,
}

/// Only names a server.
#[derive(Debug, Deserialize)]
struct Named {
    id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UpdateText {
    id: String,
    version: u64,
    name: String,
    base_url: String,
    protocol: String,
    lifetime: String,
    require_content_digest: String,
    insecure_allow_http: String,
}

impl UpdateText {
    fn text(&self) -> ServerText {
        ServerText {
            name: self.name.clone(),
            base_url: self.base_url.clone(),
            protocol: self.protocol.clone(),
            lifetime: self.lifetime.clone(),
            require_content_digest: self.require_content_digest == "true",
            insecure_allow_http: self.insecure_allow_http == "true",
        }
    }
}

/// `GET /server?id=…`
async fn show(
    State(console): State<Console>,
    visit: Visit,
    Query(query): Query<ShowQuery>,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let server = find(&snapshot, &query.id)?;
    let frame = Frame::new(&console, &visit, Section::Outgoing)?.done(query.done.as_deref());
    let page = Page::new(&console, frame, server, server.version, &ServerText::of(server), &[], None)?;
    Ok(render(StatusCode::OK, &page))
}

/// `POST /server`
async fn update(
    State(console): State<Console>,
    visit: Visit,
    Posted(typed): Posted<UpdateText>,
) -> Result<Response, Failure> {
    let text = typed.text();
    let snapshot = console.snapshot().await?;
    let server = find(&snapshot, &typed.id)?;
    let saved = match text.update(server, typed.version) {
        Ok(update) => {
            console.store().update_server(&server.id, update, visit.actor()).await.map_err(Failure::from)
        }
        Err(failure) => Err(failure),
    };
    let failure = match saved {
        Ok(_) => return see_other(&visit.links().server_done(&typed.id, "server-saved")),
        Err(failure) if is_about_the_form(&failure) || failure == Failure::Changed => failure,
        Err(failure) => return Err(failure),
    };
    let snapshot = console.snapshot().await?;
    let server = find(&snapshot, &typed.id)?;
    let mut frame = Frame::new(&console, &visit, Section::Outgoing)?;
    let (version, stored) = if failure == Failure::Changed {
        (server.version, Some(ServerText::of(server)))
    } else {
        frame = frame.failed(&failure);
        (typed.version, None)
    };
    let page = Page::new(&console, frame, server, version, &text, failure.fields(), stored)?;
    Ok(render(failure.status(), &page))
}

/// `POST /server/enable`
async fn enable(
    State(console): State<Console>,
    visit: Visit,
    Posted(named): Posted<Named>,
) -> Result<Response, Failure> {
    switch(&console, &visit, &named.id, true).await?;
    see_other(&visit.links().servers_done("enabled"))
}

/// `POST /server/disable`
async fn disable(
    State(console): State<Console>,
    visit: Visit,
    Posted(named): Posted<Named>,
) -> Result<Response, Failure> {
    switch(&console, &visit, &named.id, false).await?;
    see_other(&visit.links().servers_done("server-disabled"))
}

#[derive(Template)]
#[template(path = "server.html")]
struct Page {
    frame: Frame,
    id: String,
    name: String,
    enabled: bool,
    conditions: Conditions,
    fingerprint: Option<Fingerprint>,
    certificate: Option<(u64, When, String)>,
    created: (When, String),
    updated: (When, String),
    last_used: When,
    refreshed: When,
    version: u64,
    fields: Vec<Input>,
    stored: Option<ServerText>,
    keys: KeyTable,
    switch: String,
    delete: String,
    audit: String,
}

impl Page {
    fn new(
        console: &Console,
        frame: Frame,
        server: &TrustingServer,
        version: u64,
        text: &ServerText,
        problems: &[FieldProblem],
        stored: Option<ServerText>,
    ) -> Result<Self, Failure> {
        let now = console.now()?;
        let id = server.id.as_str();
        let certificate = server.certificate.as_ref();
        let keys = certificate.map_or_else(Vec::new, |held| PeerKey::all_of_certificate(held, now));
        Ok(Self {
            id: id.to_owned(),
            name: server.name.clone(),
            enabled: server.enabled,
            conditions: Conditions(Condition::of_server(server, now)),
            fingerprint: fingerprint(certificate, None).as_deref().map(Fingerprint::new),
            certificate: certificate.map(|held| {
                let content = held.content();
                let protocols: Vec<_> = content.protocols.iter().map(ToString::to_string).collect();
                (content.seq, Moment::of_seconds(content.iat).into(), protocols.join(", "))
            }),
            created: (Moment::of(server.created.at).into(), server.created.by.to_string()),
            updated: (Moment::of(server.updated.at).into(), server.updated.by.to_string()),
            last_used: When::or(server.last_used.map(Moment::of), "never"),
            refreshed: When::or(server.refreshed.as_ref().map(|last| Moment::of(last.at)), "not yet"),
            version,
            fields: fields(text, problems),
            stored,
            keys: KeyTable { keys: keys.into_iter().map(|key| (key, None)).collect(), held: false },
            switch: frame.at.server_switch(!server.enabled),
            delete: frame.at.server_delete(id),
            audit: frame.at.audit_about(id),
            frame,
        })
    }
}

fn fields(text: &ServerText, problems: &[FieldProblem]) -> Vec<Input> {
    let all = vec![
        Input::text("name", "Name", &text.name).help("For people."),
        Input::url("base_url", "Base URL", &text.base_url).help(
            "Where this application reaches it. Requests are signed for this URL and below, and for nothing else.",
        ),
        Input::select("protocol", "Version spoken to it", &text.protocol, versions())
            .help(
                "The server has to accept it. 4 needs its certificate; 2 and 3 need this application's key of the older \
                 versions, and prove no answer.",
            )
            .warning(OLDER_VERSIONS),
        Input::number("lifetime", "Length of a session, in seconds", &text.lifetime)
            .help("How long one session key is used before a new one is made: 1 to 900; 300 when left blank."),
        Input::check(
            "require_content_digest",
            "Only accept content that the server proves",
            text.require_content_digest,
        )
        .help("Answers whose content is not covered by the server's proof, such as long ones, are then refused."),
        Input::check("insecure_allow_http", "Allow plain http", text.insecure_allow_http)
            .warning("Whoever is on the path can read the answers, and change those that are not proven."),
    ];
    all.into_iter().map(|input| input.judged(problems)).collect()
}

fn versions() -> Vec<(String, String)> {
    [("4", "4 (signs everything)"), ("3", "3"), ("2", "2")]
        .map(|(value, text)| (value.to_owned(), text.to_owned()))
        .into()
}
