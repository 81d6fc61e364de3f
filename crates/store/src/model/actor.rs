use std::fmt;

use serde::Serialize;
use taa_core::time::UnixMillis;

/// Who makes a change, as the audit trail names them: an administrator's name, `cli:root`, `system`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Actor(String);

impl Actor {
    /// A person or program. Control characters become `?`, and what is longer than 255 bytes is cut: a name in a log
    /// must not be able to imitate another line.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let clean = name.trim().chars().map(|c| if c.is_control() { '?' } else { c });
        let mut out = String::new();
        for c in clean {
            if out.len() + c.len_utf8() > 255 {
                break;
            }
            out.push(c);
        }
        if out.is_empty() { Self("?".into()) } else { Self(out) }
    }

    /// The software itself: a refresh, a ratchet.
    #[must_use]
    pub fn system() -> Self {
        Self("system".into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When something happened and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: UnixMillis,
    /// By whom.
    pub by: Actor,
}
