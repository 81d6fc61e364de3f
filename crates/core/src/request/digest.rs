use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of a content, as a `Content-Digest` field carries it (RFC 9530; wire document, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDigest([u8; 32]);

impl ContentDigest {
    /// The digest of a whole content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// Takes a SHA-256 that was computed elsewhere, such as over a stream.
    #[must_use]
    pub const fn from_bytes(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// Reads a field value: a dictionary with exactly one `sha-256`; other members are ignored.
    ///
    /// # Errors
    /// When it is no dictionary, has no `sha-256` or two, or that is not 32 bytes.
    pub fn parse(field: &str) -> Result<Self, DigestError> {
        Parser::new(field)
            .parse_dictionary_with_visitor(Members::default())
            .map_err(|_| DigestError::Syntax)?
    }

    /// True when this is the digest of `content`.
    #[must_use]
    pub fn matches(&self, content: &[u8]) -> bool {
        self.same_as(&Self::of(content))
    }

    /// Compares two digests.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// The field value: `sha-256=:…:`.
    #[must_use]
    pub fn to_field(&self) -> String {
        // On the stack first: the library fills a growing text far more slowly. There is always room, and all is ASCII.
        let mut encoded = [0; ENCODED_LEN];
        let _length = STANDARD.encode_slice(self.0, &mut encoded);
        let mut field = String::with_capacity(FIELD_LEN);
        field.push_str("sha-256=:");
        field.push_str(std::str::from_utf8(&encoded).unwrap_or_default());
        field.push(':');
        field
    }
}

/// Of 32 bytes in base64.
const ENCODED_LEN: usize = 44;
/// Of `sha-256=:…:`.
const FIELD_LEN: usize = ENCODED_LEN + 10;

/// Collects the `sha-256` members. A structured-field parser would let the last of two win; the wire document does not.
#[derive(Default)]
struct Members {
    count: usize,
    digest: Option<[u8; 32]>,
}

impl<'de> DictionaryVisitor<'de> for Members {
    type Out = Result<ContentDigest, DigestError>;
    type Error = Infallible;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Infallible> {
        if key.as_str() != "sha-256" {
            return Ok(None);
        }
        self.count += 1;
        Ok(Some(self))
    }

    fn finish(self) -> Result<Self::Out, Infallible> {
        Ok(match (self.count, self.digest) {
            (0, _) => Err(DigestError::Missing),
            (1, Some(digest)) => Ok(ContentDigest(digest)),
            (1, None) => Err(DigestError::Value),
            _ => Err(DigestError::Doubled),
        })
    }
}

impl<'de> EntryVisitor<'de> for &mut Members {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Infallible> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Infallible> {
        Ok(Ignored)
    }
}

impl<'de> ItemVisitor<'de> for &mut Members {
    type Out = ();
    type Error = Infallible;

    fn bare_item(
        self,
        item: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = Self::Out>, Infallible> {
        if let BareItemFromInput::ByteSequence(bytes) = item {
            self.digest = bytes.try_into().ok();
        }
        Ok(Ignored)
    }
}

/// Why a `Content-Digest` field is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// It has two `sha-256` members.
    #[error("the content digest has sha-256 twice")]
    Doubled,
    /// It has no `sha-256` member.
    #[error("the content digest has no sha-256")]
    Missing,
    /// It is no dictionary of RFC 9651.
    #[error("the content digest is no dictionary")]
    Syntax,
    /// The member is not a byte sequence of 32 bytes.
    #[error("the sha-256 of the content digest is not 32 bytes")]
    Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";

    #[test]
    fn read_and_written() {
        let digest = ContentDigest::of(b"hello");
        assert_eq!(digest.to_field(), HELLO);
        assert_eq!(digest.to_field().capacity(), HELLO.len());
        assert_eq!(ContentDigest::parse(HELLO), Ok(digest));
        assert_eq!(
            ContentDigest::parse(&format!("sha-512=:AA==:, {HELLO};a=1, x=\"sha-256, sha-256\"")),
            Ok(digest)
        );
        assert!(digest.matches(b"hello") && !digest.matches(b"hellO"));
    }

    #[test]
    fn refused() {
        use DigestError::*;
        for (field, why) in [
            ("rubbish", Missing),
            ("", Missing),
            ("sha-256=LPJN", Value),
            ("sha-256=(1 2)", Value),
            ("sha-256=:LPJNul+wow4m6Dsqxbning==:", Value),
            ("sha-512=:AA==:", Missing),
            ("sha-256=:", Syntax),
            ("Sha-256=:AA==:", Syntax),
        ] {
            assert_eq!(ContentDigest::parse(field), Err(why), "{field:?}");
        }
        assert_eq!(ContentDigest::parse(&format!("{HELLO}, {HELLO}")), Err(Doubled));
        assert_eq!(ContentDigest::parse(&format!("{HELLO},sha-256=:AA==:")), Err(Doubled));
        assert_eq!(ContentDigest::parse(&format!("sha-256=1, {HELLO}")), Err(Doubled));
    }
}
