use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use taa_core::decision::{Lookup, Session, Sessions, SharedSession};
use taa_core::id::AppId;
use taa_core::time::UnixMillis;
use taa_server::session::{NameKey, SessionLimits, SessionName, SessionTable, SignatureName, Tabled};

/// The session table of the server layer, without its limits on opening.
#[derive(Debug)]
pub struct KnownSessions {
    name_key: NameKey,
    table: SessionTable<Opened>,
}

/// As the server layer has it, but for entries that only fill the table.
#[derive(Debug)]
struct Opened {
    signature: SignatureName,
    session: Held,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
enum Held {
    Own(Session),
    Shared(SharedSession),
}

impl AsRef<Session> for Opened {
    fn as_ref(&self) -> &Session {
        match &self.session {
            Held::Own(session) => session,
            Held::Shared(session) => session,
        }
    }
}

impl Tabled for Opened {
    fn application(&self) -> &AppId {
        self.as_ref().application()
    }
}

impl KnownSessions {
    /// An empty table with this much room.
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self { name_key: NameKey::from_random([9; 16]), table: SessionTable::new(limits) }
    }

    /// Fills the table up: the same session once more, under another name that no request has.
    pub fn fill(&self, key_field: &[u8], session: &SharedSession, now: UnixMillis) {
        let signature = SignatureName::of(&self.name_key, b"signature");
        let _filling =
            self.insert(key_field, Opened { signature, session: Held::Shared(session.clone()) }, now);
    }

    fn insert(&self, key_field: &[u8], opened: Opened, now: UnixMillis) -> SharedSession {
        let name = SessionName::of(&self.name_key, opened.application().as_str(), key_field);
        let end = opened.as_ref().head().end();
        SharedSession::new(self.table.insert(name, opened, end, now))
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
            Some(kept) if kept.signature == SignatureName::of(&self.name_key, signature_field) => {
                Lookup::Known(SharedSession::new(kept))
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

    fn keep(
        &self,
        key_field: &[u8],
        signature_field: &[u8],
        session: Session,
        now: UnixMillis,
    ) -> SharedSession {
        let signature = SignatureName::of(&self.name_key, signature_field);
        self.insert(key_field, Opened { signature, session: Held::Own(session) }, now)
    }
}

/// Keeps only the last session that was opened: to have it for oneself.
#[derive(Debug, Default)]
pub struct LastSession(Mutex<Option<SharedSession>>);

impl LastSession {
    /// The session, if one was opened.
    #[must_use]
    pub fn take(&self) -> Option<SharedSession> {
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

    fn keep(&self, _: &[u8], _: &[u8], session: Session, _: UnixMillis) -> SharedSession {
        let session = SharedSession::from(session);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
        session
    }
}
