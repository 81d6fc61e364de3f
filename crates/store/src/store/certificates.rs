//! Certificates of peers, fetched again.

use std::sync::Arc;

use sqlx::AnyConnection;
use taa_core::certificate::{Certificate, KeyUse, Succession, SuccessionError};
use taa_core::id::{AppId, KeyId};
use url::Url;

use super::Store;
use super::change::Change;
use super::detail::Detail;
use super::read::peer_keys;
use crate::db::{self, Columns};
use crate::error::StoreError;
use crate::model::{Action, Actor, PeerKeys, Refreshed, Snapshot, TrustedApplication, TrustingServer};

impl Store {
    /// Takes a peer's certificate in place of the one held, wherever that peer stands (incoming, outgoing or both). The
    /// caller has checked `Certificate::succeeds`, or a person compared the fingerprint; the sequence is checked again
    /// here, in the transaction, unless `by_person`. `base_url` moves the peer there; without one it stays where it is.
    ///
    /// A key that was revoked here stays revoked, and what it signs is not taken over.
    ///
    /// # Errors
    /// When there is no such peer, the certificate may not replace the one held, a key of it stands elsewhere or was
    /// revoked, or the database fails.
    pub async fn replace_certificate(
        &self,
        certificate: &Certificate,
        base_url: Option<&Url>,
        by_person: bool,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let id = &certificate.content().iss;
        let mut change = self.change(by).await?;
        let held = change.held(self, id).await?;
        let mut new = PeerKeys { certificate: Some(certificate.clone()), legacy: None };
        change.check_not_revoked(id, &new).await?;
        if !by_person {
            let mut newer = false;
            for old in held.certificates() {
                match certificate.succeeds(old, change.at()) {
                    Ok(Succession::Newer) => newer = true,
                    Ok(Succession::Same) => {}
                    Err(error) => return Err(StoreError::Succession(error)),
                }
            }
            if held.certificates().next().is_none() {
                // It was set up without a certificate: its first one needs a person.
                return Err(StoreError::Succession(SuccessionError::Signer));
            }
            if !newer && base_url.is_none() {
                drop(change);
                return self.poll().await;
            }
        }
        new.legacy = held.application.as_ref().and_then(|held| held.keys.legacy.clone());
        change.enter_keys(id, &new).await?;
        change.prune_keys(id.as_str(), &peer_keys(&new)).await?;
        for table in held.tables() {
            change.put_certificate(table, certificate, base_url).await?;
            // A refresh must not get in the way of a person who is just changing the record.
            if by_person {
                change.stamp_record(table, id).await?;
            }
        }
        let old = held.certificates().next();
        let print = |held: Option<&Certificate>| held.map(|held| held.fingerprint().to_string());
        let keys = |held: Option<&Certificate>| held.map(listed);
        let detail = Detail::new()
            .with("by_person", by_person)
            .change("seq", old.map(|old| old.content().seq), certificate.content().seq)
            .change("fingerprint", print(old), print(Some(certificate)))
            .change("keys", keys(old), keys(Some(certificate)));
        let detail = match base_url {
            Some(url) => detail.change("base_url", held.base_url(), url.as_str()),
            None => detail,
        };
        change.audit(Action::CertificateRefreshed, id.as_str(), detail).await?;
        change.commit().await
    }

    /// Notes how a refresh went, wherever that peer stands. It is a change, with a row of the audit trail, only when the
    /// outcome is another than the last.
    ///
    /// # Errors
    /// When there is no such peer or the database fails.
    pub async fn note_refresh(&self, id: &AppId, refreshed: Refreshed) -> Result<(), StoreError> {
        let mut trace = self.trace().await?;
        if set_refreshed(trace.connection(), id, &refreshed).await? == Outcome::Same {
            trace.commit().await?;
            return self.poll().await.map(drop);
        }
        drop(trace);
        let mut change = self.change(&Actor::system()).await?;
        // Another process may have noted the same in between.
        if set_refreshed(change.connection(), id, &refreshed).await? == Outcome::Other {
            let detail = Detail::new()
                .with("problem", refreshed.problem.clone())
                .with("other_base_url", refreshed.other_base_url.as_ref().map(Url::as_str));
            let action = match refreshed.problem {
                Some(_) => Action::CertificateRefused,
                None => Action::CertificateRefreshed,
            };
            change.audit(action, id.as_str(), detail).await?;
        }
        change.commit().await.map(drop)
    }
}

/// Whether a refresh went as the one before.
#[derive(PartialEq, Eq)]
enum Outcome {
    Same,
    Other,
}

async fn set_refreshed(
    at: &mut AnyConnection,
    id: &AppId,
    refreshed: &Refreshed,
) -> Result<Outcome, StoreError> {
    let other_url = refreshed.other_base_url.as_ref().map(Url::to_string);
    let mut outcome = None;
    for table in [Table::Applications, Table::Servers] {
        let held = sqlx::query(table.refreshed()).bind(id.as_str().to_owned());
        let Some(row) = db::first(at, held).await? else { continue };
        let same = row.text_if_any("refreshed_problem")? == refreshed.problem
            && row.text_if_any("refreshed_other_url")? == other_url;
        if !same || outcome.is_none() {
            outcome = Some(if same { Outcome::Same } else { Outcome::Other });
        }
        let set = sqlx::query(table.set_refreshed())
            .bind(id.as_str().to_owned())
            .bind(db::number(refreshed.at.0))
            .bind(refreshed.problem.clone())
            .bind(other_url.clone());
        db::execute(at, set).await?;
    }
    outcome.ok_or_else(|| StoreError::NotFound(format!("peer {id}")))
}

/// What is held of a peer.
struct Held {
    application: Option<TrustedApplication>,
    server: Option<TrustingServer>,
}

impl Held {
    fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        let application = self.application.iter().filter_map(|held| held.keys.certificate.as_ref());
        application.chain(self.server.iter().filter_map(|held| held.certificate.as_ref()))
    }

    fn tables(&self) -> impl Iterator<Item = Table> {
        let application = self.application.as_ref().map(|_| Table::Applications);
        application.into_iter().chain(self.server.as_ref().map(|_| Table::Servers))
    }

    fn base_url(&self) -> Option<&str> {
        let application = self.application.as_ref().map(|held| held.base_url.as_str());
        application.or_else(|| self.server.as_ref().map(|held| held.base_url.as_str()))
    }
}

#[derive(Clone, Copy)]
enum Table {
    Applications,
    Servers,
}

impl Table {
    const fn put_certificate(self) -> &'static str {
        match self {
            Self::Applications => {
                "UPDATE taa_applications SET certificate = $2, base_url = COALESCE($3, base_url) WHERE app_id = $1"
            }
            Self::Servers => {
                "UPDATE taa_servers SET certificate = $2, base_url = COALESCE($3, base_url) WHERE app_id = $1"
            }
        }
    }

    const fn stamp(self) -> &'static str {
        match self {
            Self::Applications => {
                "UPDATE taa_applications SET version = $2, updated_at = $3, updated_by = $4 WHERE app_id = $1"
            }
            Self::Servers => {
                "UPDATE taa_servers SET version = $2, updated_at = $3, updated_by = $4 WHERE app_id = $1"
            }
        }
    }

    const fn refreshed(self) -> &'static str {
        match self {
            Self::Applications => {
                "SELECT refreshed_problem, refreshed_other_url FROM taa_applications WHERE app_id = $1"
            }
            Self::Servers => {
                "SELECT refreshed_problem, refreshed_other_url FROM taa_servers WHERE app_id = $1"
            }
        }
    }

    const fn set_refreshed(self) -> &'static str {
        match self {
            Self::Applications => {
                "UPDATE taa_applications SET refreshed_at = $2, refreshed_problem = $3, refreshed_other_url = $4 \
                 WHERE app_id = $1"
            }
            Self::Servers => {
                "UPDATE taa_servers SET refreshed_at = $2, refreshed_problem = $3, refreshed_other_url = $4 \
                 WHERE app_id = $1"
            }
        }
    }
}

impl Change {
    async fn held(&mut self, store: &Store, id: &AppId) -> Result<Held, StoreError> {
        let application = match self.application(store, id).await {
            Err(StoreError::NotFound(_)) => None,
            held => Some(held?),
        };
        let server = match self.server(store, id).await {
            Err(StoreError::NotFound(_)) => None,
            held => Some(held?),
        };
        if application.is_none() && server.is_none() {
            return Err(StoreError::NotFound(format!("peer {id}")));
        }
        Ok(Held { application, server })
    }

    async fn put_certificate(
        &mut self,
        table: Table,
        certificate: &Certificate,
        base_url: Option<&Url>,
    ) -> Result<(), StoreError> {
        let put = sqlx::query(table.put_certificate())
            .bind(certificate.content().iss.as_str().to_owned())
            .bind(certificate.document().to_owned())
            .bind(base_url.map(Url::to_string));
        self.execute(put).await.map(drop)
    }

    async fn stamp_record(&mut self, table: Table, id: &AppId) -> Result<(), StoreError> {
        let (at, actor) = self.stamped();
        let stamp = sqlx::query(table.stamp()).bind(id.as_str().to_owned());
        let stamp = stamp.bind(db::number(self.generation)).bind(at).bind(actor);
        self.execute(stamp).await.map(drop)
    }
}

/// The keys of a certificate as the audit trail tells them.
fn listed(certificate: &Certificate) -> Vec<serde_json::Value> {
    let keys = certificate.content().keys.iter();
    keys.map(|key| {
        let usage = if key.usage == KeyUse::Signing { "signing" } else { "decryption" };
        let id: KeyId = key.public.id();
        serde_json::json!({ "key": id.to_string(), "use": usage, "status": key.status, "exp": key.exp })
    })
    .collect()
}
