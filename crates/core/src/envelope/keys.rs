use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::names;
use crate::id::AppId;
use crate::mac::MacKey;

/// The keys of one session, the same on both sides (wire document, section 3). Wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionKeys {
    #[zeroize(skip)]
    name: [u8; 32],
    /// Wipes itself.
    #[zeroize(skip)]
    mac: MacKey,
    encryption: [u8; 16],
    response: [u8; 32],
}

impl SessionKeys {
    /// Derives the keys from what both sides know: who talks to whom, the whole envelope, and the secret in it.
    #[must_use]
    pub fn derive(client: &AppId, server: &AppId, envelope: &[u8], secret: &[u8; 32]) -> Self {
        let (name, okm) = Self::expose(client, server, envelope, secret);
        let (request, response) = okm.split_at(32);
        let (mac, encryption) = request.split_at(16);
        let mut keys = Self { name, mac: MacKey::new(mac), encryption: [0; 16], response: [0; 32] };
        keys.encryption.copy_from_slice(encryption);
        keys.response.copy_from_slice(response);
        keys
    }

    /// The name of a session, then its request key and response key as bytes: for test vectors that compare every stage.
    #[must_use]
    pub fn expose(
        client: &AppId,
        server: &AppId,
        envelope: &[u8],
        secret: &[u8; 32],
    ) -> ([u8; 32], Zeroizing<[u8; 64]>) {
        let name: [u8; 32] = Sha256::new()
            .chain_update(b"TAA4 context\0")
            .chain_update(names(client, server))
            .chain_update(envelope)
            .finalize()
            .into();
        let hkdf = Hkdf::<Sha256>::new(Some(&name), secret);
        let mut keys = Zeroizing::new([0; 64]);
        let (request, response) = keys.split_at_mut(32);
        // HKDF-Expand fails only above 255 × 32 bytes.
        let _never = hkdf.expand(b"TAA4 request", request);
        let _never = hkdf.expand(b"TAA4 response", response);
        (name, keys)
    }

    /// The name of the session: the salt of the derivation. No secret.
    #[must_use]
    pub fn name(&self) -> &[u8; 32] {
        &self.name
    }

    pub(crate) fn mac(&self) -> &MacKey {
        &self.mac
    }

    pub(crate) fn encryption(&self) -> &[u8; 16] {
        &self.encryption
    }

    pub(crate) fn response(&self) -> &[u8; 32] {
        &self.response
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys(..)")
    }
}
