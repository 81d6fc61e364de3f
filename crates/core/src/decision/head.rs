//! One walk over a request's header fields: what version 4 looks at, and what it must not let pass.

use http::{HeaderMap, HeaderValue};

use super::{Field, Reason, Refusal};
use crate::fields::text;

/// What a field is to the protocol.
enum Role {
    /// One that is read.
    Read(Field),
    /// `X-Seraph-Trusted-App-Magic`, of the older versions.
    Magic,
    /// `Connection`: it may name fields that a hop takes away.
    Connection,
    /// One that makes some servers see another method, target or content than the one that was signed.
    Override(&'static str),
    /// One of the five but for an underscore: some servers hand `A_B` and `A-B` to their applications as one.
    Twin(Field),
    /// Any other.
    Other,
}

impl Role {
    /// `name` is in lower case, as `http` keeps it.
    fn of(name: &str) -> Self {
        match name {
            text::VERSION => Self::Read(Field::Version),
            text::ID => Self::Read(Field::Id),
            text::KEY => Self::Read(Field::Key),
            text::SIGNATURE => Self::Read(Field::Signature),
            text::CERT => Self::Read(Field::Cert),
            text::MAGIC => Self::Magic,
            "content-type" => Self::Read(Field::ContentType),
            "content-digest" => Self::Read(Field::ContentDigest),
            "connection" => Self::Connection,
            "content-encoding" => Self::Override("Content-Encoding"),
            "x-http-method" => Self::Override("X-HTTP-Method"),
            "x-http-method-override" => Self::Override("X-HTTP-Method-Override"),
            "x-method-override" => Self::Override("X-Method-Override"),
            "x-original-url" => Self::Override("X-Original-URL"),
            "x-rewrite-url" => Self::Override("X-Rewrite-URL"),
            _ => match Field::REQUEST.into_iter().find(|field| is_twin(name, *field)) {
                Some(field) => Self::Twin(field),
                None => Self::Other,
            },
        }
    }
}

/// Only called for names that equal none of the five, so one byte at least differs.
fn is_twin(name: &str, field: Field) -> bool {
    let real = field.name();
    name.len() == real.len()
        && name.contains('_')
        && real
            .bytes()
            .zip(name.bytes())
            .all(|(real, byte)| real.eq_ignore_ascii_case(&byte) || (real == b'-' && byte == b'_'))
}

/// True when a request has a field of the protocol, in any version or spelling. One without any is no attempt.
#[must_use]
pub fn is_attempt(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| match Role::of(name.as_str()) {
        Role::Read(field) => Field::REQUEST.contains(&field),
        Role::Magic | Role::Twin(_) => true,
        Role::Connection | Role::Override(_) | Role::Other => false,
    })
}

/// The version a request says it is of: the bytes of the first Version field; absent and empty are the same.
#[must_use]
pub fn version_field(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(crate::fields::VERSION).map(HeaderValue::as_bytes).filter(|value| !value.is_empty())
}

/// The fields of a request as far as version 4 cares.
#[derive(Default)]
pub(super) struct Head<'a> {
    slots: [Slot<'a>; Field::COUNT],
    hop_by_hop: Option<Field>,
    twin: Option<Field>,
    overriding: Option<&'static str>,
}

#[derive(Clone, Copy, Default)]
struct Slot<'a> {
    first: Option<&'a HeaderValue>,
    doubled: bool,
}

impl<'a> Head<'a> {
    pub(super) fn read(headers: &'a HeaderMap) -> Self {
        let mut head = Self::default();
        for (name, value) in headers {
            match Role::of(name.as_str()) {
                Role::Read(field) => {
                    if let Some(slot) = head.slots.get_mut(field.index()) {
                        slot.doubled = slot.first.is_some();
                        slot.first = slot.first.or(Some(value));
                    }
                }
                Role::Connection => head.hop_by_hop = head.hop_by_hop.or_else(|| named_by(value)),
                Role::Override(name) => head.overriding = Some(name),
                Role::Twin(field) => head.twin = Some(field),
                Role::Magic | Role::Other => {}
            }
        }
        head
    }

    fn slot(&self, field: Field) -> Slot<'a> {
        self.slots.get(field.index()).copied().unwrap_or_default()
    }

    pub(super) fn version(&self) -> Option<&'a [u8]> {
        self.first(Field::Version).ok()
    }

    /// The first value of a field that has to be there; absent and empty are the same.
    pub(super) fn first(&self, field: Field) -> Result<&'a [u8], Refusal> {
        match self.slot(field).first.map(HeaderValue::as_bytes) {
            None | Some([]) => Err(Reason::FieldAbsent(field).into()),
            Some(value) => Ok(value),
        }
    }

    /// The value of a content field: at most one line, ASCII, surrounding blanks removed; absent is empty.
    pub(super) fn text(&self, field: Field) -> Result<&'a str, Refusal> {
        let slot = self.slot(field);
        let Some(value) = slot.first else { return Ok("") };
        if slot.doubled {
            return Err(Reason::FieldDoubled(field).into());
        }
        let text = value.to_str().map_err(|_| Reason::FieldForm(field))?;
        Ok(text.trim_matches([' ', '\t']))
    }

    /// Fields that are doubled, named by `Connection`, spelled with underscores, or that override the request.
    pub(super) fn refuse_smuggled(&self) -> Result<(), Refusal> {
        let doubled = Field::REQUEST.into_iter().find(|field| self.slot(*field).doubled);
        match (doubled, self.hop_by_hop, self.twin, self.overriding) {
            (Some(field), ..) => Err(Reason::FieldDoubled(field).into()),
            (_, Some(field), ..) => Err(Reason::FieldHopByHop(field).into()),
            (_, _, Some(field), _) => Err(Reason::FieldUnderscore(field).into()),
            (.., Some(name)) => Err(Reason::Override(name).into()),
            _ => Ok(()),
        }
    }
}

/// The one of the five that a `Connection` field names.
fn named_by(value: &HeaderValue) -> Option<Field> {
    value.as_bytes().split(|byte| *byte == b',').find_map(|token| {
        let token = token.trim_ascii();
        Field::REQUEST.into_iter().find(|field| token.eq_ignore_ascii_case(field.name().as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::fields;

    #[test]
    fn the_names_are_those_of_the_fields() {
        for (name, field) in fields::REQUEST.iter().zip(Field::REQUEST) {
            assert!(matches!(Role::of(name.as_str()), Role::Read(found) if found == field), "{name}");
            assert!(name.as_str().eq_ignore_ascii_case(field.name()));
            let twin = name.as_str().replace("app-", "app_");
            assert!(matches!(Role::of(&twin), Role::Twin(found) if found == field), "{twin}");
        }
        for name in fields::OVERRIDES {
            assert!(matches!(Role::of(name.as_str()), Role::Override(shown) if name == shown), "{name}");
        }
        assert!(matches!(Role::of("x-seraph-trusted-app-key2"), Role::Other));
        assert!(matches!(Role::of("x_forwarded_for"), Role::Other));
    }

    #[test]
    fn any_spelling_of_a_field_is_an_attempt() {
        let attempt = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(""));
            is_attempt(&headers)
        };
        for name in ["X-Seraph-Trusted-App-Cert", "X_Seraph_Trusted_App_Cert", "X-Seraph-Trusted-App-Magic"] {
            assert!(attempt(name), "{name}");
        }
        for name in ["Content-Type", "Content-Digest", "Connection", "X-Rewrite-Url", "Authorization"] {
            assert!(!attempt(name), "{name}");
        }
    }

    #[test]
    fn doubled_means_a_second_line() {
        let mut headers = HeaderMap::new();
        headers.append("content-type", HeaderValue::from_static(" a/b\t"));
        assert_eq!(Head::read(&headers).text(Field::ContentType), Ok("a/b"));
        for _ in 0..2 {
            headers.append("content-type", HeaderValue::from_static("a/b"));
            assert!(Head::read(&headers).text(Field::ContentType).is_err());
        }
    }
}
