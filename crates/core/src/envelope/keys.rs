use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::names;
use crate::id::AppId;

/// The keys of one session, the same on both sides (wire document, section 3). Wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionKeys {
    #[zeroize(skip)]
    name: [u8; 32],
    mac: [u8; 16],
    encryption: [u8; 16],
    response: [u8; 32],
}

impl SessionKeys {
    /// Derives the keys from what both sides know: who talks to whom, the whole envelope, and the secret in it.
    #[must_use]
    pub fn derive(client: &AppId, server: &AppId, envelope: &[u8], secret: &[u8; 32]) -> Self {
        let name: [u8; 32] = Sha256::new()
            .chain_update(b"TAA4 context\0")
            .chain_update(names(client, server))
            .chain_update(envelope)
            .finalize()
            .into();
        let hkdf = Hkdf::<Sha256>::new(Some(&name), secret);
        let mut keys = Self { name, mac: [0; 16], encryption: [0; 16], response: [0; 32] };
        let mut request = [0; 32];
        // HKDF-Expand fails only above 255 × 32 bytes.
        let _never = hkdf.expand(b"TAA4 request", &mut request);
        let _never = hkdf.expand(b"TAA4 response", &mut keys.response);
        let (mac, encryption) = request.split_at(16);
        keys.mac.copy_from_slice(mac);
        keys.encryption.copy_from_slice(encryption);
        request.zeroize();
        keys
    }

    /// The name of the session: the salt of the derivation. No secret.
    #[must_use]
    pub fn name(&self) -> &[u8; 32] {
        &self.name
    }

    pub(crate) fn mac(&self) -> &[u8; 16] {
        &self.mac
    }

    pub(crate) fn encryption(&self) -> &[u8; 16] {
        &self.encryption
    }

    pub(crate) fn response(&self) -> &[u8; 32] {
        &self.response
    }

    /// Request key and response key, for test vectors that compare every stage.
    #[must_use]
    pub fn expose(&self) -> zeroize::Zeroizing<[u8; 64]> {
        let mut out = zeroize::Zeroizing::new([0; 64]);
        for (place, byte) in out.iter_mut().zip(self.mac.iter().chain(&self.encryption).chain(&self.response))
        {
            *place = *byte;
        }
        out
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys(..)")
    }
}
