use super::{Allowed, Context, Reason, Refusal};
use crate::directory::Application;
use crate::envelope::EnvelopeHead;
use crate::id::UserName;
use crate::policy::Protocol;
use crate::request::Covered;
use crate::time::UnixMillis;

/// A request that passed step 8: genuine, of this time, for the first time.
///
/// What has to be durable before it goes on is written now: the mark, which must be above its
/// [`created`](Self::created) (wire document, section 5), and the floor, if it raised it (section 8).
#[derive(Debug)]
pub struct Timely<'a, 'd> {
    pub(super) application: &'d Application,
    pub(super) head: EnvelopeHead,
    pub(super) covered: Covered<'a>,
    pub(super) created: UnixMillis,
    pub(super) user: UserName,
    pub(super) floor_unwritten: bool,
}

impl<'d> Timely<'_, 'd> {
    /// The application.
    #[must_use]
    pub fn application(&self) -> &'d Application {
        self.application
    }

    /// When its certificate was made, by the application's clock.
    #[must_use]
    pub fn created(&self) -> UnixMillis {
        self.created
    }

    /// True when it raised the lowest version that is accepted, and that was not written durably yet: see
    /// [`Ratchet::observe`](crate::policy::Ratchet::observe).
    #[must_use]
    pub fn floor_unwritten(&self) -> bool {
        self.floor_unwritten
    }

    /// Steps 9 and 10: the application's rules, and users whom no application may name.
    ///
    /// # Errors
    /// The first step that fails.
    pub fn allow(self, context: &Context<'_>) -> Result<Allowed<'d>, Refusal> {
        let policy = self.application.policy();
        let path = self.covered.target.path();
        if !policy.methods().allows(self.covered.method) {
            return Err(Refusal::with_path(Reason::MethodNotAllowed, path));
        }
        if policy.paths().allows_raw(path).is_err() {
            return Err(Refusal::with_path(Reason::PathNotAllowed, path));
        }
        context.directory.may_name(self.application, &self.user)?;
        let Self { application, head, user, .. } = self;
        Ok(Allowed { application, user, protocol: Protocol::V4, head: Some(head) })
    }
}
