use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use arc_swap::ArcSwapOption;
use taa_core::crypto::{CryptoProvider, Random};
use taa_core::envelope::{self, SealError};
use taa_core::identity::Identity;
use taa_core::key::{EncryptingKey, KeyError};
use taa_core::time::{Clock, UnixMillis};

use crate::error::SignError;
use crate::offset::{Offset, Shift};
use crate::record::{ServerRecord, Speaks};
use crate::session::Session;

/// What every server of a [`Signer`](crate::Signer) has in common.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) identity: Arc<Identity>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// A server with its state: the session, and what is known of its clock.
pub(crate) struct Server {
    own: Arc<Own>,
    record: ServerRecord,
    key: EncryptingKey,
    offset: Arc<Offset>,
    session: ArcSwapOption<Session>,
    renewal: Mutex<()>,
}

/// The time of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The server's time as far as it is known.
    pub(crate) now: UnixMillis,
    shift: Shift,
}

impl Server {
    pub(crate) fn new(
        own: Arc<Own>,
        provider: &dyn CryptoProvider,
        record: ServerRecord,
        offset: Arc<Offset>,
    ) -> Result<Self, KeyError> {
        let Speaks::V4(key) = record.speaks();
        let key = EncryptingKey::new(provider, key.public.clone())?;
        Ok(Self { own, record, key, offset, session: ArcSwapOption::empty(), renewal: Mutex::new(()) })
    }

    pub(crate) fn own(&self) -> &Own {
        &self.own
    }

    pub(crate) fn record(&self) -> &ServerRecord {
        &self.record
    }

    pub(crate) fn offset(&self) -> &Arc<Offset> {
        &self.offset
    }

    pub(crate) fn moment(&self) -> Result<Moment, SignError> {
        let shift = self.offset.current(&*self.own.clock);
        Ok(Moment { now: shift.apply(self.own.clock.wall()?), shift })
    }

    /// The session for a request of this moment.
    ///
    /// Near the end of a session one caller makes the next one while all others go on with the old one. Callers wait
    /// for each other only when there is no usable session at all.
    pub(crate) fn session(&self, moment: Moment) -> Result<Arc<Session>, SignError> {
        let Some(held) = self.usable(moment) else { return self.first_session(moment) };
        if !held.is_ending(moment.now) {
            return Ok(held);
        }
        let _guard = match self.renewal.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(held),
        };
        // Another may have made it between the look and the lock.
        match self.usable(moment).filter(|session| !session.is_ending(moment.now)) {
            Some(session) => Ok(session),
            None => Ok(self.make_session(moment).unwrap_or_else(|error| {
                tracing::warn!(server = %self.record.id(), %error, "no new session yet, the old one goes on");
                held
            })),
        }
    }

    /// Ends a session, if it is still the one in use.
    pub(crate) fn end(&self, session: &Arc<Session>) {
        let held = self.session.load();
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            self.session.compare_and_swap(&*held, None);
        }
    }

    fn usable(&self, moment: Moment) -> Option<Arc<Session>> {
        self.session.load_full().filter(|session| session.is_usable(moment.now, moment.shift))
    }

    fn first_session(&self, moment: Moment) -> Result<Arc<Session>, SignError> {
        // A lock without data cannot be left in a bad state.
        let _guard: MutexGuard<'_, ()> = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        match self.usable(moment) {
            Some(session) => Ok(session),
            None => self.make_session(moment),
        }
    }

    /// The two RSA operations of a session.
    fn make_session(&self, moment: Moment) -> Result<Arc<Session>, SignError> {
        let Speaks::V4(listed) = self.record.speaks();
        if !listed.usable_at(moment.now) {
            return Err(SignError::ServerKeyEnded);
        }
        let identity = &self.own.identity;
        let sealed = envelope::seal(
            identity.id(),
            identity.signing_key(),
            self.record.id(),
            &self.key,
            moment.now,
            self.record.lifetime(),
            &*self.own.random,
        )
        .map_err(|error| match error {
            SealError::Random(error) => SignError::Random(error),
            error => SignError::Session(error),
        })?;
        let session = Arc::new(Session::new(sealed, moment.shift).ok_or(SignError::Field)?);
        tracing::debug!(server = %self.record.id(), "new session");
        self.session.store(Some(Arc::clone(&session)));
        Ok(session)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({:?}, {:?})", self.record, self.offset)
    }
}
