use taa_core::id::UserNameError;
use taa_core::policy::NamePattern;

use crate::failure::Failure;

/// A user name or pattern as typed.
pub(crate) fn pattern(typed: &str) -> Result<NamePattern, Failure> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Failure::field("pattern", "Type a user name, or a pattern as svc-*."));
    }
    typed.parse().map_err(|error: UserNameError| Failure::field("pattern", error.to_string()))
}
