use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor};
use url::Url;

use super::migrate::migrate;
use super::{Columns, Engine, first, within};
use crate::error::StoreError;
use crate::open::Place;

/// How long a connection may take. A database that is down is to fail fast: requests wait for it.
pub(crate) const TO_CONNECT: Duration = Duration::from_secs(2);

/// What every connection to SQLite is set to. `FULL`: what was acknowledged survives a power cut. What is deleted is
/// overwritten, because it may be a private key.
const SQLITE: &str = "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; \
                      PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF";

/// What every connection to PostgreSQL is set to. The first is for servers that were told to lose the last changes in a
/// crash; a stricter setting than `on` stays.
const POSTGRES: &str = "SELECT set_config('synchronous_commit', 'on', false) \
                            WHERE current_setting('synchronous_commit') IN ('off', 'local'); \
                        SET statement_timeout = '8s'; SET lock_timeout = '5s'; \
                        SET idle_in_transaction_session_timeout = '30s'";

/// Connects to the database and brings its tables up to date.
pub(crate) async fn connect(place: &Place) -> Result<(AnyPool, Engine), StoreError> {
    Engine::compiled_in(place)?;
    install_default_drivers();
    let url = match place {
        Place::Sqlite(path) => sqlite_url(&make_file(path)?)?,
        Place::Postgres(url) => url.clone(),
    };
    let options = AnyConnectOptions::from_url(&url).map_err(super::failed)?;
    // A connection of its own for this: a pool would try again and again and tell only that it gave up, and tables of a
    // new version may take longer to make than statements usually may.
    let first = tokio::time::timeout(TO_CONNECT, AnyConnection::connect_with(&options));
    let mut first = first
        .await
        .map_err(|_| StoreError::Database("no connection within 2 s".into()))?
        .map_err(super::failed)?;
    let engine = match place {
        Place::Sqlite(_) => prepare_sqlite(&mut first, place).await,
        Place::Postgres(_) => prepare_postgres(&mut first, place, url).await,
    };
    // Whatever lock was held goes with the connection; how it ends does not matter.
    let _ = within(first.close()).await;
    let settings = if matches!(place, Place::Sqlite(_)) { SQLITE } else { POSTGRES };
    let pool = AnyPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(TO_CONNECT)
        .after_connect(move |connection, _| {
            Box::pin(async move { connection.execute(settings).await.map(drop) })
        })
        .connect_lazy_with(options);
    Ok((pool, engine?))
}

async fn prepare_sqlite(at: &mut AnyConnection, place: &Place) -> Result<Engine, StoreError> {
    // Changing the journal does not wait for others as everything else does.
    let mut attempts = 0;
    loop {
        match first(at, sqlx::query("PRAGMA journal_mode = WAL")).await {
            Ok(Some(row)) if row.text("journal_mode")? == "wal" => break,
            Ok(_) => {
                return Err(StoreError::Database("the file cannot have a write-ahead log here".into()));
            }
            Err(error) if attempts < 20 && is_busy(&error) => attempts += 1,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    migrate(at, place).await?;
    Ok(Engine::Sqlite)
}

async fn prepare_postgres(at: &mut AnyConnection, place: &Place, url: Url) -> Result<Engine, StoreError> {
    migrate(at, place).await?;
    let schema = "SELECT n.nspname::text AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                  WHERE c.oid = 'taa_state'::regclass";
    let row = first(at, sqlx::query(schema)).await?;
    let schema = row.ok_or_else(|| StoreError::Unreadable("taa_state is gone".into()))?.text("schema")?;
    // A channel's name is as short as any name, and a schema's may have used that up.
    let digest: String = Sha256::digest(schema).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(Engine::Postgres { url, channel: format!("taa_changed_{digest}") })
}

/// Whether SQLite says that somebody else holds a lock.
fn is_busy(error: &StoreError) -> bool {
    let StoreError::Database(error) = error else { return false };
    let code = error.downcast_ref::<sqlx::Error>().and_then(|error| error.as_database_error()?.code());
    // The code is extended: the lower byte is SQLITE_BUSY or SQLITE_LOCKED.
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// Makes the file, if it is not there, so that only its owner can read it; the log and its index beside it get the same
/// mode from SQLite.
fn make_file(path: &Path) -> Result<PathBuf, StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => warn_if_open(path),
        Err(error) => return Err(StoreError::Database(Box::new(error))),
    }
    path.canonicalize().map_err(|error| StoreError::Database(Box::new(error)))
}

/// A file that was there keeps its mode: it may be meant for a group.
fn warn_if_open(path: &Path) {
    #[cfg(unix)]
    if let Ok(found) = std::fs::metadata(path)
        && std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o007 != 0
    {
        tracing::warn!(target: "taa", file = %path.display(), "everybody on this machine can read the store");
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// The path as the URL that the driver takes, with everything escaped that means something in one.
fn sqlite_url(path: &Path) -> Result<Url, StoreError> {
    let bad = || StoreError::Database(format!("{} is no path for a database", path.display()).into());
    let text = path.to_str().ok_or_else(bad)?;
    let mut url = Url::parse("sqlite:///").map_err(|_| bad())?;
    url.path_segments_mut()
        .map_err(|()| bad())?
        .clear()
        .extend(text.split(std::path::MAIN_SEPARATOR).filter(|part| !part.is_empty()));
    Ok(url)
}
