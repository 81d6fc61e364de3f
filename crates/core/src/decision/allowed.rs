#[cfg(feature = "legacy")]
use super::{NonceOutcome, Refusal};
use crate::directory::Application;
#[cfg(feature = "legacy")]
use crate::directory::Directory;
use crate::envelope::EnvelopeHead;
use crate::id::{KeyId, UserName};
use crate::identity::Identity;
#[cfg(feature = "legacy")]
use crate::legacy::{Failure, FailureKind, Proven};
use crate::policy::Protocol;

/// A request that passed every rule the protocol has: the application may make it as this user, if the user exists.
#[derive(Debug)]
pub struct Allowed<'d> {
    pub(super) application: &'d Application,
    pub(super) user: UserName,
    pub(super) protocol: Protocol,
    /// The envelope's; the older versions have none.
    pub(super) head: Option<EnvelopeHead>,
}

impl<'d> Allowed<'d> {
    /// A request of version 2 or 3 whose signature was verified: not used before, user not on the never-as list
    /// nor revoked.
    ///
    /// # Errors
    /// The first of these that fails.
    #[cfg(feature = "legacy")]
    pub fn older(
        proven: &Proven,
        application: &'d Application,
        directory: &Directory,
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
        directory
            .may_name(application, proven.user())
            .map_err(|_| Failure::new(FailureKind::PermissionDenied))?;
        Ok(Self { application, user: proven.user().clone(), protocol: proven.version().into(), head: None })
    }

    /// The application.
    #[must_use]
    pub fn application(&self) -> &'d Application {
        self.application
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
        let named = self.head?.signing_key;
        self.application.key(named).map(|peer| peer.key().id())
    }

    /// The key of this server that opened the session.
    #[must_use]
    pub fn decryption_key(&self, server: &Identity) -> Option<KeyId> {
        server.key_named(self.head?.decryption_key)
    }
}
