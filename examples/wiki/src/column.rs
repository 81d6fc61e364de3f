use std::str::FromStr;

use jiff::civil::Date;
use jiff::fmt::strtime;

use crate::issue_table::IssueRow;
use crate::jira_issues::MacroError;

/// A column of the table (product notes, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the columns say it")]
pub enum Column {
    Type,
    Key,
    Summary,
    Assignee,
    Reporter,
    Priority,
    Status,
    Resolution,
    Created,
    Updated,
    Due,
    Component,
    Description,
    FixVersion,
    Labels,
    Project,
    Version,
    Votes,
}

/// What stands in one cell.
pub(crate) enum Cell {
    /// A small mark with the text behind it, linked to the issue when `linked`.
    Icon { class: &'static str, letter: char, text: String, linked: bool },
    /// A text linked to the issue.
    Linked { class: &'static str, text: String },
    /// A text.
    Plain { class: &'static str, text: String },
}

impl Column {
    /// The columns shown when the macro names none, in their order.
    pub const DEFAULT: [Self; 11] = [
        Self::Type,
        Self::Key,
        Self::Summary,
        Self::Assignee,
        Self::Reporter,
        Self::Priority,
        Self::Status,
        Self::Resolution,
        Self::Created,
        Self::Updated,
        Self::Due,
    ];

    const ALL: [(Self, &'static str, &'static str); 18] = [
        (Self::Type, "type", "T"),
        (Self::Key, "key", "Key"),
        (Self::Summary, "summary", "Summary"),
        (Self::Assignee, "assignee", "Assignee"),
        (Self::Reporter, "reporter", "Reporter"),
        (Self::Priority, "priority", "P"),
        (Self::Status, "status", "Status"),
        (Self::Resolution, "resolution", "Resolution"),
        (Self::Created, "created", "Created"),
        (Self::Updated, "updated", "Updated"),
        (Self::Due, "due", "Due"),
        (Self::Component, "component", "Component"),
        (Self::Description, "description", "Description"),
        (Self::FixVersion, "fixVersion", "Fix Version"),
        (Self::Labels, "labels", "Labels"),
        (Self::Project, "project", "Project"),
        (Self::Version, "version", "Version"),
        (Self::Votes, "votes", "Votes"),
    ];

    /// The text above the column.
    #[must_use]
    pub fn heading(self) -> &'static str {
        Self::ALL.iter().find(|(column, ..)| *column == self).map_or("", |(_, _, heading)| heading)
    }

    /// Reads a list of names with `,` or `;` between them; an empty list is the default.
    ///
    /// # Errors
    /// The first name that no column has.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, MacroError> {
        if text.trim().is_empty() {
            return Ok(Self::DEFAULT.to_vec());
        }
        text.split([',', ';']).map(|name| name.trim().parse()).collect()
    }

    pub(crate) fn cell(self, row: &IssueRow) -> Cell {
        let plain = |text: &str| Cell::Plain { class: "", text: text.to_owned() };
        let date = |day: Option<Date>| Cell::Plain {
            class: "date",
            text: day.and_then(|day| strtime::format("%d %b %Y", day).ok()).unwrap_or_default(),
        };
        let list = |texts: &[String]| Cell::Plain { class: "", text: texts.join(", ") };
        let letter = |text: &str| text.chars().next().unwrap_or('?');
        match self {
            Self::Type => Cell::Icon {
                class: type_class(&row.issue_type),
                letter: letter(&row.issue_type),
                text: row.issue_type.clone(),
                linked: true,
            },
            Self::Key => Cell::Linked { class: "key", text: row.key.clone() },
            Self::Summary => Cell::Linked { class: "summary", text: row.summary.clone() },
            Self::Assignee => plain(&row.assignee),
            Self::Reporter => plain(&row.reporter),
            Self::Priority => {
                let (class, letter) = priority_class(&row.priority);
                Cell::Icon { class, letter, text: row.priority.clone(), linked: false }
            }
            Self::Status => Cell::Plain { class: status_class(&row.status), text: row.status.clone() },
            Self::Resolution => Cell::Plain { class: "resolution", text: row.resolution.clone() },
            Self::Created => date(row.created),
            Self::Updated => date(row.updated),
            Self::Due => date(row.due),
            Self::Component => list(&row.components),
            Self::Description => Cell::Plain { class: "summary", text: row.description.clone() },
            Self::FixVersion => list(&row.fix_versions),
            Self::Labels => list(&row.labels),
            Self::Project => plain(&row.project),
            Self::Version => list(&row.versions),
            Self::Votes => plain(&row.votes),
        }
    }
}

impl FromStr for Column {
    type Err = MacroError;

    /// Reads a name; case does not count.
    fn from_str(name: &str) -> Result<Self, MacroError> {
        Self::ALL
            .iter()
            .find(|(_, known, _)| known.eq_ignore_ascii_case(name))
            .map(|(column, ..)| *column)
            .ok_or_else(|| MacroError::Column { name: name.to_owned() })
    }
}

// The wiki draws its own icons: one that came from the tracker would tell the tracker's host who reads which page.

fn type_class(name: &str) -> &'static str {
    match name {
        "Bug" => "icon red",
        "Improvement" | "New Feature" => "icon green",
        "Task" => "icon blue",
        _ => "icon grey",
    }
}

fn priority_class(name: &str) -> (&'static str, char) {
    match name {
        "Blocker" => ("icon red", '⦸'),
        "Critical" => ("icon red", '↑'),
        "Major" => ("icon orange", '↑'),
        "Minor" => ("icon blue", '↓'),
        "Trivial" => ("icon grey", '↓'),
        _ => ("icon grey", '•'),
    }
}

fn status_class(name: &str) -> &'static str {
    match name {
        "In Progress" => "lozenge yellow",
        "Closed" | "Resolved" => "lozenge green",
        _ => "lozenge blue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        assert_eq!(Column::parse_list(""), Ok(Column::DEFAULT.to_vec()));
        let columns = vec![Column::Key, Column::Summary, Column::FixVersion];
        assert_eq!(Column::parse_list("key, Summary;FIXVERSION"), Ok(columns));
        assert_eq!(Column::parse_list("key,,x"), Err(MacroError::Column { name: String::new() }));
    }

    #[test]
    fn headings_in_their_order() {
        let headings: Vec<_> = Column::DEFAULT.into_iter().map(Column::heading).collect();
        assert_eq!(
            headings.join(" "),
            "T Key Summary Assignee Reporter P Status Resolution Created Updated Due"
        );
    }
}
