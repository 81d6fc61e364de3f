//! Outgoing: whom this application calls as its users.

use std::sync::Arc;

use taa_core::certificate::Certificate;
use taa_core::id::{AppId, KeyId};
use taa_core::policy::Protocol;

use super::Store;
use super::change::Change;
use super::detail::Detail;
use super::read::{self, Certificates, certificate_keys};
use crate::db;
use crate::error::StoreError;
use crate::model::{Action, Actor, KeyPurpose, NewServer, PeerKeys, ServerUpdate, Snapshot, TrustingServer};

impl Store {
    /// Calls a server as one's users from now on.
    ///
    /// # Errors
    /// When it is there already, it is this application, it has no certificate and is to be called in version 4, a key of
    /// it stands elsewhere or for another purpose, or the database fails.
    pub async fn add_server(&self, new: NewServer, by: &Actor) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        change.insert_server(&new).await?;
        change.commit().await
    }

    /// Changes it.
    ///
    /// # Errors
    /// When it is not there, cannot be read, was changed by somebody else meanwhile, has no certificate and is to be called
    /// in version 4, or the database fails.
    pub async fn update_server(
        &self,
        id: &AppId,
        update: ServerUpdate,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let held = change.server(self, id).await?;
        if held.version != update.version {
            return Err(StoreError::Changed);
        }
        check_protocol(id, update.protocol, held.certificate.as_ref())?;
        let detail = Detail::new()
            .change("name", held.name.as_str(), update.name.as_str())
            .change("base_url", held.base_url.as_str(), update.base_url.as_str())
            .change("protocol", held.protocol.number(), update.protocol.number())
            .change("lifetime_s", held.lifetime.as_secs(), update.lifetime.as_secs())
            .change("insecure_allow_http", held.insecure_allow_http, update.insecure_allow_http)
            .change("require_content_digest", held.require_content_digest, update.require_content_digest)
            .change("enabled", held.enabled, update.enabled);
        if detail.is_empty() {
            drop(change);
            return self.poll().await;
        }
        let (at, actor) = change.stamped();
        let set = "UPDATE taa_servers SET name = $2, base_url = $3, protocol = $4, lifetime_seconds = $5, \
                   insecure_http = $6, require_digest = $7, enabled = $8, version = $9, updated_at = $10, \
                   updated_by = $11 WHERE app_id = $1";
        let set = sqlx::query(set)
            .bind(id.as_str().to_owned())
            .bind(update.name.clone())
            .bind(update.base_url.to_string())
            .bind(i64::from(update.protocol.number()))
            .bind(i64::from(update.lifetime.as_secs()))
            .bind(db::flag(update.insecure_allow_http))
            .bind(db::flag(update.require_content_digest))
            .bind(db::flag(update.enabled))
            .bind(db::number(change.generation))
            .bind(at)
            .bind(actor);
        change.execute(set).await?;
        change.audit(Action::ServerChanged, id.as_str(), detail).await?;
        change.commit().await
    }

    /// Forgets it. Takes the id as text, because broken rows can be removed too.
    ///
    /// # Errors
    /// When it is not there or the database fails.
    pub async fn remove_server(&self, id: &str, by: &Actor) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let held = sqlx::query("SELECT name, base_url FROM taa_servers WHERE app_id = $1");
        let detail = change.farewell(held.bind(id.to_owned()), || format!("server {id}")).await?;
        change.execute(sqlx::query("DELETE FROM taa_servers WHERE app_id = $1").bind(id.to_owned())).await?;
        let still = change.application_keys(self, id).await?;
        change.prune_keys(id, &still).await?;
        change.audit(Action::ServerRemoved, id, detail).await?;
        change.commit().await
    }
}

impl Change {
    /// The record, as it stands there now.
    pub(super) async fn server(&mut self, store: &Store, id: &AppId) -> Result<TrustingServer, StoreError> {
        let held = sqlx::query("SELECT * FROM taa_servers WHERE app_id = $1").bind(id.as_str().to_owned());
        let row = db::first(self.connection(), held).await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("server {id}")))?;
        read::server(&row, &mut Certificates::new(&*store.0.provider))
    }

    /// The keys that a server's record has, none when there is no record that can be read.
    pub(super) async fn server_keys(
        &mut self,
        store: &Store,
        id: &str,
    ) -> Result<Vec<(KeyId, KeyPurpose)>, StoreError> {
        let held = sqlx::query("SELECT * FROM taa_servers WHERE app_id = $1").bind(id.to_owned());
        let row = match db::first(self.connection(), held).await {
            Err(StoreError::Unreadable(_)) => None,
            row => row?,
        };
        let Some(row) = row else { return Ok(Vec::new()) };
        let held = read::server(&row, &mut Certificates::new(&*store.0.provider));
        Ok(held.map(|held| certificate_keys(held.certificate.as_ref())).unwrap_or_default())
    }

    pub(super) async fn insert_server(&mut self, new: &NewServer) -> Result<(), StoreError> {
        let id = &new.id;
        check_protocol(id, new.protocol, new.certificate.as_ref())?;
        if let Some(certificate) = &new.certificate
            && certificate.content().iss != *id
        {
            let other = &certificate.content().iss;
            return Err(StoreError::Key(format!("the certificate is that of {other}, not of {id}")));
        }
        self.check_not_own(id).await?;
        let held = sqlx::query("SELECT 1 AS found FROM taa_servers WHERE app_id = $1");
        if db::first(self.connection(), held.bind(id.as_str().to_owned())).await?.is_some() {
            return Err(StoreError::AlreadyThere(id.clone()));
        }
        let keys = PeerKeys { certificate: new.certificate.clone(), legacy: None };
        self.check_not_revoked(id, &keys).await?;
        self.enter_keys(id, &keys).await?;
        let insert = "INSERT INTO taa_servers (app_id, name, base_url, certificate, protocol, lifetime_seconds, \
                      insecure_http, require_digest, enabled, version, created_at, created_by, updated_at, updated_by) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, $11, $10, $11)";
        let (at, actor) = self.stamped();
        let insert = sqlx::query(insert)
            .bind(id.as_str().to_owned())
            .bind(new.name.clone())
            .bind(new.base_url.to_string())
            .bind(new.certificate.as_ref().map(|held| held.document().to_owned()))
            .bind(i64::from(new.protocol.number()))
            .bind(i64::from(new.lifetime.as_secs()))
            .bind(db::flag(new.insecure_allow_http))
            .bind(db::flag(new.require_content_digest))
            .bind(db::number(self.generation))
            .bind(at)
            .bind(actor);
        self.execute(insert).await?;
        let detail = Detail::new()
            .with("name", new.name.as_str())
            .with("base_url", new.base_url.as_str())
            .with("fingerprint", new.certificate.as_ref().map(|held| held.fingerprint().to_string()))
            .with("protocol", new.protocol.number())
            .with("lifetime_s", new.lifetime.as_secs())
            .with("insecure_allow_http", new.insecure_allow_http)
            .with("require_content_digest", new.require_content_digest);
        self.audit(Action::ServerAdded, id.as_str(), detail).await
    }
}

/// Version 4 is sealed to a key of the certificate; the older ones need none.
fn check_protocol(
    id: &AppId,
    protocol: Protocol,
    certificate: Option<&Certificate>,
) -> Result<(), StoreError> {
    if protocol.is_legacy() || certificate.is_some() {
        return Ok(());
    }
    Err(StoreError::Key(format!(
        "{id} has no certificate, and version 4 needs it: fetch and compare it first"
    )))
}
