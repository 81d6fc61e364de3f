use serde_json::Value;
use taa_core::id::AppId;
use taa_core::legacy::{ServerKind, application_id};

use super::verdict::Tally;
use super::{list, same, text};

/// Runs ids derived from server ids, and those the library makes up.
pub(super) fn run(json: &Value) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for case in list(json, "productIds")? {
        for (kind, member) in [(ServerKind::Jira, "jira"), (ServerKind::Confluence, "confluence")] {
            let id = application_id(kind, text(case, "serverId")?).map_err(|error| error.to_string())?;
            same(member, id.as_str(), text(case, member)?)?;
        }
        tally.same();
    }
    for sample in json.get("libraryUidSamples").and_then(Value::as_array).into_iter().flatten() {
        let sample = sample.as_str().ok_or("a sample is no text")?;
        AppId::parse(sample).map_err(|error| format!("{sample:?}: {error}"))?;
        tally.same();
    }
    Ok(tally)
}
