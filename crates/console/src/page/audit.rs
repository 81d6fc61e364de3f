//! The audit trail: what was done, by whom, to what; and whether the trail is whole.

mod detail;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use taa_store::model::{Action, AuditEntry, AuditFilter};

use detail::Line;

use super::frame::{Frame, Section};
use super::input::Input;
use super::parts::When;
use super::render;
use crate::audit_text::{AuditText, action_label};
use crate::console::Console;
use crate::extract::Query;
use crate::failure::{Failure, FieldProblem};
use crate::links::Links;
use crate::moment::Moment;
use crate::visit::Visit;

/// Rows on a page.
const PAGE: u32 = 50;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/audit", get(list)).route("/audit/verify", get(verify))
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    fields: Vec<Input>,
    filtered: bool,
    rows: Vec<EntryRow>,
    /// The page after this one, and the first one if this is another.
    older: Option<String>,
    newest: Option<String>,
}

struct EntryRow {
    seq: u64,
    at: When,
    actor: String,
    action: String,
    subject: String,
    about: String,
    lines: Vec<Line>,
}

/// `GET /audit`
async fn list(
    State(console): State<Console>,
    visit: Visit,
    Query(text): Query<AuditText>,
) -> Result<Response, Failure> {
    let frame = Frame::new(&console, &visit, Section::Audit)?;
    let filter = match text.filter() {
        Ok(filter) => filter,
        Err(failure) => {
            let status = failure.status();
            let page = AuditPage {
                fields: fields(&text, failure.fields()),
                frame: frame.failed(&failure),
                filtered: true,
                rows: Vec::new(),
                older: None,
                newest: None,
            };
            return Ok(render(status, &page));
        }
    };
    // One more than is shown tells whether there is another page.
    let filter = AuditFilter { limit: PAGE.saturating_add(1), ..filter };
    let mut entries = console.store().audit(&filter).await?;
    let shown = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = entries.len() > shown;
    entries.truncate(shown);
    let links = visit.links();
    let last = entries.last().filter(|_| more);
    let page = AuditPage {
        fields: fields(&text, &[]),
        filtered: text.is_filter(),
        older: last.map(|entry| page_link(links, &text, Some(entry.seq))),
        newest: (!text.before_seq.is_empty()).then(|| page_link(links, &text, None)),
        rows: entries.iter().map(|entry| row(entry, links)).collect(),
        frame,
    };
    Ok(render(StatusCode::OK, &page))
}

fn row(entry: &AuditEntry, links: &Links) -> EntryRow {
    EntryRow {
        seq: entry.seq,
        at: Moment::exact(entry.at).into(),
        actor: entry.actor.to_string(),
        action: action_label(&entry.action),
        subject: entry.subject.clone(),
        about: links.audit_about(&entry.subject),
        lines: detail::lines(&entry.detail),
    }
}

fn page_link(links: &Links, text: &AuditText, before: Option<u64>) -> String {
    let before = before.map(|seq| seq.to_string()).unwrap_or_default();
    let pairs = [
        ("actor", text.actor.as_str()),
        ("action", text.action.as_str()),
        ("subject", text.subject.as_str()),
        ("since", text.since.as_str()),
        ("until", text.until.as_str()),
        ("before_seq", before.as_str()),
    ];
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
    if pairs.is_empty() { links.audit() } else { links.audit_of(&pairs) }
}

fn fields(text: &AuditText, problems: &[FieldProblem]) -> Vec<Input> {
    let mut actions = vec![(String::new(), "any".to_owned())];
    actions.extend(Action::ALL.into_iter().map(|action| (action.to_string(), action_label(action.as_str()))));
    let all = vec![
        Input::text("actor", "By", &text.actor),
        Input::select("action", "What", &text.action, actions),
        Input::text("subject", "About", &text.subject),
        Input::time("since", "Not before (UTC)", &text.since),
        Input::time("until", "Before (UTC)", &text.until),
    ];
    all.into_iter().map(|input| input.judged(problems)).collect()
}

#[derive(Template)]
#[template(path = "audit_verify.html")]
struct VerifyPage {
    frame: Frame,
    rows: u64,
    head: Option<(u64, String)>,
    problems: Vec<String>,
    at: When,
}

/// `GET /audit/verify`: reads the whole trail and recomputes it.
async fn verify(State(console): State<Console>, visit: Visit) -> Result<Response, Failure> {
    let frame = Frame::new(&console, &visit, Section::Audit)?;
    let report = console.store().verify_audit().await?;
    let page = VerifyPage {
        frame,
        rows: report.rows,
        head: report.head,
        problems: report.problems,
        at: Moment::exact(console.now()?).into(),
    };
    Ok(render(StatusCode::OK, &page))
}
