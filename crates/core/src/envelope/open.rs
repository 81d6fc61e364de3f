use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{EnvelopeHead, SessionKeys, names};
use crate::crypto::{CryptoError, Random};
use crate::encoding::Bounded;
use crate::id::AppId;
use crate::key::{DecryptingKey, VerifyingKey};

/// An envelope as it came in: of a possible length, nothing else checked.
#[derive(Debug)]
pub struct Envelope(Bounded<542>);

/// The signature that came with an envelope: of a possible length, nothing else checked.
#[derive(Debug)]
pub struct EnvelopeSignature(Bounded<512>);

impl Envelope {
    /// Reads the Key field: canonical base64url of 286–542 bytes.
    #[must_use]
    pub fn decode(field: &[u8]) -> Option<Self> {
        let bytes = Bounded::decode(field)?;
        (bytes.as_slice().len() >= EnvelopeHead::LEN + 256).then_some(Self(bytes))
    }

    /// The whole envelope.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// What follows the head.
    #[must_use]
    pub fn wrapped(&self) -> &[u8] {
        self.as_bytes().get(EnvelopeHead::LEN..).unwrap_or_default()
    }
}

impl EnvelopeSignature {
    /// Reads the Signature field: canonical base64url of 256–512 bytes.
    #[must_use]
    pub fn decode(field: &[u8]) -> Option<Self> {
        let bytes = Bounded::decode(field)?;
        (bytes.as_slice().len() >= 256).then_some(Self(bytes))
    }

    /// The signature.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// Verifies the signature over an envelope.
pub(crate) fn verify(
    client: &AppId,
    server: &AppId,
    key: &VerifyingKey,
    envelope: &Envelope,
    signature: &EnvelopeSignature,
) -> Result<(), CryptoError> {
    key.verify(&signed_message(&names(client, server), envelope.as_bytes()), signature.as_bytes())
}

/// What came out of an envelope.
pub(crate) enum OpenedSecret {
    /// The keys of the session.
    Genuine(SessionKeys),
    /// It did not open. These keys are random, so that the tag fails as it would with a wrong secret; never kept.
    Substitute(SessionKeys),
}

/// Opens an envelope whose signature was verified.
///
/// # Errors
/// When there is no randomness for the substitute.
pub(crate) fn open(
    client: &AppId,
    server: &AppId,
    key: &DecryptingKey,
    envelope: &Envelope,
    random: &dyn Random,
) -> Result<OpenedSecret, CryptoError> {
    // Drawn before it is known whether it is needed, so that both ways cost the same.
    let mut substitute = Zeroizing::new([0; 32]);
    random.fill(substitute.as_mut_slice()).map_err(|_| CryptoError)?;
    let head = envelope.as_bytes().get(..EnvelopeHead::LEN).unwrap_or_default();
    let opened = key.decrypt(envelope.wrapped(), &label(&names(client, server), head));
    let derive = |secret: &[u8; 32]| SessionKeys::derive(client, server, envelope.as_bytes(), secret);
    Ok(match opened.as_ref().map(|secret| <&[u8; 32]>::try_from(secret.as_slice())) {
        Ok(Ok(secret)) => OpenedSecret::Genuine(derive(secret)),
        _ => OpenedSecret::Substitute(derive(&substitute)),
    })
}

/// The OAEP label: it binds the secret to who talks to whom, the keys, the time and the lifetime.
pub(super) fn label(names: &[u8], head: &[u8]) -> String {
    use std::fmt::Write;
    let digest = Sha256::new().chain_update(b"TAA4 key\0").chain_update(names).chain_update(head).finalize();
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _never = write!(text, "{byte:02x}");
        text
    })
}

/// What the client signs.
pub(super) fn signed_message(names: &[u8], envelope: &[u8]) -> Vec<u8> {
    [b"TAA4 envelope\0".as_slice(), names, envelope].concat()
}
