//! Who is trusted: the applications a server knows, as one immutable snapshot.

mod application;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

pub use application::{Application, PeerKey};

use crate::decision::Reason;
use crate::id::{AppId, KeyId, UserName};
use crate::policy::NeverAs;

/// The applications a server knows. A change makes a new one; a request sees one from beginning to end.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    applications: HashMap<AppId, Arc<Application>>,
    revoked_users: NeverAs,
}

impl Directory {
    /// Puts applications together.
    ///
    /// # Errors
    /// When two have one id, or one key stands under two of them.
    pub fn new(applications: impl IntoIterator<Item = Application>) -> Result<Self, DirectoryError> {
        let mut directory = Self::default();
        let mut owners: HashMap<KeyId, AppId> = HashMap::new();
        for application in applications {
            for key in application.key_ids() {
                match owners.entry(key) {
                    Entry::Occupied(owner) if owner.get() != application.id() => {
                        return Err(DirectoryError::KeyUnderTwoIds {
                            key,
                            first: owner.get().clone(),
                            second: application.id().clone(),
                        });
                    }
                    // Under one id this is a key of version 4 that older versions use as well.
                    Entry::Occupied(_) => return Err(DirectoryError::KeyForTwoPurposes { key }),
                    Entry::Vacant(place) => place.insert(application.id().clone()),
                };
            }
            let id = application.id().clone();
            if directory.applications.insert(id.clone(), Arc::new(application)).is_some() {
                return Err(DirectoryError::SameId(id));
            }
        }
        Ok(directory)
    }

    /// Names the users whom no application may name any more, whatever its own rules say (wire document, section 5, step
    /// 10).
    #[must_use]
    pub fn with_revoked_users(mut self, users: NeverAs) -> Self {
        self.revoked_users = users;
        self
    }

    /// The users whom no application may name.
    #[must_use]
    pub fn revoked_users(&self) -> &NeverAs {
        &self.revoked_users
    }

    /// Step 10: whether this application may name this user.
    ///
    /// # Errors
    /// [`Reason::UserNever`] when its rules forbid it, [`Reason::UserRevoked`] when nobody may.
    pub fn may_name(&self, application: &Application, user: &UserName) -> Result<(), Reason> {
        if application.policy().never_as().forbids(user).is_some() {
            return Err(Reason::UserNever);
        }
        if self.revoked_users.forbids(user).is_some() {
            return Err(Reason::UserRevoked);
        }
        Ok(())
    }

    /// The application with this id, enabled or not.
    #[must_use]
    pub fn application(&self, id: &str) -> Option<&Arc<Application>> {
        self.applications.get(id)
    }

    /// All applications, in no order.
    pub fn applications(&self) -> impl Iterator<Item = &Arc<Application>> {
        self.applications.values()
    }
}

/// Why applications cannot stand in one directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// A key serves version 4 and an older one.
    #[error("the key {key} is used for version 4 and for an older one")]
    KeyForTwoPurposes {
        /// The key.
        key: KeyId,
    },
    /// A key stands under two ids: whoever has it could be either.
    #[error("the key {key} stands under two applications, {first} and {second}")]
    KeyUnderTwoIds {
        /// The key.
        key: KeyId,
        /// One application.
        first: AppId,
        /// The other.
        second: AppId,
    },
    /// Two applications have one id.
    #[error("two applications have the id {0}")]
    SameId(AppId),
}
