use http::{HeaderMap, HeaderValue};

use super::certificate::LenientCertificate;
use super::rc4::Rc4;
use super::signature::{base_v2, base_v3};
use super::{LegacyVerifyingKey, MAGIC, Version, base64, field, java};

/// A request of version 0 to 3, decoded as peers decode it, to be shown to a person.
///
/// It is evidence and no proof: nothing in here authenticates anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explained {
    /// The version peers would see; `None` when the field is no number. Any number above 3 is 2 to the oldest peers.
    pub version: Option<Version>,
    /// The `ID` field, as sent.
    pub app_id: Option<String>,
    /// The certificate's time in milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// The certificate's user, with U+FFFD for what is no UTF-8.
    pub user: Option<String>,
    /// Whether the certificate ends with the magic number.
    pub certificate_magic: Judgement,
    /// Whether `Magic` gives the magic number under the key.
    pub magic: Judgement,
    /// How many bytes the RC4 key has; 16 in a genuine request.
    pub rc4_key_len: Option<usize>,
    /// What the signature covers, when a URL was given.
    pub signature_base: Option<String>,
    /// Whether the signature is genuine for that URL.
    pub signature: Judgement,
    /// What could not be decoded, one sentence each.
    pub problems: Vec<&'static str>,
}

/// What is known about one part of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Judgement {
    /// It is not there, or this version does not have it.
    #[default]
    Absent,
    /// It is wrong.
    Bad,
    /// It is right.
    Good,
    /// It is there, and cannot be judged without the key or the URL.
    Unknown,
}

impl Judgement {
    fn of(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }
}

/// Decodes the fields of a request, with the application's key and the URL where they are known.
#[must_use]
pub fn explain(headers: &HeaderMap, key: Option<&LegacyVerifyingKey>, url: Option<&str>) -> Explained {
    let mut out = Explained { app_id: text(headers, field::ID), ..Explained::default() };
    for name in field::ALL {
        if headers.get_all(name).iter().count() > 1 {
            out.problems.push("a field is there more than once; peers read the first");
        }
    }
    out.version = version(headers);
    let Some(version) = out.version else {
        out.problems.push("the version is no number");
        return out;
    };
    let encrypted = version != Version::V3;
    if matches!(version, Version::V1 | Version::V2) {
        out.magic = magic(headers, key);
    }
    match certificate(headers, encrypted.then_some(key), &mut out) {
        Ok(plaintext) => {
            let read = LenientCertificate::read(&plaintext);
            if read.timestamp.is_none() {
                out.problems.push("the certificate's time is no number");
            }
            out.timestamp = read.timestamp;
            out.user = read.user;
            out.certificate_magic = read.magic.map_or(Judgement::Absent, Judgement::of);
        }
        Err(problem) => out.problems.push(problem),
    }
    if let (Some(timestamp), Some(url)) = (out.timestamp, url) {
        out.signature_base = Some(match (version, &out.user) {
            (Version::V3, Some(user)) => base_v3(timestamp, url, user),
            _ => base_v2(timestamp, url),
        });
    }
    if let Some(signature) = headers.get(field::SIGNATURE) {
        let signature = base64::decode_lenient(signature.as_bytes());
        out.signature = match (signature, key, &out.signature_base) {
            (None, ..) => Judgement::Bad,
            (Some(signature), Some(key), Some(base)) => {
                Judgement::of(key.verify(base.as_bytes(), &signature))
            }
            _ => Judgement::Unknown,
        };
    }
    out
}

/// Blank is 0; any number from 4 on counts as 2, any below 0 as 1, which is what the oldest peers make of them.
fn version(headers: &HeaderMap) -> Option<Version> {
    let text = text(headers, field::VERSION).unwrap_or_default();
    if java::trim(&text).is_empty() {
        return Some(Version::V0);
    }
    Some(match java::int(&text)? {
        3 => Version::V3,
        2.. => Version::V2,
        _ => Version::V1,
    })
}

fn magic(headers: &HeaderMap, key: Option<&LegacyVerifyingKey>) -> Judgement {
    match (headers.get(field::MAGIC), key) {
        (None, _) => Judgement::Absent,
        (Some(_), None) => Judgement::Unknown,
        (Some(value), Some(key)) => Judgement::of(
            base64::decode_lenient(value.as_bytes())
                .and_then(|magic| key.insecure_raw(&magic).ok())
                .is_some_and(|magic| magic == MAGIC.as_bytes()),
        ),
    }
}

/// The certificate's plaintext. `encrypted` holds the key of a version that encrypts, as far as it is known.
fn certificate(
    headers: &HeaderMap,
    encrypted: Option<Option<&LegacyVerifyingKey>>,
    out: &mut Explained,
) -> Result<Vec<u8>, &'static str> {
    let value = headers.get(field::CERT).ok_or("there is no certificate")?;
    let mut data = base64::decode_lenient(value.as_bytes()).ok_or("the certificate is no base64")?;
    if let Some(key) = encrypted {
        let value = headers.get(field::KEY).ok_or("there is no secret key")?;
        let secret = base64::decode_lenient(value.as_bytes()).ok_or("the secret key is no base64")?;
        let key = key.ok_or("the certificate is encrypted and the application's key is not known")?;
        let secret = key.insecure_raw(&secret).map_err(|_| "the secret key is too long or too large")?;
        out.rc4_key_len = Some(secret.len());
        Rc4::new(&secret).ok_or("the secret key gives no usable rc4 key")?.apply(&mut data);
    }
    Ok(data)
}

fn text(headers: &HeaderMap, name: &'static str) -> Option<String> {
    headers.get(name).map(HeaderValue::as_bytes).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_key() {
        let mut headers = HeaderMap::new();
        headers.insert(field::CERT, HeaderValue::from_static("NQphCi0xMTU5OTgzMTIy"));
        headers.insert(field::VERSION, HeaderValue::from_static("3"));
        headers.insert(field::SIGNATURE, HeaderValue::from_static("AQ=="));
        let explained = explain(&headers, None, Some("http://a/"));
        assert_eq!(explained.timestamp, Some(5));
        assert_eq!(explained.user.as_deref(), Some("a"));
        assert_eq!(explained.certificate_magic, Judgement::Good);
        assert_eq!(explained.signature_base.as_deref(), Some("5\nhttp://a/\na"));
        assert_eq!(explained.signature, Judgement::Unknown);
        headers.remove(field::VERSION);
        let explained = explain(&headers, None, None);
        assert_eq!(explained.version, Some(Version::V0));
        assert_eq!(explained.problems, ["there is no secret key"]);
    }
}
