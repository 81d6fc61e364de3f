//! Setting up a peer: fetch, show, compare, save. What `trust add`, `server add` and `refresh --compare` have in common.

use serde::Serialize;
use taa_core::certificate::Certificate;
use taa_service::{FetchWhat, Fetched, OutgoingText, SaveWhat, Setup};
use taa_store::model::{Pending, Presented};

use super::{Context, certificate, rules};
use crate::args::{AddArgs, BaseUrlArgs, ServerAddArgs};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::table::Fields;
use crate::{actor, confirm, store, text};

/// What a person should know before anybody is trusted.
const WARNING: &str = "Warning: from then on this application can act as any user here, as if that user had logged in, \
                       within its rules. Trust it only if you trust all its code, and how it keeps its private key.";

#[derive(Serialize)]
struct Added {
    id: String,
    fingerprint: String,
    trusted: bool,
    called: bool,
}

/// `taa trust add`.
pub(super) async fn application(context: Context<'_>, args: AddArgs) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let store = store::open(global, output).await?;
    let setup = Setup::new(store.clone(), store::provider())?
        .greatest_timeout(rules::greatest(args.rules.greatest_timeout, None)?);
    let fetched = setup.fetch(&what(&args.peer), &actor::current()).await?;
    let outgoing = args.both.then(|| OutgoingText {
        name: String::new(),
        lifetime: args.lifetime.clone().unwrap_or_default(),
        require_content_digest: args.require_content_digest,
    });
    let mut incoming = fetched.suggested.clone();
    rules::overlay(&mut incoming, &args.rules);
    output.show(&describe(output, &fetched)?);
    output.show(&rules::describe(output, &incoming));
    output.remark(WARNING);
    let save = SaveWhat { incoming: Some(incoming), outgoing };
    let done = confirm_and_save(output, &setup, &fetched, args.peer.fingerprint.as_deref(), &save).await;
    store.close().await;
    done
}

/// `taa server add`.
pub(super) async fn server(context: Context<'_>, args: ServerAddArgs) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let store = store::open(global, output).await?;
    let setup = Setup::new(store.clone(), store::provider())?;
    let fetched = setup.fetch(&what(&args.peer), &actor::current()).await?;
    let outgoing = OutgoingText {
        name: args.name.unwrap_or_default(),
        lifetime: args.lifetime.unwrap_or_default(),
        require_content_digest: args.require_content_digest,
    };
    output.show(&describe(output, &fetched)?);
    let save = SaveWhat { incoming: None, outgoing: Some(outgoing) };
    let done = confirm_and_save(output, &setup, &fetched, args.peer.fingerprint.as_deref(), &save).await;
    store.close().await;
    done
}

fn what(peer: &BaseUrlArgs) -> FetchWhat {
    FetchWhat {
        base_url: peer.base_url.clone(),
        insecure_allow_http: peer.insecure_allow_http,
        older_versions: peer.older_versions,
    }
}

/// What came, with what is remarkable about it.
pub(super) fn describe(output: &Output, fetched: &Fetched) -> Result<String, Failure> {
    let mut text = match &fetched.pending.presented {
        Presented::Certificate(certificate) => certificate_text(output, certificate)?,
        Presented::LegacyPage(page) => {
            let mut fields = Fields::new(output);
            fields.field("Key", fetched.pending.fingerprint());
            fields.field("Application id", page.app_id.as_str());
            fields.field("Base URL", fetched.pending.base_url.as_str());
            fields.into_text()
        }
    };
    for remark in &fetched.remarks {
        let sentence = text::plain(&remark.text());
        let width = output.width().unwrap_or(usize::MAX);
        let options = textwrap::Options::new(width).initial_indent("* ").subsequent_indent("  ");
        text.push('\n');
        text.push_str(&textwrap::fill(&sentence, options));
        text.push('\n');
    }
    text.push('\n');
    Ok(text)
}

fn certificate_text(output: &Output, presented: &Certificate) -> Result<String, Failure> {
    Ok(certificate::describe(output, presented, store::now()?))
}

/// Nothing is saved but what was shown, under a fingerprint that a person compared.
pub(super) async fn confirm_and_save(
    output: &Output,
    setup: &Setup,
    fetched: &Fetched,
    expected: Option<&str>,
    save: &SaveWhat,
) -> Result<Exit, Failure> {
    let pending = &fetched.pending;
    let shown = pending.fingerprint();
    if let Err(refused) = compare(output, fetched, &shown, expected) {
        setup.give_up(&pending.id).await?;
        return Err(refused);
    }
    let id = setup.save(&pending.id, &shown, save, &actor::current()).await?;
    let snapshot = setup.store().snapshot();
    let added = Added {
        id: id.to_string(),
        fingerprint: shown,
        trusted: snapshot.application(id.as_str()).is_some(),
        called: snapshot.server(id.as_str()).is_some(),
    };
    output.result(&added, || {
        let role = match (added.trusted, added.called) {
            (true, true) => "trusted and called",
            (true, false) => "trusted",
            _ => "called",
        };
        format!("{id} is {role} now.")
    })?;
    Ok(Exit::Fine)
}

fn compare(output: &Output, fetched: &Fetched, shown: &str, expected: Option<&str>) -> Result<(), Failure> {
    if let Some(hindrance) = fetched.remarks.iter().find(|remark| remark.prevents_saving()) {
        return Err(Failure::failed(text::plain(&hindrance.text())));
    }
    match expected {
        Some(expected) if same(&fetched.pending, shown, expected) => Ok(()),
        Some(_) => Err(Failure::not_confirmed(format!(
            "the fingerprint is another one: {shown} came. Nothing was saved. Either the one you gave is mistyped or out \
             of date, or somebody else answers there"
        ))),
        None => confirm::ask(
            output,
            "Does the other application show this fingerprint itself?",
            "say --fingerprint with the fingerprint that the other application shows itself. Nothing was saved",
        ),
    }
}

/// Blanks, dashes and letter case do not count in a fingerprint. In the thumbprint of an older key they do.
fn same(pending: &Pending, shown: &str, expected: &str) -> bool {
    match pending.presented {
        Presented::Certificate(_) => {
            let letters = |text: &str| {
                text.chars()
                    .filter(|c| !matches!(c, ' ' | '-' | '\t' | '\n'))
                    .collect::<String>()
                    .to_uppercase()
            };
            letters(shown) == letters(expected)
        }
        Presented::LegacyPage(_) => shown == expected.trim(),
    }
}
