//! `taa doctor`: what is wrong, or soon will be, and what to do about it.
//!
//! It changes nothing: no certificate is taken over, nothing is repaired. What depends on somebody else (a peer that does
//! not answer) is a warning; what makes this application refuse or forget is bad.

mod clock;
mod nodes;
mod nonces;
mod own;
mod peers;
mod place;

use serde::Serialize;
use taa_store::Store;

use super::Context;
use crate::args::DoctorArgs;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::store;
use crate::style::Tone;
use crate::text::{count, plain};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warn,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    /// What was looked at.
    about: String,
    /// How it is.
    found: String,
    /// What to do.
    advice: Option<String>,
}

/// What was found, in the order in which it was looked at.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, about: impl Into<String>, found: impl Into<String>) {
        self.0.push(Finding { level: Level::Ok, about: about.into(), found: found.into(), advice: None });
    }

    fn warn(&mut self, about: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) {
        self.add(Level::Warn, about, found, advice);
    }

    fn bad(&mut self, about: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) {
        self.add(Level::Bad, about, found, advice);
    }

    fn add(
        &mut self,
        level: Level,
        about: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let advice = Some(advice.into());
        self.0.push(Finding { level, about: about.into(), found: found.into(), advice });
    }

    fn number(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }
}

#[derive(Serialize)]
struct Report<'f> {
    ok: usize,
    warn: usize,
    bad: usize,
    findings: &'f [Finding],
}

pub(super) async fn run(context: Context<'_>, args: DoctorArgs) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let mut findings = Findings::default();
    place::look(global, &mut findings)?;
    let mut nodes = None;
    match store::open(global, output).await {
        Ok(store) => {
            look(context, &args, &store, &mut findings).await?;
            nodes = nonces::of_nodes(&store, &mut findings).await;
            store.close().await;
        }
        // A command line that is wrong is no illness of the store.
        Err(failure) if failure.exit == Exit::Usage => return Err(failure),
        Err(failure) => {
            let advice = match failure.exit {
                Exit::Sealed => "Name the right --passphrase-file or --key-file.",
                Exit::NotFound => "Name the store with --store or TAA_STORE, or make one with `taa init`.",
                _ => "Bring the database back; until then the service goes on with what it read last.",
            };
            findings.bad("store", failure.to_string(), advice);
        }
    }
    if let Some(url) = &args.nonces {
        nonces::look(url, nodes, &mut findings).await;
    }
    let report = Report {
        ok: findings.number(Level::Ok),
        warn: findings.number(Level::Warn),
        bad: findings.number(Level::Bad),
        findings: &findings.0,
    };
    output.result(&report, || describe(output, &report))?;
    Ok(if report.bad > 0 { Exit::No } else { Exit::Fine })
}

async fn look(
    context: Context<'_>,
    args: &DoctorArgs,
    store: &Store,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let snapshot = store.snapshot();
    let now = store::now()?;
    findings.ok("store", format!("can be read; generation {}", snapshot.generation));
    place::look_at_seal(store, findings);
    clock::look_at_database(context.global, store, findings).await;
    own::look(&snapshot, now, findings);
    if let Some(own) = &snapshot.own
        && !args.offline
    {
        peers::look_at_self(own, now, findings).await?;
    }
    peers::look(&snapshot, now, args.offline, findings).await?;
    nodes::look(store, now, findings).await;
    audit(store, findings).await;
    Ok(())
}

async fn audit(store: &Store, findings: &mut Findings) {
    match store.verify_audit().await {
        Ok(report) if report.problems.is_empty() => {
            let head = report.head.map(|(seq, hash)| format!("; last row {seq}:{hash}")).unwrap_or_default();
            let rows = count(usize::try_from(report.rows).unwrap_or(usize::MAX), "row", "rows");
            findings.ok("audit trail", format!("is whole: {rows}{head}"));
        }
        Ok(report) => {
            let first = report.problems.first().cloned().unwrap_or_default();
            findings.bad(
                "audit trail",
                format!("{}: {first}", count(report.problems.len(), "problem", "problems")),
                "Somebody changed the database by other means. `taa audit verify` shows all; compare with a backup.",
            );
        }
        Err(error) => {
            findings.bad("audit trail", crate::exit::chain(&error), "See the state of the database.")
        }
    }
}

fn describe(output: &Output, report: &Report<'_>) -> String {
    const INDENT: &str = "      ";
    let width = output.width().unwrap_or(usize::MAX);
    let mut text = String::new();
    for finding in report.findings {
        let (word, tone) = match finding.level {
            Level::Ok => ("ok  ", Tone::Good),
            Level::Warn => ("warn", Tone::Doubtful),
            Level::Bad => ("bad ", Tone::Bad),
        };
        let line = format!("{INDENT}{}: {}", plain(&finding.about), plain(&finding.found));
        let line = textwrap::fill(&line, textwrap::Options::new(width).subsequent_indent(INDENT));
        // The word may hold escapes that have no width, so it is put in after wrapping.
        let line = line.strip_prefix(INDENT).unwrap_or(&line);
        text.push_str(&format!("{}  {line}\n", tone.paint(word, output.is_coloured())));
        if let Some(advice) = &finding.advice {
            let options = textwrap::Options::new(width).initial_indent(INDENT).subsequent_indent(INDENT);
            text.push_str(&format!("{}\n", textwrap::fill(&plain(advice), options)));
        }
    }
    text.push_str(&format!("\n{} ok, {} to look at, {} bad\n", report.ok, report.warn, report.bad));
    text
}
