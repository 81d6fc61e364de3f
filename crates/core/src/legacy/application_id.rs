use md5::{Digest, Md5};

use crate::id::{AppId, AppIdError};

/// The two products whose ids follow a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerKind {
    /// The wiki.
    Confluence,
    /// The issue tracker.
    Jira,
}

/// The id a product gives itself: `jira:` or `confluence:` and the first three bytes of MD5(server id) as a number
/// (older versions, section 13). It says who somebody claims to be and proves nothing.
///
/// # Errors
/// Never with these prefixes; the type is that of every id.
pub fn application_id(kind: ServerKind, server_id: &str) -> Result<AppId, AppIdError> {
    let number = Md5::digest(server_id.as_bytes())
        .iter()
        .take(3)
        .fold(0u32, |number, byte| (number << 8) | u32::from(*byte));
    let prefix = match kind {
        ServerKind::Confluence => "confluence",
        ServerKind::Jira => "jira",
    };
    AppId::parse(&format!("{prefix}:{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_empty_server_id() {
        let id = application_id(ServerKind::Confluence, "").unwrap();
        assert_eq!(id.as_str(), "confluence:13901196");
    }
}
