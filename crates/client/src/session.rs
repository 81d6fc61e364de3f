use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use taa_core::envelope::{EnvelopeHead, SealedEnvelope, SessionKeys};
use taa_core::time::UnixMillis;

use crate::offset::Shift;

/// When a new session is made although the old one goes on: 60 s before its end, or half its lifetime if that is less
/// (wire document, section 3).
const RENEWAL: Duration = Duration::from_secs(60);
/// How far the clock may go back without ending a session: no server is told to allow less.
const BACKWARDS: Duration = Duration::from_secs(5);

/// A session with one server: the envelope and its signature as they stand in every request, and the keys both sides
/// have from it. It names no user and serves all of them.
///
/// It is over when its envelope is, when the offset to the server's clock changed, or when the server got another
/// decryption key. Its keys are wiped with the last request that uses it.
pub struct Session {
    head: EnvelopeHead,
    key_field: HeaderValue,
    signature_field: HeaderValue,
    keys: SessionKeys,
    shift: Shift,
}

impl Session {
    pub(crate) fn new(sealed: SealedEnvelope, shift: Shift) -> Option<Self> {
        let SealedEnvelope { head, envelope, signature, keys } = sealed;
        Some(Self {
            head,
            key_field: secret_field(URL_SAFE_NO_PAD.encode(envelope))?,
            signature_field: secret_field(URL_SAFE_NO_PAD.encode(signature))?,
            keys,
            shift,
        })
    }

    /// The public part of its envelope: key ids, begin, lifetime.
    #[must_use]
    pub fn head(&self) -> &EnvelopeHead {
        &self.head
    }

    /// Its name: a hash, no secret.
    #[must_use]
    pub fn name(&self) -> &[u8; 32] {
        self.keys.name()
    }

    pub(crate) fn keys(&self) -> &SessionKeys {
        &self.keys
    }

    pub(crate) fn key_field(&self) -> HeaderValue {
        self.key_field.clone()
    }

    pub(crate) fn signature_field(&self) -> HeaderValue {
        self.signature_field.clone()
    }

    /// True while requests may be made with it. `now` is the server's time as far as it is known.
    pub(crate) fn is_usable(&self, now: UnixMillis, shift: Shift) -> bool {
        self.shift == shift && self.head.issued.minus(BACKWARDS) <= now && now < self.head.end()
    }

    /// True when it is time to make the next one.
    pub(crate) fn is_ending(&self, now: UnixMillis) -> bool {
        let half = Duration::from_secs(self.head.lifetime_s.into()) / 2;
        self.head.end().minus(RENEWAL.min(half)) <= now
    }
}

/// A field value that HTTP libraries neither log nor index (RFC 7541, section 7.1.3).
pub(crate) fn secret_field(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session(from {:?} until {:?})", self.head.issued, self.head.end())
    }
}
