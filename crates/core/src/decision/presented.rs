use http::{HeaderMap, Method};

use super::head::Head;
use super::{Field, Reason, Refusal};
use crate::encoding::decode_into;
use crate::request::{Covered, MAX_SEALED_LEN, MIN_SEALED_LEN, Target};

/// The fields of a version 4 request, each there exactly once and in its form. Nothing in it may be believed.
///
/// Key and Signature are decoded only when their session is not known: for a known one they are, byte for byte, what
/// was decoded before.
#[derive(Debug)]
pub struct Presented<'a, 's> {
    pub(super) app_id: &'a str,
    pub(super) key_field: &'a [u8],
    pub(super) signature_field: &'a [u8],
    pub(super) sealed: &'s mut [u8],
    pub(super) covered: Covered<'a>,
}

/// Room for a request certificate, in which it is opened.
///
/// Whoever decides holds it, so that the longest part of a request stays where it is while the decision goes on.
#[derive(Debug)]
pub struct CertificateSpace([u8; MAX_SEALED_LEN]);

impl CertificateSpace {
    /// Empty room.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; MAX_SEALED_LEN])
    }
}

impl Default for CertificateSpace {
    fn default() -> Self {
        Self::new()
    }
}

/// The most bytes the values of the five fields may have together.
const MAX_FIELDS_LEN: usize = 4096;

impl<'a, 's> Presented<'a, 's> {
    /// Step 0: reads the fields of a request. `target` is what stands in the request line, or `:path`.
    ///
    /// # Errors
    /// [`Code::BadProtocolVersion`](crate::answer::Code::BadProtocolVersion),
    /// [`Code::AppIdNotFound`](crate::answer::Code::AppIdNotFound),
    /// [`Code::SecretKeyNotFound`](crate::answer::Code::SecretKeyNotFound), then
    /// [`Code::Malformed`](crate::answer::Code::Malformed).
    pub fn parse(
        method: &'a Method,
        target: &'a str,
        headers: &'a HeaderMap,
        space: &'s mut CertificateSpace,
    ) -> Result<Self, Refusal> {
        let head = Head::read(headers);
        match head.version() {
            None => return Err(Reason::ProtocolAbsent.into()),
            Some(b"4") => {}
            Some(_) => return Err(Reason::ProtocolUnknown.into()),
        }
        let app_id = head.first(Field::Id)?;
        let key_field = head.first(Field::Key)?;
        let signature_field = head.first(Field::Signature)?;
        let cert_field = head.first(Field::Cert)?;
        head.refuse_smuggled()?;
        if app_id.len() + key_field.len() + signature_field.len() + cert_field.len() > MAX_FIELDS_LEN {
            return Err(Reason::FieldsTooLong.into());
        }
        let sealed = decode_into(&mut space.0, cert_field)
            .filter(|sealed| sealed.len() >= MIN_SEALED_LEN && sealed.len().is_multiple_of(16))
            .ok_or(Reason::FieldForm(Field::Cert))?;
        if method == Method::CONNECT {
            return Err(Reason::MethodMalformed.into());
        }
        let covered = Covered {
            method,
            target: Target::parse(target).map_err(Reason::TargetMalformed)?,
            content_type: head.text(Field::ContentType)?,
            content_digest: head.text(Field::ContentDigest)?,
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
