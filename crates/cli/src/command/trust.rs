//! `taa trust`: applications that are trusted, and users whom nobody may name.

use taa_core::id::AppId;
use taa_core::policy::NamePattern;
use taa_core::time::UnixMillis;
use taa_store::Store;
use taa_store::model::{ApplicationUpdate, Row, RulesText, Snapshot, TrustedApplication};

use super::{Context, add, certificate, key, refresh, rules};
use crate::args::{TrustCommand, TrustSetArgs};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::table::{Fields, Rows};
use crate::text::{plain, yes_no};
use crate::time::{day_and_time, relative};
use crate::{actor, confirm, store, view};

pub(super) async fn run(context: Context<'_>, command: TrustCommand) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    if let TrustCommand::Add(args) = command {
        return add::application(context, args).await;
    }
    let store = store::open(global, output).await?;
    let done = match command {
        TrustCommand::Add(_) => Ok(Exit::Fine),
        TrustCommand::List => list(output, &store.snapshot()),
        TrustCommand::Show { id } => show(output, find(&store.snapshot(), &id)?),
        TrustCommand::Set(args) => set(output, &store, *args).await,
        TrustCommand::Enable { id } => enable(output, &store, &id, true).await,
        TrustCommand::Disable { id } => enable(output, &store, &id, false).await,
        TrustCommand::Remove { id, yes } => remove(output, &store, &id, yes).await,
        TrustCommand::Refresh(args) => {
            let all = store
                .snapshot()
                .applications
                .iter()
                .filter_map(Row::good)
                .map(|app| app.id.clone())
                .collect();
            return refresh::run(context, args, all, store).await;
        }
        TrustCommand::RevokeKey { id, key, yes } => revoke_key(output, &store, &id, &key, yes).await,
        TrustCommand::RevokeUser { user } => {
            let pattern = pattern(&user)?;
            store.revoke_user(pattern.clone(), &actor::current()).await?;
            user_done(output, &pattern, "revoked", "No application may act as this user any more")
        }
        TrustCommand::RestoreUser { user } => {
            let pattern = pattern(&user)?;
            store.restore_user(&pattern, &actor::current()).await?;
            user_done(output, &pattern, "restored", "Applications may act as this user again")
        }
        TrustCommand::RevokedUsers => revoked_users(output, &store.snapshot()),
    };
    store.close().await;
    done
}

/// The record that can be used; one that cannot is told apart from none.
fn find<'s>(snapshot: &'s Snapshot, id: &str) -> Result<&'s TrustedApplication, Failure> {
    if let Some(application) = snapshot.application(id) {
        return Ok(application);
    }
    for row in &snapshot.applications {
        if let Row::Broken { id: broken, problem, .. } = row
            && broken == id
        {
            return Err(Failure::failed(format!(
                "the record of {} cannot be used: {}. It can be removed",
                plain(id),
                plain(problem)
            )));
        }
    }
    Err(Failure::not_found(format!("no application {} is trusted", plain(id))))
}

fn list(output: &Output, snapshot: &Snapshot) -> Result<Exit, Failure> {
    let now = store::now()?;
    let views: Vec<serde_json::Value> = snapshot
        .applications
        .iter()
        .map(|row| match row {
            Row::Good(application) => serde_json::to_value(view::Application::of(application)),
            Row::Broken { id, name, problem } => Ok(broken(id, name, problem)),
        })
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::of(&error))?;
    output.result(&views, || {
        if snapshot.applications.is_empty() {
            return "No application is trusted. To trust one: taa trust add BASE-URL".to_owned();
        }
        let mut rows =
            Rows::new(output, &["id", "name", "state", "version", "last used", "certificate"]).right(3);
        for row in &snapshot.applications {
            rows.row(match row {
                Row::Good(application) => [
                    application.id.to_string(),
                    application.name.clone(),
                    if application.enabled { "trusted" } else { "disabled" }.to_owned(),
                    version(application),
                    application.last_used.map_or_else(|| "never".to_owned(), |at| relative(at, now)),
                    refreshed(application.refreshed.as_ref(), now),
                ],
                Row::Broken { id, name, problem } => [
                    id.clone(),
                    name.clone(),
                    "broken".to_owned(),
                    String::new(),
                    String::new(),
                    problem.clone(),
                ],
            });
        }
        rows.into_text()
    })?;
    Ok(Exit::Fine)
}

/// A record that no longer parses, for programs.
pub(super) fn broken(id: &str, name: &str, problem: &str) -> serde_json::Value {
    serde_json::json!({ "id": id, "name": name, "broken": problem })
}

/// The lowest version that is accepted now.
fn version(application: &TrustedApplication) -> String {
    let lowest = application.rules.min_protocol.number();
    if application.seen_v4 || lowest == 4 { "4".to_owned() } else { format!("{lowest}+") }
}

/// How the last refresh went.
pub(super) fn refreshed(refreshed: Option<&taa_store::model::Refreshed>, now: UnixMillis) -> String {
    match refreshed {
        None => "not refreshed yet".to_owned(),
        Some(refreshed) => match &refreshed.problem {
            None => format!("looked at {}", relative(refreshed.at, now)),
            Some(problem) => format!("problem {}: {problem}", relative(refreshed.at, now)),
        },
    }
}

fn show(output: &Output, application: &TrustedApplication) -> Result<Exit, Failure> {
    let now = store::now()?;
    output.result(&view::Application::of(application), || {
        let mut fields = Fields::new(output);
        fields.field("Application id", application.id.as_str());
        fields.field("Name", &application.name);
        fields.field("Base URL", application.base_url.as_str());
        fields.field("Trusted", yes_no(application.enabled));
        let head = fields.into_text();
        let rules = rules::describe(output, &RulesText::of(&application.name, &application.rules));
        let mut fields = Fields::new(output);
        fields.field("Version 4 seen", yes_no(application.seen_v4));
        fields.field(
            "Added",
            format!("{} by {}", day_and_time(application.created.at), application.created.by),
        );
        fields.field(
            "Changed",
            format!("{} by {}", day_and_time(application.updated.at), application.updated.by),
        );
        fields.maybe("Last used", application.last_used.map(|at| relative(at, now)));
        fields.field("Certificate", refreshed(application.refreshed.as_ref(), now));
        if let Some(place) =
            application.refreshed.as_ref().and_then(|refreshed| refreshed.other_base_url.as_ref())
        {
            fields.field("Also seen at", place.as_str());
        }
        let legacy = application.keys.legacy.as_ref();
        fields.maybe("Key of versions 2, 3", legacy.map(|key| key.0.thumbprint().to_string()));
        if !application.revoked_keys.is_empty() {
            fields.field("Revoked keys", view::texts(&application.revoked_keys).join("\n"));
        }
        let mut text = format!("{head}{rules}{}", fields.into_text());
        if let Some(presented) = &application.keys.certificate {
            text.push('\n');
            text.push_str(&certificate::describe(output, presented, now));
        }
        text
    })?;
    Ok(Exit::Fine)
}

async fn set(output: &Output, store: &Store, args: TrustSetArgs) -> Result<Exit, Failure> {
    let snapshot = store.snapshot();
    let application = find(&snapshot, &args.id)?;
    let mut text = RulesText::of(&application.name, &application.rules);
    rules::overlay(&mut text, &args.rules);
    rules::edit(&mut text, &args)?;
    let greatest = rules::greatest(args.rules.greatest_timeout, Some(application.rules.timeout))?;
    let (name, rules) = text.parse(greatest)?;
    let update = ApplicationUpdate { version: application.version, name, rules };
    let snapshot = store.update_application(&application.id, update, &actor::current()).await?;
    show(output, find(&snapshot, &args.id)?)
}

async fn enable(output: &Output, store: &Store, id: &str, enabled: bool) -> Result<Exit, Failure> {
    let snapshot = store.snapshot();
    let id: &AppId = &find(&snapshot, id)?.id;
    store.set_application_enabled(id, enabled, &actor::current()).await?;
    output.result(&serde_json::json!({ "id": id, "enabled": enabled }), || {
        format!("{id} is {}.", if enabled { "trusted again" } else { "disabled: nothing of it is accepted" })
    })?;
    Ok(Exit::Fine)
}

async fn remove(output: &Output, store: &Store, id: &str, yes: bool) -> Result<Exit, Failure> {
    let shown = plain(id);
    if let Err(failure) = find(&store.snapshot(), id)
        && failure.exit == Exit::NotFound
    {
        return Err(failure);
    }
    confirm::unless(yes, output, &format!("{shown} is forgotten with its rules and is trusted no longer."))?;
    store.remove_application(id, &actor::current()).await?;
    output.result(&serde_json::json!({ "id": id, "removed": true }), || {
        format!("{shown} is no longer trusted.")
    })?;
    Ok(Exit::Fine)
}

async fn revoke_key(
    output: &Output,
    store: &Store,
    id: &str,
    typed: &str,
    yes: bool,
) -> Result<Exit, Failure> {
    let snapshot = store.snapshot();
    let application = find(&snapshot, id)?;
    let listed = application.keys.certificate.iter().flat_map(|certificate| &certificate.content().keys);
    let ids = listed.map(|key| key.public.id());
    let legacy = application.keys.legacy.iter().map(|key| key.0.thumbprint());
    let key = key::one_key(ids.chain(legacy).map(|id| (id, id)), typed, application.id.as_str())?;
    confirm::unless(yes, output, &format!("The key {key} of {} is never accepted again.", application.id))?;
    store.revoke_application_key(&application.id, key, &actor::current()).await?;
    let done = serde_json::json!({ "id": application.id, "key": key.to_string(), "done": "revoked" });
    output.result(&done, || format!("The key {key} of {} is revoked.", application.id))?;
    Ok(Exit::Fine)
}

fn pattern(typed: &str) -> Result<NamePattern, Failure> {
    typed.parse().map_err(|error| Failure::usage(format!("`{}` is no user name: {error}", plain(typed))))
}

fn user_done(output: &Output, pattern: &NamePattern, done: &str, sentence: &str) -> Result<Exit, Failure> {
    let value = serde_json::json!({ "user": pattern.as_str(), "done": done });
    output.result(&value, || format!("{sentence}: {}", plain(pattern.as_str())))?;
    Ok(Exit::Fine)
}

fn revoked_users(output: &Output, snapshot: &Snapshot) -> Result<Exit, Failure> {
    let views: Vec<serde_json::Value> = snapshot
        .revoked_users
        .iter()
        .map(|user| {
            serde_json::json!({ "user": user.pattern.as_str(), "revoked": view::StampView::of(&user.revoked) })
        })
        .collect();
    output.result(&views, || {
        if snapshot.revoked_users.is_empty() {
            return "No user is revoked.".to_owned();
        }
        let mut rows = Rows::new(output, &["user", "revoked", "by"]);
        for user in &snapshot.revoked_users {
            let revoked = &user.revoked;
            rows.row([user.pattern.to_string(), day_and_time(revoked.at), revoked.by.to_string()]);
        }
        rows.into_text()
    })?;
    Ok(Exit::Fine)
}
