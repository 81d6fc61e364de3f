//! A request explained to a person: every check of section 5 in its order, with what it looked at and how it ends.
//!
//! Nothing is decided a second time here: the same functions as at the server are called
//! ([`Presented::parse`](super::Presented::parse), [`open`](super::open), [`Opened::prove`](super::Opened::prove),
//! [`Proven::allow`](super::Proven::allow), for the older versions those of `legacy`), and the
//! [`Reason`](super::Reason) they stop with tells the check that failed. What only the running server knows (used
//! certificates, limits, its user base) is [`Outcome::Unknown`], and the walk goes on.
//!
//! Nothing is recorded: no nonce, no session, no ratchet. No key and no MAC is shown. What is shown is marked as
//! [`Standing::Unproven`] until the tag, or in the older versions the signature, was found good.

mod advice;
mod check;
#[cfg(feature = "legacy")]
mod older;
mod probe;
#[cfg(test)]
mod tests;
mod version4;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method};

use super::{Context, Refusal, is_attempt};
use crate::id::ShortKeyId;
use crate::policy::{ClientAddress, ForwardedError};
use crate::time::UnixMillis;

pub use advice::{advice, reason};

/// A request as it was recorded.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'r> {
    /// The method.
    pub method: &'r Method,
    /// What stands in the request line, or `:path`.
    pub target: &'r str,
    /// The header fields.
    pub headers: &'r HeaderMap,
    /// The whole content, empty when there was none; `None` when it was not recorded.
    pub content: Option<&'r [u8]>,
}

/// What is known besides the request.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// The server's keys, whom it trusts, its settings. The sessions in it are neither asked nor changed.
    pub context: Context<'k>,
    /// Where the request came from, as [`TrustedProxies`](crate::policy::TrustedProxies) makes it out; `None` when that
    /// was not recorded.
    pub client: Option<Result<ClientAddress, ForwardedError>>,
}

/// What became of a request, check by check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Whose checks these are.
    pub rules: CheckList,
    /// The checks in the order they are made. Several may have one number.
    pub steps: Vec<Step>,
    /// True when the tag, or in the older versions the signature, was found good.
    pub proven: bool,
}

/// A list of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckList {
    /// None: the request has no field of the protocol, so nobody tried.
    NoAttempt,
    /// Those of version 4: wire document, section 5.
    Version4,
    /// Those of versions 0 to 3: older versions, section 9, with the changes of section 19.
    Older,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Its number in the document.
    pub number: u8,
    /// What has to hold.
    pub check: &'static str,
    /// How it ends.
    pub outcome: Outcome,
    /// What it looked at.
    pub shown: Vec<Shown>,
}

/// How a check ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It passes.
    Passed,
    /// It fails: the request is refused here.
    Failed(Refusal),
    /// It cannot be known here, because of this.
    Unknown(&'static str),
    /// A check before it failed.
    NotReached,
}

/// A value that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shown {
    /// What it is.
    pub name: &'static str,
    /// The value. A text is as the caller sent it: whoever prints it takes care of what a terminal would do with it.
    pub value: Value,
    /// Whose word it is.
    pub standing: Standing,
}

/// A value by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A number of something.
    Count(usize),
    /// A key, as an envelope names it.
    Key(ShortKeyId),
    /// How long something lasts.
    Span(Duration),
    /// Any text.
    Text(String),
    /// A moment.
    Time(UnixMillis),
}

/// Whose word a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This side's own: a rule, a key, the clock.
    Own,
    /// The application's, under a good tag or signature.
    Proven,
    /// Whoever sent it.
    Unproven,
}

/// Explains one request at the time `now`. Without `known` only what stands in the request itself can be judged.
#[must_use]
pub fn explain(request: &Recorded<'_>, known: Option<&Known<'_>>, now: UnixMillis) -> Explanation {
    if !is_attempt(request.headers) {
        return Explanation { rules: CheckList::NoAttempt, steps: Vec::new(), proven: false };
    }
    #[cfg(feature = "legacy")]
    match super::version_field(request.headers) {
        Some(b"0" | b"1" | b"2" | b"3") => return older::walk(request, known, now),
        // Version 0 has no version field; an envelope tells that one of version 4 was lost on the way.
        None if version4::envelope_head(request.headers).is_none() => {
            return older::walk(request, known, now);
        }
        _ => {}
    }
    version4::walk(request, known, now)
}

impl Explanation {
    /// The check that fails, with why.
    #[must_use]
    pub fn failure(&self) -> Option<(&Step, &Refusal)> {
        self.steps.iter().find_map(|step| match &step.outcome {
            Outcome::Failed(refusal) => Some((step, refusal)),
            _ => None,
        })
    }

    /// What could not be known here, each reason once.
    #[must_use]
    pub fn unknown(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        for step in &self.steps {
            if let Outcome::Unknown(because) = step.outcome
                && !reasons.contains(&because)
            {
                reasons.push(because);
            }
        }
        reasons
    }
}

impl Step {
    fn new(number: u8, check: &'static str) -> Self {
        Self { number, check, outcome: Outcome::NotReached, shown: Vec::new() }
    }

    fn show(&mut self, name: &'static str, value: impl Into<Value>, standing: Standing) {
        self.shown.push(Shown { name, value: value.into(), standing });
    }
}

impl fmt::Display for Value {
    /// Plain: a time in milliseconds, a span in seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(number) => number.fmt(f),
            Self::Key(id) => id.fmt(f),
            Self::Span(span) => write!(f, "{} s", span.as_secs_f64()),
            Self::Text(text) => f.write_str(text),
            Self::Time(time) => write!(f, "{} ms", time.0),
        }
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Count(number)
    }
}

impl From<ShortKeyId> for Value {
    fn from(id: ShortKeyId) -> Self {
        Self::Key(id)
    }
}

impl From<Duration> for Value {
    fn from(span: Duration) -> Self {
        Self::Span(span)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(text.into_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<UnixMillis> for Value {
    fn from(time: UnixMillis) -> Self {
        Self::Time(time)
    }
}

/// Where a walk over the checks ends.
enum End<C> {
    /// This one fails.
    Failed(C, Refusal),
    /// From this one on nothing can be known, because of this.
    Blind(C, &'static str),
    /// None fails.
    Through,
}

impl<C: PartialOrd> End<C> {
    /// The outcome of one check; `unknown` when it alone cannot be known.
    fn outcome(&self, check: &C, unknown: Option<&'static str>) -> Outcome {
        let otherwise = unknown.map_or(Outcome::Passed, Outcome::Unknown);
        match self {
            Self::Failed(at, refusal) if check == at => Outcome::Failed(refusal.clone()),
            Self::Failed(at, _) if check > at => Outcome::NotReached,
            Self::Blind(at, because) if check >= at => Outcome::Unknown(because),
            _ => otherwise,
        }
    }
}

const NO_STORE: &str = "it takes the keys and rules of the server, and none were given";
const RUNNING_SERVER: &str = "only the running server knows which certificates were used before";
const LIMITS: &str = "only the running server counts new sessions";
const USER_BASE: &str = "the user base is the server's";
const NO_ADDRESS: &str = "where the request came from was not said; an allowed address is assumed";
const NO_CONTENT: &str = "the content is not in what was given";
