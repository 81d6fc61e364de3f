use serde::Deserialize;
use taa_core::policy::GreatestTimeout;
use taa_service::{Fetched, OutgoingText, Remark, SaveWhat};
use taa_store::model::RulesText;

use crate::failure::{Failure, FieldProblem};
use crate::page::{Input, Section};

/// What becomes of an application that was fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// It is trusted.
    #[default]
    Incoming,
    /// It is called.
    Outgoing,
    /// Both: they trust each other.
    Both,
    /// It is there already and only gets these keys.
    Keys,
}

impl Direction {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Both => "both",
            Self::Keys => "keys",
        }
    }

    pub(super) const fn section(self) -> Section {
        match self {
            Self::Outgoing => Section::Outgoing,
            Self::Incoming | Self::Both | Self::Keys => Section::Incoming,
        }
    }
}

/// One of the directions that can be chosen.
pub(super) struct Choice {
    pub(super) word: &'static str,
    pub(super) label: &'static str,
    pub(super) help: &'static str,
    pub(super) chosen: bool,
}

impl Choice {
    pub(super) fn all(fetched: &Fetched, chosen: Direction) -> Vec<Self> {
        let known = fetched.remarks.iter().any(|remark| matches!(remark, Remark::Known { .. }));
        let client_only = fetched.remarks.contains(&Remark::ClientOnly);
        let choice = |direction: Direction, label, help| Self {
            word: direction.word(),
            label,
            help,
            chosen: direction == chosen,
        };
        let mut all = Vec::new();
        if known {
            all.push(choice(
                Direction::Keys,
                "Only take these keys",
                "What stands in its records otherwise stays as it is.",
            ));
        }
        all.push(choice(
            Direction::Incoming,
            "Trust it (incoming)",
            "It may call this application as its users, within the rules below.",
        ));
        if !client_only {
            all.push(choice(
                Direction::Outgoing,
                "Call it (outgoing)",
                "This application calls it as its own users. The other side decides what it allows.",
            ));
            all.push(choice(
                Direction::Both,
                "Trust each other (both)",
                "Both of it at once. The other side has to do the same.",
            ));
        }
        all
    }
}

/// The form of the second step, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct SetUpText {
    /// The fingerprint that was shown.
    pub(super) fingerprint: String,
    compared: String,
    pub(super) direction: Direction,
    name: String,
    addresses: String,
    paths: String,
    methods: String,
    never_as: String,
    timeout: String,
    min_protocol: String,
    allow_repeats: String,
    lifetime: String,
    require_content_digest: String,
}

impl SetUpText {
    /// What the form offers first. One that is known already only gets its keys, unless it is to stand where it does not
    /// stand yet.
    pub(super) fn suggested(fetched: &Fetched, wanted: Direction) -> Self {
        let known = fetched.remarks.iter().find_map(|remark| match remark {
            Remark::Known { incoming, outgoing, .. } => Some((*incoming, *outgoing)),
            _ => None,
        });
        let direction = match (wanted, known) {
            (Direction::Incoming, Some((true, _))) | (Direction::Outgoing, Some((_, true))) => {
                Direction::Keys
            }
            (Direction::Keys, None) => Direction::Incoming,
            (Direction::Outgoing | Direction::Both, _) if fetched.remarks.contains(&Remark::ClientOnly) => {
                Direction::Incoming
            }
            (wanted, _) => wanted,
        };
        let rules = fetched.suggested.clone();
        Self {
            direction,
            name: rules.name,
            addresses: rules.addresses,
            paths: rules.paths,
            methods: rules.methods,
            never_as: rules.never_as,
            timeout: rules.timeout,
            min_protocol: rules.min_protocol,
            allow_repeats: flag(rules.allow_repeats),
            ..Self::default()
        }
    }

    pub(super) fn rules(&self) -> RulesText {
        RulesText {
            name: self.name.clone(),
            timeout: self.timeout.clone(),
            addresses: self.addresses.clone(),
            paths: self.paths.clone(),
            methods: self.methods.clone(),
            never_as: self.never_as.clone(),
            min_protocol: self.min_protocol.clone(),
            allow_repeats: self.allow_repeats == "true",
        }
    }

    /// What is to be saved.
    ///
    /// # Errors
    /// When nobody says that the fingerprint was compared; the fields of the rules are looked at as well, so that all
    /// errors are shown together.
    pub(super) fn what(&self, fetched: &Fetched, greatest: GreatestTimeout) -> Result<SaveWhat, Failure> {
        let outgoing = || OutgoingText {
            name: self.name.clone(),
            lifetime: self.lifetime.clone(),
            require_content_digest: self.require_content_digest == "true",
        };
        let what = match self.direction {
            Direction::Incoming => SaveWhat { incoming: Some(self.rules()), outgoing: None },
            Direction::Outgoing => SaveWhat { incoming: None, outgoing: Some(outgoing()) },
            Direction::Both => SaveWhat { incoming: Some(self.rules()), outgoing: Some(outgoing()) },
            Direction::Keys => SaveWhat::default(),
        };
        let mut problems = Vec::new();
        let known = fetched.remarks.iter().any(|remark| matches!(remark, Remark::Known { .. }));
        if self.direction == Direction::Keys && !known {
            problems.push(FieldProblem::new("direction", "It is not known yet: say what becomes of it."));
        }
        if self.compared != "true" {
            problems.push(FieldProblem::new(
                "compared",
                "Compare the fingerprint with the one the other application shows, and say so.",
            ));
        }
        if problems.is_empty() {
            return Ok(what);
        }
        if let Some(Err(errors)) = what.incoming.map(|rules| rules.parse(greatest)) {
            let mut all = Failure::from(errors).fields().to_vec();
            all.append(&mut problems);
            problems = all;
        }
        Err(Failure::Fields(problems))
    }

    pub(super) fn outgoing_fields(&self, problems: &[FieldProblem]) -> Vec<Input> {
        vec![
            Input::number("lifetime", "Length of a session, in seconds", &self.lifetime)
                .help("How long one session key is used before a new one is made: 1 to 900; 300 when left blank.")
                .judged(problems),
            Input::check(
                "require_content_digest",
                "Only accept content that the server proves",
                self.require_content_digest == "true",
            )
            .help("Answers whose content is not covered by the server's proof, such as long ones, are then refused."),
        ]
    }

    pub(super) fn compared_field(&self, older: bool) -> Input {
        let label = if older {
            "I have compared this thumbprint with the key of the other application, over another channel"
        } else {
            "I have compared the fingerprint with the one the other application shows"
        };
        Input::check("compared", label, self.compared == "true").required()
    }
}

fn flag(on: bool) -> String {
    if on { "true".to_owned() } else { String::new() }
}
