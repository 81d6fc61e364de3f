use askama::Template;
use askama::filters::HtmlSafe;

use crate::moment::Moment;
use crate::view::{Condition, PeerKey};

/// The badges of a record, and what they do not say themselves.
#[derive(Template)]
#[template(path = "part/conditions.html")]
pub(super) struct Conditions(pub(super) Vec<Condition>);

impl HtmlSafe for Conditions {}

/// A moment, or a word in place of one that never came.
#[derive(Template)]
#[template(
    ext = "html",
    source = "{% if let Some(moment) = moment %}<time datetime=\"{{ moment.machine }}\">{{ moment.text }}</time>{% else %}<span class=\"quiet\">{{ otherwise }}</span>{% endif %}"
)]
pub(super) struct When {
    moment: Option<Moment>,
    otherwise: &'static str,
}

impl HtmlSafe for When {}

impl When {
    pub(super) fn or(moment: Option<Moment>, otherwise: &'static str) -> Self {
        Self { moment, otherwise }
    }
}

impl From<Moment> for When {
    fn from(moment: Moment) -> Self {
        Self { moment: Some(moment), otherwise: "" }
    }
}

/// The keys of a peer, in a table; each with where it can be revoked, if it can.
#[derive(Template)]
#[template(path = "part/keys.html")]
pub(super) struct KeyTable {
    pub(super) keys: Vec<(PeerKey, Option<String>)>,
    /// Whether there are columns of what happened to a key since it is held.
    pub(super) held: bool,
}

impl HtmlSafe for KeyTable {}
