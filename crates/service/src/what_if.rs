//! Would this request be allowed? Every step of the decision that rules can decide, and the rule that does.
//!
//! The steps are those of the wire document, section 5, in its order, and each is answered by the same functions that
//! judge requests. A step that comes after one that fails is shown as well, as what it would be. What only a request
//! itself can show (its signature, its time, whether it was used before, its content) is [`Verdict::Unknown`], with
//! what it would have to be.
//!
//! Older versions are checked in another order; the steps are the same but for the signature over the content.

mod asked;
mod steps;

use std::net::IpAddr;

use taa_core::policy::{GreatestTimeout, Skew};
use taa_core::time::UnixMillis;
use taa_server::{Resolution, ResolveError};
use taa_store::model::Snapshot;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The application's id, as typed.
    pub application: String,
    /// The user's name, as typed.
    pub user: String,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Where the request would come from.
    pub address: Option<IpAddr>,
    /// Which version it would have.
    pub protocol: u8,
}

/// One step and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number in the wire document, section 5.
    pub number: u8,
    /// What is checked.
    pub check: &'static str,
    /// How it ends.
    pub verdict: Verdict,
    /// The rule that decides, or why there is none, for a person.
    pub because: String,
}

/// How a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Passes,
    /// It fails; the code the caller would get.
    Fails(taa_core::answer::Code),
    /// It cannot be known ahead, or was not reached.
    Unknown,
}

/// What the caller knows besides the store.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'k> {
    /// What time it is; without it a key that has an end is a step that is not known.
    pub now: Option<UnixMillis>,
    /// How far clocks may differ at this server.
    pub skew: Skew,
    /// What the user base says of the user; without it step 11 is not known.
    pub user_base: Option<&'k Result<Resolution, ResolveError>>,
}

/// Judges. The user base is the caller's: step 11 is [`Verdict::Unknown`] here, and so is a key that has an end.
#[must_use]
pub fn judge(snapshot: &Snapshot, question: &Question, greatest: GreatestTimeout) -> Vec<Step> {
    judge_with(snapshot, question, greatest, &Known::default())
}

/// Judges with what the caller knows: the time, and what the user base says.
#[must_use]
pub fn judge_with(
    snapshot: &Snapshot,
    question: &Question,
    greatest: GreatestTimeout,
    known: &Known<'_>,
) -> Vec<Step> {
    steps::all(&asked::Asked::new(snapshot, question, greatest, *known))
}

/// The step that decides: the first that fails. None: no rule is in the way.
#[must_use]
pub fn first_failure(steps: &[Step]) -> Option<&Step> {
    steps.iter().find(|step| matches!(step.verdict, Verdict::Fails(_)))
}

#[cfg(test)]
mod tests;
