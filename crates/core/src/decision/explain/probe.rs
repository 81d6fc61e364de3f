use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use crate::decision::{Lookup, Session, Sessions, SharedSession};
use crate::id::AppId;
use crate::policy::{AddressRules, ClientAddress};
use crate::time::UnixMillis;

/// Knows no session, counts nothing, and holds the one that was opened until the explanation is made.
#[derive(Debug, Default)]
pub(super) struct Probe(Mutex<Option<SharedSession>>);

impl Probe {
    /// The session, if the envelope opened.
    pub(super) fn session(&self) -> Option<SharedSession> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sessions for Probe {
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

/// Some address that the rules allow, to go on with when the real one is not known. Any, when they allow none: then
/// the check fails as it would for every address.
pub(super) fn allowed_by(rules: &AddressRules) -> ClientAddress {
    let first = |rule: &crate::policy::AddressRule| {
        let text = rule.to_string().replace('*', "0");
        text.split('/').next().and_then(|text| text.parse().ok())
    };
    let addr = rules.rules().iter().find_map(first).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    ClientAddress { addr, forwarded: false }
}
