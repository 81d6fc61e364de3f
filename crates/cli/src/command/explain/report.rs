//! An explanation, as it is written for programs and for people.

use std::time::Duration;

use serde::Serialize;
use taa_core::decision::explain::{self, CheckList, Explanation, Outcome, Shown, Standing, Value};
use taa_core::id::ShortKeyId;
use taa_core::time::UnixMillis;
use taa_store::model::{KeyPurpose, Row, Snapshot};

use super::remedy;
use crate::command::check::{note, step_line};
use crate::output::Output;
use crate::style::Tone;
use crate::text::plain;
use crate::time::{day_and_time, relative, rfc3339, span};
use crate::view;

/// What `--json` writes.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// `no attempt`, `refused`, `not refused here`.
    result: &'static str,
    /// Whose checks: `version 4`, `older versions`.
    checks: Option<&'static str>,
    judged_at: String,
    /// Whether tag or signature were found good.
    proven: bool,
    code: Option<&'static str>,
    http_status: Option<u16>,
    step: Option<u8>,
    reason: Option<String>,
    advice: Option<&'static str>,
    /// The command that does it, where there is one.
    remedy: Option<String>,
    steps: Vec<ReportStep>,
}

#[derive(Debug, Serialize)]
struct ReportStep {
    number: u8,
    check: &'static str,
    /// `passed`, `failed`, `unknown`, `not reached`.
    outcome: &'static str,
    because: Option<String>,
    values: Vec<ReportValue>,
}

#[derive(Debug, Serialize)]
struct ReportValue {
    name: &'static str,
    value: serde_json::Value,
    /// For people: times with their age, keys with whose they are.
    text: String,
    /// `own`, `proven`, `unproven`.
    standing: &'static str,
}

impl Report {
    pub(super) fn new(explanation: &Explanation, snapshot: Option<&Snapshot>, now: UnixMillis) -> Self {
        let failure = explanation.failure();
        let refusal = failure.map(|(_, refusal)| refusal);
        Self {
            result: match (explanation.rules, failure) {
                (CheckList::NoAttempt, _) => "no attempt",
                (_, Some(_)) => "refused",
                (_, None) => "not refused here",
            },
            checks: match explanation.rules {
                CheckList::Version4 => Some("version 4"),
                CheckList::Older => Some("older versions"),
                _ => None,
            },
            judged_at: rfc3339(now),
            proven: explanation.proven,
            code: refusal.map(|refusal| refusal.code().as_str()),
            http_status: refusal.map(taa_core::decision::Refusal::http_status),
            step: failure.map(|(step, _)| step.number),
            reason: refusal.map(|refusal| explain::reason(refusal.reason()).into_owned()),
            advice: refusal.map(|refusal| explain::advice(refusal.reason())),
            remedy: remedy::of(explanation),
            steps: explanation.steps.iter().map(|step| ReportStep::new(step, snapshot, now)).collect(),
        }
    }

    /// For people.
    pub(super) fn describe(&self, output: &Output, explanation: &Explanation) -> String {
        let Some(checks) = self.checks else {
            return "The request has no field of the protocol: nobody tried. A proxy may have taken the fields away."
                .to_owned();
        };
        let document =
            if checks == "version 4" { "wire document, section 5" } else { "older versions, section 9" };
        let heading = format!("Checks of {checks} ({document}), at {}", self.judged_at);
        let mut text = textwrap::fill(&heading, output.width().unwrap_or(usize::MAX));
        text.push_str("\n\n");
        let mut said = None;
        for step in &self.steps {
            let (mark, tone) = match step.outcome {
                "passed" => ("ok", Tone::Good),
                "failed" => ("no", Tone::Bad),
                "unknown" => ("?", Tone::Doubtful),
                _ => ("-", Tone::Faint),
            };
            text.push_str(&step_line(output, mark, tone, step.number, step.check));
            // Without a store nearly every step has the same reason: it is said at the first.
            let because = step.because.as_ref().filter(|_| step.outcome == "unknown");
            if because.is_some() && because != said {
                let because = because.map(String::as_str).unwrap_or_default();
                text.push_str(&note(output, &format!("It cannot be known here, because {because}.")));
            }
            said = because;
            for value in &step.values {
                text.push_str(&value.line(output));
            }
        }
        text.push('\n');
        text.push_str(&self.verdict(output, explanation));
        text
    }

    fn verdict(&self, output: &Output, explanation: &Explanation) -> String {
        let width = output.width().unwrap_or(usize::MAX);
        let (Some(code), Some(step), Some(reason)) = (self.code, self.step, &self.reason) else {
            let open = explanation.unknown().len();
            let rest = if open == 0 {
                ""
            } else {
                " What is marked with ? decides as well, and cannot be known here."
            };
            return textwrap::fill(&format!("No check that can be made here fails.{rest}"), width);
        };
        let reason = plain(reason);
        let head = format!("Refused: {code} at step {step}: {reason}.");
        let head = textwrap::fill(&head, width);
        let mut text = Tone::Strong.paint(&head, output.is_coloured());
        if let Some(advice) = self.advice {
            text.push_str("\n\n");
            text.push_str(&textwrap::fill(&format!("What to do: {advice}"), width));
        }
        if let Some(remedy) = &self.remedy {
            // Not wrapped: it is there to be copied.
            text.push_str(&format!("\n\n  {}", plain(remedy)));
        }
        let shows_own = self.proven
            || !self.steps.iter().flat_map(|step| &step.values).any(|value| value.standing == "unproven");
        if !shows_own {
            text.push_str("\n\n");
            text.push_str(&textwrap::fill(
                "What is marked as unproven is the word of whoever sent the request.",
                width,
            ));
        }
        text
    }
}

impl ReportStep {
    fn new(step: &explain::Step, snapshot: Option<&Snapshot>, now: UnixMillis) -> Self {
        let (outcome, because) = match &step.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(refusal) => ("failed", Some(explain::reason(refusal.reason()).into_owned())),
            Outcome::Unknown(because) => ("unknown", Some((*because).to_owned())),
            Outcome::NotReached => ("not reached", None),
        };
        let values = step.shown.iter().map(|shown| ReportValue::new(shown, snapshot, now)).collect();
        Self { number: step.number, check: step.check, outcome, because, values }
    }
}

impl ReportValue {
    fn new(shown: &Shown, snapshot: Option<&Snapshot>, now: UnixMillis) -> Self {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let (value, text) = match &shown.value {
            Value::Count(number) => ((*number).into(), number.to_string()),
            Value::Key(id) => (id.to_string().into(), key_text(*id, snapshot)),
            Value::Span(length) => (serde_json::json!({ "ms": millis(*length) }), span(millis(*length))),
            Value::Time(at) if shown.name == "now" => (rfc3339(*at).into(), day_and_time(*at)),
            Value::Time(at) => {
                (rfc3339(*at).into(), format!("{} ({})", day_and_time(*at), relative(*at, now)))
            }
            other => (other.to_string().into(), other.to_string()),
        };
        let standing = match shown.standing {
            Standing::Own => "own",
            Standing::Proven => "proven",
            Standing::Unproven => "unproven",
        };
        Self { name: shown.name, value, text, standing }
    }

    fn line(&self, output: &Output) -> String {
        let indent = "         ";
        let width = output.width().unwrap_or(usize::MAX);
        let hanging = format!("{indent}{:22}", "");
        let mark = if self.standing == "unproven" { " [unproven]" } else { "" };
        let text = format!("{:21} {}{mark}", self.name, plain(&self.text));
        let options = textwrap::Options::new(width).initial_indent(indent).subsequent_indent(&hanging);
        format!("{}\n", textwrap::fill(&text, options))
    }
}

/// A key with whose it is, as far as the store knows: half of all refusals are about a key that changed.
fn key_text(id: ShortKeyId, snapshot: Option<&Snapshot>) -> String {
    let Some(snapshot) = snapshot else { return id.to_string() };
    let mut owners = Vec::new();
    for key in snapshot.own.iter().flat_map(|own| &own.keys) {
        if key.purpose != KeyPurpose::Legacy && key.id.short() == id {
            owners.push(format!("the {} {} key of this application", key.status, key.purpose));
        }
    }
    let applications = snapshot.applications.iter().filter_map(Row::good);
    let servers = snapshot.servers.iter().filter_map(Row::good);
    let certificates = applications
        .filter_map(|app| app.keys.certificate.as_ref())
        .chain(servers.filter_map(|server| server.certificate.as_ref()));
    for content in certificates.map(taa_core::certificate::Certificate::content) {
        for key in content.keys.iter().filter(|key| key.public.id().short() == id) {
            let owner = format!("the {} {} key of {}", key.status, view::purpose(key.usage), content.iss);
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
    }
    match owners.as_slice() {
        [] => format!("{id}, unknown to this store"),
        owners => format!("{id}, {}", owners.join(" and ")),
    }
}
