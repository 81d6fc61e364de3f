//! Runs the vectors of the older versions (0 to 3) against `taa_core::legacy`.
//!
//! The vectors say what the peers' own libraries did. Each request is decided three times: by the vector, by our code,
//! and by the module `reference`, a second writing of the rules that shares no code with the first. Ours must equal the reference
//! always; the reference may differ from the vector only where it names a [`Class`] of difference.

mod application_id;
mod case;
mod error_format;
mod keys;
mod ours;
mod page;
mod policy;
mod raw_rsa;
mod reference;
mod requests;
mod sign;
mod timeouts;
mod verdict;

use serde_json::Value;

pub use keys::Keys;
pub use verdict::{Class, Tally};

/// The kinds of vector files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ids derived from a server id.
    ApplicationId,
    /// Certificate pages, written and read.
    CertificatePage,
    /// The parts of the error text.
    ErrorFormat,
    /// Address patterns; run by the policy's runner.
    IpMatcher,
    /// The keys that the other files name.
    Keys,
    /// Textbook RSA.
    RawRsa,
    /// Requests, altered or forged, with what the libraries answered.
    Requests,
    /// Requests as the libraries sign them.
    Sign,
    /// Timestamps, timeouts and clocks.
    Timeouts,
    /// Path patterns; run by the policy's runner.
    UrlMatcher,
}

/// Tells a file's kind by its shape; its name does not count. `None` when it has none of these shapes.
pub fn recognise(json: &Value) -> Option<Kind> {
    let all = |list: &Value, members: &[&str]| {
        list.as_array().is_some_and(|list| {
            !list.is_empty()
                && list.iter().all(|item| members.iter().all(|member| item.get(member).is_some()))
        })
    };
    if json.is_array() {
        return [
            (Kind::Requests, &["server", "request", "outcome"][..]),
            (Kind::Sign, &["version", "key", "appId", "user", "url", "clockMs"]),
            (Kind::Timeouts, &["timestamp", "timeout", "now", "outcome"]),
            (Kind::UrlMatcher, &["patterns", "path", "match"]),
        ]
        .into_iter()
        .find_map(|(kind, members)| all(json, members).then_some(kind));
    }
    let object = json.as_object()?;
    if !object.is_empty()
        && object.values().all(|key| key.get("pkcs8").is_some() && key.get("spki").is_some())
    {
        return Some(Kind::Keys);
    }
    [
        (Kind::ApplicationId, &["productIds"][..]),
        (Kind::CertificatePage, &["written", "read"]),
        (Kind::ErrorFormat, &["encodeParams", "decodeParams", "parseErrorHeader"]),
        (Kind::IpMatcher, &["patternValidation", "match"]),
    ]
    .into_iter()
    .find_map(|(kind, members)| members.iter().all(|member| object.contains_key(*member)).then_some(kind))
    .or_else(|| all(json.get("cases")?, &["inputHex", "key"]).then_some(Kind::RawRsa))
}

/// Runs a file and says how many cases it had and which differences they showed.
///
/// # Errors
/// The first case that is wrong, in words; or that the file has no shape this runner knows.
pub fn run(json: &Value, keys: &Keys) -> Result<Tally, String> {
    match recognise(json).ok_or("no known shape")? {
        Kind::ApplicationId => application_id::run(json),
        Kind::CertificatePage => page::run(json, keys),
        Kind::ErrorFormat => error_format::run(json),
        Kind::Keys => keys::run(json),
        Kind::RawRsa => raw_rsa::run(json, keys),
        Kind::Requests => requests::run(json, keys),
        Kind::Sign => sign::run(json, keys),
        Kind::Timeouts => timeouts::run(json, keys),
        kind @ (Kind::IpMatcher | Kind::UrlMatcher) => {
            Err(format!("{kind:?} belongs to the policy's runner"))
        }
    }
}

/// Alters the requests of a [`Kind::Requests`] file, `rounds` times each, and compares our code with the reference.
///
/// # Errors
/// The first altered request on which they disagree.
pub fn alter(json: &Value, keys: &Keys, rounds: usize) -> Result<usize, String> {
    requests::alter(json, keys, rounds)
}

/// A list inside a vector file.
fn list<'a>(json: &'a Value, member: &str) -> Result<&'a Vec<Value>, String> {
    json.get(member).and_then(Value::as_array).ok_or_else(|| format!("no list {member:?}"))
}

/// A text inside a vector.
fn text<'a>(json: &'a Value, member: &str) -> Result<&'a str, String> {
    json.get(member).and_then(Value::as_str).ok_or_else(|| format!("no text {member:?} in {json}"))
}

/// Fails with what was found and what was expected.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(format!("no hex: {text:?}"));
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|error| error.to_string()))
        .collect()
}

/// Bytes to blind private operations with; results do not depend on them.
fn filler() -> impl FnMut(&mut [u8]) -> Result<(), std::convert::Infallible> {
    let mut state = 0x9e37_79b9u32;
    move |out| {
        for byte in out {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = state.to_be_bytes()[0];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
