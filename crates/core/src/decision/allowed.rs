use std::sync::Arc;

use crate::directory::Application;
use crate::id::{KeyId, UserName};
use crate::policy::Protocol;

/// A request that passed every rule the protocol has: the application may make it as this user, if the user exists.
#[derive(Debug)]
pub struct Allowed {
    application: Arc<Application>,
    user: UserName,
    protocol: Protocol,
    key: Option<KeyId>,
}

impl Allowed {
    pub(crate) fn new(
        application: Arc<Application>,
        user: UserName,
        protocol: Protocol,
        key: Option<KeyId>,
    ) -> Self {
        Self { application, user, protocol, key }
    }

    /// The application.
    #[must_use]
    pub fn application(&self) -> &Arc<Application> {
        &self.application
    }

    /// The user, as the application named them.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// The version that was spoken.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The key the session was opened with.
    #[must_use]
    pub fn key(&self) -> Option<KeyId> {
        self.key
    }
}
