use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::opened::{Opened, Parts};
use super::{Failure, FailureKind, LegacyVerifyingKey, SignedVersion, field};
use crate::id::AppId;

/// A request of version 2 or 3 as it was presented: nothing is believed yet.
pub struct Presented {
    parts: Parts,
    /// `Key` and `Magic`, in version 2.
    secret: Option<(HeaderValue, HeaderValue)>,
    certificate: HeaderValue,
}

impl Presented {
    /// The most bytes that names and values of all these fields may have together. With a 4096-bit key and the longest
    /// names version 2 takes about 2800.
    pub const MAX_LEN: usize = 4096;

    /// Reads the fields of a request. `None` when `Cert` is absent or blank: nobody tried.
    ///
    /// The checks and their order are those of the peers' later library (older versions, section 9), except that fields
    /// which are doubled or together too long come first, and that a version must be exactly `2` or `3`.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn parse(headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        let certificate = match headers.get(field::CERT) {
            Some(_) => one(headers, field::CERT)?,
            None => None,
        };
        let Some(certificate) = certificate.filter(|value| !is_blank(value)) else { return Ok(None) };
        let mut len = 0usize;
        for name in field::ALL {
            if let Some(value) = one(headers, name)? {
                len = len.saturating_add(name.len()).saturating_add(value.len());
            }
        }
        if len > Self::MAX_LEN {
            return Err(FailureKind::Malformed.into());
        }
        let version = version(one(headers, field::VERSION)?)?;
        let app_id = present(headers, field::ID, FailureKind::AppIdNotFound)?;
        let secret = match version {
            SignedVersion::V2 => Some((
                present(headers, field::KEY, FailureKind::SecretKeyNotFound)?.clone(),
                present(headers, field::MAGIC, FailureKind::MagicNumberNotFound)?.clone(),
            )),
            SignedVersion::V3 => None,
        };
        // An id in another form than ours cannot have been set up, so nobody has it.
        let app_id = std::str::from_utf8(app_id.as_bytes())
            .ok()
            .and_then(|text| AppId::parse(text).ok())
            .ok_or(FailureKind::AppUnknown)?;
        let signature = one(headers, field::SIGNATURE)?.cloned();
        let certificate = certificate.clone();
        Ok(Some(Self { parts: Parts { version, app_id, signature }, secret, certificate }))
    }

    /// The id the request claims, to look the application up by.
    #[must_use]
    pub fn app_id(&self) -> &AppId {
        &self.parts.app_id
    }

    /// The version. The caller refuses one the application's record does not allow, with
    /// [`FailureKind::UnsupportedProtocolVersion`].
    #[must_use]
    pub fn version(&self) -> SignedVersion {
        self.parts.version
    }

    /// Decodes the certificate with the key of the application that was looked up (older versions, section 9, step 8).
    ///
    /// # Errors
    /// `BAD_MAGIC`, or `SYSTEM` when only the certificate's number is wrong.
    pub fn open(self, key: &LegacyVerifyingKey) -> Result<Opened, Failure> {
        Opened::decode(self.parts, self.secret.as_ref(), &self.certificate, key)
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presented(version {}, {})", self.parts.version, self.parts.app_id)
    }
}

/// A field that stands there at most once.
fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a HeaderValue>, Failure> {
    let mut values = headers.get_all(HeaderName::from_static(name)).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(FailureKind::Malformed.into()),
    }
}

/// A field that stands there once and is not blank.
fn present<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
    absent: FailureKind,
) -> Result<&'a HeaderValue, Failure> {
    one(headers, name)?.filter(|value| !is_blank(value)).ok_or_else(|| absent.into())
}

/// Blank to peers: only characters up to the blank.
fn is_blank(value: &HeaderValue) -> bool {
    value.as_bytes().iter().all(|byte| *byte <= b' ')
}

/// Exactly `2` or `3`. An absent version is 0 to peers; another number is told apart from what is no number.
fn version(value: Option<&HeaderValue>) -> Result<SignedVersion, Failure> {
    let value = value.map(HeaderValue::as_bytes).unwrap_or_default();
    match value {
        b"2" => return Ok(SignedVersion::V2),
        b"3" => return Ok(SignedVersion::V3),
        _ => {}
    }
    let blank = value.iter().all(|byte| *byte <= b' ');
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let plain = digits.len() <= 9
        && digits.iter().all(u8::is_ascii_digit)
        && digits.first().is_some_and(|first| *first != b'0' || digits.len() == 1);
    if blank || plain {
        Err(FailureKind::UnsupportedProtocolVersion.into())
    } else {
        Err(FailureKind::BadProtocolVersion.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn kind(fields: &[(&'static str, &'static str)]) -> Option<FailureKind> {
        Presented::parse(&headers(fields)).err().map(|failure| failure.kind())
    }

    const V3: [(&str, &str); 3] = [(field::CERT, "YQ=="), (field::ID, "a"), (field::VERSION, "3")];

    #[test]
    fn nobody_tried() {
        assert!(Presented::parse(&HeaderMap::new()).unwrap().is_none());
        assert!(Presented::parse(&headers(&[(field::CERT, " \t"), (field::ID, "a")])).unwrap().is_none());
        assert!(Presented::parse(&headers(&[(field::ID, "a"), (field::ID, "b")])).unwrap().is_none());
    }

    #[test]
    fn each_field_once() {
        assert!(Presented::parse(&headers(&V3)).unwrap().is_some());
        for name in field::ALL {
            let mut fields = V3.to_vec();
            fields.push((name, "x"));
            fields.push((name, "x"));
            assert_eq!(kind(&fields), Some(FailureKind::Malformed), "{name}");
        }
    }

    #[test]
    fn not_too_long() {
        let mut headers = headers(&V3);
        headers.insert(field::MAGIC, HeaderValue::from_str(&"A".repeat(3900)).unwrap());
        assert!(Presented::parse(&headers).unwrap().is_some());
        headers.insert(field::MAGIC, HeaderValue::from_str(&"A".repeat(4096)).unwrap());
        assert_eq!(Presented::parse(&headers).unwrap_err().kind(), FailureKind::Malformed);
    }

    #[test]
    fn versions() {
        for (text, expected) in [
            ("", FailureKind::UnsupportedProtocolVersion),
            ("0", FailureKind::UnsupportedProtocolVersion),
            ("1", FailureKind::UnsupportedProtocolVersion),
            ("4", FailureKind::UnsupportedProtocolVersion),
            ("-1", FailureKind::UnsupportedProtocolVersion),
            ("+2", FailureKind::BadProtocolVersion),
            ("02", FailureKind::BadProtocolVersion),
            (" 2", FailureKind::BadProtocolVersion),
            ("2 ", FailureKind::BadProtocolVersion),
            ("-", FailureKind::BadProtocolVersion),
            ("two", FailureKind::BadProtocolVersion),
            ("99999999999", FailureKind::BadProtocolVersion),
        ] {
            assert_eq!(kind(&[(field::CERT, "x"), (field::VERSION, text)]), Some(expected), "{text:?}");
        }
        assert_eq!(kind(&[(field::CERT, "x")]), Some(FailureKind::UnsupportedProtocolVersion));
    }

    #[test]
    fn what_is_missing() {
        use FailureKind::*;
        let v2 = [(field::CERT, "x"), (field::VERSION, "2")];
        assert_eq!(kind(&v2), Some(AppIdNotFound));
        assert_eq!(kind(&[v2[0], v2[1], (field::ID, " ")]), Some(AppIdNotFound));
        assert_eq!(kind(&[v2[0], v2[1], (field::ID, "a")]), Some(SecretKeyNotFound));
        assert_eq!(kind(&[v2[0], v2[1], (field::ID, "a"), (field::KEY, "k")]), Some(MagicNumberNotFound));
        assert_eq!(kind(&[V3[0], V3[2], (field::ID, " a")]), Some(AppUnknown));
        assert_eq!(kind(&[V3[0], V3[2], (field::ID, "a\"b")]), Some(AppUnknown));
    }
}
