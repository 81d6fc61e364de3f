use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use arc_swap::ArcSwapOption;
use taa_core::envelope::{self, Lifetime, SealError};
use taa_core::id::AppId;
use taa_core::key::EncryptingKey;

use crate::error::SignError;
use crate::server::{Moment, Own};
use crate::session::Session;

/// The session with one server, and what it takes to make the next.
pub(crate) struct Sessions {
    server: AppId,
    key: EncryptingKey,
    /// When the key ends, in Unix seconds.
    key_exp: Option<u64>,
    lifetime: Lifetime,
    current: ArcSwapOption<Session>,
    renewal: Mutex<()>,
}

impl Sessions {
    pub(crate) fn new(server: AppId, key: EncryptingKey, key_exp: Option<u64>, lifetime: Lifetime) -> Self {
        Self { server, key, key_exp, lifetime, current: ArcSwapOption::empty(), renewal: Mutex::new(()) }
    }

    /// The session for a request of this moment.
    ///
    /// Near the end of a session one caller makes the next one while all others go on with the old one. Callers wait
    /// for each other only when there is no usable session at all.
    pub(crate) fn at(&self, moment: Moment, own: &Own) -> Result<Arc<Session>, SignError> {
        let Some(held) = self.usable(moment) else { return self.first(moment, own) };
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
            None => Ok(self.make(moment, own).unwrap_or_else(|error| {
                tracing::warn!(server = %self.server, %error, "no new session yet, the old one goes on");
                held
            })),
        }
    }

    /// Ends a session, if it is still the one in use.
    pub(crate) fn end(&self, session: &Arc<Session>) {
        let held = self.current.load();
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            self.current.compare_and_swap(&*held, None);
        }
    }

    fn usable(&self, moment: Moment) -> Option<Arc<Session>> {
        self.current.load_full().filter(|session| session.is_usable(moment.now, moment.shift))
    }

    fn first(&self, moment: Moment, own: &Own) -> Result<Arc<Session>, SignError> {
        // A lock without data cannot be left in a bad state.
        let _guard = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        match self.usable(moment) {
            Some(session) => Ok(session),
            None => self.make(moment, own),
        }
    }

    /// The two RSA operations of a session.
    fn make(&self, moment: Moment, own: &Own) -> Result<Arc<Session>, SignError> {
        if !moment.now.is_before(self.key_exp) {
            return Err(SignError::ServerKeyEnded);
        }
        let identity = &own.identity;
        let sealed = envelope::seal(
            identity.id(),
            identity.signing_key(),
            &self.server,
            &self.key,
            moment.now,
            self.lifetime,
            &*own.random,
        )
        .map_err(|error| match error {
            SealError::Random(error) => SignError::Random(error),
            error => SignError::Session(error),
        })?;
        let session = Arc::new(Session::new(sealed, moment.shift).ok_or(SignError::Field)?);
        tracing::debug!(server = %self.server, "new session");
        self.current.store(Some(Arc::clone(&session)));
        Ok(session)
    }
}
