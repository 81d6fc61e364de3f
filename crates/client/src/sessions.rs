use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use arc_swap::ArcSwapOption;
use taa_core::envelope::{self, SealError};
use taa_core::key::EncryptingKey;

use crate::error::SignError;
use crate::peer::{Moment, Peer};
use crate::session::Session;

/// The session with one server, and what it takes to make the next.
pub(crate) struct Sessions {
    peer: Arc<Peer>,
    key: EncryptingKey,
    /// When the key ends, in Unix seconds.
    key_exp: Option<u64>,
    current: ArcSwapOption<Session>,
    renewal: Mutex<()>,
}

impl Sessions {
    pub(crate) fn new(peer: Arc<Peer>, key: EncryptingKey, key_exp: Option<u64>) -> Self {
        Self { peer, key, key_exp, current: ArcSwapOption::empty(), renewal: Mutex::new(()) }
    }

    /// The session for a request of this moment.
    ///
    /// Near the end of a session one caller makes the next one while all others go on with the old one. Callers wait
    /// for each other only when there is no usable session at all.
    pub(crate) fn at(&self, moment: Moment) -> Result<Arc<Session>, SignError> {
        let Some(held) = self.usable(moment) else { return self.first(moment) };
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
            None => Ok(self.make(moment).unwrap_or_else(|error| {
                tracing::warn!(server = %self.peer.record.id(), %error, "no new session yet, the old one goes on");
                held
            })),
        }
    }

    fn usable(&self, moment: Moment) -> Option<Arc<Session>> {
        self.current.load_full().filter(|session| session.is_usable(moment.now, moment.shift))
    }

    fn first(&self, moment: Moment) -> Result<Arc<Session>, SignError> {
        // A lock without data cannot be left in a bad state.
        let _guard = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        match self.usable(moment) {
            Some(session) => Ok(session),
            None => self.make(moment),
        }
    }

    /// The two RSA operations of a session.
    fn make(&self, moment: Moment) -> Result<Arc<Session>, SignError> {
        if !moment.now.is_before(self.key_exp) {
            return Err(SignError::ServerKeyEnded);
        }
        let Peer { own, record, .. } = &*self.peer;
        let sealed = envelope::seal(
            own.identity.id(),
            own.identity.signing_key(),
            record.id(),
            &self.key,
            moment.now,
            record.lifetime(),
            &*own.random,
        )
        .map_err(|error| match error {
            SealError::Random(error) => SignError::Random(error),
            error => SignError::Session(error),
        })?;
        let session =
            Arc::new(Session::new(Arc::clone(&self.peer), sealed, moment.shift).ok_or(SignError::Field)?);
        tracing::debug!(server = %self.peer.record.id(), "new session");
        self.current.store(Some(Arc::clone(&session)));
        Ok(session)
    }
}
