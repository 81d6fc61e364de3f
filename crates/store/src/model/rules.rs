mod text;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use taa_core::policy::{
    AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, Policy, PolicyError, Protocol,
};

/// The rules of a trusted application, as they are kept and edited. [`Rules::policy`] puts them in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The addresses it may call from; not empty.
    pub addresses: AddressRules,
    /// The paths it may use; not empty.
    pub paths: PathRules,
    /// The methods it may use; not empty.
    pub methods: MethodRules,
    /// The users it may never name.
    pub never_as: NeverAs,
    /// How old its requests may be.
    pub timeout: Duration,
    /// The lowest version it may use.
    pub min_protocol: Protocol,
    /// Whether a request of version 2 or 3 may be repeated.
    pub allow_repeats: bool,
}

impl Rules {
    /// The rules, in the form the decision takes.
    ///
    /// # Errors
    /// When they do not fit together, or the timeout is above the server's greatest.
    pub fn policy(&self, greatest: GreatestTimeout) -> Result<Policy, PolicyError> {
        Policy::builder()
            .addresses(self.addresses.clone())
            .paths(self.paths.clone())
            .methods(self.methods.clone())
            .never_as(self.never_as.clone())
            .timeout(self.timeout)
            .min_protocol(self.min_protocol)
            .allow_repeats(self.allow_repeats)
            .build(greatest)
    }
}

/// Name and rules as a person types them: lists with lines, commas or blanks between items. What forms, the REST
/// interface and the command line have in common; [`RulesText::parse`] holds the rules of the fields for all three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RulesText {
    /// The application's name for people.
    pub name: String,
    /// How old a request may be, in milliseconds.
    pub timeout: String,
    /// Addresses.
    pub addresses: String,
    /// Paths.
    pub paths: String,
    /// Methods.
    pub methods: String,
    /// Users never to be named.
    pub never_as: String,
    /// 2, 3 or 4.
    pub min_protocol: String,
    /// Whether requests of versions 2 and 3 may be repeated.
    pub allow_repeats: bool,
}

/// A field of [`RulesText`], or of the set-up before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields of RulesText")]
pub enum Field {
    AllowRepeats,
    Addresses,
    BaseUrl,
    Lifetime,
    MethodList,
    MinProtocol,
    Name,
    NeverAs,
    Paths,
    Timeout,
}

/// One field is wrong, and why, for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Which.
    pub field: Field,
    /// Why, as a sentence; it names the first bad item of a list.
    pub message: String,
}

/// All that is wrong, in the order of the form. Never empty as an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", self.0.iter().map(|e| e.message.as_str()).collect::<Vec<_>>().join(" "))]
pub struct FieldErrors(pub Vec<FieldError>);
