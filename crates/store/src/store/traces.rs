//! What requests leave behind: the fence's marks, the floor, and when what was used.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Transaction};
use taa_core::durable::Mark;
use taa_core::id::{AppId, KeyId};
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;
use tokio::sync::OwnedMutexGuard;

use super::Store;
use super::change::application_named;
use super::detail::Detail;
use crate::db::{self, Columns, Statement};
use crate::error::StoreError;
use crate::model::{Action, Actor};

/// The mark for all stands under the id that no application has.
const ALL: &str = "";

impl Store {
    /// The fence's marks (wire document, section 5): of each application and version, and those for all.
    ///
    /// # Errors
    /// When the database fails or a mark cannot be read: nothing may be accepted without it.
    pub async fn marks(&self) -> Result<Vec<Mark>, StoreError> {
        let mut connection = self.connection().await?;
        let select = sqlx::query("SELECT app_id, protocol, mark FROM taa_marks ORDER BY app_id, protocol");
        db::all(&mut connection, select).await?.iter().map(mark).collect()
    }

    /// Raises the mark of an application in one version, durably; never lowers it. It outlives the application's record.
    ///
    /// # Errors
    /// When the database fails: the request that asked for it must not go on.
    pub async fn raise_mark(
        &self,
        application: &AppId,
        protocol: Protocol,
        mark: UnixMillis,
    ) -> Result<(), StoreError> {
        let (mut connection, _turn) = self.writing().await?;
        db::execute(&mut connection, raise(application.as_str(), protocol, mark)).await.map(drop)
    }

    /// Raises the mark for all applications in one version, durably; never lowers it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn raise_mark_for_all(&self, protocol: Protocol, mark: UnixMillis) -> Result<(), StoreError> {
        let (mut connection, _turn) = self.writing().await?;
        db::execute(&mut connection, raise_for_all(protocol, mark)).await.map(drop)
    }

    /// Version 4 was seen: older ones are refused from now on, durably.
    ///
    /// # Errors
    /// When there is no such application or the database fails: the request that asked for it must not go on.
    pub async fn raise_floor(&self, application: &AppId) -> Result<(), StoreError> {
        let mut change = self.change(&Actor::system()).await?;
        let held = sqlx::query("SELECT seen_v4 FROM taa_applications WHERE app_id = $1");
        let held = db::first(change.connection(), held.bind(application.as_str().to_owned())).await?;
        let held = held.ok_or_else(|| StoreError::NotFound(application_named(application)()))?;
        if held.flag("seen_v4").is_ok_and(|seen| seen) {
            return Ok(());
        }
        let set = sqlx::query("UPDATE taa_applications SET seen_v4 = 1 WHERE app_id = $1");
        change.execute(set.bind(application.as_str().to_owned())).await?;
        let detail = Detail::new().change("seen_v4", false, true);
        change.audit(Action::FloorRaised, application.as_str(), detail).await?;
        change.commit().await.map(drop)
    }

    /// Notes when keys and records were last used. One transaction; not in the audit trail, no new generation. Times only
    /// rise, and what is not there any more is left out.
    ///
    /// | id | key | notes the use of |
    /// |---|---|---|
    /// | this application's own | one of its keys | that key |
    /// | a trusted application's | its signing key, or that of older versions | the application and that key |
    /// | a server's | its decryption key, or none | the server |
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_use(&self, uses: &[(AppId, Option<KeyId>, UnixMillis)]) -> Result<(), StoreError> {
        // In one order for all processes, each once.
        let mut newest: BTreeMap<(&AppId, Option<KeyId>), UnixMillis> = BTreeMap::new();
        for (id, key, at) in uses {
            let known = newest.entry((id, *key)).or_default();
            *known = (*known).max(*at);
        }
        if newest.is_empty() {
            return Ok(());
        }
        let mut trace = self.trace().await?;
        for ((id, key), at) in newest {
            for statement in used(id, key, at) {
                db::execute(trace.connection(), statement).await?;
            }
        }
        trace.commit().await
    }

    /// Begins a transaction that leaves traces.
    pub(super) async fn trace(&self) -> Result<Trace, StoreError> {
        let turn = self.turn_to_write().await;
        let mut transaction = db::begin(&self.0.pool, self.0.engine.begin_writing()).await?;
        // First of all, as in a change: so none of both waits for the other.
        db::execute(&mut transaction, sqlx::query("UPDATE taa_state SET uses = uses + 1")).await?;
        Ok(Trace { transaction, _turn: turn })
    }

    /// The mark of the shared nonce store this cluster last used; tells whether that one lost its memory.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nonce_epoch(&self) -> Result<Option<String>, StoreError> {
        let mut connection = self.connection().await?;
        let row = db::first(&mut connection, sqlx::query("SELECT nonce_epoch FROM taa_state")).await?;
        row.ok_or_else(|| StoreError::Unreadable("the state of the store is gone".into()))?
            .text_if_any("nonce_epoch")
    }

    /// Remembers it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_nonce_epoch(&self, epoch: &str) -> Result<(), StoreError> {
        let (mut connection, _turn) = self.writing().await?;
        let set = sqlx::query("UPDATE taa_state SET nonce_epoch = $1").bind(epoch.to_owned());
        db::execute(&mut connection, set).await.map(drop)
    }
}

/// A transaction that leaves traces: no new generation. Nothing of it stays unless [`commit`](Self::commit) is called.
pub(super) struct Trace {
    transaction: Transaction<'static, Any>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Trace {
    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        db::within(self.transaction.commit()).await
    }
}

/// Raises the mark for all applications.
pub(super) fn raise_for_all(protocol: Protocol, mark: UnixMillis) -> Statement {
    raise(ALL, protocol, mark)
}

fn raise(id: &str, protocol: Protocol, mark: UnixMillis) -> Statement {
    let raise = "INSERT INTO taa_marks (app_id, protocol, mark) VALUES ($1, $2, $3) \
                 ON CONFLICT (app_id, protocol) DO UPDATE SET mark = excluded.mark \
                 WHERE taa_marks.mark < excluded.mark";
    sqlx::query(raise).bind(id.to_owned()).bind(i64::from(protocol.number())).bind(db::number(mark.0))
}

fn mark(row: &AnyRow) -> Result<Mark, StoreError> {
    let id = row.text("app_id")?;
    let unreadable = || StoreError::Unreadable(format!("a mark of {id:?}"));
    let application = if id == ALL { None } else { Some(AppId::parse(&id).map_err(|_| unreadable())?) };
    let protocol =
        u8::try_from(row.number("protocol")?).ok().and_then(|number| Protocol::try_from(number).ok());
    Ok(Mark { application, protocol: protocol.ok_or_else(unreadable)?, at: row.time("mark")? })
}

fn used(id: &AppId, key: Option<KeyId>, at: UnixMillis) -> Vec<Statement> {
    let (id, at) = (id.as_str().to_owned(), db::number(at.0));
    let Some(key) = key.map(|key| key.to_string()) else {
        let server = "UPDATE taa_servers SET last_used = $2 \
                      WHERE app_id = $1 AND (last_used IS NULL OR last_used < $2)";
        return vec![sqlx::query(server).bind(id).bind(at)];
    };
    [
        "UPDATE taa_own_keys SET last_used = $3 WHERE key_id = $2 AND (last_used IS NULL OR last_used < $3) \
         AND EXISTS (SELECT 1 FROM taa_own WHERE app_id = $1)",
        "UPDATE taa_peer_keys SET last_used = $3 WHERE app_id = $1 AND key_id = $2 \
         AND (last_used IS NULL OR last_used < $3)",
        "UPDATE taa_applications SET last_used = $3 WHERE app_id = $1 AND (last_used IS NULL OR last_used < $3) \
         AND EXISTS (SELECT 1 FROM taa_peer_keys k \
                     WHERE k.app_id = $1 AND k.key_id = $2 AND k.purpose <> 'decryption')",
        "UPDATE taa_servers SET last_used = $3 WHERE app_id = $1 AND (last_used IS NULL OR last_used < $3) \
         AND EXISTS (SELECT 1 FROM taa_peer_keys k \
                     WHERE k.app_id = $1 AND k.key_id = $2 AND k.purpose = 'decryption')",
    ]
    .into_iter()
    .map(|set| sqlx::query(set).bind(id.clone()).bind(key.clone()).bind(at))
    .collect()
}
