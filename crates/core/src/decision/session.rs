use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::envelope::{EnvelopeHead, SessionKeys};
use crate::id::{AppId, ShortKeyId};
use crate::time::UnixMillis;

/// An opened envelope: what is kept of it. Never a user.
///
/// Flat and small, because a server keeps many: of its keys it has the short ids, as the envelope does. What these
/// name is looked up for every request.
pub struct Session {
    application: AppId,
    signing_key: ShortKeyId,
    decryption_key: ShortKeyId,
    issued: UnixMillis,
    lifetime_s: u32,
    key_made_here: bool,
    keys: SessionKeys,
}

impl Session {
    pub(super) fn new(
        application: AppId,
        head: EnvelopeHead,
        key_made_here: bool,
        keys: SessionKeys,
    ) -> Self {
        let EnvelopeHead { signing_key, decryption_key, issued, lifetime_s } = head;
        Self { application, signing_key, decryption_key, issued, lifetime_s, key_made_here, keys }
    }

    /// The application that opened it.
    #[must_use]
    pub fn application(&self) -> &AppId {
        &self.application
    }

    /// The fields of its envelope.
    #[must_use]
    pub fn head(&self) -> EnvelopeHead {
        let Self { signing_key, decryption_key, issued, lifetime_s, .. } = *self;
        EnvelopeHead { signing_key, decryption_key, issued, lifetime_s }
    }

    /// True when the process that keeps it made the key its envelope was sealed to.
    pub(super) fn key_made_here(&self) -> bool {
        self.key_made_here
    }

    pub(super) fn keys(&self) -> &SessionKeys {
        &self.keys
    }
}

impl AsRef<Self> for Session {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({}, until {:?})", self.application, self.head().end())
    }
}

/// A session in use, wherever it is kept.
#[derive(Clone)]
pub struct SharedSession(Arc<dyn AsRef<Session> + Send + Sync>);

impl SharedSession {
    /// A session as a part of what a table keeps of it.
    #[must_use]
    pub fn new(kept: Arc<impl AsRef<Session> + Send + Sync + 'static>) -> Self {
        Self(kept)
    }
}

impl From<Session> for SharedSession {
    fn from(session: Session) -> Self {
        Self::new(Arc::new(session))
    }
}

impl Deref for SharedSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for SharedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The state a server keeps about sessions, as the decision sees it.
///
/// An implementor must be bounded in all and per application, and must find a session only for the application id and
/// the very field values it was kept under (wire document, section 3).
pub trait Sessions: fmt::Debug + Send + Sync {
    /// What was kept under these three.
    fn find(&self, app_id: &str, key_field: &[u8], signature_field: &[u8], now: UnixMillis) -> Lookup;

    /// Counts a signature check of an unknown envelope from this address; false when there were too many.
    fn admit_signature_check(&self, address: IpAddr) -> bool;

    /// Counts a decryption for this application, after its signature was found good; false when there were too many.
    fn admit_decryption(&self, application: &AppId) -> bool;

    /// Keeps a session, and gives it back as the request that opened it uses it.
    fn keep(
        &self,
        key_field: &[u8],
        signature_field: &[u8],
        session: Session,
        now: UnixMillis,
    ) -> SharedSession;
}

/// What is known of an envelope.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// It was opened, and this is its session.
    Known(SharedSession),
    /// It was opened under another signature. A client signs an envelope once (wire document, section 3).
    OtherSignature,
    /// It was not opened, or is not kept any more.
    Unknown,
}

/// Keeps nothing and counts nothing: for looking at one request, and for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSessions;

impl Sessions for NoSessions {
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
        session.into()
    }
}
