//! Users whom no application may name any more.

use std::sync::Arc;

use taa_core::policy::NamePattern;

use super::Store;
use super::detail::Detail;
use crate::error::StoreError;
use crate::model::{Action, Actor, Snapshot};

impl Store {
    /// No application may name this user any more; in force for the next request. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_user(&self, pattern: NamePattern, by: &Actor) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let insert = "INSERT INTO taa_revoked_users (pattern, revoked_at, revoked_by) VALUES ($1, $2, $3) \
                      ON CONFLICT (pattern) DO NOTHING";
        let (at, actor) = change.stamped();
        let insert = sqlx::query(insert).bind(pattern.to_string()).bind(at).bind(actor);
        if change.execute(insert).await? == 0 {
            drop(change);
            return self.poll().await;
        }
        change.audit(Action::UserRevoked, pattern.as_str(), Detail::new()).await?;
        change.commit().await
    }

    /// Takes that back.
    ///
    /// # Errors
    /// When it was not revoked under exactly this name or pattern, or the database fails.
    pub async fn restore_user(&self, pattern: &NamePattern, by: &Actor) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let delete =
            sqlx::query("DELETE FROM taa_revoked_users WHERE pattern = $1").bind(pattern.to_string());
        if change.execute(delete).await? == 0 {
            return Err(StoreError::NotFound(format!("revoked user {pattern}")));
        }
        change.audit(Action::UserRestored, pattern.as_str(), Detail::new()).await?;
        change.commit().await
    }
}
