use std::fmt;
use std::sync::Arc;

use taa_core::crypto::Random;
use taa_core::identity::Identity;
use taa_core::time::{Clock, UnixMillis};

use crate::error::SignError;
#[cfg(feature = "legacy")]
use crate::legacy::Times;
use crate::offset::{Offset, Shift};
use crate::record::ServerRecord;

/// What every server of a [`Signer`](crate::Signer) has in common.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) identity: Arc<Identity>,
    #[cfg(feature = "legacy")]
    pub(crate) legacy_times: Arc<Times>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// Both sides of a relation, whatever is spoken: what its sessions and the answers to its requests need.
pub(crate) struct Peer {
    pub(crate) own: Arc<Own>,
    pub(crate) record: ServerRecord,
    pub(crate) offset: Arc<Offset>,
}

/// The time of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The server's time as far as it is known.
    pub(crate) now: UnixMillis,
    pub(crate) shift: Shift,
}

impl Peer {
    pub(crate) fn moment(&self) -> Result<Moment, SignError> {
        let clock = &*self.own.clock;
        let shift = self.offset.current(clock);
        Ok(Moment { now: shift.apply(clock.wall()?), shift })
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({:?}, {:?})", self.record, self.offset)
    }
}
