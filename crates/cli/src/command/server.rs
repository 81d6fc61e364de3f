//! `taa server`: servers that are called on behalf of users.

use taa_core::envelope::Lifetime;
use taa_service::OLDER_VERSIONS;
use taa_store::Store;
use taa_store::model::{Row, ServerUpdate, Snapshot, TrustingServer};

use super::{Context, add, certificate, refresh, trust};
use crate::args::{ServerCommand, ServerSetArgs};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::table::{Fields, Rows};
use crate::text::{self, plain, yes_no};
use crate::time::{day_and_time, relative};
use crate::{actor, confirm, store, view};

pub(super) async fn run(context: Context<'_>, command: ServerCommand) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    if let ServerCommand::Add(args) = command {
        return add::server(context, args).await;
    }
    let store = store::open(global, output).await?;
    let done = match command {
        ServerCommand::Add(_) => Ok(Exit::Fine),
        ServerCommand::List => list(output, &store.snapshot()),
        ServerCommand::Show(args) => show(output, find(&store.snapshot(), &args.id)?),
        ServerCommand::Set(args) => set(output, &store, args).await,
        ServerCommand::Enable(args) => enable(output, &store, &args.id, true).await,
        ServerCommand::Disable(args) => enable(output, &store, &args.id, false).await,
        ServerCommand::Remove { id, yes } => remove(output, &store, &id, yes).await,
        ServerCommand::Refresh(args) => {
            let all = store
                .snapshot()
                .servers
                .iter()
                .filter_map(Row::good)
                .map(|server| server.id.clone())
                .collect();
            return refresh::run(context, args, all, store).await;
        }
    };
    store.close().await;
    done
}

fn find<'s>(snapshot: &'s Snapshot, id: &str) -> Result<&'s TrustingServer, Failure> {
    if let Some(server) = snapshot.server(id) {
        return Ok(server);
    }
    for row in &snapshot.servers {
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
    Err(Failure::not_found(format!("no server {} is called", plain(id))))
}

fn list(output: &Output, snapshot: &Snapshot) -> Result<Exit, Failure> {
    let now = store::now()?;
    let views: Vec<serde_json::Value> = snapshot
        .servers
        .iter()
        .map(|row| match row {
            Row::Good(server) => serde_json::to_value(view::Server::of(server)),
            Row::Broken { id, name, problem } => Ok(trust::broken(id, name, problem)),
        })
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::of(&error))?;
    output.result(&views, || {
        if snapshot.servers.is_empty() {
            return "No server is called. To call one: taa server add BASE-URL".to_owned();
        }
        let mut rows =
            Rows::new(output, &["id", "name", "state", "version", "base url", "last used", "certificate"]);
        for row in &snapshot.servers {
            rows.row(match row {
                Row::Good(server) => [
                    server.id.to_string(),
                    server.name.clone(),
                    if server.enabled { "called" } else { "disabled" }.to_owned(),
                    server.protocol.to_string(),
                    server.base_url.to_string(),
                    server.last_used.map_or_else(|| "never".to_owned(), |at| relative(at, now)),
                    trust::refreshed(server.refreshed.as_ref(), now),
                ],
                Row::Broken { id, name, problem } => [
                    id.clone(),
                    name.clone(),
                    "broken".to_owned(),
                    String::new(),
                    String::new(),
                    String::new(),
                    problem.clone(),
                ],
            });
        }
        rows.right(3).into_text()
    })?;
    Ok(Exit::Fine)
}

fn show(output: &Output, server: &TrustingServer) -> Result<Exit, Failure> {
    let now = store::now()?;
    output.result(&view::Server::of(server), || {
        let mut fields = Fields::new(output);
        fields.field("Application id", server.id.as_str());
        fields.field("Name", &server.name);
        fields.field("Base URL", server.base_url.as_str());
        fields.field("Called", yes_no(server.enabled));
        fields.field("Version", server.protocol.to_string());
        fields.field("Session", format!("{} s", server.lifetime.as_secs()));
        fields.field(
            "Content digest",
            if server.require_content_digest { "demanded" } else { "checked when sent" },
        );
        if server.insecure_allow_http {
            fields.field("Plain http", "allowed: everybody on the way reads along");
        }
        fields.field("Added", format!("{} by {}", day_and_time(server.created.at), server.created.by));
        fields.field("Changed", format!("{} by {}", day_and_time(server.updated.at), server.updated.by));
        fields.maybe("Last used", server.last_used.map(|at| relative(at, now)));
        fields.field("Certificate", trust::refreshed(server.refreshed.as_ref(), now));
        let mut text = fields.into_text();
        if let Some(presented) = &server.certificate {
            text.push('\n');
            text.push_str(&certificate::describe(output, presented, now));
        }
        text
    })?;
    Ok(Exit::Fine)
}

async fn set(output: &Output, store: &Store, args: ServerSetArgs) -> Result<Exit, Failure> {
    let snapshot = store.snapshot();
    let server = find(&snapshot, &args.id)?;
    let mut update = ServerUpdate::of(server);
    if let Some(name) = args.name {
        update.name = name;
    }
    if let Some(base_url) = &args.base_url {
        update.base_url = text::base_url(base_url)?;
    }
    if let Some(protocol) = args.protocol {
        update.protocol = protocol.into();
        if update.protocol.is_legacy() {
            output.remark(OLDER_VERSIONS);
        }
    }
    if let Some(seconds) = args.lifetime {
        update.lifetime =
            Lifetime::from_secs(seconds).map_err(|error| Failure::usage(format!("--lifetime: {error}")))?;
    }
    if let Some(require) = args.require_content_digest {
        update.require_content_digest = require.into();
    }
    if let Some(allow) = args.insecure_allow_http {
        update.insecure_allow_http = allow.into();
    }
    let snapshot = store.update_server(&server.id, update, &actor::current()).await?;
    show(output, find(&snapshot, &args.id)?)
}

async fn enable(output: &Output, store: &Store, id: &str, enabled: bool) -> Result<Exit, Failure> {
    let snapshot = store.snapshot();
    let server = find(&snapshot, id)?;
    let update = ServerUpdate { enabled, ..ServerUpdate::of(server) };
    store.update_server(&server.id, update, &actor::current()).await?;
    output.result(&serde_json::json!({ "id": server.id, "enabled": enabled }), || {
        format!(
            "{} is {}.",
            server.id,
            if enabled { "called again" } else { "disabled: nothing is signed for it" }
        )
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
    confirm::unless(yes, output, &format!("{shown} is forgotten, and nothing is signed for it any more."))?;
    store.remove_server(id, &actor::current()).await?;
    output.result(&serde_json::json!({ "id": id, "removed": true }), || {
        format!("{shown} is no longer called.")
    })?;
    Ok(Exit::Fine)
}
