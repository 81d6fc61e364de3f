use std::sync::Arc;
use std::time::Duration;

use taa_core::time::UnixMillis;
use taa_store::model::{KeyPurpose, OwnKeyInfo, Snapshot};

use crate::console::Console;
use crate::failure::{Failure, FieldProblem};
use crate::server_text::{base_url, name};
use crate::visit::Visit;

/// How long a `next` key is published before it becomes current (wire document, section 7).
const PUBLISHED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// From when on a `next` key may become current.
pub(crate) fn promotable_at(key: &OwnKeyInfo) -> UnixMillis {
    key.created.at.plus(PUBLISHED_FOR)
}

/// The purpose with this name.
pub(crate) fn purpose(text: &str) -> Option<KeyPurpose> {
    [KeyPurpose::Decryption, KeyPurpose::Legacy, KeyPurpose::Signing]
        .into_iter()
        .find(|purpose| purpose.to_string() == text)
}

/// Changes name and base URL of this application.
pub(crate) async fn change_profile(
    console: &Console,
    visit: &Visit,
    new_name: &str,
    new_base_url: &str,
) -> Result<Arc<Snapshot>, Failure> {
    let mut problems = Vec::new();
    let name = name(new_name, &mut problems);
    let base_url =
        base_url(new_base_url).map_err(|message| problems.push(FieldProblem::new("base_url", message)));
    match (name, base_url) {
        (Some(name), Ok(base_url)) => {
            Ok(console.store().change_profile(&name, &base_url, visit.actor()).await?)
        }
        _ => Err(Failure::Fields(problems)),
    }
}
