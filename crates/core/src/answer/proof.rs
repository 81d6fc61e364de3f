use hmac::Mac;
use subtle::ConstantTimeEq;

use crate::encoding::{Bounded, encode};
use crate::envelope::SessionKeys;
use crate::mac::{self, MacKey};
use crate::request::Iv;

/// What a proof covers of an answer (wire document, section 6). An absent field is the empty text.
#[derive(Clone, Copy, Debug)]
pub struct ProvenAnswer<'a> {
    /// The HTTP status.
    pub http_status: u16,
    /// The value of `X-Seraph-Trusted-App-Status`.
    pub status: &'a str,
    /// The value of `X-Seraph-Trusted-App-Error`, with its tabs.
    pub error: &'a str,
    /// The value of `Content-Digest`.
    pub content_digest: &'a str,
}

impl ProvenAnswer<'_> {
    /// The value of `X-Seraph-Trusted-App-Proof` for the request with this iv.
    #[must_use]
    pub fn prove(&self, keys: &SessionKeys, iv: &Iv) -> String {
        encode(&self.tag(keys, iv))
    }

    /// True when `proof` is the one the server made for this answer to the request with this iv.
    #[must_use]
    pub fn is_proven_by(&self, keys: &SessionKeys, iv: &Iv, proof: &str) -> bool {
        Bounded::<16>::decode(proof.as_bytes())
            .is_some_and(|sent| sent.as_slice().ct_eq(self.tag(keys, iv).as_slice()).into())
    }

    fn tag(&self, keys: &SessionKeys, iv: &Iv) -> [u8; 16] {
        let mut mac = MacKey::new(keys.response()).begin();
        mac.update(b"TAA4 response\0");
        mac.update(iv);
        mac.update(&self.http_status.to_be_bytes());
        for text in [self.status, self.error, self.content_digest] {
            // A text that does not fit its length field has no proof: saturating makes none that verifies.
            mac.update(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            mac.update(text.as_bytes());
        }
        mac::first_half(mac)
    }
}
