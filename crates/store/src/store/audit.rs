//! The audit trail: rows that are only ever added, each with a hash over itself and the one before.

mod check;

use sha2::{Digest, Sha256};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use taa_core::time::UnixMillis;

use self::check::Check;
use super::Store;
use crate::db::{self, Columns};
use crate::error::StoreError;
use crate::model::{Actor, AuditEntry, AuditFilter, AuditReport};

/// Number and hash of a row; number 0 and no hash before the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) hash: String,
}

impl Link {
    /// The end of the trail, in the row of the state.
    pub(super) fn of_state(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self { seq: row.number("audit_seq")?, hash: row.text("audit_hash")? })
    }

    /// Whether the trail has this row.
    pub(super) async fn is_in(&self, at: &mut AnyConnection) -> Result<bool, StoreError> {
        if self.seq == 0 {
            return Ok(true);
        }
        let select = sqlx::query("SELECT hash FROM taa_audit WHERE seq = $1").bind(db::number(self.seq));
        match db::first(at, select).await {
            Ok(row) => Ok(row.is_some_and(|row| row.text("hash").is_ok_and(|hash| hash == self.hash))),
            Err(StoreError::Unreadable(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The link of the row that follows this one.
    pub(super) fn next(
        &self,
        at: UnixMillis,
        actor: &str,
        action: &str,
        subject: &str,
        detail: &str,
        generation: u64,
    ) -> Self {
        let seq = self.seq.saturating_add(1);
        let mut hash = Sha256::new();
        hash.update(b"TAA audit 1\0");
        for number in [seq, at.0, generation] {
            hash.update(number.to_be_bytes());
        }
        for text in [self.hash.as_str(), actor, action, subject, detail] {
            // Lengths first, so that no text can pass for the end of one and the beginning of the next.
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { seq, hash }
    }
}

/// Rows that are read at once.
const PAGE: i64 = 500;

impl Store {
    /// Rows of the trail, newest first.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read; [`verify_audit`](Self::verify_audit) then says which.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let limit = match filter.limit {
            0 => 100,
            limit => limit.min(1_000),
        };
        // A filter that is not set is bound as null.
        let select = "SELECT * FROM taa_audit \
                      WHERE ($1 IS NULL OR actor = $1) AND ($2 IS NULL OR action = $2) \
                      AND ($3 IS NULL OR subject = $3) AND at >= $4 AND at < $5 AND seq < $6 \
                      ORDER BY seq DESC LIMIT $7";
        let select = sqlx::query(select)
            .bind(filter.actor.clone())
            .bind(filter.action.map(|action| action.as_str()))
            .bind(filter.subject.clone())
            .bind(filter.since.map_or(0, |since| db::number(since.0)))
            .bind(filter.until.map_or(i64::MAX, |until| db::number(until.0)))
            .bind(filter.before_seq.map_or(i64::MAX, db::number))
            .bind(i64::from(limit));
        let mut connection = self.connection().await?;
        let rows = db::all(&mut connection, select).await?;
        rows.iter().map(entry).collect()
    }

    /// Reads the whole trail and recomputes it. What is wrong with it is in the report.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_audit(&self) -> Result<AuditReport, StoreError> {
        let mut reading = db::begin(&self.0.pool, self.0.engine.begin_reading()).await?;
        let state = sqlx::query("SELECT audit_seq, audit_hash FROM taa_state");
        let state = db::first(&mut reading, state).await?;
        let mut check = Check::default();
        let early = sqlx::query("SELECT count(*) AS early FROM taa_audit WHERE seq < 1");
        let early = db::first(&mut reading, early).await?.map_or(Ok(0), |row| row.number("early"))?;
        if early > 0 {
            check.problem(format!("{early} rows stand before the first"));
        }
        loop {
            let page = "SELECT * FROM taa_audit WHERE seq > $1 ORDER BY seq LIMIT $2";
            let page = sqlx::query(page).bind(db::number(check.last().seq)).bind(PAGE);
            let before = check.rows();
            match db::all(&mut reading, page).await {
                Ok(rows) => rows.iter().try_for_each(|row| check.row(row))?,
                Err(StoreError::Unreadable(_)) => one_by_one(&mut reading, &mut check).await?,
                Err(error) => return Err(error),
            }
            if check.rows() == before {
                break;
            }
        }
        db::within(reading.rollback()).await?;
        match state {
            Some(row) => check.end(&Link::of_state(&row)?),
            None => {
                check.problem("the state of the store is gone: it is not known where the trail ends".into())
            }
        }
        Ok(check.report())
    }
}

/// The next page, in which a row holds bytes that are no text. SQLite lets them in.
async fn one_by_one(at: &mut AnyConnection, check: &mut Check) -> Result<(), StoreError> {
    let page = "SELECT seq FROM taa_audit WHERE seq > $1 ORDER BY seq LIMIT $2";
    let page = sqlx::query(page).bind(db::number(check.last().seq)).bind(PAGE);
    for row in db::all(at, page).await? {
        let seq = row.number("seq")?;
        let select = sqlx::query("SELECT * FROM taa_audit WHERE seq = $1").bind(db::number(seq));
        match db::first(at, select).await {
            Ok(Some(row)) => check.row(&row)?,
            Ok(None) => {}
            Err(StoreError::Unreadable(why)) => check.unreadable(seq, &why),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn entry(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    let detail = row.text("detail")?;
    Ok(AuditEntry {
        seq: row.number("seq")?,
        at: row.time("at")?,
        actor: Actor::new(&row.text("actor")?),
        action: row.text("action")?,
        subject: row.text("subject")?,
        // What somebody has written there that is no JSON is shown all the same.
        detail: serde_json::from_str(&detail).unwrap_or(serde_json::Value::String(detail)),
        generation: row.number("generation")?,
        hash: row.text("hash")?,
    })
}
