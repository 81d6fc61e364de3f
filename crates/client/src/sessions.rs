use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use arc_swap::ArcSwapOption;
use taa_core::envelope::{self, SealError};
use taa_core::key::EncryptingKey;

use crate::error::SignError;
use crate::peer::{Moment, Peer};
use crate::renewal::Renewal;
use crate::session::Session;

/// The session with one server, and what it takes to make the next.
pub(crate) struct Sessions {
    peer: Arc<Peer>,
    key: EncryptingKey,
    /// When the key ends, in Unix seconds.
    key_exp: Option<u64>,
    current: ArcSwapOption<Session>,
    /// Held by whoever makes a session; nobody who has one to use takes it.
    making: Mutex<()>,
    renewal: Arc<Renewal>,
}

impl Sessions {
    pub(crate) fn new(peer: Arc<Peer>, key: EncryptingKey, key_exp: Option<u64>) -> Self {
        let (current, making, renewal) = (ArcSwapOption::empty(), Mutex::new(()), Arc::default());
        Self { peer, key, key_exp, current, making, renewal }
    }

    /// The session for a request of this moment.
    ///
    /// Near the end of a session the next one is made by a thread of its own, while all requests go on with the old
    /// one. Callers wait, for each other or for RSA, only when there is no usable session at all.
    pub(crate) fn at(self: &Arc<Self>, moment: Moment) -> Result<Arc<Session>, SignError> {
        let Some(held) = self.usable(moment) else { return self.make(moment, |_| true) };
        if held.is_ending(moment.now) {
            self.renew(moment);
        }
        Ok(held)
    }

    fn usable(&self, moment: Moment) -> Option<Arc<Session>> {
        self.current.load_full().filter(|session| session.is_usable(moment.now, moment.shift))
    }

    /// Begins to make the next session, unless that is under way or failed just now.
    ///
    /// A thread, because not every application has a runtime, and RSA would hold up the tasks of one.
    fn renew(self: &Arc<Self>, moment: Moment) {
        let Some(turn) = self.renewal.turn(self.peer.own.clock.monotonic()) else { return };
        if self.usable(moment).is_some_and(|session| !session.is_ending(moment.now)) {
            // The turn was there because another has just done it.
            return turn.done();
        }
        let sessions = Arc::downgrade(self);
        let begun = thread::Builder::new().name("taa-renewal".to_owned()).spawn(move || {
            // A server that was removed or replaced meanwhile needs none.
            let Some(sessions) = sessions.upgrade() else { return };
            match sessions.make_next() {
                Ok(_) => turn.done(),
                Err(error) => sessions.warn(&error),
            }
        });
        if let Err(error) = begun {
            self.warn(&error);
        }
    }

    fn warn(&self, error: &dyn std::error::Error) {
        let server = self.peer.record.id();
        tracing::warn!(%server, %error, "no new session yet, the old one goes on");
    }

    fn make_next(&self) -> Result<Arc<Session>, SignError> {
        let moment = self.peer.moment()?;
        self.make(moment, |session| !session.is_ending(moment.now))
    }

    /// Makes a session, unless there is a usable one that will do: another may have made it meanwhile.
    fn make(&self, moment: Moment, will_do: impl Fn(&Session) -> bool) -> Result<Arc<Session>, SignError> {
        // A lock without data cannot be left in a bad state.
        let _guard = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = self.usable(moment).filter(|session| will_do(session)) {
            return Ok(session);
        }
        let session = Arc::new(self.seal(moment)?);
        tracing::debug!(server = %self.peer.record.id(), "new session");
        self.current.store(Some(Arc::clone(&session)));
        Ok(session)
    }

    /// The two RSA operations of a session.
    fn seal(&self, moment: Moment) -> Result<Session, SignError> {
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
        Session::new(Arc::clone(&self.peer), sealed, moment.shift).ok_or(SignError::Field)
    }
}
