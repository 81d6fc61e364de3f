//! `taa key rotate`: what is due, the next key, and its promotion.

use serde::Serialize;
use taa_core::certificate::KeyStatus;
use taa_core::time::UnixMillis;
use taa_store::Store;
use taa_store::model::{KeyPurpose, OwnKeyInfo, Promotion, Snapshot};

use crate::args::RotateArgs;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::table::Rows;
use crate::time::{day_and_time, relative, rfc3339};
use crate::{actor, store};

/// A next key is published so long before it becomes current (wire document, section 7).
const PUBLISHED_AHEAD_MS: u64 = 24 * 3_600_000;
/// A current key older than this should be replaced.
const OLD_MS: u64 = 365 * 86_400_000;

#[derive(Serialize)]
struct Due {
    purpose: &'static str,
    /// `none`, `publish`, `wait` or `promote`.
    next: &'static str,
    /// When it may be promoted.
    due: Option<String>,
    current: Option<String>,
    current_since: Option<String>,
    next_key: Option<String>,
    /// For people.
    what: String,
}

pub(super) async fn run(output: &Output, store: &Store, args: RotateArgs) -> Result<Exit, Failure> {
    let now = store::now()?;
    let mut purposes: Vec<KeyPurpose> = Vec::new();
    for purpose in args.purpose.iter().copied().map(KeyPurpose::from) {
        if !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }
    let when = if args.insecure_at_once { Promotion::InsecureAtOnce } else { Promotion::AfterADay };
    for purpose in &purposes {
        if args.promote {
            store.promote_key(*purpose, when, &actor::current()).await?;
        } else {
            store.publish_next_key(*purpose, &actor::current()).await?;
        }
    }
    let snapshot = store.snapshot();
    let asked = if purposes.is_empty() {
        vec![KeyPurpose::Signing, KeyPurpose::Decryption, KeyPurpose::Legacy]
    } else {
        purposes
    };
    let due = asked.into_iter().map(|purpose| due(&snapshot, purpose, now)).collect::<Result<Vec<_>, _>>()?;
    output.result(&due, || {
        let mut rows = Rows::new(output, &["purpose", "current since", "next to do"]).keep_whole(0);
        for due in &due {
            rows.row([
                due.purpose.to_owned(),
                due.current_since.clone().unwrap_or_default(),
                due.what.clone(),
            ]);
        }
        rows.into_text()
    })?;
    Ok(Exit::Fine)
}

fn due(snapshot: &Snapshot, purpose: KeyPurpose, now: UnixMillis) -> Result<Due, Failure> {
    let keys = &store::own(snapshot)?.keys;
    let with = |status| keys.iter().find(|key| key.purpose == purpose && key.status == status);
    let (current, next) = (with(KeyStatus::Current), with(KeyStatus::Next));
    let promotable = next.map(|key| UnixMillis(key.created.at.0.saturating_add(PUBLISHED_AHEAD_MS)));
    let name = purpose.as_str();
    let (step, what) = match (purpose, current, promotable) {
        (KeyPurpose::Legacy, None, _) => (
            "none",
            "There is no key of the older versions. Where a peer needs one: taa key rotate --purpose legacy".to_owned(),
        ),
        (KeyPurpose::Legacy, Some(_), _) => (
            "none",
            "The older versions know no rotation: revoke the key and make another one, and take it at every peer."
                .to_owned(),
        ),
        (_, _, Some(at)) if at > now => (
            "wait",
            format!(
                "The next key is published. From {} ({}): taa key rotate --purpose {name} --promote",
                day_and_time(at),
                relative(at, now)
            ),
        ),
        (_, _, Some(_)) => (
            "promote",
            format!("Every peer has had a day to fetch the next key: taa key rotate --purpose {name} --promote"),
        ),
        (_, Some(key), None) if now.0.saturating_sub(key.created.at.0) > OLD_MS => {
            ("publish", format!("The key is over a year old: taa key rotate --purpose {name}"))
        }
        (..) => ("none", format!("Nothing is due. To replace the key: taa key rotate --purpose {name}")),
    };
    let since = |key: &OwnKeyInfo| day_and_time(key.created.at);
    Ok(Due {
        purpose: name,
        next: step,
        due: promotable.map(rfc3339),
        current: current.map(|key| key.id.to_string()),
        current_since: current.map(since),
        next_key: next.map(|key| key.id.to_string()),
        what,
    })
}
