use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{Field, Reason, Refusal};
use crate::encoding::Bounded;
use crate::fields;
use crate::request::{Covered, MAX_SEALED_LEN, MIN_SEALED_LEN, Target};

/// The fields of a version 4 request, each there exactly once and in its form. Nothing in it may be believed.
///
/// Key and Signature are decoded only when their session is not known: for a known one they are, byte for byte, what
/// was decoded before.
#[derive(Debug)]
pub struct Presented<'a> {
    pub(super) app_id: &'a str,
    pub(super) key_field: &'a [u8],
    pub(super) signature_field: &'a [u8],
    pub(super) sealed: Bounded<MAX_SEALED_LEN>,
    pub(super) covered: Covered<'a>,
}

/// The most bytes the values of the five fields may have together.
const MAX_FIELDS_LEN: usize = 4096;

/// True when a request has a field of the protocol, in any version or spelling. One without any is no attempt.
#[must_use]
pub fn is_attempt(headers: &HeaderMap) -> bool {
    fields::REQUEST.iter().any(|name| headers.contains_key(name))
        || headers.contains_key(fields::MAGIC)
        || headers.keys().any(|name| underscore_twin(name).is_some())
}

/// The version a request says it is of: the bytes of the first Version field; absent and empty are the same.
#[must_use]
pub fn version_field(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(fields::VERSION).map(HeaderValue::as_bytes).filter(|value| !value.is_empty())
}

impl<'a> Presented<'a> {
    /// Step 0: reads the fields of a request. `target` is what stands in the request line, or `:path`.
    ///
    /// # Errors
    /// [`Code::BadProtocolVersion`](crate::answer::Code::BadProtocolVersion),
    /// [`Code::AppIdNotFound`](crate::answer::Code::AppIdNotFound),
    /// [`Code::SecretKeyNotFound`](crate::answer::Code::SecretKeyNotFound), then
    /// [`Code::Malformed`](crate::answer::Code::Malformed).
    pub fn parse(method: &'a Method, target: &'a str, headers: &'a HeaderMap) -> Result<Self, Refusal> {
        match version_field(headers) {
            None => return Err(Reason::ProtocolAbsent.into()),
            Some(b"4") => {}
            Some(_) => return Err(Reason::ProtocolUnknown.into()),
        }
        let app_id = first(headers, &fields::ID, Field::Id)?;
        let key_field = first(headers, &fields::KEY, Field::Key)?;
        let signature_field = first(headers, &fields::SIGNATURE, Field::Signature)?;
        let cert_field = first(headers, &fields::CERT, Field::Cert)?;
        refuse_smuggled(headers)?;
        if app_id.len() + key_field.len() + signature_field.len() + cert_field.len() > MAX_FIELDS_LEN {
            return Err(Reason::FieldsTooLong.into());
        }
        let sealed = Bounded::<MAX_SEALED_LEN>::decode(cert_field).ok_or(Reason::FieldForm(Field::Cert))?;
        if sealed.as_slice().len() < MIN_SEALED_LEN || !sealed.as_slice().len().is_multiple_of(16) {
            return Err(Reason::FieldForm(Field::Cert).into());
        }
        if method == Method::CONNECT {
            return Err(Reason::MethodMalformed.into());
        }
        let covered = Covered {
            method,
            target: Target::parse(target).map_err(Reason::TargetMalformed)?,
            content_type: content_field(headers, &http::header::CONTENT_TYPE, Field::ContentType)?,
            content_digest: content_field(headers, &fields::CONTENT_DIGEST, Field::ContentDigest)?,
        };
        // An id that is no text cannot be known: it is looked up as the empty one.
        let app_id = std::str::from_utf8(app_id).unwrap_or_default();
        Ok(Self { app_id, key_field, signature_field, sealed, covered })
    }

    /// The application id as claimed.
    #[must_use]
    pub fn untrusted_app_id(&self) -> &str {
        self.app_id
    }
}

fn first<'a>(headers: &'a HeaderMap, name: &HeaderName, field: Field) -> Result<&'a [u8], Refusal> {
    match headers.get(name).map(HeaderValue::as_bytes) {
        None | Some([]) => Err(Reason::FieldAbsent(field).into()),
        Some(value) => Ok(value),
    }
}

/// Fields that are doubled, named by `Connection`, spelled with underscores, or that override the request.
fn refuse_smuggled(headers: &HeaderMap) -> Result<(), Refusal> {
    for (name, field) in fields::REQUEST.iter().zip(Field::REQUEST) {
        if headers.get_all(name).iter().nth(1).is_some() {
            return Err(Reason::FieldDoubled(field).into());
        }
    }
    for value in headers.get_all(http::header::CONNECTION) {
        for token in value.as_bytes().split(|b| *b == b',') {
            let token = token.trim_ascii();
            for (name, field) in fields::REQUEST.iter().zip(Field::REQUEST) {
                if token.eq_ignore_ascii_case(name.as_str().as_bytes()) {
                    return Err(Reason::FieldHopByHop(field).into());
                }
            }
        }
    }
    if let Some(field) = headers.keys().find_map(underscore_twin) {
        return Err(Reason::FieldUnderscore(field).into());
    }
    match fields::OVERRIDES.iter().position(|name| headers.contains_key(name)) {
        None => Ok(()),
        Some(position) => Err(Reason::Override(OVERRIDE_NAMES.get(position).unwrap_or(&"")).into()),
    }
}

const OVERRIDE_NAMES: [&str; 6] = [
    "Content-Encoding",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Original-URL",
    "X-Rewrite-URL",
];

/// Some servers hand `A_B` and `A-B` to their applications as one: a name that equals one of the five but for that.
fn underscore_twin(name: &HeaderName) -> Option<Field> {
    let name = name.as_str();
    if !name.contains('_') {
        return None;
    }
    let same = |real: &HeaderName| {
        real.as_str().len() == name.len()
            && real.as_str().bytes().zip(name.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_'))
    };
    fields::REQUEST.iter().zip(Field::REQUEST).find_map(|(real, field)| same(real).then_some(field))
}

/// The value of a content field: at most one line, ASCII, surrounding blanks removed; absent is empty.
fn content_field<'a>(headers: &'a HeaderMap, name: &HeaderName, field: Field) -> Result<&'a str, Refusal> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok("") };
    if lines.next().is_some() {
        return Err(Reason::FieldDoubled(field).into());
    }
    let text = line.to_str().map_err(|_| Reason::FieldForm(field))?;
    Ok(text.trim_matches([' ', '\t']))
}
