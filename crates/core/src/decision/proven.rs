use std::time::Duration;

use super::{Allowed, Context, Reason, Refusal, Session, SharedSession, Timely};
use crate::answer::ProvenAnswer;
use crate::directory::Application;
use crate::envelope::EnvelopeHead;
use crate::id::UserName;
use crate::policy::Protocol;
use crate::request::{ContentDigest, Covered, Iv, Plaintext};
use crate::time::UnixMillis;

/// How long a nonce is kept beyond the greatest timeout: 60 s.
const NONCE_MARGIN: Duration = Duration::from_secs(60);
/// No nonce is kept longer than this after its envelope was over.
const NONCE_LIMIT: Duration = Duration::from_secs(300);

/// A request whose tag is right: the application made it, for this server, method, target and content.
#[derive(Debug)]
pub struct Proven<'a, 'd> {
    application: &'d Application,
    head: EnvelopeHead,
    key_made_here: bool,
    salt: [u8; 32],
    covered: Covered<'a>,
    iv: Iv,
    created: UnixMillis,
    user: Result<UserName, crate::id::UserNameError>,
}

/// What a server must record as used, atomically (step 7).
#[derive(Clone, Copy, Debug)]
pub struct NonceClaim<'p> {
    /// The session.
    pub session: &'p [u8; 32],
    /// The request in it.
    pub iv: &'p Iv,
    /// How long to keep it from now; `None` for a certificate that can never be valid, which is only looked up.
    pub keep: Option<Duration>,
}

/// What the nonce store said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceOutcome {
    /// It was recorded now, and was not there.
    First,
    /// It was there.
    Before,
    /// There was no room; nothing was forgotten.
    Full,
    /// The store did not answer.
    Unavailable,
}

/// Makes the proofs of answers to one request.
#[derive(Clone, Debug)]
pub struct Prover {
    session: SharedSession,
    iv: Iv,
}

impl Prover {
    pub(super) fn new(session: SharedSession, iv: Iv) -> Self {
        Self { session, iv }
    }

    /// The value of the proof field.
    #[must_use]
    pub fn prove(&self, answer: &ProvenAnswer<'_>) -> String {
        answer.prove(self.session.keys(), &self.iv)
    }
}

impl<'a, 'd> Proven<'a, 'd> {
    pub(super) fn new(
        application: &'d Application,
        session: &Session,
        covered: Covered<'a>,
        iv: Iv,
        plain: Plaintext<'_>,
    ) -> Self {
        Self {
            application,
            head: session.head(),
            key_made_here: session.key_made_here(),
            salt: *session.keys().name(),
            covered,
            iv,
            created: plain.created,
            user: UserName::from_bytes(plain.user),
        }
    }

    /// True when the envelope was sealed to a key that this process made: nothing of it can have been accepted before
    /// the process started.
    #[must_use]
    pub fn key_made_by_this_process(&self) -> bool {
        self.key_made_here
    }

    /// The application.
    #[must_use]
    pub fn application(&self) -> &'d Application {
        self.application
    }

    /// Step 6: the name of the user, when it is well-formed.
    ///
    /// # Errors
    /// [`Code::Malformed`](crate::answer::Code::Malformed).
    pub fn user(&self) -> Result<&UserName, Refusal> {
        self.user.as_ref().map_err(|why| Reason::UserMalformed(*why).into())
    }

    /// The digest that the content must have; `None` when it must be empty.
    ///
    /// # Errors
    /// [`Code::BadDigest`](crate::answer::Code::BadDigest), to be given as step 12.
    pub fn content_digest(&self) -> Result<Option<ContentDigest>, Refusal> {
        match self.covered.content_digest {
            "" => Ok(None),
            field => ContentDigest::parse(field).map(Some).map_err(|why| Reason::DigestMalformed(why).into()),
        }
    }

    /// Step 7: what to record as used.
    #[must_use]
    pub fn claim(&self, context: &Context<'_>, now: UnixMillis) -> NonceClaim<'_> {
        let greatest = context.greatest_timeout.get();
        let end = self.head.end();
        let never_valid = self.created > end.plus(context.skew.get()) || self.created < now.minus(greatest);
        let until = self.created.plus(greatest + NONCE_MARGIN).min(end.plus(NONCE_LIMIT));
        let keep = Duration::from_millis(until.0.saturating_sub(now.0));
        NonceClaim { session: &self.salt, iv: &self.iv, keep: (!never_valid).then_some(keep) }
    }

    /// Steps 7 and 8: what the store said, the fence, the time.
    ///
    /// `fence` is the moment up to which certificates may have been used before, without this server's remembering
    /// it; `None` when there is no such time.
    ///
    /// # Errors
    /// The first step that fails.
    pub fn in_time(
        self,
        context: &Context<'_>,
        outcome: NonceOutcome,
        fence: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Result<Timely<'a, 'd>, Refusal> {
        let Self { application, head, covered, created, user, .. } = self;
        let user = user.map_err(Reason::UserMalformed)?;
        match outcome {
            NonceOutcome::First => {}
            NonceOutcome::Before => return Err(Refusal::with_time(Reason::Replayed, now)),
            NonceOutcome::Full => return Err(Reason::NonceTableFull.into()),
            NonceOutcome::Unavailable => return Err(Reason::NonceUnavailable.into()),
        }
        if fence.is_some_and(|fence| created <= fence) {
            return Err(Refusal::with_time(Reason::Fenced, now));
        }

        let timeout = application.policy().timeout().capped(context.greatest_timeout);
        if !head.valid_at(now, context.skew) {
            return Err(Refusal::with_time(Reason::EnvelopeTime, now));
        }
        if created < now.minus(timeout) {
            return Err(Refusal::with_time(Reason::TooOld, now));
        }
        if created > now.plus(context.skew.get()) {
            return Err(Refusal::with_time(Reason::TooEarly, now));
        }
        // Older versions are over for this application from now on.
        let floor_unwritten = application.ratchet().observe(Protocol::V4);
        Ok(Timely { application, head, covered, created, user, floor_unwritten })
    }

    /// Steps 7–10 at once, where nothing has to be written durably between them.
    ///
    /// # Errors
    /// The first step that fails.
    pub fn allow(
        self,
        context: &Context<'_>,
        outcome: NonceOutcome,
        fence: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Result<Allowed<'d>, Refusal> {
        self.in_time(context, outcome, fence, now)?.allow(context)
    }
}
