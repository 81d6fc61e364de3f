use std::collections::BTreeMap;

use serde_json::Value;
use taa_core::legacy::{Version, explain};

use super::case::{self, Request, Server, split_url};
use super::ours::{self, Seen};
use super::verdict::{Class, Tally, Verdict};
use super::{Keys, reference, text};

/// What attacks are called by. A case with such a name that the library let in must not get in here, even on a server
/// that has seen nothing yet. The other attacks (replay, flipped bits, another server) use genuine bytes: they are
/// stopped by what [`accepted`] checks.
const FORGERIES: [&str; 8] =
    ["forge", "swap", "downgrade", "lure", "line feed", "carriage return", "bypass", "key = 1"];

/// Runs requests that were altered or forged. Files of errors and of attacks have one form, and are judged alike.
pub(super) fn run(json: &Value, keys: &Keys) -> Result<Tally, String> {
    let cases = json.as_array().ok_or("no list")?;
    let origin = base_origin(cases)?;
    let mut tally = Tally::default();
    for case in cases {
        let name = text(case, "name").unwrap_or("without a name");
        run_case(case, &origin, keys, &mut tally).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(tally)
}

fn run_case(case: &Value, origin: &str, keys: &Keys, tally: &mut Tally) -> Result<(), String> {
    let (server, request) = case::read(case, origin)?;
    let vector = Verdict::of_vector(case.get("outcome").ok_or("no outcome")?)?;
    let name = text(case, "name").unwrap_or_default().to_lowercase();
    let verdict = judge(&server, &request, keys, &vector, tally)?;
    let let_in = matches!(vector, Verdict::Accept(_)) && matches!(verdict, Verdict::Accept(_));
    if let_in && FORGERIES.iter().any(|word| name.contains(word)) {
        return Err("a forgery got in".to_owned());
    }
    Ok(())
}

/// Decides by our code and by the reference, compares all three, and returns ours.
pub(super) fn judge(
    server: &Server,
    request: &Request,
    keys: &Keys,
    vector: &Verdict,
    tally: &mut Tally,
) -> Result<Verdict, String> {
    let mut seen = Seen::default();
    let found = ours::decide(server, request, keys, Some(&mut seen))?;
    let decision = reference::decide(server, request, keys)?;
    if found != decision.verdict {
        return Err(format!("{found:?}, and the reference says {:?}", decision.verdict));
    }
    tally.compare(&found, decision.class, vector)?;
    if matches!(found, Verdict::Accept(_)) {
        accepted(server, request, keys, &found, &mut seen)?;
    }
    if decision.class == Some(Class::VersionNotAccepted) {
        explained(server, request, keys, vector)?;
    }
    Ok(found)
}

/// What must hold for every request that got in: it works once, here, and again only where the record says so.
fn accepted(
    server: &Server,
    request: &Request,
    keys: &Keys,
    verdict: &Verdict,
    seen: &mut Seen,
) -> Result<(), String> {
    let again = ours::decide(server, request, keys, Some(seen))?;
    if again != Verdict::refuse("REPLAYED", "Certificate used before") {
        return Err(format!("repeated: {again:?}"));
    }
    if ours::decide(server, request, keys, None)? != *verdict {
        return Err("refused although repeats are allowed".to_owned());
    }
    let elsewhere = Server { base_url: "https://elsewhere.example.net".to_owned(), ..server.clone() };
    let found = ours::decide(&elsewhere, request, keys, Some(&mut Seen::default()))?;
    if found != Verdict::refuse("BAD_SIGNATURE", "Bad signature for URL: {0}") {
        return Err(format!("on another server: {found:?}"));
    }
    Ok(())
}

/// What no longer authenticates can still be explained: the same user as the library saw.
fn explained(server: &Server, request: &Request, keys: &Keys, vector: &Verdict) -> Result<(), String> {
    let Verdict::Accept(user) = vector else { return Ok(()) };
    let headers = request.header_map().ok_or("no headers")?;
    let key = &keys.named(&server.key)?.verifying;
    let explained = explain(&headers, Some(key), Some(&request.url(server)));
    // The oldest library counts `+3` as 2; the later one, and the explanation, as 3.
    if explained.user.as_deref() == Some(user) || explained.version == Some(Version::V3) {
        Ok(())
    } else {
        Err(format!("explained with the user {:?} instead of {user:?}", explained.user))
    }
}

/// Alters each request again and again, one character of one field at a time: our code and the reference must agree on
/// every one. Says how many were tried.
pub(super) fn alter(json: &Value, keys: &Keys, rounds: usize) -> Result<usize, String> {
    let cases = json.as_array().ok_or("no list")?;
    let origin = base_origin(cases)?;
    let mut state = 1u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for case in cases {
        let (server, request) = case::read(case, &origin)?;
        for _ in 0..rounds {
            let mut altered = request.clone();
            let count = altered.headers.len();
            let Some((name, value)) = altered.headers.get_mut(draw(count)) else { break };
            let mut chars: Vec<char> = value.chars().collect();
            let at = draw(chars.len() + 1);
            let new = ['A', '/', '=', '0', '2', '3', '-', ' ', '\t', '\n', '\u{e9}', '*'][draw(12)];
            match draw(4) {
                0 => chars.insert(at, new),
                1 => chars.truncate(at),
                _ if at == chars.len() => chars.push(new),
                2 => drop(chars.remove(at)),
                _ => chars[at] = new,
            }
            *value = chars.into_iter().collect();
            let what = format!("{name}: {value:?}");
            let found = ours::decide(&server, &altered, keys, Some(&mut Seen::default()))?;
            let expected = reference::decide(&server, &altered, keys)?.verdict;
            if found != expected {
                return Err(format!("{what}: {found:?}, and the reference says {expected:?}"));
            }
        }
    }
    Ok(cases.len() * rounds)
}

/// The origin of the server's own base URL: the one most requests of a file were meant for.
fn base_origin(cases: &[Value]) -> Result<String, String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        let url = text(case.get("request").ok_or("no request")?, "url")?;
        *counts.entry(split_url(url)?.0).or_default() += 1;
    }
    // A luring host never outnumbers the real one; if it does, its name gives it away.
    let real = |origin: &str| !["attacker", "evil"].iter().any(|word| origin.contains(word));
    counts
        .into_iter()
        .max_by_key(|(origin, count)| (real(origin), *count))
        .map(|(origin, _)| origin)
        .ok_or_else(|| "no cases".to_owned())
}
