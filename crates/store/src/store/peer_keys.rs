//! One key, one application, one purpose: checked when a record is written, under the lock that every change holds.

use taa_core::certificate::KeyUse;
use taa_core::id::{AppId, KeyId};

use super::change::Change;
use super::read::peer_keys;
use crate::db::{self, Columns};
use crate::error::StoreError;
use crate::model::{KeyPurpose, PeerKeys};

impl Change {
    /// Enters the keys of a record, besides those that the peer's other record has.
    pub(super) async fn enter_keys(&mut self, id: &AppId, keys: &PeerKeys) -> Result<(), StoreError> {
        let keys = peer_keys(keys);
        for (key, purpose) in &keys {
            self.check_free(id, *key, *purpose).await?;
            let insert = "INSERT INTO taa_peer_keys (app_id, key_id, purpose) VALUES ($1, $2, $3) \
                          ON CONFLICT (app_id, key_id) DO NOTHING";
            let insert =
                sqlx::query(insert).bind(id.as_str().to_owned()).bind(key.to_string()).bind(purpose.as_str());
            self.execute(insert).await?;
        }
        Ok(())
    }

    /// Takes out the keys that no record of the peer has any more.
    pub(super) async fn prune_keys(
        &mut self,
        id: &str,
        still: &[(KeyId, KeyPurpose)],
    ) -> Result<(), StoreError> {
        let held = sqlx::query("SELECT key_id FROM taa_peer_keys WHERE app_id = $1").bind(id.to_owned());
        for row in db::all(self.connection(), held).await? {
            let held = row.text("key_id")?;
            if !still.iter().any(|(key, _)| key.to_string() == held) {
                let delete = "DELETE FROM taa_peer_keys WHERE app_id = $1 AND key_id = $2";
                self.execute(sqlx::query(delete).bind(id.to_owned()).bind(held)).await?;
            }
        }
        Ok(())
    }

    /// Refuses a key that stands, or was revoked, under another id, or stands for another purpose.
    pub(super) async fn check_free(
        &mut self,
        id: &AppId,
        key: KeyId,
        purpose: KeyPurpose,
    ) -> Result<(), StoreError> {
        let taken = |other| Err(StoreError::KeyInUse { id: id.clone(), other });
        let own = sqlx::query("SELECT purpose FROM taa_own_keys WHERE key_id = $1").bind(key.to_string());
        if let Some(row) = db::first(self.connection(), own).await? {
            return taken(format!("this application itself ({})", row.text("purpose")?));
        }
        let peers = "SELECT app_id, purpose FROM taa_peer_keys WHERE key_id = $1";
        for row in db::all(self.connection(), sqlx::query(peers).bind(key.to_string())).await? {
            let (other, other_purpose) = (row.text("app_id")?, row.text("purpose")?);
            if other != id.as_str() {
                return taken(other);
            }
            if other_purpose != purpose.as_str() {
                return taken(format!("the same application, for {other_purpose}"));
            }
        }
        let revoked = "SELECT app_id FROM taa_revoked_keys WHERE key_id = $1 AND app_id <> $2";
        let revoked = sqlx::query(revoked).bind(key.to_string()).bind(id.as_str().to_owned());
        match db::first(self.connection(), revoked).await? {
            Some(row) => taken(format!("{}, where it was revoked", row.text("app_id")?)),
            None => Ok(()),
        }
    }

    /// Refuses keys of which the one that matters was revoked here: nothing could be proven with them.
    pub(super) async fn check_not_revoked(&mut self, id: &AppId, keys: &PeerKeys) -> Result<(), StoreError> {
        let signer = keys.certificate.as_ref().and_then(|held| held.content().current(KeyUse::Signing));
        let key = match (signer, &keys.legacy) {
            (Some(signer), _) => signer.public.id(),
            (None, Some(legacy)) => legacy.0.thumbprint(),
            (None, None) => return Ok(()),
        };
        let revoked =
            sqlx::query("SELECT 1 AS found FROM taa_revoked_keys WHERE key_id = $1 AND app_id = $2")
                .bind(key.to_string())
                .bind(id.as_str().to_owned());
        match db::first(self.connection(), revoked).await? {
            None => Ok(()),
            Some(_) => Err(StoreError::Key(format!(
                "the key {key} of {id} was revoked here and is never used again: {id} has to make a new one first"
            ))),
        }
    }
}
