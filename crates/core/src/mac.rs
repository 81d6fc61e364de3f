//! HMAC-SHA-256 as the wire document uses it: a tag is its first 16 bytes.

use hmac::digest::Key;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A MAC under a key of at most 64 bytes.
pub(crate) fn hmac(key: &[u8]) -> Hmac<Sha256> {
    // RFC 2104: a key shorter than the block is padded with zeros. This form cannot fail.
    let mut block = Key::<Hmac<Sha256>>::default();
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let mac = Hmac::new(&block);
    zeroize::Zeroize::zeroize(block.as_mut_slice());
    mac
}

/// The first 16 bytes of the result: public, it goes on the wire.
pub(crate) fn first_half(mac: Hmac<Sha256>) -> [u8; 16] {
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let mut half = [0; 16];
    for (place, byte) in half.iter_mut().zip(full) {
        *place = byte;
    }
    half
}
