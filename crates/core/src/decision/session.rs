use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::envelope::{EnvelopeHead, SessionKeys};
use crate::id::{AppId, KeyId};
use crate::time::UnixMillis;

/// An opened envelope: what is kept of it. Never a user.
pub struct Session {
    pub(super) application: AppId,
    pub(super) head: EnvelopeHead,
    pub(super) signing_key: KeyId,
    pub(super) decryption_key: KeyId,
    pub(super) key_made_here: bool,
    pub(super) keys: SessionKeys,
}

impl Session {
    /// The application that opened it.
    #[must_use]
    pub fn application(&self) -> &AppId {
        &self.application
    }

    /// The key its envelope was signed with.
    #[must_use]
    pub fn signing_key(&self) -> KeyId {
        self.signing_key
    }

    /// This server's key that opened its envelope.
    #[must_use]
    pub fn decryption_key(&self) -> KeyId {
        self.decryption_key
    }

    /// The fields of its envelope.
    #[must_use]
    pub fn head(&self) -> &EnvelopeHead {
        &self.head
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({}, until {:?})", self.application, self.head.end())
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

    /// Keeps a session.
    fn keep(&self, key_field: &[u8], signature_field: &[u8], session: &Arc<Session>, now: UnixMillis);
}

/// What is known of an envelope.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// It was opened, and this is its session.
    Known(Arc<Session>),
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
    fn keep(&self, _: &[u8], _: &[u8], _: &Arc<Session>, _: UnixMillis) {}
}
