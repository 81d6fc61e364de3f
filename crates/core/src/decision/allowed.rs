use std::sync::Arc;

#[cfg(feature = "legacy")]
use super::{NonceOutcome, Refusal};
use crate::directory::Application;
use crate::id::{KeyId, UserName};
#[cfg(feature = "legacy")]
use crate::legacy::{Failure, FailureKind, Proven};
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

    /// A request of version 2 or 3 whose signature was verified: not used before, user not on the never-as list.
    ///
    /// # Errors
    /// The first of these that fails.
    #[cfg(feature = "legacy")]
    pub fn older(
        proven: &Proven,
        application: &Arc<Application>,
        outcome: NonceOutcome,
    ) -> Result<Self, Refusal> {
        if proven.app_id() != application.id() {
            return Err(Failure::new(FailureKind::AppUnknown).into());
        }
        match outcome {
            NonceOutcome::First => {}
            NonceOutcome::Before => return Err(Failure::new(FailureKind::Replayed).into()),
            NonceOutcome::Full => return Err(Failure::new(FailureKind::Busy).into()),
            NonceOutcome::Unavailable => return Err(Failure::new(FailureKind::System).into()),
        }
        if application.policy().never_as().forbids(proven.user()).is_some() {
            return Err(Failure::new(FailureKind::PermissionDenied).into());
        }
        Ok(Self::new(Arc::clone(application), proven.user().clone(), proven.version().into(), None))
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
