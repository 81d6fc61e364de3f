//! The database: one code path for SQLite and PostgreSQL. What differs between them is in here and in `migrations`.

mod connect;
mod engine;
mod migrate;
mod row;

use std::future::Future;
use std::time::Duration;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};

#[cfg(feature = "postgres")]
pub(crate) use connect::TO_CONNECT;
pub(crate) use connect::connect;
pub(crate) use engine::Engine;
pub(crate) use row::Columns;

use crate::error::StoreError;

pub(crate) type Statement = Query<'static, Any, AnyArguments>;

/// How long one statement may take. Longer than SQLite waits for a lock (5 s), and short enough that a database behind a
/// broken network does not hold requests for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Begins a transaction. It is begun to the end even when the caller goes away or loses patience: the driver would leave a
/// connection in the pool on which it is open, and whatever uses that one next would be part of it.
pub(crate) async fn begin(
    pool: &AnyPool,
    statement: &'static str,
) -> Result<Transaction<'static, Any>, StoreError> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await });
    within(async { begun.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))? }).await
}

/// Runs a statement. The number of rows it concerned.
pub(crate) async fn execute(at: &mut AnyConnection, statement: Statement) -> Result<u64, StoreError> {
    Ok(within(statement.execute(at)).await?.rows_affected())
}

/// Runs a query. Its first row, if there is one.
pub(crate) async fn first(
    at: &mut AnyConnection,
    statement: Statement,
) -> Result<Option<AnyRow>, StoreError> {
    within(statement.fetch_optional(at)).await
}

/// Runs a query. All its rows.
pub(crate) async fn all(at: &mut AnyConnection, statement: Statement) -> Result<Vec<AnyRow>, StoreError> {
    within(statement.fetch_all(at)).await
}

/// Waits for the database, and not for ever.
pub(crate) async fn within<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(StoreError::Database("no answer within 10 s".into())),
    }
}

/// The database failed, or holds bytes that no text of it can have.
pub(crate) fn failed(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::ColumnDecode { source, .. } | sqlx::Error::Decode(source) => {
            StoreError::Unreadable(source.to_string())
        }
        error => StoreError::Database(Box::new(error)),
    }
}

/// A number as the database keeps it. What is above 2^63 - 1 is a time that never comes, and stays one.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Yes and no as the database keeps them.
pub(crate) fn flag(value: bool) -> i64 {
    i64::from(value)
}
