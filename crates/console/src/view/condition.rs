use serde::Serialize;
use taa_core::certificate::{Certificate, KeyUse};
use taa_core::time::UnixMillis;
use taa_store::model::{Refreshed, TrustedApplication, TrustingServer};
use utoipa::ToSchema;

use crate::moment::{Moment, roughly};

/// A key that ends within so many milliseconds is worth a remark: 30 days.
const SOON: u64 = 30 * 24 * 60 * 60 * 1000;

/// Something about a record that a person wants to see at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Condition {
    /// What it is.
    pub(crate) kind: ConditionKind,
    /// The sentence for a person.
    pub(crate) message: String,
}

/// What is the matter with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConditionKind {
    /// It is in force.
    On,
    /// A person has switched it off.
    Off,
    /// Its record cannot be read.
    Broken,
    /// A key in use has ended.
    KeyEnded,
    /// A key in use ends within 30 days.
    KeyEndsSoon,
    /// Its certificate could not be refreshed, or not taken over.
    RefreshProblem,
    /// A certificate with its id was seen at another place.
    PossibleClone,
    /// Versions before 4 are accepted from it.
    OlderVersions,
    /// Plain http is allowed.
    PlainHttp,
    /// No good request was ever seen.
    NeverUsed,
}

impl ConditionKind {
    /// The word on the badge.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::On => "On",
            Self::Off => "Off",
            Self::Broken => "Broken",
            Self::KeyEnded => "Key ended",
            Self::KeyEndsSoon => "Key ends soon",
            Self::RefreshProblem => "Refresh problem",
            Self::PossibleClone => "Possible clone",
            Self::OlderVersions => "Older versions",
            Self::PlainHttp => "Plain http",
            Self::NeverUsed => "Never used",
        }
    }

    /// How loud the badge is.
    pub(crate) const fn tone(self) -> &'static str {
        match self {
            Self::On => "good",
            Self::Off | Self::NeverUsed => "quiet",
            Self::KeyEndsSoon | Self::RefreshProblem | Self::OlderVersions | Self::PlainHttp => "warn",
            Self::Broken | Self::KeyEnded | Self::PossibleClone => "bad",
        }
    }

    /// Whether the badge says it all.
    pub(crate) const fn speaks_for_itself(self) -> bool {
        matches!(self, Self::On | Self::Off | Self::NeverUsed)
    }
}

impl Condition {
    fn new(kind: ConditionKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn broken(problem: &str) -> Self {
        Self::new(ConditionKind::Broken, format!("It counts as unknown: {problem}"))
    }

    /// What is the matter with a trusted application; first whether it is on.
    pub(crate) fn of_application(application: &TrustedApplication, now: UnixMillis) -> Vec<Self> {
        let mut all = vec![if application.enabled {
            Self::new(ConditionKind::On, "It may act for its users, within its rules.")
        } else {
            Self::new(ConditionKind::Off, "It counts as unknown until somebody switches it on.")
        }];
        all.extend(ending_keys(application.keys.certificate.as_ref(), now));
        all.extend(refresh(application.refreshed.as_ref()));
        if application.rules.min_protocol.is_legacy() && !application.seen_v4 {
            all.push(Self::new(
                ConditionKind::OlderVersions,
                format!(
                    "Requests of version {} are accepted from it, which prove less.",
                    application.rules.min_protocol
                ),
            ));
        }
        if application.last_used.is_none() {
            all.push(Self::new(ConditionKind::NeverUsed, "No good request has come from it yet."));
        }
        all
    }

    /// What is the matter with a server.
    pub(crate) fn of_server(server: &TrustingServer, now: UnixMillis) -> Vec<Self> {
        let mut all = vec![if server.enabled {
            Self::new(ConditionKind::On, "Requests are signed for it.")
        } else {
            Self::new(ConditionKind::Off, "Nothing is signed for it until somebody switches it on.")
        }];
        all.extend(ending_keys(server.certificate.as_ref(), now));
        all.extend(refresh(server.refreshed.as_ref()));
        if server.protocol.is_legacy() {
            all.push(Self::new(
                ConditionKind::OlderVersions,
                format!("It is spoken to in version {}, which proves less.", server.protocol),
            ));
        }
        if server.insecure_allow_http && server.base_url.scheme() == "http" {
            all.push(Self::new(
                ConditionKind::PlainHttp,
                "Requests to it are not encrypted: whoever is on the path can read what it answers, and change it.",
            ));
        }
        if server.last_used.is_none() {
            all.push(Self::new(ConditionKind::NeverUsed, "No request has been signed for it yet."));
        }
        all
    }
}

fn ending_keys(certificate: Option<&Certificate>, now: UnixMillis) -> Vec<Condition> {
    let Some(certificate) = certificate else { return Vec::new() };
    let mut all = Vec::new();
    for (usage, name) in [(KeyUse::Signing, "signing"), (KeyUse::Decryption, "decryption")] {
        let Some(end) = certificate.content().current(usage).and_then(|key| key.exp) else { continue };
        let at = Moment::of_seconds(end).text;
        let left = end.saturating_mul(1000).saturating_sub(now.0);
        if left == 0 {
            let message = format!("Its {name} key ended on {at}.");
            all.push(Condition::new(ConditionKind::KeyEnded, message));
        } else if left < SOON {
            let message = format!("Its {name} key ends in {}, on {at}.", roughly(left));
            all.push(Condition::new(ConditionKind::KeyEndsSoon, message));
        }
    }
    all
}

fn refresh(refreshed: Option<&Refreshed>) -> Vec<Condition> {
    let Some(refreshed) = refreshed else { return Vec::new() };
    let mut all = Vec::new();
    if let Some(other) = &refreshed.other_base_url {
        all.push(Condition::new(
            ConditionKind::PossibleClone,
            format!("A certificate with this id names {other} as its place: a clone of the application, or a move."),
        ));
    }
    if let Some(problem) = &refreshed.problem {
        all.push(Condition::new(ConditionKind::RefreshProblem, problem.clone()));
    }
    all
}
