use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::HeaderValue;
use taa_core::envelope::{EnvelopeHead, SealedEnvelope, SessionKeys};
use taa_core::time::UnixMillis;

use crate::offset::Shift;
use crate::peer::Peer;

/// When a new session is made although the old one goes on: 60 s before its end, or half its lifetime if that is less
/// (wire document, section 3).
const RENEWAL: Duration = Duration::from_secs(60);
/// How far the clock may go back without ending a session: no server is told to allow less.
const BACKWARDS: Duration = Duration::from_secs(5);

/// A session with one server: the envelope and its signature as they stand in every request, and the keys both sides
/// have from it. It names no user and serves all of them.
///
/// It is over when its envelope is, when the server said that its time is, when the offset to the server's clock changed,
/// or when the server got another decryption key. Its keys are wiped once the next one has its place and no request uses
/// it any more.
pub struct Session {
    peer: Arc<Peer>,
    head: EnvelopeHead,
    fields: SessionFields,
    keys: SessionKeys,
    shift: Shift,
    /// By the server's word.
    ended: AtomicBool,
}

/// The values of the fields that are the same in the whole session: pieces of one text, so that the requests of all
/// threads share one reference count.
#[derive(Clone)]
pub(crate) struct SessionFields {
    pub(crate) id: HeaderValue,
    pub(crate) key: HeaderValue,
    pub(crate) signature: HeaderValue,
}

impl Session {
    pub(crate) fn new(peer: Arc<Peer>, sealed: SealedEnvelope, shift: Shift) -> Option<Self> {
        let SealedEnvelope { head, envelope, signature, keys } = sealed;
        let fields = SessionFields::new(peer.own.identity.id().as_str(), &envelope, &signature)?;
        Some(Self { peer, head, fields, keys, shift, ended: AtomicBool::new(false) })
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

    pub(crate) fn fields(&self) -> SessionFields {
        self.fields.clone()
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// From now on no request is made with it.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// True while requests may be made with it. `now` is the server's time as far as it is known.
    pub(crate) fn is_usable(&self, now: UnixMillis, shift: Shift) -> bool {
        !self.ended.load(Ordering::Relaxed)
            && self.shift == shift
            && self.head.issued.minus(BACKWARDS) <= now
            && now < self.head.end()
    }

    /// True when it is time to make the next one.
    pub(crate) fn is_ending(&self, now: UnixMillis) -> bool {
        let half = Duration::from_secs(self.head.lifetime_s.into()) / 2;
        self.head.end().minus(RENEWAL.min(half)) <= now
    }
}

impl SessionFields {
    fn new(id: &str, envelope: &[u8], signature: &[u8]) -> Option<Self> {
        let encoded = |bytes: &[u8]| base64::encoded_len(bytes.len(), false).unwrap_or_default();
        let mut text = String::with_capacity(id.len() + encoded(envelope) + encoded(signature));
        text.push_str(id);
        URL_SAFE_NO_PAD.encode_string(envelope, &mut text);
        let key_end = text.len();
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        let text = Bytes::from(text);
        Some(Self {
            id: HeaderValue::from_maybe_shared(text.slice(..id.len())).ok()?,
            key: secret_field(text.slice(id.len()..key_end))?,
            signature: secret_field(text.slice(key_end..))?,
        })
    }
}

/// A field value that HTTP libraries neither log nor index (RFC 7541, section 7.1.3).
pub(crate) fn secret_field(text: impl Into<Bytes>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(text.into()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session(from {:?} until {:?})", self.head.issued, self.head.end())
    }
}
