use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use example_support::{NoRandomness, Secret};
use taa_core::time::Clock;

/// Who is logged in, by the secret in their cookie. In memory, so a restart logs everybody out.
pub(crate) struct Sessions {
    clock: Arc<dyn Clock>,
    by_digest: Mutex<HashMap<[u8; 32], Session>>,
}

struct Session {
    user: String,
    /// On the clock that does not jump, as the next.
    expires: Duration,
    /// When the password was last typed.
    confirmed: Duration,
}

impl Sessions {
    /// How long somebody stays logged in.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

    /// How long after the password was typed trust may be changed.
    pub(crate) const FRESH: Duration = Duration::from_secs(10 * 60);

    /// The most sessions at once; the oldest ends when there is one more.
    const MAX: usize = 10_000;

    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, by_digest: Mutex::new(HashMap::new()) }
    }

    /// Begins one for this user, under a new secret.
    pub(crate) fn begin(&self, user: String) -> Result<Secret, NoRandomness> {
        let secret = Secret::random()?;
        let now = self.clock.monotonic();
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.expires > now);
        if sessions.len() >= Self::MAX {
            let oldest =
                sessions.iter().min_by_key(|(_, session)| session.expires).map(|(digest, _)| *digest);
            oldest.and_then(|digest| sessions.remove(&digest));
        }
        sessions.insert(
            secret.digest(),
            Session { user, expires: now.saturating_add(Self::LIFETIME), confirmed: now },
        );
        Ok(secret)
    }

    /// The user of this session, while it lasts.
    pub(crate) fn user(&self, secret: &Secret) -> Option<String> {
        let now = self.clock.monotonic();
        self.lock()
            .get(&secret.digest())
            .filter(|session| session.expires > now)
            .map(|session| session.user.clone())
    }

    /// The password was typed once more.
    pub(crate) fn confirm(&self, secret: &Secret) {
        let now = self.clock.monotonic();
        if let Some(session) = self.lock().get_mut(&secret.digest()) {
            session.confirmed = now;
        }
    }

    /// Whether the password was typed lately.
    pub(crate) fn is_fresh(&self, secret: &Secret) -> bool {
        let now = self.clock.monotonic();
        let sessions = self.lock();
        let session = sessions.get(&secret.digest()).filter(|session| session.expires > now);
        session.is_some_and(|session| now.saturating_sub(session.confirmed) < Self::FRESH)
    }

    pub(crate) fn end(&self, secret: &Secret) {
        self.lock().remove(&secret.digest());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        // A panic elsewhere leaves the table whole: every change is one insert or remove.
        self.by_digest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("count", &self.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use taa_core::time::ManualClock;

    use super::*;

    #[test]
    fn a_session_ends() {
        let clock = Arc::new(ManualClock::default());
        let sessions = Sessions::new(clock.clone());
        let first = sessions.begin("fred".into()).unwrap();
        let second = sessions.begin("fred".into()).unwrap();
        assert_eq!(sessions.user(&first).as_deref(), Some("fred"));
        sessions.end(&first);
        assert_eq!(sessions.user(&first), None);
        clock.advance(Sessions::LIFETIME - Duration::from_millis(1));
        assert_eq!(sessions.user(&second).as_deref(), Some("fred"));
        clock.advance(Duration::from_millis(1));
        assert_eq!(sessions.user(&second), None);
    }

    #[test]
    fn a_password_is_typed_lately_or_not() {
        let clock = Arc::new(ManualClock::default());
        let sessions = Sessions::new(clock.clone());
        let secret = sessions.begin("admin".into()).unwrap();
        assert!(sessions.is_fresh(&secret) && !sessions.is_fresh(&Secret::random().unwrap()));
        clock.advance(Sessions::FRESH);
        assert!(!sessions.is_fresh(&secret));
        sessions.confirm(&secret);
        assert!(sessions.is_fresh(&secret));
        sessions.end(&secret);
        assert!(!sessions.is_fresh(&secret));
    }

    #[test]
    fn there_is_an_end_to_them() {
        let clock = Arc::new(ManualClock::default());
        let sessions = Sessions::new(clock.clone());
        let first = sessions.begin("first".into()).unwrap();
        clock.advance(Duration::from_secs(1));
        for _ in 0..Sessions::MAX {
            sessions.begin("fred".into()).unwrap();
        }
        assert_eq!(sessions.lock().len(), Sessions::MAX);
        assert_eq!(sessions.user(&first), None);
    }
}
