//! Incoming trust: who may call, with which rules.

use std::sync::Arc;

use serde_json::json;
use taa_core::id::{AppId, KeyId};
use taa_core::policy::Protocol;

use super::Store;
use super::change::{Change, application_named};
use super::detail::Detail;
use super::read::{self, Certificates, peer_keys};
use crate::db::{self, Columns, Statement};
use crate::error::StoreError;
use crate::model::{
    Action, Actor, ApplicationUpdate, KeyPurpose, NewApplication, NewServer, PeerKeys, Rules, Snapshot,
    TrustedApplication,
};

impl Store {
    /// Trusts an application from now on.
    ///
    /// # Errors
    /// When it is there already, it is this one, a key of it stands elsewhere or for another purpose, its signing key was
    /// revoked here, or the database fails.
    pub async fn add_application(
        &self,
        new: NewApplication,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        change.insert_application(&new).await?;
        change.commit().await
    }

    /// Trusts an application and calls it as well, in one transaction ("trust each other").
    ///
    /// # Errors
    /// As [`add_application`](Self::add_application) and [`add_server`](Self::add_server); then neither is there.
    pub async fn add_both(
        &self,
        application: NewApplication,
        server: NewServer,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        change.insert_application(&application).await?;
        change.insert_server(&server).await?;
        change.commit().await
    }

    /// Changes name and rules.
    ///
    /// # Errors
    /// When it is not there, cannot be read, was changed by somebody else meanwhile, or the database fails.
    pub async fn update_application(
        &self,
        id: &AppId,
        update: ApplicationUpdate,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let held = change.application(self, id).await?;
        if held.version != update.version {
            return Err(StoreError::Changed);
        }
        // Only a person lowers what version 4 has raised, and only by setting it anew.
        let lowered =
            update.rules.min_protocol < Protocol::V4 && update.rules.min_protocol != held.rules.min_protocol;
        let seen_v4 = held.seen_v4 && !lowered;
        let detail = rules_changed(&held.rules, &update.rules)
            .change("name", held.name.as_str(), update.name.as_str())
            .change("seen_v4", held.seen_v4, seen_v4);
        if detail.is_empty() {
            drop(change);
            return self.poll().await;
        }
        let (at, actor) = change.stamped();
        let set = "UPDATE taa_applications SET name = $2, rules = $3, seen_v4 = $4, version = $5, updated_at = $6, \
                   updated_by = $7 WHERE app_id = $1";
        let set = sqlx::query(set)
            .bind(id.as_str().to_owned())
            .bind(update.name.clone())
            .bind(written(&update.rules)?)
            .bind(db::flag(seen_v4))
            .bind(db::number(change.generation))
            .bind(at)
            .bind(actor);
        change.execute(set).await?;
        change.audit(Action::ApplicationChanged, id.as_str(), detail).await?;
        change.commit().await
    }

    /// Switches it on or off; in force for the next request.
    ///
    /// # Errors
    /// When it is not there or the database fails.
    pub async fn set_application_enabled(
        &self,
        id: &AppId,
        enabled: bool,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let held = sqlx::query("SELECT enabled FROM taa_applications WHERE app_id = $1");
        let held = db::first(change.connection(), held.bind(id.as_str().to_owned())).await?;
        let held = held.ok_or_else(|| StoreError::NotFound(application_named(id)()))?;
        if held.flag("enabled").is_ok_and(|held| held == enabled) {
            // It is as it should be: nothing to write down.
            drop(change);
            return self.poll().await;
        }
        let (at, actor) = change.stamped();
        let set = "UPDATE taa_applications SET enabled = $2, version = $3, updated_at = $4, updated_by = $5 \
                   WHERE app_id = $1";
        let set = sqlx::query(set)
            .bind(id.as_str().to_owned())
            .bind(db::flag(enabled))
            .bind(db::number(change.generation))
            .bind(at)
            .bind(actor);
        change.execute(set).await?;
        let action = if enabled { Action::ApplicationEnabled } else { Action::ApplicationDisabled };
        change.audit(action, id.as_str(), Detail::new()).await?;
        change.commit().await
    }

    /// Forgets it. Takes the id as text, because broken rows can be removed too. What must outlive it stays: its fence's
    /// mark, and which of its keys were revoked.
    ///
    /// # Errors
    /// When it is not there or the database fails.
    pub async fn remove_application(&self, id: &str, by: &Actor) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let held = sqlx::query("SELECT name, base_url FROM taa_applications WHERE app_id = $1");
        let detail =
            change.farewell(held.bind(id.to_owned()), || format!("trusted application {id}")).await?;
        let delete = sqlx::query("DELETE FROM taa_applications WHERE app_id = $1").bind(id.to_owned());
        change.execute(delete).await?;
        let still = change.server_keys(self, id).await?;
        change.prune_keys(id, &still).await?;
        change.audit(Action::ApplicationRemoved, id, detail).await?;
        change.commit().await
    }

    /// Revokes one key of it for ever: no certificate brings it back, not even after the application was removed and
    /// added again. Revoking a key twice changes nothing.
    ///
    /// # Errors
    /// When the application is not there, cannot be read, has no such key, or the database fails.
    pub async fn revoke_application_key(
        &self,
        id: &AppId,
        key: KeyId,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let held = change.application(self, id).await?;
        if !peer_keys(&held.keys).iter().any(|(held, _)| *held == key) {
            return Err(StoreError::NotFound(format!("key {key} of {id}")));
        }
        if !change.revoke_key(id, key).await? {
            drop(change);
            return self.poll().await;
        }
        let (at, actor) = change.stamped();
        let set =
            "UPDATE taa_applications SET version = $2, updated_at = $3, updated_by = $4 WHERE app_id = $1";
        let set = sqlx::query(set).bind(id.as_str().to_owned()).bind(db::number(change.generation));
        change.execute(set.bind(at).bind(actor)).await?;
        let detail = Detail::new().with("key", key.to_string());
        change.audit(Action::ApplicationKeyRevoked, id.as_str(), detail).await?;
        change.commit().await
    }
}

impl Change {
    /// The record, as it stands there now.
    pub(super) async fn application(
        &mut self,
        store: &Store,
        id: &AppId,
    ) -> Result<TrustedApplication, StoreError> {
        let held =
            sqlx::query("SELECT * FROM taa_applications WHERE app_id = $1").bind(id.as_str().to_owned());
        let row = db::first(self.connection(), held).await?;
        let row = row.ok_or_else(|| StoreError::NotFound(application_named(id)()))?;
        read::application(&row, &mut Certificates::new(&*store.0.provider))
    }

    /// The keys that an application's record has, none when there is no record that can be read.
    pub(super) async fn application_keys(
        &mut self,
        store: &Store,
        id: &str,
    ) -> Result<Vec<(KeyId, KeyPurpose)>, StoreError> {
        let held = sqlx::query("SELECT * FROM taa_applications WHERE app_id = $1").bind(id.to_owned());
        let row = match db::first(self.connection(), held).await {
            Err(StoreError::Unreadable(_)) => None,
            row => row?,
        };
        let Some(row) = row else { return Ok(Vec::new()) };
        let held = read::application(&row, &mut Certificates::new(&*store.0.provider));
        Ok(held.map(|held| peer_keys(&held.keys)).unwrap_or_default())
    }

    /// What the trail says of a record that goes: its name and base URL, as far as they can be read.
    pub(super) async fn farewell(
        &mut self,
        held: Statement,
        what: impl FnOnce() -> String,
    ) -> Result<Detail, StoreError> {
        match db::first(self.connection(), held).await {
            Ok(Some(held)) => Ok(Detail::new()
                .with("name", held.text("name").unwrap_or_default())
                .with("base_url", held.text("base_url").unwrap_or_default())),
            Ok(None) => Err(StoreError::NotFound(what())),
            // It is there, and one of the two is no text.
            Err(StoreError::Unreadable(_)) => Ok(Detail::new()),
            Err(error) => Err(error),
        }
    }

    /// Notes that a key is never used again. False when that was noted before.
    pub(super) async fn revoke_key(&mut self, id: &AppId, key: KeyId) -> Result<bool, StoreError> {
        let (at, actor) = self.stamped();
        let insert = "INSERT INTO taa_revoked_keys (app_id, key_id, revoked_at, revoked_by) \
                      VALUES ($1, $2, $3, $4) ON CONFLICT (app_id, key_id) DO NOTHING";
        let insert =
            sqlx::query(insert).bind(id.as_str().to_owned()).bind(key.to_string()).bind(at).bind(actor);
        Ok(self.execute(insert).await? == 1)
    }

    /// Refuses this application's own id.
    pub(super) async fn check_not_own(&mut self, id: &AppId) -> Result<(), StoreError> {
        let own =
            sqlx::query("SELECT 1 AS found FROM taa_own WHERE app_id = $1").bind(id.as_str().to_owned());
        match db::first(self.connection(), own).await? {
            None => Ok(()),
            Some(_) => Err(StoreError::OwnId(id.clone())),
        }
    }

    async fn insert_application(&mut self, new: &NewApplication) -> Result<(), StoreError> {
        let id = &new.id;
        check_keys(id, &new.keys)?;
        self.check_not_own(id).await?;
        let held = sqlx::query("SELECT 1 AS found FROM taa_applications WHERE app_id = $1");
        if db::first(self.connection(), held.bind(id.as_str().to_owned())).await?.is_some() {
            return Err(StoreError::AlreadyThere(id.clone()));
        }
        self.check_not_revoked(id, &new.keys).await?;
        self.enter_keys(id, &new.keys).await?;
        let insert = "INSERT INTO taa_applications (app_id, name, base_url, certificate, legacy_key, rules, enabled, \
                      seen_v4, version, created_at, created_by, updated_at, updated_by) \
                      VALUES ($1, $2, $3, $4, $5, $6, 1, 0, $7, $8, $9, $8, $9)";
        let (at, actor) = self.stamped();
        let insert = sqlx::query(insert)
            .bind(id.as_str().to_owned())
            .bind(new.name.clone())
            .bind(new.base_url.to_string())
            .bind(new.keys.certificate.as_ref().map(|held| held.document().to_owned()))
            .bind(new.keys.legacy.as_ref().map(|key| key.0.spki_der().to_vec()))
            .bind(written(&new.rules)?)
            .bind(db::number(self.generation))
            .bind(at)
            .bind(actor);
        self.execute(insert).await?;
        let detail = Detail::new()
            .with("name", new.name.as_str())
            .with("base_url", new.base_url.as_str())
            .with("fingerprint", fingerprint(&new.keys))
            .with("rules", rules_value(&new.rules));
        self.audit(Action::ApplicationAdded, id.as_str(), detail).await
    }
}

/// A record without keys, or with a certificate of somebody else, is a mistake of the caller's.
fn check_keys(id: &AppId, keys: &PeerKeys) -> Result<(), StoreError> {
    match (&keys.certificate, &keys.legacy) {
        (None, None) => Err(StoreError::Key(format!("{id} has neither a certificate nor a key"))),
        (Some(certificate), _) if certificate.content().iss != *id => Err(StoreError::Key(format!(
            "the certificate is that of {}, not of {id}",
            certificate.content().iss
        ))),
        _ => Ok(()),
    }
}

fn fingerprint(keys: &PeerKeys) -> serde_json::Value {
    match (&keys.certificate, &keys.legacy) {
        (Some(certificate), _) => certificate.fingerprint().to_string().into(),
        (None, Some(key)) => key.0.thumbprint().to_string().into(),
        (None, None) => serde_json::Value::Null,
    }
}

fn written(rules: &Rules) -> Result<String, StoreError> {
    serde_json::to_string(rules).map_err(|_| StoreError::Unreadable("rules".into()))
}

/// Rules as the audit trail tells them.
fn rules_value(rules: &Rules) -> serde_json::Value {
    json!({
        "addresses": rules.addresses,
        "paths": rules.paths,
        "methods": rules.methods,
        "never_as": rules.never_as,
        "timeout_ms": millis(rules),
        "min_protocol": rules.min_protocol,
        "allow_repeats": rules.allow_repeats,
    })
}

fn rules_changed(old: &Rules, new: &Rules) -> Detail {
    let (old, new) = (rules_value(old), rules_value(new));
    let mut detail = Detail::new();
    if let serde_json::Value::Object(new) = new {
        for (name, value) in new {
            let before = old.get(&name).cloned().unwrap_or_default();
            detail = detail.change(&name, before, value);
        }
    }
    detail
}

fn millis(rules: &Rules) -> u64 {
    u64::try_from(rules.timeout.as_millis()).unwrap_or(u64::MAX)
}
