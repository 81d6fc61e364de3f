use taa_core::policy::GreatestTimeout;
use taa_service::OLDER_VERSIONS;
use taa_store::model::RulesText;

use super::input::Input;
use crate::failure::FieldProblem;
use crate::view::group;

/// The fields of an application's name and rules.
pub(super) struct RulesForm {
    pub(super) name: Input,
    /// What every application has.
    pub(super) fields: Vec<Input>,
    /// What only the older versions need.
    pub(super) older: Vec<Input>,
    /// Whether the latter should be seen.
    pub(super) older_open: bool,
}

impl RulesForm {
    pub(super) fn new(text: &RulesText, problems: &[FieldProblem], greatest: GreatestTimeout) -> Self {
        let name = Input::text("name", "Name", &text.name)
            .help("For people. Two applications may have the same.")
            .judged(problems);
        let fields = vec![
            Input::lines("addresses", "Addresses", &text.addresses, 4).help(
                "Where its requests may come from, one per line: an address (192.0.2.10), a block (192.0.2.0/24, \
                 2001:db8::/32), a pattern (192.0.2.*), or any. Name every node of a cluster.",
            ),
            Input::lines("paths", "Paths", &text.paths, 4).help(
                "What it may ask for, one per line. /rest allows /rest and all below it, and not /restx. There are no \
                 wildcards; every path is the word any.",
            ),
            // One line: a browser drops the line ends of a field that has only one.
            Input::text("methods", "Methods", text.methods.split_whitespace().collect::<Vec<_>>().join(" "))
                .help("What it may do there: GET and HEAD only read. Every method is the word any."),
            Input::lines("never_as", "Never as", &text.never_as, 3).help(
                "Users it may never name, one per line; * stands for any characters: admin, svc-*. Letter case plays no \
                 part.",
            ),
            Input::number("timeout", "Timeout, in milliseconds", &text.timeout).help(format!(
                "How old a request may be when it arrives: at most {}. Short is safe; clocks have to agree.",
                group(greatest.get().as_millis())
            )),
        ];
        let older = vec![
            Input::select("min_protocol", "Lowest version", &text.min_protocol, versions())
                .help("Requests of an older version are refused. So they are, whatever stands here, once version 4 was seen.")
                .warning(format!("{OLDER_VERSIONS} They need an address list that leaves somebody out.")),
            Input::check("allow_repeats", "Accept a request of version 2 or 3 more than once", text.allow_repeats)
                .warning("Whoever sees such a request can send it again, with other content, until it is too old."),
        ];
        let fields: Vec<_> = fields.into_iter().map(|input| input.judged(problems)).collect();
        let older: Vec<_> = older.into_iter().map(|input| input.judged(problems)).collect();
        let older_open = !matches!(text.min_protocol.trim(), "" | "4")
            || text.allow_repeats
            || older.iter().any(Input::is_wrong);
        Self { name, fields, older, older_open }
    }
}

fn versions() -> Vec<(String, String)> {
    [("4", "4 (signs everything)"), ("3", "3 and up"), ("2", "2 and up")]
        .map(|(value, text)| (value.to_owned(), text.to_owned()))
        .into()
}
