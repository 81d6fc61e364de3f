//! What the tracker keeps.

mod key;
mod kind;
mod summary;

use jiff::civil::Date;
use taa_core::time::UnixMillis;

pub use key::{IssueKey, KeyError, ProjectKey};
pub use kind::{IssueType, Priority, Resolution, Status};
pub use summary::{Summary, SummaryError};

use crate::permission::{Audience, SecurityLevel};
use crate::user::User;

/// Issues that belong together, and who may see them.
#[derive(Clone, Debug)]
pub struct Project {
    /// The number of the project.
    pub id: u32,
    /// The key its issues begin with.
    pub key: ProjectKey,
    /// The name people read.
    pub name: String,
    /// Who may see the project, and create issues in it.
    pub browse: Audience,
}

/// One issue.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The number of the issue among all issues.
    pub id: u32,
    /// The key people use.
    pub key: IssueKey,
    /// One line that says what it is about.
    pub summary: Summary,
    /// As much text as it takes.
    pub description: String,
    /// What sort of issue it is.
    pub issue_type: IssueType,
    /// How much it matters.
    pub priority: Priority,
    /// How far it has come.
    pub status: Status,
    /// How it ended; nothing while it is open.
    pub resolution: Option<Resolution>,
    /// The name of the user who works on it.
    pub assignee: Option<String>,
    /// The name of the user who wrote it.
    pub reporter: String,
    /// When it was made.
    pub created: UnixMillis,
    /// When it was last changed.
    pub updated: UnixMillis,
    /// The day it should be done.
    pub due: Option<Date>,
    /// Free words for finding it.
    pub labels: Vec<String>,
    /// The versions that have the problem.
    pub versions: Vec<String>,
    /// The versions that will no longer have it.
    pub fix_versions: Vec<String>,
    /// The parts of the project it is about.
    pub components: Vec<String>,
    /// How many users want it.
    pub votes: u32,
    /// A narrower audience than the project's.
    pub security: Option<SecurityLevel>,
}

impl Issue {
    /// Whether this user may see the issue, given its project: the project's audience first, then the issue's own.
    #[must_use]
    pub fn visible_to(&self, user: &User, project: &Project) -> bool {
        project.browse.admits(user) && self.security.as_ref().is_none_or(|level| level.audience.admits(user))
    }
}

/// What a user says to make an issue; the tracker adds the rest.
#[derive(Clone, Debug)]
pub struct NewIssue {
    /// The project it belongs to.
    pub project: ProjectKey,
    /// One line that says what it is about.
    pub summary: Summary,
    /// As much text as it takes.
    pub description: String,
    /// What sort of issue it is.
    pub issue_type: IssueType,
    /// How much it matters.
    pub priority: Priority,
    /// The name of the user who is to work on it.
    pub assignee: Option<String>,
    /// The day it should be done.
    pub due: Option<Date>,
}
