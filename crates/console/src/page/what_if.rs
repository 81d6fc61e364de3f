use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{StatusCode, Uri};
use taa_service::what_if::Verdict;
use taa_store::model::{Row, Snapshot};
use url::form_urlencoded;

use super::frame::{Frame, Section};
use super::input::Input;
use super::{is_about_the_form, render};
use crate::console::Console;
use crate::extract::Query;
use crate::failure::{Failure, FieldProblem, sentence};
use crate::view::{Asked, Judgement};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/what-if", get(show))
}

#[derive(Template)]
#[template(path = "what_if.html")]
struct WhatIfPage {
    frame: Frame,
    fields: Vec<Input>,
    result: Option<Judged>,
}

struct Judged {
    steps: Vec<StepRow>,
    refused: Option<(u8, String, String)>,
    /// A path that no rule allows, and where it is put into the form of the application.
    add_path: Option<(String, String)>,
    /// Whether the user base was asked.
    asked_user_base: bool,
}

struct StepRow {
    number: u8,
    check: String,
    word: &'static str,
    tone: &'static str,
    because: String,
    decides: bool,
}

/// `GET /what-if`: would this request be allowed? It asks and changes nothing, so it can be linked to.
async fn show(
    State(console): State<Console>,
    visit: Visit,
    uri: Uri,
    Query(mut asked): Query<Asked>,
) -> Result<Response, Failure> {
    let snapshot = console.snapshot().await?;
    let mut frame = Frame::new(&console, &visit, Section::WhatIf)?;
    // A link may name the application alone: then the form is shown and nothing is judged.
    let mut names = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).map(|(name, _)| name);
    let complete = names.any(|name| name == "user");
    if !complete {
        if let Some(address) = visit.seen().client {
            asked.address = address.to_string();
        }
        let fields = fields(&snapshot, &asked, &[]);
        return Ok(render(StatusCode::OK, &WhatIfPage { frame, fields, result: None }));
    }
    match Judgement::of(&console, &snapshot, &asked).await {
        Ok(judgement) => {
            let fields = fields(&snapshot, &asked, &[]);
            let result = Some(judged(&console, &frame, &asked, judgement));
            Ok(render(StatusCode::OK, &WhatIfPage { frame, fields, result }))
        }
        Err(failure) if is_about_the_form(&failure) => {
            frame = frame.failed(&failure);
            let fields = fields(&snapshot, &asked, failure.fields());
            Ok(render(failure.status(), &WhatIfPage { frame, fields, result: None }))
        }
        Err(failure) => Err(failure),
    }
}

fn fields(snapshot: &Snapshot, asked: &Asked, problems: &[FieldProblem]) -> Vec<Input> {
    let mut applications: Vec<_> = snapshot
        .applications
        .iter()
        .map(|row| match row {
            Row::Good(application) => {
                (application.id.to_string(), format!("{} ({})", application.name, application.id))
            }
            Row::Broken { id, name, .. } => (id.clone(), format!("{name} ({id}), broken")),
        })
        .collect();
    if !applications.iter().any(|(id, _)| *id == asked.application) {
        let unknown = if asked.application.is_empty() { "Choose one" } else { &asked.application };
        applications.insert(0, (asked.application.clone(), unknown.to_owned()));
    }
    let version = if asked.version.is_empty() { "4" } else { asked.version.as_str() };
    let versions = ["4", "3", "2"].map(|version| (version.to_owned(), version.to_owned())).into();
    let all = vec![
        Input::select("application", "Application", &asked.application, applications).required(),
        Input::text("user", "User it names", &asked.user).required(),
        Input::text("method", "Method", if asked.method.is_empty() { "GET" } else { asked.method.as_str() }),
        Input::text("target", "Path, with its query if it has one", &asked.target)
            .help("As it is requested: /rest/api/2/search?jql=…"),
        Input::text("address", "Address it comes from", &asked.address).help(
            "Your own, as this service sees it, unless you change it. Left blank, the address is not judged.",
        ),
        Input::select("version", "Version of the protocol", version, versions),
    ];
    all.into_iter().map(|input| input.judged(problems)).collect()
}

fn judged(console: &Console, frame: &Frame, asked: &Asked, judgement: Judgement) -> Judged {
    let deciding = judgement.refused.as_ref().map(|refused| refused.step);
    let mut decided = false;
    let steps = judgement
        .steps
        .into_iter()
        .map(|step| {
            let (word, tone) = match step.verdict {
                Verdict::Passes => ("passes", "good"),
                Verdict::Fails(_) => ("refuses", "bad"),
                Verdict::Unknown => ("only a request shows", "quiet"),
            };
            let decides =
                !decided && matches!(step.verdict, Verdict::Fails(_)) && deciding == Some(step.number);
            decided = decided || decides;
            StepRow {
                number: step.number,
                check: sentence(step.check).trim_end_matches('.').to_owned(),
                word,
                tone,
                because: sentence(&step.because),
                decides,
            }
        })
        .collect();
    let add_path = judgement
        .missing_path
        .map(|path| (frame.at.application_with_path(asked.application.trim(), &path), path));
    Judged {
        steps,
        refused: judgement
            .refused
            .map(|refused| (refused.step, refused.code.to_string(), sentence(&refused.because))),
        add_path,
        asked_user_base: console.inner().users.is_some(),
    }
}
