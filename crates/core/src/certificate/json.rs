//! The JSON of a certificate document: strict where leniency would let two readers see two documents.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::content::{CertificateKey, Content, KeyStatus, KeyUse};
use super::error::CertificateError;
use crate::id::{AppId, KeyId};
use crate::key::PublicKey;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) typ: String,
    pub(super) kid: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: AppId,
    name: String,
    base_url: url::Url,
    seq: u64,
    iat: u64,
    protocols: Vec<u8>,
    keys: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: String,
    alg: String,
    kid: String,
    n: String,
    e: String,
    status: KeyStatus,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    exp: Option<u64>,
}

/// A member that is there must have a value: `null` is not the same as absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    u64::deserialize(deserializer).map(Some)
}

/// Reads JSON in which no object has a member twice, at any depth.
pub(super) fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, CertificateError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Unique.deserialize(&mut deserializer).map_err(|_| CertificateError::Json)?;
    deserializer.end().map_err(|_| CertificateError::Json)?;
    serde_json::from_value(value).map_err(|_| CertificateError::Json)
}

pub(super) fn read_content(bytes: &[u8]) -> Result<Content, CertificateError> {
    let payload: Payload = read(bytes)?;
    if payload.keys.len() > Content::MAX_KEYS {
        return Err(super::ContentError::TooManyKeys.into());
    }
    let keys =
        payload.keys.into_iter().filter_map(|key| read_key(key).transpose()).collect::<Result<_, _>>()?;
    Ok(Content {
        iss: payload.iss,
        name: payload.name,
        base_url: payload.base_url,
        seq: payload.seq,
        iat: payload.iat,
        protocols: payload.protocols,
        keys,
    })
}

/// `None` for a key of a kind that this document does not define.
fn read_key(value: Value) -> Result<Option<CertificateKey>, CertificateError> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let usage = match (text("kty"), text("use"), text("alg")) {
        (Some("RSA"), Some("sig"), Some("PS256")) => KeyUse::Signing,
        (Some("RSA"), Some("enc"), Some("RSA-OAEP-256")) => KeyUse::Decryption,
        // One member that says something else is enough, whichever of the others such keys have.
        (Some(kty), _, _) if kty != "RSA" => return Ok(None),
        (_, Some(usage), _) if !matches!(usage, "sig" | "enc") => return Ok(None),
        (Some(_), Some(_), Some(_)) => return Ok(None),
        _ => return Err(CertificateError::Json),
    };
    let jwk: Jwk = serde_json::from_value(value).map_err(|_| CertificateError::Json)?;
    let public = PublicKey::from_jwk(&jwk.n, &jwk.e)?;
    if jwk.kid.parse::<KeyId>() != Ok(public.id()) {
        return Err(CertificateError::Thumbprint);
    }
    Ok(Some(CertificateKey { public, usage, status: jwk.status, exp: jwk.exp }))
}

pub(super) fn write_content(content: &Content) -> Result<Vec<u8>, CertificateError> {
    let keys = content
        .keys
        .iter()
        .map(|key| {
            let (usage, alg) = match key.usage {
                KeyUse::Signing => ("sig", "PS256"),
                KeyUse::Decryption => ("enc", "RSA-OAEP-256"),
            };
            serde_json::to_value(Jwk {
                kty: "RSA".into(),
                usage: usage.into(),
                alg: alg.into(),
                kid: key.public.id().to_string(),
                n: key.public.jwk_n(),
                e: key.public.jwk_e(),
                status: key.status,
                exp: key.exp,
            })
        })
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateError::Json)?;
    let payload = Payload {
        iss: content.iss.clone(),
        name: content.name.clone(),
        base_url: content.base_url.clone(),
        seq: content.seq,
        iat: content.iat,
        protocols: content.protocols.clone(),
        keys,
    };
    serde_json::to_vec(&payload).map_err(|_| CertificateError::Json)
}

/// Deserializes a [`Value`], refusing repeated members.
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Unique)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Unique)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_kinds_are_ignored_and_broken_ones_are_not() {
        let read = |text: &str| read_key(serde_json::from_str(text).unwrap_or_default());
        for other in [
            r#"{"kty":"EC","crv":"P-256","x":"","y":""}"#,
            r#"{"kty":"RSA","use":"x-other"}"#,
            r#"{"kty":"RSA","use":"sig","alg":"RS256","n":"","e":""}"#,
            r#"{"kty":"RSA","use":"sig","alg":"RSA-OAEP-256"}"#,
        ] {
            assert_eq!(read(other), Ok(None), "{other}");
        }
        for broken in [
            "{}",
            "1",
            r#"{"kty":1,"use":"sig","alg":"PS256"}"#,
            r#"{"kty":"RSA","use":"sig"}"#,
            r#"{"kty":"RSA","alg":"PS256"}"#,
            r#"{"kty":"RSA","use":"sig","alg":"PS256"}"#,
        ] {
            assert_eq!(read(broken), Err(CertificateError::Json), "{broken}");
        }
    }

    #[test]
    fn repeated_members_are_refused_at_any_depth() {
        assert!(read::<Value>(br#"{"a":[{"b":1,"c":2.5,"d":null,"e":true,"f":-1}]}"#).is_ok());
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"[{"x":{"b":1,"b":2}}]"#,
            r#"{"a":1} x"#,
            r#"{"a":1,}"#,
            r#"{"a":1,"\u0061":1}"#,
        ] {
            assert_eq!(read::<Value>(bad.as_bytes()).err(), Some(CertificateError::Json), "{bad}");
        }
    }
}
