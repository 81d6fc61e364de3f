//! `taa check`: would this request be allowed?

use serde::Serialize;
use taa_core::policy::Protocol;
use taa_service::what_if::{self, Known, Question, Step, Verdict};

use super::{Context, rules};
use crate::args::CheckArgs;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::store;
use crate::style::Tone;
use crate::text::plain;

#[derive(Serialize)]
struct Checked {
    allowed: bool,
    code: Option<&'static str>,
    step: Option<u8>,
    because: Option<String>,
    steps: Vec<CheckedStep>,
}

#[derive(Serialize)]
struct CheckedStep {
    number: u8,
    check: &'static str,
    /// `passes`, `fails` or `unknown`.
    verdict: &'static str,
    code: Option<&'static str>,
    because: String,
}

pub(super) async fn run(context: Context<'_>, args: CheckArgs) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let store = store::open(global, output).await?;
    store.close().await;
    let question = Question {
        application: args.application,
        user: args.user,
        method: args.method,
        target: args.path,
        address: args.from,
        protocol: Protocol::from(args.protocol).number(),
    };
    let known = Known { now: Some(store::now()?), ..Known::default() };
    let greatest = rules::greatest(args.greatest_timeout, None)?;
    let steps = what_if::judge_with(&store.snapshot(), &question, greatest, &known);
    let failing = what_if::first_failure(&steps);
    let checked = Checked {
        allowed: failing.is_none(),
        code: failing.and_then(code),
        step: failing.map(|step| step.number),
        because: failing.map(|step| step.because.clone()),
        steps: steps.iter().map(view).collect(),
    };
    output.result(&checked, || describe(output, &steps, failing))?;
    Ok(if checked.allowed { Exit::Fine } else { Exit::No })
}

fn code(step: &Step) -> Option<&'static str> {
    match step.verdict {
        Verdict::Fails(code) => Some(code.as_str()),
        Verdict::Passes | Verdict::Unknown => None,
    }
}

fn view(step: &Step) -> CheckedStep {
    let verdict = match step.verdict {
        Verdict::Passes => "passes",
        Verdict::Fails(_) => "fails",
        Verdict::Unknown => "unknown",
    };
    CheckedStep {
        number: step.number,
        check: step.check,
        verdict,
        code: code(step),
        because: step.because.clone(),
    }
}

fn describe(output: &Output, steps: &[Step], failing: Option<&Step>) -> String {
    let mut text = String::new();
    for step in steps {
        let (mark, tone) = match step.verdict {
            Verdict::Passes => ("ok", Tone::Good),
            Verdict::Fails(_) => ("no", Tone::Bad),
            Verdict::Unknown => ("?", Tone::Doubtful),
        };
        text.push_str(&step_line(output, mark, tone, step.number, step.check));
        text.push_str(&note(output, &step.because));
    }
    text.push('\n');
    match failing {
        Some(step) => {
            let verdict = format!(
                "Refused: {} at step {}, {}: {}",
                code(step).unwrap_or_default(),
                step.number,
                step.check,
                plain(&step.because)
            );
            let verdict = textwrap::fill(&verdict, output.width().unwrap_or(usize::MAX));
            text.push_str(&Tone::Strong.paint(&verdict, output.is_coloured()));
        }
        None => text.push_str(&textwrap::fill(
            "No rule is in the way. What is marked with ? only a real request can show.",
            output.width().unwrap_or(usize::MAX),
        )),
    }
    text
}

/// ` ok   9  it may use this path`
pub(super) fn step_line(output: &Output, mark: &str, tone: Tone, number: u8, check: &str) -> String {
    let mark = tone.paint(&format!("{mark:>3}"), output.is_coloured());
    let indent = "         ";
    let options = textwrap::Options::new(output.width().unwrap_or(usize::MAX)).subsequent_indent(indent);
    // The mark may hold escapes that have no width, so it is put in after wrapping.
    let line = textwrap::fill(&format!("    {number:>3}  {check}"), options);
    format!("{mark}{}\n", line.strip_prefix("   ").unwrap_or(&line))
}

/// An indented sentence below a step.
pub(super) fn note(output: &Output, sentence: &str) -> String {
    if sentence.is_empty() {
        return String::new();
    }
    let indent = "         ";
    let options = textwrap::Options::new(output.width().unwrap_or(usize::MAX))
        .initial_indent(indent)
        .subsequent_indent(indent);
    format!("{}\n", textwrap::fill(&plain(sentence), options))
}
