use serde::Deserialize;
use taa_core::time::UnixMillis;
use taa_store::model::{Action, AuditFilter};
use utoipa::IntoParams;

use crate::failure::{Failure, FieldProblem};
use crate::moment;

/// Which rows of the audit trail are wanted, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct AuditText {
    /// By this actor.
    pub(crate) actor: String,
    /// This action, such as `application.changed`.
    pub(crate) action: String,
    /// About this subject: an application id, a key id, a user.
    pub(crate) subject: String,
    /// Not before: RFC 3339, or date and time in UTC, or a date.
    pub(crate) since: String,
    /// Before: RFC 3339, or date and time in UTC, or a date.
    pub(crate) until: String,
    /// Rows with a number below this: the next page.
    pub(crate) before_seq: String,
    /// At most so many; 100 by default, never more than 1000.
    pub(crate) limit: String,
}

impl AuditText {
    /// The filter.
    ///
    /// # Errors
    /// All fields that cannot be read.
    pub(crate) fn filter(&self) -> Result<AuditFilter, Failure> {
        let mut problems = Vec::new();
        let some = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        let action = some(&self.action).and_then(|action| match action.parse::<Action>() {
            Ok(action) => Some(action),
            Err(_) => {
                problems.push(FieldProblem::new("action", format!("There is no action {action:?}.")));
                None
            }
        });
        let since = time("since", &self.since, &mut problems);
        let until = time("until", &self.until, &mut problems);
        let before_seq = number("before_seq", &self.before_seq, &mut problems);
        let limit = number("limit", &self.limit, &mut problems).unwrap_or_default();
        if !problems.is_empty() {
            return Err(Failure::Fields(problems));
        }
        Ok(AuditFilter {
            actor: some(&self.actor),
            action,
            subject: some(&self.subject),
            since,
            until,
            before_seq,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        })
    }

    /// Whether it leaves anything out.
    pub(crate) fn is_filter(&self) -> bool {
        [&self.actor, &self.action, &self.subject, &self.since, &self.until]
            .into_iter()
            .any(|text| !text.trim().is_empty())
    }
}

fn time(field: &'static str, text: &str, problems: &mut Vec<FieldProblem>) -> Option<UnixMillis> {
    if text.trim().is_empty() {
        return None;
    }
    let read = moment::parse(text);
    if read.is_none() {
        problems.push(FieldProblem::new(
            field,
            "Write a date, or date and time: 2026-01-31 or 2026-01-31 18:00.",
        ));
    }
    read
}

fn number(field: &'static str, text: &str, problems: &mut Vec<FieldProblem>) -> Option<u64> {
    if text.trim().is_empty() {
        return None;
    }
    let read = text.trim().parse().ok();
    if read.is_none() {
        problems.push(FieldProblem::new(field, "This is a whole number."));
    }
    read
}

/// An action in words: `application.key_revoked` as `Application: key revoked`.
pub(crate) fn action_label(action: &str) -> String {
    let (what, done) = action.split_once('.').unwrap_or(("", action));
    let done = done.replace('_', " ");
    let mut chars = what.chars();
    match chars.next() {
        Some(first) => format!("{}{}: {done}", first.to_ascii_uppercase(), chars.as_str()),
        None => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let text = AuditText {
            action: "application.eaten".into(),
            since: "soon".into(),
            until: "2026-02-30".into(),
            before_seq: "-1".into(),
            limit: "many".into(),
            ..AuditText::default()
        };
        let fields: Vec<_> =
            text.filter().unwrap_err().fields().iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["action", "since", "until", "before_seq", "limit"]);
    }

    #[test]
    fn blanks_are_no_filter() {
        let text = AuditText { actor: " ".into(), ..AuditText::default() };
        assert!(!text.is_filter());
        let filter = text.filter().unwrap();
        assert!(filter.actor.is_none() && filter.before_seq.is_none() && filter.limit == 0);
    }

    #[test]
    fn labels() {
        assert_eq!(action_label("application.key_revoked"), "Application: key revoked");
        assert_eq!(action_label("odd"), "odd");
    }
}
