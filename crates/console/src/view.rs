//! What pages and the REST interface both say of records.

mod condition;
mod judgement;
mod keys;
mod rules;
mod state;

pub(crate) use condition::Condition;
pub(crate) use judgement::{Asked, Judgement};
pub(crate) use keys::{PeerKey, fingerprint};
pub(crate) use rules::{RulesInShort, group};
pub(crate) use state::{SystemState, UNSEALED};
