use std::sync::Arc;

use crate::user::User;

/// A group of users, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group(Arc<str>);

impl Group {
    /// The group of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }
}

/// The groups that may see something. Empty means nobody, never everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience(Vec<Group>);

impl Audience {
    /// Members of any of these groups.
    #[must_use]
    pub fn of(groups: impl IntoIterator<Item = Group>) -> Self {
        Self(groups.into_iter().collect())
    }

    /// Whether this user belongs to it.
    #[must_use]
    pub fn admits(&self, user: &User) -> bool {
        self.0.iter().any(|group| user.groups.contains(group))
    }
}

/// A narrower audience for single issues, on top of their project's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityLevel {
    /// What the level is called.
    pub name: String,
    /// Who may see issues of this level.
    pub audience: Audience,
}
