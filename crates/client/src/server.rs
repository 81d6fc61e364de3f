use std::fmt;
use std::sync::Arc;

use taa_core::crypto::CryptoProvider;
use taa_core::key::EncryptingKey;
#[cfg(feature = "legacy")]
use taa_core::legacy::{LegacySigningKey, SignedVersion};

use crate::error::BuildError;
use crate::offset::Offset;
use crate::peer::{Own, Peer};
use crate::record::{ServerRecord, Speaks};
use crate::sessions::Sessions;

/// A server with its state.
pub(crate) struct Server {
    peer: Arc<Peer>,
    channel: Channel,
}

/// What is spoken to a server, and what that takes.
pub(crate) enum Channel {
    /// Version 4.
    V4(Arc<Sessions>),
    /// An older version.
    #[cfg(feature = "legacy")]
    Legacy(SignedVersion, Arc<LegacySigningKey>),
}

impl Server {
    pub(crate) fn new(
        own: Arc<Own>,
        #[cfg(feature = "legacy")] legacy_key: Option<&Arc<LegacySigningKey>>,
        provider: &dyn CryptoProvider,
        record: ServerRecord,
        offset: Arc<Offset>,
    ) -> Result<Self, BuildError> {
        let peer = Arc::new(Peer { own, record, offset });
        let id = peer.record.id();
        let channel = match peer.record.speaks() {
            Speaks::V4(key) => {
                let encrypting = EncryptingKey::new(provider, key.public.clone())
                    .map_err(|error| BuildError::Key { id: id.clone(), error })?;
                Channel::V4(Arc::new(Sessions::new(Arc::clone(&peer), encrypting, key.exp)))
            }
            #[cfg(feature = "legacy")]
            Speaks::Legacy(version) => {
                let key = legacy_key.cloned().ok_or_else(|| BuildError::NoLegacyKey(id.clone()))?;
                Channel::Legacy(*version, key)
            }
        };
        Ok(Self { peer, channel })
    }

    pub(crate) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    pub(crate) fn record(&self) -> &ServerRecord {
        &self.peer.record
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.peer, f)
    }
}
