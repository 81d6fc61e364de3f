//! `taa audit`: what was changed, when and by whom.

use serde::Serialize;
use taa_store::Store;
use taa_store::model::{Action, AuditEntry, AuditFilter};

use super::Context;
use crate::args::{AuditCommand, AuditListArgs};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::store;
use crate::style::Tone;
use crate::text::{count, plain};
use crate::time::{self, day_and_time, rfc3339};

#[derive(Serialize)]
struct Entry<'e> {
    seq: u64,
    at: String,
    actor: &'e str,
    action: &'e str,
    subject: &'e str,
    detail: &'e serde_json::Value,
    generation: u64,
    hash: &'e str,
}

#[derive(Serialize)]
struct Verified {
    whole: bool,
    rows: u64,
    head: Option<String>,
    expected: Option<String>,
    problems: Vec<String>,
}

pub(super) async fn run(context: Context<'_>, command: AuditCommand) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let store = store::open(global, output).await?;
    let done = match command {
        AuditCommand::List(args) => list(output, &store, args).await,
        AuditCommand::Verify { expect } => verify(output, &store, expect.as_deref()).await,
    };
    store.close().await;
    done
}

async fn list(output: &Output, store: &Store, args: AuditListArgs) -> Result<Exit, Failure> {
    let now = store::now()?;
    let action = args.action.as_deref().map(action).transpose()?;
    let moment = |text: Option<&str>| text.map(|text| time::parse(text, now)).transpose();
    let filter = AuditFilter {
        actor: args.actor,
        action,
        subject: args.subject,
        since: moment(args.since.as_deref())?,
        until: moment(args.until.as_deref())?,
        before_seq: args.before,
        limit: args.limit,
    };
    let entries = store.audit(&filter).await?;
    let views: Vec<Entry<'_>> = entries.iter().map(view).collect();
    output.result(&views, || {
        if entries.is_empty() {
            return "No such change.".to_owned();
        }
        entries.iter().map(|entry| block(output, entry)).collect()
    })?;
    Ok(Exit::Fine)
}

fn action(text: &str) -> Result<Action, Failure> {
    text.parse().map_err(|_| {
        let known: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        Failure::usage(format!("`{}` is no action; there are: {}", plain(text), known.join(", ")))
    })
}

fn view(entry: &AuditEntry) -> Entry<'_> {
    Entry {
        seq: entry.seq,
        at: rfc3339(entry.at),
        actor: entry.actor.as_str(),
        action: &entry.action,
        subject: &entry.subject,
        detail: &entry.detail,
        generation: entry.generation,
        hash: &entry.hash,
    }
}

/// One line for the change, and below it what changed.
fn block(output: &Output, entry: &AuditEntry) -> String {
    const INDENT: &str = "        ";
    let options = textwrap::Options::new(output.width().unwrap_or(usize::MAX));
    let (actor, action, subject) = (plain(entry.actor.as_str()), plain(&entry.action), plain(&entry.subject));
    let head = format!("{:>6}  {}  {actor}  {action}  {subject}", entry.seq, day_and_time(entry.at));
    let head = textwrap::fill(&head, options.clone().subsequent_indent(INDENT));
    let mut text = format!("{head}\n");
    let mut lines = Vec::new();
    details("", &entry.detail, &mut lines);
    let hanging = format!("{INDENT}    ");
    for line in lines {
        let options = options.clone().initial_indent(INDENT).subsequent_indent(&hanging);
        text.push_str(&textwrap::fill(&plain(&line), options));
        text.push('\n');
    }
    text
}

/// `rules.timeout_ms: 60000 → 30000`, one member a line.
fn details(path: &str, value: &serde_json::Value, lines: &mut Vec<String>) {
    match (value.as_object(), change(value)) {
        (_, Some((old, new))) => lines.push(format!("{path}: {} → {}", short(old), short(new))),
        (Some(members), None) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                details(&path, value, lines);
            }
        }
        (None, None) if value.is_null() && path.is_empty() => {}
        (None, None) => lines.push(format!("{path}: {}", short(value))),
    }
}

/// Old and new value of a field that was changed.
fn change(value: &serde_json::Value) -> Option<(&serde_json::Value, &serde_json::Value)> {
    let pair = value.as_object().filter(|pair| pair.len() == 2)?;
    Some((pair.get("old")?, pair.get("new")?))
}

fn short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::Array(items) if items.is_empty() => "none".to_owned(),
        serde_json::Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

async fn verify(output: &Output, store: &Store, expect: Option<&str>) -> Result<Exit, Failure> {
    let expected = expect.map(expectation).transpose()?;
    let report = store.verify_audit().await?;
    let mut problems = report.problems;
    if let Some((seq, hash)) = &expected {
        problems.extend(missed(store, *seq, hash).await?);
    }
    let verified = Verified {
        whole: problems.is_empty(),
        rows: report.rows,
        head: report.head.map(|(seq, hash)| format!("{seq}:{hash}")),
        expected: expected.map(|(seq, hash)| format!("{seq}:{hash}")),
        problems,
    };
    output.result(&verified, || {
        let rows = count(usize::try_from(verified.rows).unwrap_or(usize::MAX), "row", "rows");
        let mut text = if verified.whole {
            let fine = Tone::Good.paint("The trail is whole", output.is_coloured());
            format!("{fine}: {rows} were read.\n")
        } else {
            let bad = Tone::Bad.paint("The trail was tampered with or damaged", output.is_coloured());
            format!("{bad}: {rows} were read.\n")
        };
        for problem in &verified.problems {
            text.push_str(&format!("* {}\n", plain(problem)));
        }
        if let Some(head) = &verified.head {
            text.push_str(&format!("\nThe last row, to be written down elsewhere:\n{head}\n"));
        }
        text
    })?;
    Ok(if verified.whole { Exit::Fine } else { Exit::No })
}

fn expectation(text: &str) -> Result<(u64, String), Failure> {
    let parsed = text.trim().split_once(':').and_then(|(seq, hash)| {
        let hash = hash.trim().to_ascii_lowercase();
        let hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some((seq.trim().parse().ok()?, hash)).filter(|_| hex)
    });
    parsed.ok_or_else(|| {
        Failure::usage("--expect is the number of a row, a colon, and its hash in 64 hex digits")
    })
}

/// Why the row that was written down is not the one that is there.
async fn missed(store: &Store, seq: u64, hash: &str) -> Result<Option<String>, Failure> {
    let filter = AuditFilter { before_seq: Some(seq.saturating_add(1)), limit: 1, ..AuditFilter::default() };
    let found = store.audit(&filter).await?;
    Ok(match found.first().filter(|entry| entry.seq == seq) {
        None => Some(format!("row {seq} is not there: the trail was cut off, or this is another store")),
        Some(entry) if entry.hash != hash => {
            Some(format!("row {seq} is another one than the one written down: the trail was made anew"))
        }
        Some(_) => None,
    })
}
