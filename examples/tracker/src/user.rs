use std::collections::BTreeMap;

use crate::permission::Group;
use crate::viewer::Viewer;

/// One person the tracker knows.
#[derive(Clone, Debug)]
pub struct User {
    /// The name in its one spelling, as the tracker shows it.
    pub name: String,
    /// The name people read.
    pub display_name: String,
    /// The groups the user belongs to; permissions are given to these, never to users.
    pub groups: Vec<Group>,
    /// Whether the user may log in, and so may be acted for.
    pub may_log_in: bool,
}

/// Everybody the tracker knows. Case does not count: names are compared in lower case, as the trusting side of old did.
#[derive(Clone, Debug, Default)]
pub struct UserBase {
    by_name: BTreeMap<String, User>,
}

impl UserBase {
    /// A user base of these people; of two with one name the later stays.
    #[must_use]
    pub fn new(users: impl IntoIterator<Item = User>) -> Self {
        Self { by_name: users.into_iter().map(|user| (user.name.to_lowercase(), user)).collect() }
    }

    /// The user of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&User> {
        self.by_name.get(&name.to_lowercase())
    }

    /// Whether there is a user of this name.
    #[must_use]
    pub fn exists(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Whether there is a user of this name who may log in.
    #[must_use]
    pub fn may_log_in(&self, name: &str) -> bool {
        self.find(name).is_some_and(|user| user.may_log_in)
    }

    /// The user who is looking. An unknown name, or one who may not log in, counts as nobody.
    #[must_use]
    pub fn viewer(&self, viewer: &Viewer) -> Option<&User> {
        self.find(viewer.0.as_deref()?).filter(|user| user.may_log_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn case_does_not_count() {
        let users = sample::users();
        assert!(users.exists("FRED") && users.may_log_in("Fred"));
        assert_eq!(users.find("fReD").map(|user| user.name.as_str()), Some("fred"));
        assert!(!users.exists("ghost") && !users.may_log_in("ghost"));
    }

    #[test]
    fn blocked_exists_and_is_nobody() {
        let users = sample::users();
        assert!(users.exists("blocked") && !users.may_log_in("blocked"));
        assert!(users.viewer(&Viewer(Some("blocked".into()))).is_none());
        assert!(users.viewer(&Viewer(None)).is_none());
    }
}
