use std::error::Error;

use http::Method;
use taa_core::decision::{NoSessions, Refusal, Sessions};
use taa_core::time::UnixMillis;

use super::session::Ready;
use super::{RefusalVector, add_content_fields, from_base64};
use crate::harness::{Incoming, KnownSessions, Nonces};
use crate::vectors::{Tally, same};

/// Every refusal, by a server that knows no session and by one that knows this session already.
pub(super) fn run_all(ready: &Ready<'_>, tally: &mut Tally) {
    let group = format!("{} refusals", ready.label);
    let known = known(ready);
    for case in &ready.vector.refusals {
        let mut replaced = false;
        let result = run(ready, case, &NoSessions, &mut replaced)
            .map_err(|why| format!("session unknown: {why}"))
            .and_then(|()| {
                let known = known.as_ref().map_err(ToString::to_string)?;
                run(ready, case, known, &mut replaced).map_err(|why| format!("session known: {why}"))
            });
        if replaced {
            tally.note(&format!("{} cases with a byte that no field can carry", ready.label));
        }
        tally.case(&group, || case.why.clone(), result);
    }
}

/// A table that holds this session, because a good request was made in it.
fn known(ready: &Ready<'_>) -> Result<KnownSessions, Box<dyn Error>> {
    let known = KnownSessions::default();
    if let Some(case) = ready.vector.requests.iter().find(|case| case.body_base64.is_none()) {
        let method = Method::from_bytes(case.method.as_bytes())?;
        let (mut headers, _) = ready.fields(&case.cert).to_map()?;
        add_content_fields(&mut headers, case.content_type.as_deref(), case.content_digest.as_deref())?;
        let incoming = Incoming { method: &method, target: &case.target, headers: &headers, body: &[] };
        ready.application.decide(&known, &Nonces::default(), incoming, UnixMillis(case.created_ms))?;
        same("sessions kept", known.all().len(), 1)?;
    }
    Ok(known)
}

fn run(
    ready: &Ready<'_>,
    case: &RefusalVector,
    sessions: &dyn Sessions,
    replaced: &mut bool,
) -> Result<(), String> {
    let (mut headers, other) = case.headers.to_map()?;
    *replaced |= other;
    *replaced |=
        add_content_fields(&mut headers, case.content_type.as_deref(), case.content_digest.as_deref())?;
    let body = from_base64(case.body_base64.as_deref())?;
    let nonces = Nonces::default();
    // What is no token never gets past an HTTP library, whose answer is the same as ours would be.
    let Ok(method) = Method::from_bytes(case.method.as_bytes()) else {
        *replaced = true;
        return same("code of a method that is no token", "MALFORMED", &case.code);
    };
    let incoming = Incoming { method: &method, target: &case.target, headers: &headers, body: &body };
    let decide = |now| ready.application.decide(sessions, &nonces, incoming, UnixMillis(now));
    let judged = match case.repeat_after_ms {
        None => decide(case.clock_ms),
        Some(after) => {
            decide(case.clock_ms).map_err(|refusal| format!("the first one was refused: {refusal}"))?;
            decide(case.clock_ms.saturating_add(after))
        }
    };
    match judged {
        Ok(accepted) => Err(format!("accepted as {:?}, should be {}", accepted.allowed.user(), case.code)),
        Err(refusal) => code_of(&refusal, &case.code),
    }
}

fn code_of(refusal: &Refusal, expected: &str) -> Result<(), String> {
    if refusal.code().as_str() == expected {
        return Ok(());
    }
    Err(format!("code is {} ({refusal}), should be {expected}", refusal.code()))
}
