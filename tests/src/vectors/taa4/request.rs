use std::error::Error;

use http::Method;
use taa_core::answer::ProvenAnswer;
use taa_core::decision::{NoSessions, Prover};
use taa_core::id::UserName;
use taa_core::request::{ContentDigest, Covered, Iv, Target, open, seal};
use taa_core::time::UnixMillis;

use super::session::Ready;
use super::{RequestVector, ResponseVector, add_content_fields, from_base64, from_hex, to_hex};
use crate::harness::{Incoming, Nonces};
use crate::vectors::{Tally, same};

pub(super) fn run(ready: &Ready<'_>, case: &RequestVector, tally: &mut Tally) {
    let name = || format!("{} {}", case.method, case.target);
    let group = format!("{} requests", ready.label);
    let prover = match both_ways(ready, case) {
        Ok(prover) => prover,
        Err(error) => return tally.case(&group, name, Err(error.to_string())),
    };
    tally.case(&group, name, Ok(()));
    let group = format!("{} responses", ready.label);
    for response in &case.responses {
        let name = || format!("{} to {} {}", response.http_status, case.method, case.target);
        let result = answer(ready, case, &prover, response).map_err(|error| error.to_string());
        tally.case(&group, name, result);
    }
}

/// Seals the request as a client does and decides it as a server does.
fn both_ways(ready: &Ready<'_>, case: &RequestVector) -> Result<Prover, Box<dyn Error>> {
    let method = Method::from_bytes(case.method.as_bytes())?;
    let user = UserName::parse(&case.user)?;
    let created = UnixMillis(case.created_ms);
    let iv: Iv = from_hex(&case.iv_hex)?;
    let body = from_base64(case.body_base64.as_deref())?;
    let digest = case.content_digest.as_deref().unwrap_or_default();
    let covered = Covered {
        method: &method,
        target: Target::parse(&case.target)?,
        content_type: case.content_type.as_deref().unwrap_or_default(),
        content_digest: digest,
    };
    same("additional data", to_hex(&covered.to_bytes()), case.aad_hex.clone())?;
    let sealed = seal(&ready.keys, &covered, created, &user, &iv);
    same("certificate", encode(sealed.as_bytes()), case.cert.clone())?;
    let mut sealed = sealed.as_bytes().to_vec();
    let (opened_iv, plain) = open(&ready.keys, &covered, &mut sealed)?;
    same("opened", (opened_iv, plain.created, plain.user), (iv, created, case.user.as_bytes()))?;
    if !digest.is_empty() {
        same("content digest", ContentDigest::parse(digest)?, ContentDigest::of(&body))?;
    }

    let (mut headers, _) = ready.fields(&case.cert).to_map()?;
    add_content_fields(&mut headers, case.content_type.as_deref(), case.content_digest.as_deref())?;
    let incoming = Incoming { method: &method, target: &case.target, headers: &headers, body: &body };
    let accepted = ready.application.decide(&NoSessions, &Nonces::default(), incoming, created)?;
    same("user", accepted.allowed.user(), &user)?;
    same("application", accepted.allowed.application().id(), &ready.client)?;
    same("signing key", accepted.allowed.key(), Some(ready.signing.id()))?;
    Ok(accepted.prover)
}

/// The proof is the server's and convinces the client, for this answer to this request only.
fn answer(
    ready: &Ready<'_>,
    case: &RequestVector,
    prover: &Prover,
    response: &ResponseVector,
) -> Result<(), Box<dyn Error>> {
    let iv: Iv = from_hex(&case.iv_hex)?;
    let answer = ProvenAnswer {
        http_status: response.http_status,
        status: response.status.as_deref().unwrap_or_default(),
        error: response.error.as_deref().unwrap_or_default(),
        content_digest: response.content_digest.as_deref().unwrap_or_default(),
    };
    same("proof", answer.prove(&ready.keys, &iv), response.proof.clone())?;
    same("proof by the server", prover.prove(&answer), response.proof.clone())?;
    same("proof is good", answer.is_proven_by(&ready.keys, &iv, &response.proof), true)?;

    let longer = format!("{}x", answer.error);
    let altered = [
        ProvenAnswer { http_status: answer.http_status ^ 1, ..answer },
        ProvenAnswer { status: if answer.status == "OK" { "ERROR" } else { "OK" }, ..answer },
        ProvenAnswer { status: "", ..answer },
        ProvenAnswer { error: &longer, ..answer },
        ProvenAnswer { content_digest: "sha-256=:AA==:", ..answer },
    ];
    for other in altered {
        same("proof of an altered answer", other.is_proven_by(&ready.keys, &iv, &response.proof), false)?;
    }
    let mut other_iv = iv;
    other_iv.reverse();
    if other_iv != iv {
        same(
            "proof of another request",
            answer.is_proven_by(&ready.keys, &other_iv, &response.proof),
            false,
        )?;
    }
    for other in [String::new(), format!("{}=", response.proof), response.proof.to_lowercase(), "AAAA".into()]
    {
        if other != response.proof {
            same("altered proof", answer.is_proven_by(&ready.keys, &iv, &other), false)?;
        }
    }
    Ok(())
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
