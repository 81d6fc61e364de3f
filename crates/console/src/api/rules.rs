use serde::{Deserialize, Serialize};
use taa_core::policy::GreatestTimeout;
use taa_store::model::{Rules, RulesText};
use utoipa::ToSchema;

use super::list::{comma_or_blank, comma_or_line, lines};
use crate::failure::Failure;

/// What a trusted application may do. Every member is required: a rule that is left out is not guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rules)]
pub(crate) struct RulesJson {
    /// Addresses, blocks or patterns it may call from, or `any`.
    #[schema(example = json!(["192.0.2.0/24", "2001:db8::7"]))]
    pub(crate) addresses: Vec<String>,
    /// Paths it may use with all below them, or `any`.
    #[schema(example = json!(["/rest"]))]
    pub(crate) paths: Vec<String>,
    /// Methods it may use, or `any`.
    #[schema(example = json!(["GET", "HEAD"]))]
    pub(crate) methods: Vec<String>,
    /// Users it may never name; `*` stands for any characters.
    #[schema(example = json!(["admin", "svc-*"]))]
    pub(crate) never_as: Vec<String>,
    /// How old a request may be, in milliseconds.
    #[schema(example = 60000)]
    pub(crate) timeout_ms: u64,
    /// The lowest protocol version it may use: 2, 3 or 4.
    #[schema(example = 4, minimum = 2, maximum = 4)]
    pub(crate) min_protocol: u8,
    /// Whether a request of version 2 or 3 may be repeated.
    pub(crate) allow_repeats: bool,
}

impl RulesJson {
    pub(crate) fn of(rules: &Rules) -> Self {
        let methods = if rules.methods.names_any() { vec!["any".to_owned()] } else { Vec::new() };
        Self {
            addresses: rules.addresses.rules().iter().map(ToString::to_string).collect(),
            paths: rules.paths.rules().iter().map(ToString::to_string).collect(),
            methods: methods
                .into_iter()
                .chain(rules.methods.methods().iter().map(ToString::to_string))
                .collect(),
            never_as: rules.never_as.patterns().iter().map(ToString::to_string).collect(),
            timeout_ms: u64::try_from(rules.timeout.as_millis()).unwrap_or(u64::MAX),
            min_protocol: rules.min_protocol.number(),
            allow_repeats: rules.allow_repeats,
        }
    }

    /// The rules as the rules of the fields are written for.
    ///
    /// # Errors
    /// Items that are not one item.
    pub(crate) fn text(&self, name: &str) -> Result<RulesText, Failure> {
        let mut problems = Vec::new();
        let text = RulesText {
            name: name.to_owned(),
            timeout: self.timeout_ms.to_string(),
            addresses: lines("addresses", &self.addresses, comma_or_blank, &mut problems),
            paths: lines("paths", &self.paths, comma_or_blank, &mut problems),
            methods: lines("methods", &self.methods, comma_or_blank, &mut problems),
            never_as: lines("never_as", &self.never_as, comma_or_line, &mut problems),
            min_protocol: self.min_protocol.to_string(),
            allow_repeats: self.allow_repeats,
        };
        if problems.is_empty() { Ok(text) } else { Err(Failure::Fields(problems)) }
    }

    /// Name and rules, parsed.
    ///
    /// # Errors
    /// All fields that are wrong.
    pub(crate) fn parse(&self, name: &str, greatest: GreatestTimeout) -> Result<(String, Rules), Failure> {
        self.text(name)?.parse(greatest).map_err(Failure::from)
    }
}
