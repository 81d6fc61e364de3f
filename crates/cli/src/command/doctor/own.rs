//! This application's own keys and certificate.

use taa_core::certificate::{Content, KeyStatus};
use taa_core::time::UnixMillis;
use taa_store::model::{KeyPurpose, OwnIdentity, OwnKeyInfo, Row, Snapshot};

use super::Findings;
use crate::text::count;
use crate::time::{relative, span};

const DAY_MS: u64 = 86_400_000;
/// What ends sooner is said.
pub(super) const SOON_MS: u64 = 7 * DAY_MS;
/// A current key older than this should be replaced.
const OLD_MS: u64 = 365 * DAY_MS;

pub(super) fn look(snapshot: &Snapshot, now: UnixMillis, findings: &mut Findings) {
    let Some(own) = &snapshot.own else {
        findings.bad("own identity", "there is none yet", "taa init --id … --name … --base-url …");
        return;
    };
    let content = own.certificate.content();
    findings.ok(
        "own identity",
        format!(
            "{}, certificate number {}, fingerprint {}",
            content.iss,
            content.seq,
            own.certificate.fingerprint()
        ),
    );
    for purpose in [KeyPurpose::Signing, KeyPurpose::Decryption] {
        look_at_purpose(own, purpose, now, findings);
    }
    look_at_ended(own, now, findings);
    if content.keys.len() >= Content::MAX_KEYS {
        findings.warn(
            "own certificate",
            format!("lists {}, the most there can be", count(content.keys.len(), "key", "keys")),
            "taa key remove-ended",
        );
    }
    let older = snapshot.servers.iter().filter_map(Row::good).find(|server| server.protocol.is_legacy());
    if let Some(server) = older
        && snapshot.secrets.as_ref().is_some_and(|secrets| secrets.legacy.is_none())
    {
        findings.bad(
            "key of the older versions",
            format!("there is none, and {} speaks version {}", server.id, server.protocol),
            "taa key rotate --purpose legacy",
        );
    }
}

fn look_at_purpose(own: &OwnIdentity, purpose: KeyPurpose, now: UnixMillis, findings: &mut Findings) {
    let about = format!("own {purpose} key");
    let with = |status| own.keys.iter().find(|key| key.purpose == purpose && key.status == status);
    let Some(current) = with(KeyStatus::Current) else {
        findings.bad(about, "there is no current one", "taa key rotate shows what is next");
        return;
    };
    let age = now.0.saturating_sub(current.created.at.0);
    let ends = current.exp.map(|exp| UnixMillis(exp.saturating_mul(1000)));
    if let Some(ends) = ends.filter(|ends| ends.0 < now.0.saturating_add(SOON_MS)) {
        let found = format!("ends {}", relative(ends, now));
        let advice = format!("taa key rotate --purpose {purpose}");
        if ends <= now { findings.bad(about, found, advice) } else { findings.warn(about, found, advice) }
    } else if age > OLD_MS && with(KeyStatus::Next).is_none() {
        findings.warn(about, format!("is {} old", span(age)), format!("taa key rotate --purpose {purpose}"));
    } else {
        findings.ok(about, format!("{} bits, {} old", current.bits, span(age)));
    }
    if let Some(next) = with(KeyStatus::Next) {
        look_at_next(next, purpose, now, findings);
    }
}

fn look_at_next(next: &OwnKeyInfo, purpose: KeyPurpose, now: UnixMillis, findings: &mut Findings) {
    let about = format!("next {purpose} key");
    let due = UnixMillis(next.created.at.0.saturating_add(DAY_MS));
    if due > now {
        findings.ok(about, format!("is published; it can be promoted {}", relative(due, now)));
    } else {
        findings.warn(
            about,
            format!(
                "is published since {} and can be promoted",
                span(now.0.saturating_sub(next.created.at.0))
            ),
            format!("taa key rotate --purpose {purpose} --promote"),
        );
    }
}

fn look_at_ended(own: &OwnIdentity, now: UnixMillis, findings: &mut Findings) {
    let ended =
        own.keys.iter().filter(|key| key.status == KeyStatus::Previous && !now.is_before(key.exp)).count();
    if ended > 0 {
        findings.warn(
            "ended keys",
            format!("{} still kept", count(ended, "private key is", "private keys are")),
            "taa key remove-ended",
        );
    }
}
