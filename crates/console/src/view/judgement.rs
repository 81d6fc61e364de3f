use std::net::IpAddr;

use serde::Deserialize;
use taa_core::answer::Code;
use taa_core::id::{AppId, UserName};
use taa_core::policy::{CanonicalPath, PathRefusal, Protocol};
use taa_server::{Resolution, ResolveError};
use taa_service::what_if::{self, Known, Question, Step, Verdict};
use taa_store::model::Snapshot;
use utoipa::IntoParams;

use crate::console::Console;
use crate::failure::{Failure, FieldProblem};

/// The step of the decision that method and path belong to.
const PATH_STEP: u8 = 9;

/// A request to judge, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct Asked {
    /// The application's id.
    pub(crate) application: String,
    /// The user it names.
    pub(crate) user: String,
    /// The method; `GET` when blank.
    pub(crate) method: String,
    /// Path and query; `/` when blank.
    pub(crate) target: String,
    /// Where it comes from; when blank, step 3 is not judged.
    pub(crate) address: String,
    /// 2, 3 or 4; 4 when blank.
    pub(crate) version: String,
}

/// Every step, and what comes of it.
#[derive(Clone, Debug)]
pub(crate) struct Judgement {
    pub(crate) steps: Vec<Step>,
    /// The step that refuses; none when no rule is in the way.
    pub(crate) refused: Option<Refused>,
    /// A path that no rule allows, in the form a rule would have.
    pub(crate) missing_path: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) step: u8,
    pub(crate) code: Code,
    pub(crate) because: String,
}

impl Judgement {
    /// Judges what was typed.
    ///
    /// # Errors
    /// Fields that cannot be read.
    pub(crate) async fn of(console: &Console, snapshot: &Snapshot, asked: &Asked) -> Result<Self, Failure> {
        let question = asked.question()?;
        let user_base = ask_user_base(console, &question).await;
        let known = Known { now: console.now().ok(), user_base: user_base.as_ref(), ..Known::default() };
        let steps = what_if::judge_with(snapshot, &question, console.inner().greatest, &known);
        let refused = what_if::first_failure(&steps).and_then(|step| match step.verdict {
            Verdict::Fails(code) => Some(Refused { step: step.number, code, because: step.because.clone() }),
            Verdict::Passes | Verdict::Unknown => None,
        });
        let missing_path = steps
            .iter()
            .any(|step| step.number == PATH_STEP && matches!(step.verdict, Verdict::Fails(_)))
            .then(|| missing_path(snapshot, &question))
            .flatten();
        Ok(Self { steps, refused, missing_path })
    }
}

impl Asked {
    fn question(&self) -> Result<Question, Failure> {
        let or = |text: &str, otherwise: &str| {
            let text = text.trim();
            if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
        };
        let mut problems = Vec::new();
        if self.application.trim().is_empty() {
            problems.push(FieldProblem::new("application", "Say which application."));
        }
        if self.user.is_empty() {
            problems.push(FieldProblem::new("user", "Say which user it names."));
        }
        let address = match self.address.trim() {
            "" => None,
            text => match text.parse::<IpAddr>() {
                Ok(address) => Some(address),
                Err(_) => {
                    let message = format!("{text:?} is no IPv4 or IPv6 address.");
                    problems.push(FieldProblem::new("address", message));
                    None
                }
            },
        };
        let version = or(&self.version, "4").parse::<Protocol>();
        if version.is_err() {
            problems.push(FieldProblem::new("version", "The version is 2, 3 or 4."));
        }
        match version {
            Ok(version) if problems.is_empty() => Ok(Question {
                application: self.application.trim().to_owned(),
                user: self.user.clone(),
                method: or(&self.method, "GET"),
                target: or(&self.target, "/"),
                address,
                protocol: version.number(),
            }),
            _ => Err(Failure::Fields(problems)),
        }
    }
}

/// What the user base says of the user, if there is one and the name is one.
async fn ask_user_base(console: &Console, question: &Question) -> Option<Result<Resolution, ResolveError>> {
    let users = console.inner().users.as_ref()?;
    let user = UserName::parse(&question.user).ok()?;
    let application = AppId::parse(&question.application).ok()?;
    let asked = users.asked(&user).ok()?;
    Some(users.resolve(&asked, &application).await)
}

/// The path of the question, when what it lacks is a rule for it.
fn missing_path(snapshot: &Snapshot, question: &Question) -> Option<String> {
    let application = snapshot.application(&question.application)?;
    let path = question.target.split(['?', '#']).next().unwrap_or_default();
    match application.rules.paths.allows_raw(path) {
        Err(PathRefusal::NoRule) => Some(CanonicalPath::parse(path).ok()?.as_str().to_owned()),
        Ok(()) | Err(_) => None,
    }
}
