use std::sync::{Arc, MutexGuard, PoisonError};

use taa_server::nonce::Nonces;
use taa_store::redis::{RedisNonces, RedisOptions};

use super::problem::KeeperError;
use super::{Inner, Keeper};

/// Redis, and what the store remembers of it.
pub(super) struct Remembered {
    redis: RedisNonces,
    epoch: Option<String>,
}

impl Remembered {
    pub(super) fn nonces(&self) -> Nonces {
        Nonces::store(Arc::new(self.redis.clone()))
    }
}

impl Keeper {
    /// Keeps nonces in Redis, shared by all nodes; before [`trust`](Keeper::trust). What tells that Redis lost its memory
    /// goes into the store. Several nodes say so besides: [`TrustBuilder::replicas`](taa_server::TrustBuilder::replicas).
    ///
    /// # Errors
    /// When Redis or the store cannot be used, or there is a [`Trust`](taa_server::Trust) already.
    pub async fn redis_nonces(&self, url: &str, options: RedisOptions) -> Result<(), KeeperError> {
        let Inner { store, .. } = &*self.0;
        if self.0.in_force().nonces_are_shared().is_some() {
            return Err(KeeperError::TrustMade);
        }
        let known = store.nonce_epoch().await?.filter(|epoch| !epoch.is_empty());
        let own = self.0.in_force().identity().id().clone();
        let options = options.clock(Arc::clone(store.clock()));
        let redis = RedisNonces::connect(url, &own, known.as_deref(), options).await?;
        // The first node of all remembers it before it accepts anything.
        if let (None, Some(epoch)) = (&known, redis.epoch()) {
            store.set_nonce_epoch(&epoch).await?;
        }
        *self.0.redis() = Some(Remembered { epoch: redis.epoch(), redis });
        Ok(())
    }
}

impl Inner {
    pub(super) fn redis(&self) -> MutexGuard<'_, Option<Remembered>> {
        self.redis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the epoch when it is another one than this node wrote or read last.
    pub(super) async fn remember_epoch(&self) {
        let changed = self.redis().as_ref().and_then(|held| {
            let epoch = held.redis.epoch()?;
            (held.epoch.as_ref() != Some(&epoch)).then_some(epoch)
        });
        let Some(epoch) = changed else { return };
        match self.store.set_nonce_epoch(&epoch).await {
            Ok(()) => {
                if let Some(held) = self.redis().as_mut() {
                    held.epoch = Some(epoch);
                }
            }
            Err(error) => tracing::debug!(target: "taa", %error, "Redis' epoch could not be remembered"),
        }
    }
}
