use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use taa_core::durable::{Durable, DurableError};
use taa_core::id::{AppId, KeyId};
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;
use taa_store::{Store, StoreError};

use super::uses::Uses;

/// The store as the place of what must outlive the process.
pub(super) struct StoreDurable {
    store: Store,
    uses: Arc<Uses>,
}

/// How long a request waits for a write. What is written after that is written all the same: marks only rise.
const PATIENCE: Duration = Duration::from_secs(5);

impl StoreDurable {
    pub(super) fn new(store: Store, uses: Arc<Uses>) -> Self {
        Self { store, uses }
    }
}

impl Durable for StoreDurable {
    async fn raise_mark(
        &self,
        application: &AppId,
        protocol: Protocol,
        mark: UnixMillis,
    ) -> Result<(), DurableError> {
        in_time(self.store.raise_mark(application, protocol, mark)).await
    }

    async fn raise_floor(&self, application: &AppId) -> Result<(), DurableError> {
        in_time(self.store.raise_floor(application)).await
    }

    fn used(&self, application: &AppId, key: Option<KeyId>, at: UnixMillis) {
        self.uses.note(application, key, at);
    }
}

async fn in_time(write: impl Future<Output = Result<(), StoreError>>) -> Result<(), DurableError> {
    match tokio::time::timeout(PATIENCE, write).await {
        Ok(written) => written.map_err(DurableError::new),
        Err(late) => Err(DurableError::new(late)),
    }
}

impl fmt::Debug for StoreDurable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreDurable({:?})", self.store)
    }
}
