use std::collections::BTreeMap;
use std::fmt;

use example_support::{Password, PasswordError, StoredPassword};

/// One person the wiki knows.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) display_name: String,
    password: StoredPassword,
}

/// Everybody the wiki knows. Case does not count in names.
#[derive(Clone)]
pub struct UserBase {
    by_name: BTreeMap<String, User>,
    /// Is verified when there is no such user, so that an unknown name takes as long as a wrong password.
    nobody: StoredPassword,
}

impl UserBase {
    /// No users yet.
    ///
    /// # Errors
    /// When no password can be hashed.
    pub fn new() -> Result<Self, PasswordError> {
        Ok(Self { by_name: BTreeMap::new(), nobody: Password::new("").store()? })
    }

    /// Adds a user. Of two with one name the later stays.
    ///
    /// # Errors
    /// When the password cannot be hashed.
    pub fn add(&mut self, name: &str, display_name: &str, password: &str) -> Result<(), PasswordError> {
        let user = User {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            password: Password::new(password).store()?,
        };
        self.by_name.insert(name.to_lowercase(), user);
        Ok(())
    }

    /// Gives a user another password.
    ///
    /// # Errors
    /// When the password cannot be hashed.
    pub fn set_password(&mut self, name: &str, password: &Password) -> Result<(), PasswordError> {
        let password = password.store()?;
        if let Some(user) = self.by_name.get_mut(&name.to_lowercase()) {
            user.password = password;
        }
        Ok(())
    }

    /// The name in its one spelling, when the password is right. Slow on purpose.
    pub(crate) fn check(&self, name: &str, password: &Password) -> Option<String> {
        match self.by_name.get(&name.to_lowercase()) {
            Some(user) => user.password.verify(password).then(|| user.name.clone()),
            None => {
                let _wrong = self.nobody.verify(password);
                None
            }
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&User> {
        self.by_name.get(&name.to_lowercase())
    }
}

impl fmt::Debug for UserBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords() {
        let mut users = UserBase::new().unwrap();
        users.add("fred", "Fred", "pass").unwrap();
        assert_eq!(users.check("Fred", &Password::new("pass")).as_deref(), Some("fred"));
        assert_eq!(users.check("fred", &Password::new("Pass")), None);
        assert_eq!(users.check("nobody", &Password::new("")), None);
        assert!(!format!("{users:?}").contains("argon2"));
    }
}
