//! The service's user base, as the layer asks it.

use std::error::Error;
use std::fmt;

use taa_core::id::{AppId, UserName};

/// Looks a user up.
///
/// An implementor must answer from the service's own user base, and must fail with an error, never with a guess, when
/// that cannot be asked: the request is then refused with `SYSTEM`.
pub trait UserResolver: Send + Sync + 'static {
    /// Finds out whether this user exists and may log in. `name` has gone through the [`NameTransform`];
    /// `application` is the one that asks.
    ///
    /// # Errors
    /// When the user base cannot be asked.
    fn resolve(
        &self,
        name: &UserName,
        application: &AppId,
    ) -> impl Future<Output = Result<Resolution, ResolveError>> + Send;
}

/// What a user base says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The user exists and may log in; the name is the one the user base uses for them.
    Known(UserName),
    /// The user exists and may not log in.
    MayNotLogIn,
    /// There is no such user.
    Unknown,
}

/// The user base cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("the user base cannot be asked")]
pub struct ResolveError(#[source] Box<dyn Error + Send + Sync>);

impl ResolveError {
    /// Wraps whatever went wrong, for the log.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// What is done to a name before the user base is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameTransform {
    /// Lower-case, by Unicode's rules and no locale's: as JIRA does by default.
    #[default]
    LowerCase,
    /// The name as it was sent.
    Unchanged,
}

impl NameTransform {
    /// The name to ask for.
    ///
    /// # Errors
    /// When the result is no user name any more.
    pub(crate) fn apply(self, name: &UserName) -> Result<UserName, taa_core::id::UserNameError> {
        match self {
            Self::LowerCase if name.as_str().chars().any(|c| !c.is_lowercase() && c.is_alphabetic()) => {
                UserName::parse(&name.as_str().to_lowercase())
            }
            Self::LowerCase | Self::Unchanged => Ok(name.clone()),
        }
    }
}

/// A fixed list of users, for tests and examples.
#[derive(Clone, Default)]
pub struct StaticUsers(std::collections::HashMap<String, bool>);

impl StaticUsers {
    /// Users who may log in.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        Self(names.into_iter().map(|name| (name.to_owned(), true)).collect())
    }

    /// Adds a user who exists and may not log in.
    #[must_use]
    pub fn with_blocked(mut self, name: &str) -> Self {
        self.0.insert(name.to_owned(), false);
        self
    }
}

impl UserResolver for StaticUsers {
    async fn resolve(&self, name: &UserName, _: &AppId) -> Result<Resolution, ResolveError> {
        Ok(match self.0.get(name.as_str()) {
            Some(true) => Resolution::Known(name.clone()),
            Some(false) => Resolution::MayNotLogIn,
            None => Resolution::Unknown,
        })
    }
}

impl fmt::Debug for StaticUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StaticUsers({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_by_default() {
        let apply = |transform: NameTransform, name: &str| {
            transform.apply(&UserName::parse(name).unwrap()).unwrap().to_string()
        };
        assert_eq!(apply(NameTransform::default(), "Fred"), "fred");
        assert_eq!(apply(NameTransform::default(), "ÉMILE"), "émile");
        assert_eq!(apply(NameTransform::default(), "fred 2"), "fred 2");
        assert_eq!(apply(NameTransform::Unchanged, "Fred"), "Fred");
    }
}
