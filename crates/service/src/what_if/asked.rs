use taa_core::answer::Code;
use taa_core::policy::{GreatestTimeout, Policy, Protocol};
use taa_store::model::{Row, Snapshot, TrustedApplication};

use super::{Known, Question};

/// The question, with what there is to answer it.
pub(super) struct Asked<'q> {
    pub(super) snapshot: &'q Snapshot,
    pub(super) question: &'q Question,
    pub(super) greatest: GreatestTimeout,
    pub(super) known: Known<'q>,
    pub(super) application: Found<'q>,
    pub(super) protocol: Option<Protocol>,
}

/// What there is under an id.
pub(super) enum Found<'q> {
    Nothing,
    /// A row that no longer parses, and why.
    Broken(&'q str),
    /// A record whose rules cannot be put in force: it counts as unknown.
    WithoutPolicy(&'q TrustedApplication, String),
    Record(&'q TrustedApplication, Box<Policy>),
}

impl<'q> Asked<'q> {
    pub(super) fn new(
        snapshot: &'q Snapshot,
        question: &'q Question,
        greatest: GreatestTimeout,
        known: Known<'q>,
    ) -> Self {
        let row = snapshot.applications.iter().find(|row| match row {
            Row::Good(record) => record.id.as_str() == question.application,
            Row::Broken { id, .. } => *id == question.application,
        });
        let application = match row {
            None => Found::Nothing,
            Some(Row::Broken { problem, .. }) => Found::Broken(problem),
            Some(Row::Good(record)) => match record.rules.policy(greatest) {
                Ok(policy) => Found::Record(record, Box::new(policy)),
                Err(error) => Found::WithoutPolicy(record, error.to_string()),
            },
        };
        let protocol = Protocol::try_from(question.protocol).ok();
        Self { snapshot, question, greatest, known, application, protocol }
    }

    pub(super) fn record(&self) -> Option<&'q TrustedApplication> {
        match &self.application {
            Found::Record(record, _) | Found::WithoutPolicy(record, _) => Some(record),
            Found::Nothing | Found::Broken(_) => None,
        }
    }

    pub(super) fn is_older(&self) -> bool {
        self.protocol.is_some_and(Protocol::is_legacy)
    }

    /// A user's name that is none is another code to the older versions.
    pub(super) fn no_user_name(&self) -> Code {
        if self.is_older() { Code::UserUnknown } else { Code::Malformed }
    }
}
