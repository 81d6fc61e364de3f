//! Keys of the older versions, which announce nothing: only a person replaces one.

use std::sync::Arc;

use taa_core::id::AppId;
use url::Url;

use super::Store;
use super::change::Change;
use super::detail::Detail;
use super::read::{certificate_keys, peer_keys};
use crate::db;
use crate::error::StoreError;
use crate::model::{Action, Actor, PeerKeys, PeerLegacyKey, Snapshot};

impl Store {
    /// Takes a key of the older versions in place of the one held, or besides the certificate held: a person has
    /// compared it. `base_url` moves the peer there; without one it stays where it is. A server of the older versions
    /// holds no key of the peer, so there is only that to change.
    ///
    /// # Errors
    /// When there is no such peer, the key stands elsewhere or was revoked, or the database fails.
    pub async fn replace_legacy_key(
        &self,
        id: &AppId,
        key: PeerLegacyKey,
        base_url: Option<&Url>,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let application = match change.application(self, id).await {
            Err(StoreError::NotFound(_)) => None,
            held => Some(held?),
        };
        let server = match change.server(self, id).await {
            Err(StoreError::NotFound(_)) => None,
            held => Some(held?),
        };
        let lived = match (&application, &server) {
            (Some(held), _) => held.base_url.clone(),
            (None, Some(held)) => held.base_url.clone(),
            (None, None) => return Err(StoreError::NotFound(format!("peer {id}"))),
        };
        let mut detail = Detail::new().with("by_person", true);
        let (at, actor) = change.stamped();
        if let Some(held) = &application {
            let alone = PeerKeys { certificate: None, legacy: Some(PeerLegacyKey(key.0.clone())) };
            change.check_not_revoked(id, &alone).await?;
            let new = PeerKeys { certificate: held.keys.certificate.clone(), legacy: alone.legacy };
            change.enter_keys(id, &new).await?;
            let mut still = peer_keys(&new);
            still.extend(certificate_keys(server.as_ref().and_then(|held| held.certificate.as_ref())));
            change.prune_keys(id.as_str(), &still).await?;
            let old = held.keys.legacy.as_ref().map(|key| key.0.thumbprint().to_string());
            detail = detail.change("legacy_key", old, key.0.thumbprint().to_string());
            let put = "UPDATE taa_applications SET legacy_key = $2, base_url = COALESCE($3, base_url), version = $4, \
                       updated_at = $5, updated_by = $6 WHERE app_id = $1";
            let put = sqlx::query(put)
                .bind(id.as_str().to_owned())
                .bind(key.0.spki_der().to_vec())
                .bind(base_url.map(Url::to_string))
                .bind(db::number(change.generation))
                .bind(at)
                .bind(actor.clone());
            change.execute(put).await?;
        }
        if let (Some(_), Some(url)) = (&server, base_url) {
            change.move_server(id, url, (at, actor)).await?;
        }
        if let Some(url) = base_url {
            detail = detail.change("base_url", lived.as_str(), url.as_str());
        }
        change.audit(Action::CertificateRefreshed, id.as_str(), detail).await?;
        change.commit().await
    }
}

impl Change {
    async fn move_server(
        &mut self,
        id: &AppId,
        to: &Url,
        (at, actor): (i64, String),
    ) -> Result<(), StoreError> {
        let put = "UPDATE taa_servers SET base_url = $2, version = $3, updated_at = $4, updated_by = $5 \
                   WHERE app_id = $1";
        let put = sqlx::query(put)
            .bind(id.as_str().to_owned())
            .bind(to.to_string())
            .bind(db::number(self.generation))
            .bind(at)
            .bind(actor);
        self.execute(put).await.map(drop)
    }
}
