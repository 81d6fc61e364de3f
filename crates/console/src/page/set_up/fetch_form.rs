use taa_service::FetchWhat;

use super::Direction;
use crate::failure::{Failure, FieldProblem};
use crate::page::Input;

/// The form of the first step, as it stands below the lists.
pub(crate) struct FetchForm {
    pub(crate) direction: Direction,
    pub(crate) base_url: Input,
    pub(crate) plain_http: Input,
    pub(crate) older_versions: Input,
    /// Whether the options should be seen.
    pub(crate) open: bool,
}

impl FetchForm {
    pub(crate) fn empty(direction: Direction) -> Self {
        Self::new(direction, &FetchWhat::default(), &[])
    }

    /// With what was typed and what was wrong with it. Whatever went wrong in fetching is about the base URL.
    pub(crate) fn again(direction: Direction, what: &FetchWhat, failure: &Failure) -> Self {
        match failure.fields() {
            [] => Self::new(direction, what, &[FieldProblem::new("base_url", failure.message())]),
            fields => Self::new(direction, what, fields),
        }
    }

    fn new(direction: Direction, what: &FetchWhat, problems: &[FieldProblem]) -> Self {
        Self {
            direction,
            base_url: Input::url("base_url", "Base URL of the other application", &what.base_url)
                .help("As a browser reaches it, with its context path: https://wiki.example/confluence")
                .required()
                .judged(problems),
            plain_http: Input::check("insecure_allow_http", "Fetch over plain http", what.insecure_allow_http)
                .warning(
                    "Whoever is on the path can swap the certificate. Compare the fingerprint over another channel.",
                ),
            older_versions: Input::check(
                "older_versions",
                "It only speaks the older versions (2 and 3)",
                what.older_versions,
            )
            .warning("They prove less: neither method nor content of a request is signed."),
            open: what.insecure_allow_http || what.older_versions,
        }
    }
}
