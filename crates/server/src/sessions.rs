use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use taa_core::decision::{Lookup, Session, Sessions, SharedSession};
use taa_core::id::AppId;
use taa_core::time::{Clock, UnixMillis};

use crate::limit::{AddressKey, LIMITER_CAPACITY, RateLimiter};
use crate::session::{NameKey, SessionLimits, SessionName, SessionTable, SignatureName, Tabled};

/// The session table with its two limits, as the decision asks for them.
pub(crate) struct SessionState {
    name_key: NameKey,
    table: SessionTable<Opened>,
    signature_checks: RateLimiter<AddressKey>,
    decryptions: RateLimiter<AppId>,
}

/// A session, and the signature of its envelope.
struct Opened {
    signature: SignatureName,
    session: Session,
}

impl AsRef<Session> for Opened {
    fn as_ref(&self) -> &Session {
        &self.session
    }
}

impl Tabled for Opened {
    fn application(&self) -> &AppId {
        self.session.application()
    }
}

/// A session is kept for so long after its envelope is over, as it could be opened for so long: a late request is then
/// told `OLD_CERT` without RSA.
const KEPT_AFTER_END: Duration = Duration::from_secs(300);

impl SessionState {
    pub(crate) fn new(
        clock: &Arc<dyn Clock>,
        [name_key, address_key, app_key]: [[u8; 16]; 3],
        limits: SessionLimits,
        signature_checks: NonZeroU32,
        decryptions: NonZeroU32,
    ) -> Self {
        Self {
            name_key: NameKey::from_random(name_key),
            table: SessionTable::new(limits),
            signature_checks: RateLimiter::new(
                Arc::clone(clock),
                address_key,
                signature_checks,
                LIMITER_CAPACITY,
            ),
            decryptions: RateLimiter::new(Arc::clone(clock), app_key, decryptions, LIMITER_CAPACITY),
        }
    }

    pub(crate) fn end(&self, application: &AppId) {
        self.table.remove_application(application);
    }
}

impl Sessions for SessionState {
    fn find(&self, app_id: &str, key_field: &[u8], signature_field: &[u8], now: UnixMillis) -> Lookup {
        match self.table.find(SessionName::of(&self.name_key, app_id, key_field), now) {
            None => Lookup::Unknown,
            Some(kept) if kept.signature == SignatureName::of(&self.name_key, signature_field) => {
                Lookup::Known(SharedSession::new(kept))
            }
            Some(_) => Lookup::OtherSignature,
        }
    }

    fn admit_signature_check(&self, address: IpAddr) -> bool {
        self.signature_checks.admit(&AddressKey::from(address))
    }

    fn admit_decryption(&self, application: &AppId) -> bool {
        self.decryptions.admit(application)
    }

    fn keep(
        &self,
        key_field: &[u8],
        signature_field: &[u8],
        session: Session,
        now: UnixMillis,
    ) -> SharedSession {
        let name = SessionName::of(&self.name_key, session.application().as_str(), key_field);
        let expires = session.head().end().plus(KEPT_AFTER_END);
        let signature = SignatureName::of(&self.name_key, signature_field);
        SharedSession::new(self.table.insert(name, Opened { signature, session }, expires, now))
    }
}

impl fmt::Debug for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionState({})", self.table.len())
    }
}
