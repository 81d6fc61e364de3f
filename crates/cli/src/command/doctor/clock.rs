//! Clocks: this machine's against peers' and the database's.

use std::time::Duration;

use jiff::fmt::rfc2822;
use taa_client::certificate_url;
use taa_core::time::UnixMillis;
use taa_store::Store;
use url::Url;

use super::Findings;
use crate::args::Global;
use crate::store;
use crate::time::span;

/// Above this a person should look: clocks may differ by 30 s unless a server was told otherwise.
const MUCH_MS: u64 = 15_000;
/// A peer's `Date` has whole seconds and is made before it is sent.
const LITTLE_MS: u64 = 3_000;

/// The peer's `Date` field, as a hint: it proves nothing, and a cache in front may have made it.
pub(super) async fn look_at_peer(id: &str, base_url: &Url, findings: &mut Findings) {
    let Some(away) = distance(base_url).await else { return };
    let about = format!("clock of {id}");
    if away > MUCH_MS {
        findings.warn(
            about,
            format!("it differs from this machine's by {}, by its Date field", span(away)),
            "Requests are refused as OLD_CERT when clocks differ by more than 30 s: have both follow a time server.",
        );
    } else if away > LITTLE_MS {
        findings.ok(about, format!("differs by about {}", span(away)));
    } else {
        findings.ok(about, "is about the same");
    }
}

/// How far it is from the middle of asking and answer.
async fn distance(base_url: &Url) -> Option<u64> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(5))
        .build()
        .ok()?;
    let sent = store::now().ok()?;
    let answer = client.head(certificate_url(base_url)).send().await.ok()?;
    let came = store::now().ok()?;
    let date = answer.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    let date = rfc2822::parse(date).ok()?.timestamp().as_millisecond();
    let middle = sent.0.midpoint(came.0);
    let early = u64::try_from(date).ok()?;
    // The second that Date names has just begun, or is nearly over.
    Some(match middle.checked_sub(early) {
        Some(ahead) => ahead.saturating_sub(999),
        None => early.saturating_sub(middle),
    })
}

/// PostgreSQL has a clock of its own; nodes that share it must agree among themselves.
pub(super) async fn look_at_database(global: &Global, store: &Store, findings: &mut Findings) {
    if !store.is_shared() {
        return;
    }
    match database_time(global).await {
        Some((theirs, middle)) => {
            let away = theirs.0.abs_diff(middle.0);
            if away > MUCH_MS {
                findings.warn(
                    "clock of the database",
                    format!("it differs from this machine's by {}", span(away)),
                    "Nodes have to keep their clocks within 30 s of each other: have all follow a time server.",
                );
            } else {
                findings.ok("clock of the database", format!("differs by {}", span(away)));
            }
        }
        None => {
            findings.warn("clock of the database", "it cannot be asked", "See the state of the database.")
        }
    }
}

/// The database's time, and this machine's in the middle of asking.
#[cfg(feature = "postgres")]
async fn database_time(global: &Global) -> Option<(UnixMillis, UnixMillis)> {
    use sqlx::{Connection, PgConnection};

    let mut connection = PgConnection::connect(&global.store).await.ok()?;
    let sent = store::now().ok()?;
    let select = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let (theirs,): (i64,) = sqlx::query_as(select).fetch_one(&mut connection).await.ok()?;
    let came = store::now().ok()?;
    // It has told what it was asked for.
    let _closed = connection.close().await;
    Some((UnixMillis(u64::try_from(theirs).ok()?), UnixMillis(sent.0.midpoint(came.0))))
}

#[cfg(not(feature = "postgres"))]
#[allow(clippy::unused_async, reason = "there is nothing to ask")]
async fn database_time(_: &Global) -> Option<(UnixMillis, UnixMillis)> {
    None
}
