use std::sync::Arc;

use sqlx::{Any, AnyConnection, Transaction};
use taa_core::id::AppId;
use taa_core::time::UnixMillis;
use tokio::sync::OwnedMutexGuard;

use super::Store;
use super::audit::Link;
use super::detail::Detail;
use crate::db::{self, Columns, Engine, Statement};
use crate::error::StoreError;
use crate::model::{Action, Actor, Snapshot, Stamp};
use crate::seal::Kek;

/// A change: one transaction. Nothing of it stays unless [`commit`](Self::commit) is called.
///
/// Its first statement raises the generation, in the one row of `taa_state`, and so holds off every other change, of this
/// process and of others, until this one is over. What is read after that is what is there.
pub(super) struct Change {
    store: Store,
    transaction: Transaction<'static, Any>,
    _turn: OwnedMutexGuard<()>,
    /// The generation it makes.
    pub(super) generation: u64,
    /// When it is made, and by whom.
    pub(super) stamp: Stamp,
    head: Link,
    /// The key-encryption key from then on, when it changes the seal.
    new_kek: Option<Option<Kek>>,
    /// Whether it deletes a private key, or one that was in the clear.
    scrub: bool,
}

impl Store {
    /// Begins a change.
    pub(super) async fn change(&self, by: &Actor) -> Result<Change, StoreError> {
        let turn = Arc::clone(&self.0.turn).lock_owned().await;
        let mut transaction = db::begin(&self.0.pool, self.0.engine.begin_writing()).await?;
        let raise = "UPDATE taa_state SET generation = generation + 1 \
                     RETURNING generation, audit_seq, audit_hash";
        let row = db::first(&mut transaction, sqlx::query(raise)).await?;
        let row = row.ok_or_else(|| StoreError::Unreadable("the state of the store is gone".into()))?;
        Ok(Change {
            store: self.clone(),
            transaction,
            _turn: turn,
            generation: row.number("generation")?,
            // Only now: a change that came later is not dated earlier.
            stamp: Stamp { at: self.now()?, by: by.clone() },
            head: Link::of_state(&row)?,
            new_kek: None,
            scrub: false,
        })
    }
}

impl Change {
    /// The connection, to read what is there.
    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Runs a statement. The number of rows it concerned.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        db::execute(&mut self.transaction, statement).await
    }

    /// When it is made.
    pub(super) fn at(&self) -> UnixMillis {
        self.stamp.at
    }

    /// The time and the actor as they are bound to a statement.
    pub(super) fn stamped(&self) -> (i64, String) {
        (db::number(self.stamp.at.0), self.stamp.by.as_str().to_owned())
    }

    /// Adds a row to the audit trail.
    pub(super) async fn audit(
        &mut self,
        action: Action,
        subject: &str,
        detail: Detail,
    ) -> Result<(), StoreError> {
        let row = self.head.next(
            self.stamp.at,
            self.stamp.by.as_str(),
            action.as_str(),
            subject,
            &detail.text(),
            self.generation,
        );
        let insert = "INSERT INTO taa_audit (seq, at, actor, action, subject, detail, generation, hash) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let (at, actor) = self.stamped();
        let insert = sqlx::query(insert)
            .bind(db::number(row.seq))
            .bind(at)
            .bind(actor)
            .bind(action.as_str())
            .bind(subject.to_owned())
            .bind(detail.text())
            .bind(db::number(self.generation))
            .bind(row.hash.clone());
        self.execute(insert).await?;
        self.head = row;
        Ok(())
    }

    /// Takes this key-encryption key in use once it is committed.
    pub(super) fn use_kek(&mut self, kek: Option<Kek>) {
        self.new_kek = Some(kek);
    }

    /// Has what is deleted or replaced overwritten once it is committed.
    pub(super) fn scrub_after(&mut self) {
        self.scrub = true;
    }

    /// The store.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Notes that own identity, own keys or their sealing are not what they were.
    pub(super) async fn touch_own(&mut self) -> Result<(), StoreError> {
        let note = sqlx::query("UPDATE taa_state SET own_generation = $1").bind(db::number(self.generation));
        self.execute(note).await.map(drop)
    }

    /// Makes it durable, announces it, and puts it in force in this process. This is carried through even when the caller
    /// does not wait for the end.
    pub(super) async fn commit(mut self) -> Result<Arc<Snapshot>, StoreError> {
        let head = "UPDATE taa_state SET audit_seq = $1, audit_hash = $2";
        let head = sqlx::query(head).bind(db::number(self.head.seq)).bind(self.head.hash.clone());
        self.execute(head).await?;
        if let Engine::Postgres { channel, .. } = &self.store.0.engine {
            let notify = sqlx::query("SELECT pg_notify($1, $2)::text");
            let notify = notify.bind(channel.clone()).bind(self.generation.to_string());
            db::first(&mut self.transaction, notify).await?;
        }
        let carried_through = tokio::spawn(async move {
            db::within(self.transaction.commit()).await?;
            if let Some(kek) = self.new_kek {
                self.store.set_kek(kek);
            }
            // The next change of this process may begin, and finds the key-encryption key that is in force.
            drop(self._turn);
            if self.scrub {
                self.store.scrub().await;
            }
            match self.store.poll().await {
                Ok(snapshot) => Ok(snapshot),
                Err(error) => {
                    // The change is durable and will be seen by the next poll: to deny it would be wrong.
                    tracing::error!(target: "taa", %error, "a change was made, and reading it again failed");
                    Ok(self.store.snapshot())
                }
            }
        });
        carried_through.await.map_err(|error| StoreError::Database(Box::new(error)))?
    }
}

/// How a missing application is named.
pub(super) fn application_named(id: &AppId) -> impl FnOnce() -> String {
    move || format!("trusted application {id}")
}
