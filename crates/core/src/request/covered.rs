use http::Method;

use super::Target;

/// What a request certificate covers besides time and user (wire document, section 4).
///
/// The texts are ASCII: a method token, a [`Target`], and the values of `Content-Type` and `Content-Digest` with
/// surrounding blanks removed; an absent field is the empty text.
#[derive(Clone, Debug)]
pub struct Covered<'a> {
    /// The method as sent.
    pub method: &'a Method,
    /// Path and query as sent.
    pub target: Target<'a>,
    /// The value of `Content-Type`.
    pub content_type: &'a str,
    /// The value of `Content-Digest`.
    pub content_digest: &'a str,
}

impl Covered<'_> {
    /// Feeds the additional data to `update` piece by piece and returns its length in bits.
    pub(super) fn feed(&self, mut update: impl FnMut(&[u8])) -> u64 {
        let mut bytes = 0_u64;
        let mut put = |piece: &[u8]| {
            bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            update(piece);
        };
        // A text longer than its length field can say would need a field of more than 64 KiB or a target of 4 GiB:
        // no HTTP head holds that, and saturating keeps the two sides different from any honest one.
        let lp2 = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
        put(b"TAA4 request\0");
        put(&lp2(self.method.as_str()));
        put(self.method.as_str().as_bytes());
        put(&u32::try_from(self.target.as_str().len()).unwrap_or(u32::MAX).to_be_bytes());
        put(self.target.as_str().as_bytes());
        put(&lp2(self.content_type));
        put(self.content_type.as_bytes());
        put(&lp2(self.content_digest));
        put(self.content_digest.as_bytes());
        bytes.saturating_mul(8)
    }

    /// The additional data in one piece, for test vectors and explanations.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.feed(|piece| out.extend_from_slice(piece));
        out
    }
}
