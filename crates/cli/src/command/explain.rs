//! `taa explain`: a recorded request, check by check.

mod input;
mod remedy;
mod report;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use taa_core::crypto::SystemRandom;
use taa_core::decision::explain::{self, CheckList, Known, Recorded};
use taa_core::decision::{Context as Deciding, NoSessions};
use taa_core::fields;
use taa_core::policy::{ClientAddress, ForwardedError, Skew, TrustedProxies};
use taa_store::model::Snapshot;

use super::{Context, rules};
use crate::args::ExplainArgs;
use crate::exit::{Exit, Failure};
use crate::{store, time};

/// No longer input is read.
const MAX_INPUT: u64 = 64 * 1024 * 1024;

pub(super) async fn run(context: Context<'_>, args: ExplainArgs) -> Result<Exit, Failure> {
    let output = context.output;
    let input = input::parse(&read(args.file.as_deref())?)?;
    let target = match &args.prefix {
        Some(prefix) => with_prefix(prefix, &input.target)?,
        None => input.target.clone(),
    };
    let recorded = Recorded {
        method: &input.method,
        target: &target,
        headers: &input.headers,
        content: input.content.as_deref(),
    };
    let clock = store::now()?;
    let now = args.now.as_deref().map_or(Ok(clock), |text| time::parse(text, clock))?;
    let client = client(&args, &input.headers)?;
    let snapshot = snapshot(context, &args).await?;
    let explanation = match snapshot.as_ref().map(|snapshot| (snapshot, &snapshot.secrets)) {
        Some((snapshot, Some(secrets))) => {
            let greatest_timeout = rules::greatest(args.greatest_timeout, None)?;
            let (directory, left_out) = snapshot.directory(&*store::provider(), greatest_timeout);
            for (id, why) in left_out {
                output.remark(&format!("{id} counts as unknown: {}", crate::text::plain(&why)));
            }
            let skew = match args.skew {
                Some(seconds) => Skew::new(Duration::from_secs(seconds))
                    .map_err(|error| Failure::usage(format!("--skew: {error}")))?,
                None => Skew::default(),
            };
            let context = Deciding {
                identity: &secrets.identity,
                directory: &directory,
                sessions: &NoSessions,
                random: &SystemRandom,
                skew,
                greatest_timeout,
            };
            explain::explain(&recorded, Some(&Known { context, client }), now)
        }
        _ => explain::explain(&recorded, None, now),
    };
    if let Some(own) = snapshot.as_ref().and_then(|snapshot| snapshot.own.as_ref())
        && input.headers.get(fields::ID).is_some_and(|id| id == own.certificate.content().iss.as_str())
    {
        output.remark(
            "This request says that this application made it. Only the server it was sent to can open it: explain it there, \
             with that server's store.",
        );
    }
    let report = report::Report::new(&explanation, snapshot.as_deref(), now);
    output.result(&report, || report.describe(output, &explanation))?;
    Ok(match (explanation.rules, explanation.failure()) {
        (CheckList::NoAttempt, _) => Exit::NotFound,
        (_, Some(_)) => Exit::No,
        (_, None) => Exit::Fine,
    })
}

fn read(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let (name, read) = match file.filter(|path| *path != Path::new("-")) {
        Some(path) => (
            path.display().to_string(),
            File::open(path).and_then(|file| file.take(MAX_INPUT + 1).read_to_end(&mut bytes)),
        ),
        None => ("standard input".to_owned(), io::stdin().lock().take(MAX_INPUT + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::failed(format!("{name} cannot be read: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_INPUT) {
        return Err(Failure::failed("the request is longer than 64 MiB"));
    }
    Ok(bytes)
}

fn with_prefix(prefix: &str, target: &str) -> Result<String, Failure> {
    if !prefix.starts_with('/') || prefix.ends_with('/') || prefix.contains(['?', '#']) {
        return Err(Failure::usage("--prefix begins with / and does not end with it, such as /jira"));
    }
    Ok(if target.starts_with('/') { format!("{prefix}{target}") } else { target.to_owned() })
}

fn client(
    args: &ExplainArgs,
    headers: &http::HeaderMap,
) -> Result<Option<Result<ClientAddress, ForwardedError>>, Failure> {
    let proxies = match &args.proxies {
        Some(list) => {
            TrustedProxies::parse_list(list).map_err(|error| Failure::usage(format!("--proxies: {error}")))?
        }
        None => TrustedProxies::default(),
    };
    Ok(args.from.map(|socket| proxies.client_address(socket, headers)))
}

/// The store, unless there is to be none. One that was not named and is not there is none, too.
async fn snapshot(context: Context<'_>, args: &ExplainArgs) -> Result<Option<Arc<Snapshot>>, Failure> {
    let Context { global, output } = context;
    if args.no_store {
        return Ok(None);
    }
    if global.store == crate::args::DEFAULT_STORE && store::file(global)?.is_some_and(|path| !path.exists()) {
        output.remark(
            "There is no store here, so only what stands in the request is shown (--store names one).",
        );
        return Ok(None);
    }
    let store = store::open(global, output).await.inspect_err(|_| {
        output.remark("Without the store, --no-store shows what stands in the request itself.");
    })?;
    store.close().await;
    let snapshot = store.snapshot();
    if snapshot.secrets.is_none() {
        output.remark("The store has no identity yet, so only what stands in the request is shown.");
    }
    Ok(Some(snapshot))
}
