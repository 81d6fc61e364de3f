use zeroize::Zeroizing;

use super::{EnvelopeHead, Lifetime, SessionKeys, names, open};
use crate::crypto::{CryptoError, Random, RandomError};
use crate::id::AppId;
use crate::key::{EncryptingKey, SigningKey};
use crate::time::UnixMillis;

/// An envelope, its signature, and the keys both lead to: what a client needs for one session.
#[derive(Debug)]
pub struct SealedEnvelope {
    /// The fields in clear.
    pub head: EnvelopeHead,
    /// The bytes of the Key field.
    pub envelope: Vec<u8>,
    /// The bytes of the Signature field.
    pub signature: Vec<u8>,
    /// The keys of the session.
    pub keys: SessionKeys,
}

/// Makes an envelope from `client` to `server` (wire document, section 3).
///
/// # Errors
/// When there is no randomness or the provider fails; nothing was made then.
pub fn seal(
    client: &AppId,
    signing_key: &SigningKey,
    server: &AppId,
    server_key: &EncryptingKey,
    issued: UnixMillis,
    lifetime: Lifetime,
    random: &dyn Random,
) -> Result<SealedEnvelope, SealError> {
    let mut secret = Zeroizing::new([0; 32]);
    random.fill(secret.as_mut_slice())?;
    let head = EnvelopeHead {
        signing_key: signing_key.id().short(),
        decryption_key: server_key.id().short(),
        issued,
        lifetime_s: lifetime.as_secs(),
    };
    let names = names(client, server);
    let head_bytes = head.to_bytes();
    let wrapped = server_key.encrypt(secret.as_slice(), &open::label(&names, &head_bytes))?;
    let mut envelope = head_bytes.to_vec();
    envelope.extend_from_slice(&wrapped);
    let signature = signing_key.sign(&open::signed_message(&names, &envelope))?;
    let keys = SessionKeys::derive(client, server, &envelope, &secret);
    Ok(SealedEnvelope { head, envelope, signature, keys })
}

/// An envelope could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// An RSA operation failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// There was no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}
