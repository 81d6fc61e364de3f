use std::fmt;
use std::sync::Arc;

use taa_core::crypto::{CryptoProvider, Random};
use taa_core::identity::Identity;
use taa_core::key::EncryptingKey;
#[cfg(feature = "legacy")]
use taa_core::legacy::{LegacySigningKey, SignedVersion};
use taa_core::time::{Clock, UnixMillis};

use crate::error::{BuildError, SignError};
#[cfg(feature = "legacy")]
use crate::legacy::Times;
use crate::offset::{Offset, Shift};
use crate::record::{ServerRecord, Speaks};
use crate::session::Session;
use crate::sessions::Sessions;

/// What every server of a [`Signer`](crate::Signer) has in common.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) identity: Arc<Identity>,
    #[cfg(feature = "legacy")]
    pub(crate) legacy_times: Arc<Times>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// A server with its state.
pub(crate) struct Server {
    own: Arc<Own>,
    record: ServerRecord,
    channel: Channel,
    offset: Arc<Offset>,
}

/// What is spoken to a server, and what that takes.
pub(crate) enum Channel {
    /// Version 4.
    V4(Sessions),
    /// An older version.
    #[cfg(feature = "legacy")]
    Legacy(SignedVersion, Arc<LegacySigningKey>),
}

/// The time of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The server's time as far as it is known.
    pub(crate) now: UnixMillis,
    pub(crate) shift: Shift,
}

impl Server {
    pub(crate) fn new(
        own: Arc<Own>,
        #[cfg(feature = "legacy")] legacy_key: Option<&Arc<LegacySigningKey>>,
        provider: &dyn CryptoProvider,
        record: ServerRecord,
        offset: Arc<Offset>,
    ) -> Result<Self, BuildError> {
        let id = record.id();
        let channel = match record.speaks() {
            Speaks::V4(key) => {
                let encrypting = EncryptingKey::new(provider, key.public.clone())
                    .map_err(|error| BuildError::Key { id: id.clone(), error })?;
                Channel::V4(Sessions::new(id.clone(), encrypting, key.exp, record.lifetime()))
            }
            #[cfg(feature = "legacy")]
            Speaks::Legacy(version) => {
                let key = legacy_key.cloned().ok_or_else(|| BuildError::NoLegacyKey(id.clone()))?;
                Channel::Legacy(*version, key)
            }
        };
        Ok(Self { own, record, channel, offset })
    }

    pub(crate) fn own(&self) -> &Own {
        &self.own
    }

    pub(crate) fn record(&self) -> &ServerRecord {
        &self.record
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(crate) fn offset(&self) -> &Arc<Offset> {
        &self.offset
    }

    /// Ends a session of this server, if it is still the one in use.
    pub(crate) fn end_session(&self, session: &Arc<Session>) {
        match &self.channel {
            Channel::V4(sessions) => sessions.end(session),
            #[cfg(feature = "legacy")]
            Channel::Legacy(..) => {}
        }
    }

    pub(crate) fn moment(&self) -> Result<Moment, SignError> {
        let shift = self.offset.current(&*self.own.clock);
        Ok(Moment { now: shift.apply(self.own.clock.wall()?), shift })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({:?}, {:?})", self.record, self.offset)
    }
}
