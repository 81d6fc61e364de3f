use crate::column::{Cell, Column};
use crate::issue_table::IssueTable;
use crate::jira_issues::JiraIssues;
use crate::source::{FetchError, TrustNotice};
use crate::visitor::Visitor;
use crate::wiki::Wiki;

/// A macro as a page shows it.
pub(super) struct IssuesView {
    /// What the reader is told about the trust, when it did not work.
    pub(super) warning: Option<Warning>,
    /// What the reader is told when nobody was named to the tracker.
    pub(super) note: Option<Note>,
    pub(super) answer: Answer,
}

pub(super) struct Warning {
    pub(super) text: String,
    /// The tracker's own code and words, for whoever looks after the two applications.
    pub(super) detail: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    /// The macro asks for what anybody may see.
    Anonymous,
    /// Nobody is logged in.
    NotLoggedIn,
}

pub(super) enum Answer {
    Count { link: Option<String>, total: usize },
    Failed(&'static str),
    Table { title: String, link: Option<String>, total: usize, headings: Vec<&'static str>, rows: Vec<Row> },
}

pub(super) struct Row {
    pub(super) link: Option<String>,
    pub(super) cells: Vec<Cell>,
}

impl IssuesView {
    /// Asks the tracker, in the reader's name when there is one and the macro does not forbid it.
    pub(super) async fn fetch(wiki: &Wiki, visitor: &Visitor, issues: &JiraIssues) -> Self {
        let user = if issues.anonymous { None } else { visitor.name() };
        let fetched = wiki.source.search_dyn(user, &issues.query).await;
        let warnings = wiki.settings.trust_warnings || issues.force_trust_warnings;
        let note = match (issues.anonymous, visitor.name()) {
            (true, _) => Some(Note::Anonymous),
            (false, None) => Some(Note::NotLoggedIn),
            (false, Some(_)) => None,
        };
        Self {
            warning: fetched.trust.is_shown(warnings).then(|| Warning::of(&fetched.trust, fetched.warning)),
            note,
            answer: match fetched.issues {
                Ok(table) => Answer::of(wiki, issues, table),
                Err(error) => Answer::Failed(describe(error)),
            },
        }
    }
}

impl Warning {
    /// The given text; without one, a text that at least does not keep the trouble secret.
    fn of(notice: &TrustNotice, text: Option<String>) -> Self {
        let detail = match notice {
            TrustNotice::Other { code, message } => Some(format!("{code}: {message}")),
            _ => None,
        };
        let text = text.unwrap_or_else(|| {
            "The trusted connection to the tracker did not work. You may see fewer issues than you should.".into()
        });
        Self { text, detail }
    }
}

impl Answer {
    fn of(wiki: &Wiki, issues: &JiraIssues, table: IssueTable) -> Self {
        let link = wiki.tracker_link(table.link.as_ref());
        if issues.count {
            return Self::Count { link, total: table.total };
        }
        Self::Table {
            title: if table.title.is_empty() { "Issues".into() } else { table.title },
            link,
            total: table.total,
            headings: issues.columns.iter().map(|column| column.heading()).collect(),
            rows: table
                .issues
                .iter()
                .map(|row| Row {
                    link: wiki.tracker_link(row.link.as_ref()),
                    cells: issues.columns.iter().map(|column: &Column| column.cell(row)).collect(),
                })
                .collect(),
        }
    }
}

/// What the reader can do about it, as far as there is something.
const fn describe(error: FetchError) -> &'static str {
    match error {
        FetchError::Connection => "The tracker could not be reached. Try again in a while.",
        FetchError::Forbidden => "The tracker refused to answer this question.",
        FetchError::Query => "The tracker does not understand what this macro asks for.",
        FetchError::Unauthorized => "The tracker wants you to log in there.",
        FetchError::Status(_) | FetchError::TooLong | FetchError::Unreadable => {
            "The tracker gave an answer that this wiki cannot use."
        }
    }
}
