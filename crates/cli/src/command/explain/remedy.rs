//! The command that does something about a refusal.

use taa_core::decision::Reason;
use taa_core::decision::explain::{Explanation, Standing, Value};
use taa_core::legacy::FailureKind;
use taa_core::policy::CanonicalPath;

use crate::time::rfc3339;

/// For whoever may change the rules; whether they should is the advice's matter. None where no command helps, or where it
/// would have to repeat what an unproven request says about itself.
pub(super) fn of(explanation: &Explanation) -> Option<String> {
    let (_, refusal) = explanation.failure()?;
    let id = shown(explanation, "application", false)?;
    match refusal.reason() {
        Reason::AddressRemote
        | Reason::AddressForwarded
        | Reason::Older(FailureKind::BadRemoteIp | FailureKind::BadXforwardIp) => {
            // Ours: it stands as `192.0.2.7, from X-Forwarded-For`.
            let address = shown(explanation, "address", false)?;
            let address = address.split(',').next()?.to_owned();
            command(&["trust", "set", &id, "--add-address", &address])
        }
        Reason::ApplicationDisabled => command(&["trust", "enable", &id]),
        Reason::EnvelopeTime | Reason::TooOld | Reason::TooEarly | Reason::Older(FailureKind::OldCert) => {
            let made = moment(explanation, "created").or_else(|| moment(explanation, "issued"))?;
            Some(format!("taa explain --now {made} …"))
        }
        Reason::MethodNotAllowed => {
            let method = shown(explanation, "method", true)?;
            command(&["trust", "set", &id, "--add-method", &method])
        }
        Reason::PathNotAllowed => {
            // An ambiguous path is refused whatever the list says.
            let path = shown(explanation, "path", true).filter(|path| CanonicalPath::parse(path).is_ok())?;
            command(&["trust", "set", &id, "--add-path", &path])
        }
        Reason::ProtocolTooOld => command(&["trust", "show", &id]),
        Reason::SigningKeyUnknown => command(&["trust", "refresh", &id]),
        Reason::UserRevoked => command(&["trust", "revoked-users"]),
        _ => None,
    }
}

/// The first value of this name; `proven` when it must not be a stranger's.
fn shown(explanation: &Explanation, name: &str, proven: bool) -> Option<String> {
    let mut values = explanation.steps.iter().flat_map(|step| &step.shown).filter(|shown| shown.name == name);
    let shown = values.next()?;
    (!proven || shown.standing != Standing::Unproven).then(|| shown.value.to_string())
}

fn moment(explanation: &Explanation, name: &str) -> Option<String> {
    let mut values = explanation.steps.iter().flat_map(|step| &step.shown).filter(|shown| shown.name == name);
    match values.next()?.value {
        Value::Time(at) => Some(rfc3339(at)),
        _ => None,
    }
}

fn command(words: &[&str]) -> Option<String> {
    let quoted: Result<Vec<_>, _> = words.iter().map(|word| shlex::try_quote(word)).collect();
    Some(format!("taa {}", quoted.ok()?.join(" ")))
}
