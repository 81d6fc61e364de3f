//! `taa trust refresh` and `taa server refresh`: one thing, because a peer's certificate is one wherever it stands.

use serde::Serialize;
use taa_core::id::AppId;
use taa_service::refresh::{Outcome, Refresher};
use taa_service::{SaveWhat, Setup};
use taa_store::Store;

use super::{Context, add};
use crate::args::RefreshArgs;
use crate::exit::{Exit, Failure};
use crate::table::Rows;
use crate::{actor, store};

#[derive(Serialize)]
struct Done {
    id: String,
    /// `taken`, `same` or `kept`.
    outcome: &'static str,
    problem: Option<String>,
}

pub(super) async fn run(
    context: Context<'_>,
    args: RefreshArgs,
    all: Vec<AppId>,
    store: Store,
) -> Result<Exit, Failure> {
    let done = if args.compare || args.fingerprint.is_some() {
        compare(context, &args, &store).await
    } else {
        refresh(context, &args, all, &store).await
    };
    store.close().await;
    done
}

fn id(text: &str) -> Result<AppId, Failure> {
    AppId::parse(text).map_err(|error| Failure::usage(format!("{}: {error}", crate::text::plain(text))))
}

async fn refresh(
    context: Context<'_>,
    args: &RefreshArgs,
    all: Vec<AppId>,
    store: &Store,
) -> Result<Exit, Failure> {
    let output = context.output;
    let ids = match args.id.as_slice() {
        [] => all,
        named => named.iter().map(|text| id(text)).collect::<Result<_, _>>()?,
    };
    let refresher = Refresher::new(store.clone(), store::provider())?;
    let mut done = Vec::new();
    for id in ids {
        let (outcome, problem) = match refresher.refresh(&id, &actor::current()).await? {
            Outcome::Taken => ("taken", None),
            Outcome::Same => ("same", None),
            Outcome::Kept(why) => ("kept", Some(why)),
        };
        done.push(Done { id: id.to_string(), outcome, problem });
    }
    output.result(&done, || {
        let mut rows = Rows::new(output, &["id", "certificate"]);
        for done in &done {
            let what = match (done.outcome, &done.problem) {
                ("taken", _) => "a newer one was taken over".to_owned(),
                (_, Some(why)) => format!("the one held stays: {why}"),
                _ => "is the one held".to_owned(),
            };
            rows.row([done.id.clone(), what]);
        }
        rows.into_text()
    })?;
    Ok(if done.iter().any(|done| done.problem.is_some()) { Exit::No } else { Exit::Fine })
}

/// A person looks at what one peer presents now. Its rules stay as they are.
async fn compare(context: Context<'_>, args: &RefreshArgs, store: &Store) -> Result<Exit, Failure> {
    let output = context.output;
    let [named] = args.id.as_slice() else {
        return Err(Failure::usage("name one peer to compare"));
    };
    let setup = Setup::new(store.clone(), store::provider())?;
    let fetched = setup.fetch_again(&id(named)?, &actor::current()).await?;
    output.show(&add::describe(output, &fetched)?);
    add::confirm_and_save(output, &setup, &fetched, args.fingerprint.as_deref(), &SaveWhat::default()).await
}
