use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr};

use crate::error::StoreError;
use crate::open::Place;

/// The tables of this version. Their own name for the list of what was applied, because a service may keep tables of its
/// own in the same database, with migrations of its own.
const APPLIED: &str = "taa_migrations";

/// Brings the tables up to date.
pub(super) async fn migrate(at: &mut AnyConnection, place: &Place) -> Result<(), StoreError> {
    let migrator = migrator(place);
    // PostgreSQL has a lock for this. With SQLite, another process that opens a new file at the same moment can be first;
    // what it did is found done the next time.
    let mut attempts = if matches!(place, Place::Sqlite(_)) { 3 } else { 1 };
    loop {
        let Err(error) = migrator.run_direct(None, at, false).await else { return Ok(()) };
        attempts -= 1;
        match error {
            MigrateError::VersionMissing(version) => return Err(StoreError::Newer(version)),
            MigrateError::VersionMismatch(version) => {
                let message = format!("its tables are not those of version {version} of this software");
                return Err(StoreError::Unreadable(message));
            }
            error if attempts == 0 => return Err(StoreError::Database(Box::new(error))),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

fn migrator(place: &Place) -> Migrator {
    let trust = match place {
        Place::Sqlite(_) => include_str!("../../migrations/sqlite/0001_trust.sql"),
        Place::Postgres(_) => include_str!("../../migrations/postgres/0001_trust.sql"),
    };
    let migrations = [(1, "trust", trust)].into_iter().map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(APPLIED);
    migrator
}
