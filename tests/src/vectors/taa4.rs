//! Version 4: sessions with their requests, answers and refusals, and certificate documents.

mod certificates;
mod refusal;
mod request;
mod session;

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use taa_core::crypto::CryptoProvider;

use super::{Kind, Tally, VectorFile};
use crate::harness::providers;

/// The kind of `taa4.json`.
pub const KIND: Kind = Kind { name: "version 4", recognise, run };

fn recognise(content: &Value) -> bool {
    let sessions = content.get("sessions").and_then(Value::as_array);
    let certificates = content.get("certificates").and_then(Value::as_object);
    sessions.is_some_and(|all| all.iter().all(|one| one.get("client_signing_key").is_some()))
        || certificates.is_some_and(|all| all.contains_key("accepted") || all.contains_key("refused"))
}

fn run(file: &VectorFile, tally: &mut Tally) -> Result<(), String> {
    providers().into_iter().try_for_each(|provider| run_with(provider, file, tally))
}

/// Runs a file with one provider.
///
/// # Errors
/// When the file has another form.
pub fn run_with(
    provider: &'static dyn CryptoProvider,
    file: &VectorFile,
    tally: &mut Tally,
) -> Result<(), String> {
    let content: Content = file.parse()?;
    for vector in &content.sessions {
        session::run(provider, vector, tally);
    }
    if let Some(vector) = &content.certificates {
        certificates::run(provider, vector, tally);
    }
    Ok(())
}

/// A whole file.
#[derive(Debug, Deserialize)]
pub struct Content {
    /// The sessions.
    #[serde(default)]
    pub sessions: Vec<SessionVector>,
    /// The certificate documents.
    pub certificates: Option<CertificatesVector>,
}

/// One session with every intermediate value.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub struct SessionVector {
    pub client_id: String,
    pub server_id: String,
    pub client_signing_key: String,
    pub server_decryption_key: String,
    pub client_key_thumbprint: String,
    pub server_key_thumbprint: String,
    pub issued_ms: u64,
    pub lifetime_s: u32,
    pub secret_hex: String,
    pub salt_hex: String,
    pub request_key_hex: String,
    pub response_key_hex: String,
    pub headers: Fields,
    #[serde(default)]
    pub requests: Vec<RequestVector>,
    #[serde(default)]
    pub refusals: Vec<RefusalVector>,
}

/// A request that is accepted.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub struct RequestVector {
    pub method: String,
    pub target: String,
    pub body_base64: Option<String>,
    pub content_type: Option<String>,
    pub content_digest: Option<String>,
    pub created_ms: u64,
    pub user: String,
    pub iv_hex: String,
    pub aad_hex: String,
    pub cert: String,
    #[serde(default)]
    pub responses: Vec<ResponseVector>,
}

/// An answer to a request.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub struct ResponseVector {
    pub http_status: u16,
    pub status: Option<String>,
    pub error: Option<String>,
    pub content_digest: Option<String>,
    pub proof: String,
}

/// A request that is refused.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub struct RefusalVector {
    pub why: String,
    pub code: String,
    pub clock_ms: u64,
    pub repeat_after_ms: Option<u64>,
    pub headers: Fields,
    pub method: String,
    pub target: String,
    pub content_type: Option<String>,
    pub content_digest: Option<String>,
    pub body_base64: Option<String>,
}

/// Certificate documents.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub struct CertificatesVector {
    pub clock_s: u64,
    #[serde(default)]
    pub accepted: Vec<DocumentVector>,
    #[serde(default)]
    pub refused: Vec<DocumentVector>,
}

/// One document, and the one that it follows.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub struct DocumentVector {
    pub why: String,
    pub held: Option<String>,
    pub document: String,
    pub fingerprint: Option<String>,
}

/// Header fields: a name with one line or several.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Fields(pub BTreeMap<String, Lines>);

/// The lines of one field.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Lines {
    /// It stands there once.
    One(String),
    /// It stands there as often.
    Many(Vec<String>),
}

impl Lines {
    fn all(&self) -> &[String] {
        match self {
            Self::One(line) => std::slice::from_ref(line),
            Self::Many(lines) => lines,
        }
    }
}

impl Fields {
    /// The first line of a field.
    #[must_use]
    pub fn first(&self, name: &HeaderName) -> Option<&str> {
        let (_, lines) = self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name.as_str()))?;
        lines.all().first().map(String::as_str)
    }

    /// The fields as an HTTP library holds them, and whether it could not hold them all.
    ///
    /// A control character cannot stand in a field: no HTTP library hands it on. Such a case counts all the same, with
    /// the byte 0xFF in its place, which can stand there and is no less wrong.
    ///
    /// # Errors
    /// When a name is no name of a field.
    pub fn to_map(&self) -> Result<(HeaderMap, bool), String> {
        let mut map = HeaderMap::new();
        let mut replaced = false;
        for (name, lines) in &self.0 {
            let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no field name"))?;
            for line in lines.all() {
                let (value, other) = field_value(line)?;
                replaced |= other;
                map.append(name.clone(), value);
            }
        }
        Ok((map, replaced))
    }
}

/// A field's value, and whether something in it had to be replaced.
fn field_value(text: &str) -> Result<(HeaderValue, bool), String> {
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        return Ok((value, false));
    }
    let bytes: Vec<u8> = text
        .bytes()
        .map(|byte| if (byte < 0x20 && byte != b'\t') || byte == 0x7f { 0xff } else { byte })
        .collect();
    HeaderValue::from_bytes(&bytes).map(|value| (value, true)).map_err(|error| error.to_string())
}

/// Adds the content fields that a case names beside its others.
fn add_content_fields(
    map: &mut HeaderMap,
    content_type: Option<&str>,
    content_digest: Option<&str>,
) -> Result<bool, String> {
    let mut replaced = false;
    for (name, text) in
        [(http::header::CONTENT_TYPE, content_type), (taa_core::fields::CONTENT_DIGEST, content_digest)]
    {
        if let Some(text) = text {
            let (value, other) = field_value(text)?;
            replaced |= other;
            map.append(name, value);
        }
    }
    Ok(replaced)
}

fn from_base64(text: Option<&str>) -> Result<Vec<u8>, String> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(text.unwrap_or_default())
        .map_err(|error| format!("base64 of the file: {error}"))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let digits = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).map_err(|error| error.to_string())?;
        u8::from_str_radix(pair, 16).map_err(|error| format!("hex of the file: {error}"))
    });
    let bytes: Vec<u8> = digits.collect::<Result<_, _>>()?;
    bytes.try_into().map_err(|_| format!("hex of the file: not {N} bytes"))
}
