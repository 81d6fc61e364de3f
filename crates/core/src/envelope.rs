//! The envelope: a key for one session (wire document, section 3).
//!
//! A client [`seal`]s an envelope to a server's decryption key and signs it. The server verifies the signature first
//! and only then opens it. Both sides then hold the same [`SessionKeys`], and RSA is over until the envelope ends.

mod head;
mod keys;
mod open;
mod seal;

pub use head::{EnvelopeHead, HeadError, Lifetime, LifetimeError};
pub use keys::SessionKeys;
pub use open::{Envelope, EnvelopeSignature};
pub use seal::{SealError, SealedEnvelope, seal};

pub(crate) use open::{OpenedSecret, open, verify};

use crate::id::AppId;

/// `lp2(client id) ‖ lp2(server id)`, in its fixed place in everything that is signed or derived.
pub(crate) fn names(client: &AppId, server: &AppId) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + client.as_str().len() + server.as_str().len());
    for id in [client, server] {
        // An id has at most 128 bytes.
        let length = u16::try_from(id.as_str().len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(id.as_str().as_bytes());
    }
    out
}
