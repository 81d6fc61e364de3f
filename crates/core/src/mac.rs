//! HMAC-SHA-256 as the wire document uses it: a tag is its first 16 bytes.

use std::fmt;

use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, CoreProxy};
use hmac::digest::common::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A key of at most 64 bytes, already hashed in.
///
/// Each tag begins from a copy: the two blocks that only depend on the key are two of the five of a usual tag. Both are
/// wiped on drop (the feature `zeroize` of the hash's crate).
pub(crate) struct MacKey(HmacCore<Sha256>);

impl MacKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        // RFC 2104: a key shorter than the block is padded with zeros. This form cannot fail.
        let mut block = Key::<HmacCore<Sha256>>::default();
        for (place, byte) in block.iter_mut().zip(key) {
            *place = *byte;
        }
        let mac = HmacCore::new(&block);
        zeroize::Zeroize::zeroize(block.as_mut_slice());
        Self(mac)
    }

    pub(crate) fn begin(&self) -> Hmac<Sha256> {
        Hmac::compose(self.0.clone(), Buffer::<HmacCore<Sha256>>::default())
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
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

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn a_known_tag() {
        let mut mac = MacKey::new(b"Jefe").begin();
        mac.update(b"what do ya want for nothing?");
        let expected =
            [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7];
        assert_eq!(first_half(mac), expected);
    }

    /// A key is kept as two of these states; the crate for HMAC itself does not say that it wipes what it is made of.
    #[test]
    fn what_a_key_is_kept_as_is_wiped() {
        fn is_wiped<T: ZeroizeOnDrop>() {}
        is_wiped::<<Sha256 as CoreProxy>::Core>();
        is_wiped::<Buffer<HmacCore<Sha256>>>();
        assert_eq!(size_of::<MacKey>(), 2 * size_of::<<Sha256 as CoreProxy>::Core>());
    }
}
