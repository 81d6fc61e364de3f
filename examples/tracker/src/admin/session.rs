use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use example_support::{NoRandomness, Secret};
use taa_core::time::UnixMillis;

/// The administrator's session, as it stands in their cookie under a code that only the tracker can make:
/// begun (8 bytes) ‖ password last typed (8) ‖ random (16) ‖ code (32).
///
/// No table is needed, so every node that was given the same password knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    begun: UnixMillis,
    confirmed: UnixMillis,
    id: [u8; 16],
}

impl Session {
    /// How long it lasts.
    pub(super) const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);
    /// How long after the password was typed something may be changed.
    pub(super) const FRESH: Duration = Duration::from_secs(10 * 60);

    /// How far the clocks of nodes may differ.
    const SKEW: Duration = Duration::from_secs(60);

    /// Begins one: the password was typed just now.
    pub(super) fn begin(now: UnixMillis) -> Result<Self, NoRandomness> {
        let mut id = [0; 16];
        for (place, byte) in id.iter_mut().zip(Secret::random()?.as_bytes()) {
            *place = *byte;
        }
        Ok(Self { begun: now, confirmed: now, id })
    }

    /// The same session: the password was typed once more.
    pub(super) fn confirm(self, now: UnixMillis) -> Self {
        Self { confirmed: now, ..self }
    }

    /// Reads a cookie.
    pub(super) fn read(cookie: &str, key: &Secret, now: UnixMillis) -> Option<Self> {
        let mut bytes = [0; 64];
        if URL_SAFE_NO_PAD.decode_slice(cookie, &mut bytes) != Ok(64) {
            return None;
        }
        let (session, code) = bytes.split_first_chunk::<32>()?;
        let code: &[u8; 32] = code.try_into().ok()?;
        if !Secret::from_bytes(key.mac(session)).is(code) {
            return None;
        }
        let (begun, rest) = session.split_first_chunk::<8>()?;
        let (confirmed, id) = rest.split_first_chunk::<8>()?;
        let session = Self {
            begun: UnixMillis(u64::from_be_bytes(*begun)),
            confirmed: UnixMillis(u64::from_be_bytes(*confirmed)),
            id: id.try_into().ok()?,
        };
        (session.begun <= now.plus(Self::SKEW) && now < session.ends()).then_some(session)
    }

    /// The text for the cookie.
    pub(super) fn write(&self, key: &Secret) -> String {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&self.begun.0.to_be_bytes());
        bytes.extend_from_slice(&self.confirmed.0.to_be_bytes());
        bytes.extend_from_slice(&self.id);
        let code = key.mac(&bytes);
        bytes.extend_from_slice(&code);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What only this session has, and keeps when the password is typed once more.
    pub(super) fn secret(&self, key: &Secret) -> Secret {
        Secret::from_bytes(key.derive("of a session").mac(&self.id))
    }

    pub(super) fn id(&self) -> [u8; 16] {
        self.id
    }

    pub(super) fn ends(&self) -> UnixMillis {
        self.begun.plus(Self::LIFETIME)
    }

    /// Whether the password was typed so lately that something may be changed.
    pub(super) fn is_fresh(&self, now: UnixMillis) -> bool {
        self.confirmed <= now.plus(Self::SKEW) && now < self.confirmed.plus(Self::FRESH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_and_nobody_else_makes_one() {
        let key = Secret::random().unwrap();
        let start = UnixMillis(1_790_000_000_000);
        let session = Session::begin(start).unwrap();
        let cookie = session.write(&key);
        assert_eq!(Session::read(&cookie, &key, start), Some(session));
        assert!(session.is_fresh(start.plus(Session::FRESH).minus(Duration::from_millis(1))));
        assert!(!session.is_fresh(start.plus(Session::FRESH)));
        assert!(Session::read(&cookie, &key, session.ends()).is_none());
        assert!(Session::read(&cookie, &key, start.minus(Session::SKEW)).is_some());
        let early = start.minus(Session::SKEW + Duration::from_millis(1));
        assert!(Session::read(&cookie, &key, early).is_none(), "not begun");
        assert!(Session::read(&cookie, &Secret::random().unwrap(), start).is_none());
        let later = start.plus(Session::FRESH);
        let confirmed = session.confirm(later);
        assert!(confirmed.is_fresh(later) && confirmed.ends() == session.ends());
        assert_eq!(confirmed.secret(&key).as_bytes(), session.secret(&key).as_bytes());
        for place in 0..cookie.len() {
            let mut forged = cookie.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            assert!(Session::read(std::str::from_utf8(&forged).unwrap(), &key, start).is_none(), "{place}");
        }
        for bad in ["", "A", &"A".repeat(86), &"A".repeat(87), &format!("{cookie}="), "\u{e9}"] {
            assert!(Session::read(bad, &key, start).is_none(), "{bad}");
        }
    }
}
