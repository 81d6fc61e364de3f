//! How own keys follow one another (wire document, section 7): next, current, previous.

use std::sync::Arc;
use std::time::Duration;

use taa_core::certificate::KeyStatus;
use taa_core::id::KeyId;
use taa_core::key::KeySize;
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;

use super::change::Change;
use super::detail::Detail;
use super::own::Own;
use super::read::{OwnRow, PrivateKey};
use super::{Store, aside, traces};
use crate::db;
use crate::error::StoreError;
use crate::model::{Action, Actor, ImportedKey, KeyPurpose, Promotion, Snapshot};

/// How long a `next` key is published before it becomes current.
const PUBLISHED: Duration = Duration::from_hours(24);
/// How long a key is still good after another took its place: peers refresh within a day, and a session that was begun
/// under it lasts 15 minutes at most.
const OVERLAP: Duration = Duration::from_mins(24 * 60 + 15);
/// What another process may have accepted under a key is at most this far ahead of the clock.
const AHEAD: Duration = Duration::from_secs(60);

impl Store {
    /// Makes a `next` key and publishes it (for `Legacy`, which has no rotation: the first key, and only if there is none).
    ///
    /// # Errors
    /// When there is no identity, there is such a key already, or the database fails.
    pub async fn publish_next_key(&self, purpose: KeyPurpose, by: &Actor) -> Result<KeyId, StoreError> {
        // Refused before the work is done, where that is known.
        let snapshot = self.poll().await?;
        let own = snapshot.own.as_ref().ok_or(StoreError::NoIdentity)?;
        let slot = own.keys.iter().any(|key| key.purpose == purpose && key.status == slot(purpose));
        if slot {
            return Err(occupied(purpose));
        }
        let key = self.make_key(purpose, self.usual_size(purpose)).await?;
        let mut change = self.change(by).await?;
        let own = change.own().await?;
        change.add_key(&own, &key).await?;
        let detail = Detail::new().with("purpose", purpose.as_str()).with("status", slot_name(purpose));
        change.audit(Action::KeyMade, &key.id().to_string(), detail).await?;
        change.commit().await?;
        Ok(key.id())
    }

    /// Takes a key from outside as `next` (signing, decryption), or as the legacy key.
    ///
    /// What another process accepted under an imported decryption key is not known here, so the fence is raised for all.
    ///
    /// # Errors
    /// When there is no identity, it is no usable key, there is such a key already, the key stands elsewhere or was
    /// revoked, or the database fails.
    pub async fn import_key(&self, key: ImportedKey, by: &Actor) -> Result<KeyId, StoreError> {
        let provider = Arc::clone(&self.0.provider);
        let key = aside(move || {
            PrivateKey::parse(&*provider, key.purpose, &key.pkcs8_pem)
                .map_err(|why| StoreError::Key(format!("this is no usable {} key: {why}", key.purpose)))
        })
        .await?;
        let (id, purpose) = (key.id(), key.purpose());
        let mut change = self.change(by).await?;
        let own = change.own().await?;
        change.check_free(&own.id, id, purpose).await?;
        if change.was_revoked(&own, id).await? {
            return Err(StoreError::Key(format!("the key {id} was revoked and is never used again")));
        }
        change.add_key(&own, &key).await?;
        if purpose == KeyPurpose::Decryption {
            let mark = change.at().plus(AHEAD);
            change.execute(traces::raise_for_all(Protocol::V4, mark)).await?;
        }
        let detail = Detail::new().with("purpose", purpose.as_str()).with("status", slot_name(purpose));
        change.audit(Action::KeyImported, &id.to_string(), detail).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Makes the `next` key current; the current one becomes `previous` and ends after its overlap: 24 h 15 min.
    ///
    /// # Errors
    /// When there is no `next` key, it was published less than a day ago ([`Promotion::AfterADay`]), or the database
    /// fails.
    pub async fn promote_key(
        &self,
        purpose: KeyPurpose,
        when: Promotion,
        by: &Actor,
    ) -> Result<KeyId, StoreError> {
        if purpose == KeyPurpose::Legacy {
            return Err(StoreError::Key(
                "the legacy key has no rotation: revoke it, then make another".into(),
            ));
        }
        let mut change = self.change(by).await?;
        let own = change.own().await?;
        let next = own
            .rows
            .key(purpose, KeyStatus::Next)
            .ok_or_else(|| StoreError::Key(format!("there is no next {purpose} key: publish one first")))?;
        let ripe = next.created.at.plus(PUBLISHED);
        if when == Promotion::AfterADay && change.at() < ripe {
            return Err(StoreError::Key(format!(
                "the next {purpose} key was published at {} and may become current from {}, when every peer has seen it",
                shown(next.created.at),
                shown(ripe)
            )));
        }
        let mut detail = Detail::new()
            .with("purpose", purpose.as_str())
            .with("published", shown(next.created.at))
            .with("at_once", when == Promotion::InsecureAtOnce);
        if let Some(current) = own.rows.key(purpose, KeyStatus::Current) {
            let exp = end(change.at());
            change.set_status(current.id, KeyStatus::Previous, Some(exp)).await?;
            detail = detail.with("previous", current.id.to_string()).with("previous_exp", exp);
        }
        let promoted = next.id;
        change.set_status(promoted, KeyStatus::Current, None).await?;
        change.reissue(own.content).await?;
        change.audit(Action::KeyPromoted, &promoted.to_string(), detail).await?;
        change.commit().await?;
        Ok(promoted)
    }

    /// A key that may have leaked: it is no longer listed, its private part is deleted. If it was current, the `next` key
    /// takes its place at once, or a new one if there is none. Every peer then has to be looked at by a person.
    ///
    /// A legacy key is removed in this way too; nothing takes its place.
    ///
    /// # Errors
    /// When there is no such key or the database fails.
    pub async fn revoke_own_key(&self, key: KeyId, by: &Actor) -> Result<Arc<Snapshot>, StoreError> {
        let snapshot = self.poll().await?;
        let new = match snapshot.own.as_ref().and_then(|own| own.keys.iter().find(|info| info.id == key)) {
            Some(info) if needs_new(info.purpose, info.status, || has_next(&snapshot, info.purpose)) => {
                Some(self.make_key(info.purpose, self.usual_size(info.purpose)).await?)
            }
            _ => None,
        };
        let mut change = self.change(by).await?;
        let own = change.own().await?;
        let row = own.key(key)?;
        let (purpose, status) = (row.purpose, row.status);
        let next = own.rows.key(purpose, KeyStatus::Next).map(|next| next.id);
        let mut detail = Detail::new().with("purpose", purpose.as_str()).with("status", status.to_string());
        change.delete_key(key).await?;
        change.revoke_key(&own.id, key).await?;
        if needs_new(purpose, status, || next.is_some()) {
            // Only if the keys have changed since we looked.
            let new = new.ok_or(StoreError::Changed)?;
            change.insert_key(&own.id, &new, KeyStatus::Current).await?;
            detail = detail.with("successor", new.id().to_string());
        } else if let (KeyStatus::Current, Some(next)) = (status, next) {
            change.set_status(next, KeyStatus::Current, None).await?;
            detail = detail.with("successor", next.to_string());
        }
        change.reissue(own.content).await?;
        change.audit(Action::KeyRevoked, &key.to_string(), detail).await?;
        change.scrub_after();
        change.commit().await
    }

    /// Deletes `previous` keys that have ended. Number of keys deleted.
    ///
    /// # Errors
    /// When there is no identity or the database fails.
    pub async fn remove_ended_keys(&self, by: &Actor) -> Result<usize, StoreError> {
        let mut change = self.change(by).await?;
        let own = change.own().await?;
        let now = change.at();
        let ended = |row: &&OwnRow| row.status == KeyStatus::Previous && !now.is_before(row.exp);
        let ended: Vec<_> = own.rows.keys.iter().filter(ended).cloned().collect();
        if ended.is_empty() {
            return Ok(0);
        }
        for row in &ended {
            change.delete_key(row.id).await?;
            let detail = Detail::new().with("purpose", row.purpose.as_str()).with("exp", row.exp);
            change.audit(Action::KeyRemoved, &row.id.to_string(), detail).await?;
        }
        if ended.iter().any(|row| own.content.key(&row.id).is_some()) {
            change.reissue(own.content).await?;
        } else {
            change.touch_own().await?;
        }
        change.scrub_after();
        change.commit().await?;
        Ok(ended.len())
    }

    /// A new key is as long as the current one of its purpose.
    fn usual_size(&self, purpose: KeyPurpose) -> KeySize {
        let snapshot = self.snapshot();
        let keys = snapshot.own.as_ref().map(|own| own.keys.as_slice()).unwrap_or_default();
        let current = keys.iter().find(|key| key.purpose == purpose && key.status == KeyStatus::Current);
        match current.map(|key| key.bits) {
            Some(2048) => KeySize::Rsa2048,
            Some(4096) => KeySize::Rsa4096,
            _ => KeySize::default(),
        }
    }
}

impl Change {
    /// Adds a key where a new one of its purpose goes, and lists it.
    async fn add_key(&mut self, own: &Own, key: &PrivateKey) -> Result<(), StoreError> {
        if own.rows.key(key.purpose(), slot(key.purpose())).is_some() {
            return Err(occupied(key.purpose()));
        }
        self.insert_key(&own.id, key, slot(key.purpose())).await?;
        self.reissue(own.content.clone()).await.map(drop)
    }

    async fn set_status(
        &mut self,
        key: KeyId,
        status: KeyStatus,
        exp: Option<u64>,
    ) -> Result<(), StoreError> {
        let set = sqlx::query("UPDATE taa_own_keys SET status = $2, exp_seconds = $3 WHERE key_id = $1")
            .bind(key.to_string())
            .bind(status.to_string())
            .bind(exp.map(db::number));
        self.execute(set).await.map(drop)
    }

    async fn delete_key(&mut self, key: KeyId) -> Result<(), StoreError> {
        let delete = sqlx::query("DELETE FROM taa_own_keys WHERE key_id = $1").bind(key.to_string());
        self.execute(delete).await.map(drop)
    }

    async fn was_revoked(&mut self, own: &Own, key: KeyId) -> Result<bool, StoreError> {
        let revoked =
            sqlx::query("SELECT 1 AS found FROM taa_revoked_keys WHERE app_id = $1 AND key_id = $2")
                .bind(own.id.as_str().to_owned())
                .bind(key.to_string());
        Ok(db::first(self.connection(), revoked).await?.is_some())
    }
}

/// Where a new key goes. The older versions know no rotation.
const fn slot(purpose: KeyPurpose) -> KeyStatus {
    match purpose {
        KeyPurpose::Legacy => KeyStatus::Current,
        KeyPurpose::Decryption | KeyPurpose::Signing => KeyStatus::Next,
    }
}

fn slot_name(purpose: KeyPurpose) -> String {
    slot(purpose).to_string()
}

fn occupied(purpose: KeyPurpose) -> StoreError {
    StoreError::Key(match purpose {
        KeyPurpose::Legacy => "there is a legacy key already: revoke it first".into(),
        _ => format!("there is a next {purpose} key already: promote or revoke it first"),
    })
}

/// Whether a new key has to take the place of one that is revoked.
fn needs_new(purpose: KeyPurpose, status: KeyStatus, has_next: impl FnOnce() -> bool) -> bool {
    purpose != KeyPurpose::Legacy && status == KeyStatus::Current && !has_next()
}

fn has_next(snapshot: &Snapshot, purpose: KeyPurpose) -> bool {
    let keys = snapshot.own.as_ref().map(|own| own.keys.as_slice()).unwrap_or_default();
    keys.iter().any(|key| key.purpose == purpose && key.status == KeyStatus::Next)
}

/// When a key ends that is replaced now, in whole Unix seconds, rounded up.
fn end(now: UnixMillis) -> u64 {
    now.plus(OVERLAP).0.div_ceil(1000)
}

/// A time as a person reads it.
fn shown(time: UnixMillis) -> String {
    let time = i64::try_from(time.seconds()).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(|| "an unknown time".into(), |time| time.to_string())
}
