use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;
use taa_core::id::AppId;
use taa_core::legacy::{
    CertificateKey, Claim, Judgement, SignError, SignedFields, explain, insecure_encode_v0,
    insecure_encode_v1, sign_v2, sign_v3,
};
use taa_core::time::UnixMillis;

use super::case::{self, Request, Server, split_url};
use super::verdict::{Class, Tally, Verdict};
use super::{Keys, filler, hex, requests, same, text};

/// Runs what the libraries signed: ours must write the same fields, and read them.
pub(super) fn run(json: &Value, keys: &Keys) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for case in json.as_array().ok_or("no list")? {
        let name = text(case, "name").unwrap_or("without a name");
        encode(case, keys, &mut tally).map_err(|error| format!("{name}, written: {error}"))?;
        if case.get("headers").is_some() {
            decode(case, keys, &mut tally).map_err(|error| format!("{name}, read: {error}"))?;
        }
    }
    Ok(tally)
}

fn number(case: &Value, member: &str) -> Result<u64, String> {
    case.get(member).and_then(Value::as_u64).ok_or_else(|| format!("no number {member:?}"))
}

fn encode(case: &Value, keys: &Keys, tally: &mut Tally) -> Result<(), String> {
    let key = &keys.named(text(case, "key")?)?.signing;
    let Ok(app_id) = AppId::parse(text(case, "appId")?) else {
        tally.differs(Class::AppIdAlphabet);
        return Ok(());
    };
    let (user, url) = (text(case, "user")?, text(case, "url")?);
    let timestamp = number(case, "timestampMs").or_else(|_| number(case, "clockMs"))?;
    let claim = Claim { app_id: &app_id, user, url, timestamp: UnixMillis(timestamp) };
    let secret = match case.get("rc4KeyHex").and_then(Value::as_str) {
        None => [1; 16],
        Some(text) => hex(text)?.try_into().map_err(|_| "an RC4 key without 16 bytes")?,
    };
    let secret = CertificateKey::from_bytes(secret).map_err(|error| error.to_string())?;
    let random = &mut filler();
    let version = number(case, "version")?;
    let written = match version {
        0 => insecure_encode_v0(key, &claim, &secret, random),
        1 => insecure_encode_v1(key, &claim, &secret, random),
        2 => sign_v2(key, &claim, &secret, random),
        3 => sign_v3(key, &claim, random),
        other => return Err(format!("version {other}")),
    };
    let controls = [user, url].iter().any(|text| text.contains(char::is_control));
    match written {
        Err(SignError::User | SignError::Url) if controls && version >= 2 => {
            match case.get("signException") {
                Some(_) => tally.same(),
                None => tally.differs(Class::SignerRefusesControls),
            }
            Ok(())
        }
        Err(error) => Err(error.to_string()),
        Ok(_) if case.get("signException").is_some() => Err("signed what the library refused".to_owned()),
        Ok(fields) => {
            same("the fields", fields_of(&fields)?, expected(case)?)?;
            tally.same();
            Ok(())
        }
    }
}

fn fields_of(fields: &SignedFields) -> Result<BTreeMap<String, String>, String> {
    let mut map = HeaderMap::new();
    fields.insert_into(&mut map);
    map.iter()
        .map(|(name, value)| {
            let secret = !name.as_str().ends_with("-id") && !name.as_str().ends_with("-version");
            same("sensitive", value.is_sensitive(), secret)?;
            Ok((name.as_str().to_owned(), value.to_str().map_err(|error| error.to_string())?.to_owned()))
        })
        .collect()
}

/// Fields with an empty value say nothing: two HTTP clients send them, ours does not.
fn expected(case: &Value) -> Result<BTreeMap<String, String>, String> {
    let headers = case::headers(case)?.into_iter();
    Ok(headers
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect())
}

fn decode(case: &Value, keys: &Keys, tally: &mut Tally) -> Result<(), String> {
    let (origin, path, query) = split_url(text(case, "url")?)?;
    let server = Server {
        app_id: text(case, "appId")?.to_owned(),
        key: text(case, "key")?.to_owned(),
        timeout_ms: 10_000,
        now_ms: number(case, "clockMs")?,
        addresses: Vec::new(),
        paths: Vec::new(),
        users: None,
        cannot_login: Vec::new(),
        min_version: u8::try_from(number(case, "version")?).unwrap_or(u8::MAX).max(2),
        base_url: origin.clone(),
    };
    let request = Request {
        headers: case::headers(case)?,
        origin,
        path,
        query,
        remote_addr: "127.0.0.1".to_owned(),
        forwarded: false,
    };
    let vector = Verdict::of_vector(case.get("verify").ok_or("no verify")?)?;
    requests::judge(&server, &request, keys, &vector, tally)?;
    explained(case, keys, &server, &request)
}

/// Every stage in between, as the explanation shows it.
fn explained(case: &Value, keys: &Keys, server: &Server, request: &Request) -> Result<(), String> {
    let headers = request.header_map().ok_or("no headers")?;
    let key = &keys.named(&server.key)?.verifying;
    let found = explain(&headers, Some(key), Some(text(case, "url")?));
    let version = number(case, "version")?;
    let user = text(case, "user")?;
    let line = user.split(['\n', '\r']).next().unwrap_or_default();
    same("version", found.version.map(|v| u64::from(v.number())), Some(version))?;
    same("id", found.app_id.as_deref(), Some(text(case, "appId")?))?;
    same("time", found.timestamp, i64::try_from(number(case, "timestampMs")?).ok())?;
    same("user", found.user.as_deref(), Some(line))?;
    same("the certificate's magic", found.certificate_magic, Judgement::Good)?;
    let magic = if matches!(version, 1 | 2) { Judgement::Good } else { Judgement::Absent };
    same("magic", found.magic, magic)?;
    same("length of the RC4 key", found.rc4_key_len, (version < 3).then_some(16))?;
    if let Some(base) = case.get("signatureBase").and_then(Value::as_str) {
        // In version 3 a line end in the name splits it, for peers too: then the signature is seen to be wrong.
        let split = version == 3 && line != user;
        same("the signature's base is right", found.signature_base.as_deref() == Some(base), !split)?;
        same("signature", found.signature, if split { Judgement::Bad } else { Judgement::Good })?;
    }
    same("problems", found.problems, Vec::new())
}
