use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use taa_core::decision::{Lookup, Session, Sessions};
use taa_core::id::AppId;
use taa_core::time::UnixMillis;
use taa_server::session::{NameKey, SessionLimits, SessionName, SessionTable, SignatureName};

/// The session table of the server layer, without its limits on opening.
#[derive(Debug)]
pub struct KnownSessions {
    name_key: NameKey,
    table: SessionTable<(SignatureName, Arc<Session>)>,
}

impl KnownSessions {
    /// An empty table with this much room.
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self { name_key: NameKey::from_random([9; 16]), table: SessionTable::new(limits) }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl Default for KnownSessions {
    fn default() -> Self {
        Self::new(SessionLimits::default())
    }
}

impl Sessions for KnownSessions {
    fn find(&self, app_id: &str, key_field: &[u8], signature_field: &[u8], now: UnixMillis) -> Lookup {
        match self.table.find(SessionName::of(&self.name_key, app_id, key_field), now) {
            None => Lookup::Unknown,
            Some(kept) if kept.0 == SignatureName::of(&self.name_key, signature_field) => {
                Lookup::Known(Arc::clone(&kept.1))
            }
            Some(_) => Lookup::OtherSignature,
        }
    }

    fn admit_signature_check(&self, _: IpAddr) -> bool {
        true
    }

    fn admit_decryption(&self, _: &AppId) -> bool {
        true
    }

    fn keep(&self, key_field: &[u8], signature_field: &[u8], session: &Arc<Session>, now: UnixMillis) {
        let application = session.application();
        let name = SessionName::of(&self.name_key, application.as_str(), key_field);
        let kept = (SignatureName::of(&self.name_key, signature_field), Arc::clone(session));
        self.table.insert(name, application, session.head().end(), Arc::new(kept), now);
    }
}

/// Keeps only the last session that was opened: to have it for oneself.
#[derive(Debug, Default)]
pub struct LastSession(Mutex<Option<Arc<Session>>>);

impl LastSession {
    /// The session, if one was opened.
    #[must_use]
    pub fn take(&self) -> Option<Arc<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Sessions for LastSession {
    fn find(&self, _: &str, _: &[u8], _: &[u8], _: UnixMillis) -> Lookup {
        Lookup::Unknown
    }

    fn admit_signature_check(&self, _: IpAddr) -> bool {
        true
    }

    fn admit_decryption(&self, _: &AppId) -> bool {
        true
    }

    fn keep(&self, _: &[u8], _: &[u8], session: &Arc<Session>, _: UnixMillis) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(session));
    }
}
