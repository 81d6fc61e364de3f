//! Canonical base64url into fixed space: the form of every binary field of version 4.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Up to `N` bytes on the stack.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Bounded<N> {
    /// Decodes canonical base64url without padding (wire document, introduction); `None` for anything else, for an
    /// empty value, and for more than `N` bytes.
    pub(crate) fn decode(field: &[u8]) -> Option<Self> {
        let mut bytes = [0; N];
        let length = decode_into(&mut bytes, field)?.len();
        Some(Self { bytes, length })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The same, into a place that is there.
pub(crate) fn decode_into<'o>(out: &'o mut [u8], field: &[u8]) -> Option<&'o mut [u8]> {
    let length = URL_SAFE_NO_PAD.decode_slice(field, out).ok()?;
    out.get_mut(..length).filter(|decoded| !decoded.is_empty())
}

/// Encodes as base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_only() {
        assert_eq!(Bounded::<4>::decode(b"AQIDBA").map(|b| b.as_slice().to_vec()), Some(vec![1, 2, 3, 4]));
        for bad in ["", "AQIDBA==", "AQIDBB", "AQID BA", "AQIDBAU", "+/+/", "A", "AQID\nBA"] {
            assert!(Bounded::<4>::decode(bad.as_bytes()).is_none(), "{bad:?}");
        }
        for length in 1..300_usize {
            let bytes = vec![0xa5; length];
            let text = encode(&bytes);
            assert_eq!(Bounded::<300>::decode(text.as_bytes()).map(|b| b.as_slice().to_vec()), Some(bytes));
        }
    }
}
