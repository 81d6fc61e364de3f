use sqlx::any::AnyRow;

use super::{Link, entry};
use crate::db::Columns;
use crate::error::StoreError;
use crate::model::AuditReport;

/// The most problems that are listed.
const PROBLEMS: usize = 100;

/// Walks along the trail.
pub(super) struct Check {
    last: Link,
    report: AuditReport,
}

impl Default for Check {
    fn default() -> Self {
        Self { last: Link::default(), report: AuditReport { rows: 0, head: None, problems: Vec::new() } }
    }
}

impl Check {
    pub(super) fn last(&self) -> &Link {
        &self.last
    }

    pub(super) fn rows(&self) -> u64 {
        self.report.rows
    }

    pub(super) fn report(self) -> AuditReport {
        self.report
    }

    pub(super) fn problem(&mut self, problem: String) {
        if self.report.problems.len() < PROBLEMS {
            self.report.problems.push(problem);
        }
    }

    /// The next row.
    pub(super) fn row(&mut self, row: &AnyRow) -> Result<(), StoreError> {
        let seq = row.number("seq")?;
        let complete = self.follows(seq);
        let hash = row.text("hash").unwrap_or_default();
        match self.recomputed(row) {
            Err(error) => self.problem(format!("row {seq} cannot be read: {error}")),
            // After a gap the hash of the row before is not known.
            Ok(link) if complete && link.hash != hash => {
                self.problem(format!("row {seq} was changed, or the one before it"));
            }
            Ok(_) => {}
        }
        self.is_at(seq, hash);
        Ok(())
    }

    /// The next row, of which no more than its number can be read.
    pub(super) fn unreadable(&mut self, seq: u64, why: &str) {
        self.follows(seq);
        self.problem(format!("row {seq} cannot be read: {why}"));
        self.is_at(seq, String::new());
    }

    /// Counts a row. True when none is missing before it.
    fn follows(&mut self, seq: u64) -> bool {
        self.report.rows = self.report.rows.saturating_add(1);
        let expected = self.last.seq.saturating_add(1);
        let complete = seq == expected;
        if seq == expected.saturating_add(1) {
            self.problem(format!("row {expected} is missing"));
        } else if !complete {
            self.problem(format!("rows {expected} to {} are missing", seq.saturating_sub(1)));
        }
        complete
    }

    fn is_at(&mut self, seq: u64, hash: String) {
        self.last = Link { seq, hash };
        self.report.head = Some((seq, self.last.hash.clone()));
    }

    fn recomputed(&self, row: &AnyRow) -> Result<Link, StoreError> {
        // The texts as they stand there: a value made of them may hide a difference.
        entry(row)?;
        Ok(self.last.next(
            row.time("at")?,
            &row.text("actor")?,
            &row.text("action")?,
            &row.text("subject")?,
            &row.text("detail")?,
            row.number("generation")?,
        ))
    }

    /// The end, and where the store says that it is.
    pub(super) fn end(&mut self, head: &Link) {
        let last = self.last.clone();
        if head.seq > last.seq {
            let from = last.seq.saturating_add(1);
            self.problem(format!("the trail ends too early: rows {from} to {} are missing", head.seq));
        } else if head.seq < last.seq {
            self.problem(format!(
                "the trail ends with row {}, and the store knows of {} only",
                last.seq, head.seq
            ));
        } else if head.hash != last.hash {
            self.problem(format!("the last row, {}, is not the one that the store wrote", last.seq));
        }
    }
}
