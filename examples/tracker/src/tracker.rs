use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use taa_core::time::Clock;
use url::Url;

use crate::issue::{Issue, IssueKey, NewIssue, Project, ProjectKey, Status};
use crate::jql::Jql;
use crate::paging::{Found, Window};
use crate::sample;
use crate::user::{User, UserBase};
use crate::viewer::Viewer;

/// The most issues that are kept; they are all in memory.
const MAX_ISSUES: usize = 10_000;

/// The tracker: users, projects, issues, all in memory.
///
/// Every way to an issue goes through the viewer, and what a viewer may not see is told apart from what does not exist
/// by nothing.
#[derive(Debug)]
pub struct Tracker {
    base: Url,
    users: Arc<UserBase>,
    projects: Vec<Project>,
    issues: RwLock<Vec<Issue>>,
    clock: Arc<dyn Clock>,
}

impl Tracker {
    /// A tracker with these users and issues. An issue whose project is not in the list is seen by nobody.
    ///
    /// `base` is the address other machines and browsers use; links in answers begin with it.
    #[must_use]
    pub fn new(
        base: Url,
        users: UserBase,
        projects: Vec<Project>,
        issues: Vec<Issue>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { base, users: Arc::new(users), projects, issues: RwLock::new(issues), clock }
    }

    /// A tracker with the users `admin`, `fred` and `blocked`, and the issues HSP-1, which `admin` and `fred` see, and
    /// MKY-1, which only `admin` sees.
    #[must_use]
    pub fn sample(base: Url, clock: Arc<dyn Clock>) -> Self {
        Self::new(base, sample::users(), sample::projects(), sample::issues(), clock)
    }

    /// Everybody the tracker knows, to be shared with what authenticates.
    #[must_use]
    pub fn users(&self) -> &Arc<UserBase> {
        &self.users
    }

    /// What the viewer may see of what is wanted, oldest first.
    #[must_use]
    pub fn search(&self, viewer: &Viewer, jql: &Jql, window: Window) -> Found<Issue> {
        let issues = self.read();
        let wanted = || issues.iter().filter(|issue| jql.matches(issue) && self.may_see(viewer, issue));
        Found {
            start: window.start,
            total: wanted().count(),
            issues: wanted().skip(window.start).take(window.max).cloned().collect(),
        }
    }

    /// The issue of this key, if there is one and the viewer may see it.
    #[must_use]
    pub fn issue(&self, viewer: &Viewer, key: &IssueKey) -> Option<Issue> {
        self.read().iter().find(|issue| issue.key == *key && self.may_see(viewer, issue)).cloned()
    }

    /// Makes an issue that the viewer reports.
    ///
    /// # Errors
    /// When nobody is looking, the viewer may not see the project, the assignee does not exist, there is no time, or
    /// there are too many issues.
    pub fn create(&self, viewer: &Viewer, new: NewIssue) -> Result<Issue, CreateError> {
        let reporter = self.users.viewer(viewer).ok_or(CreateError::Anonymous)?;
        let project = self
            .project(&new.project)
            .filter(|project| project.browse.admits(reporter))
            .ok_or(CreateError::Project)?;
        let assignee = match new.assignee {
            None => None,
            Some(name) => Some(self.users.find(&name).ok_or(CreateError::Assignee)?.name.clone()),
        };
        let now = self.clock.wall().map_err(|_| CreateError::Time)?;

        let mut issues = self.write();
        if issues.len() >= MAX_ISSUES {
            return Err(CreateError::Full);
        }
        let last_id = issues.iter().map(|issue| issue.id).max().unwrap_or(sample::FIRST_ID);
        let last_number = issues
            .iter()
            .filter(|issue| *issue.key.project() == project.key)
            .map(|issue| issue.key.number())
            .max()
            .unwrap_or(0);
        let issue = Issue {
            id: last_id.checked_add(1).ok_or(CreateError::Full)?,
            key: IssueKey::new(project.key.clone(), last_number.checked_add(1).ok_or(CreateError::Full)?),
            summary: new.summary,
            description: new.description,
            issue_type: new.issue_type,
            priority: new.priority,
            status: Status::Open,
            resolution: None,
            assignee,
            reporter: reporter.name.clone(),
            created: now,
            updated: now,
            due: new.due,
            labels: Vec::new(),
            versions: Vec::new(),
            fix_versions: Vec::new(),
            components: Vec::new(),
            votes: 0,
            security: None,
        };
        issues.push(issue.clone());
        Ok(issue)
    }

    /// The project of this key, whoever asks.
    pub(crate) fn project(&self, key: &ProjectKey) -> Option<&Project> {
        self.projects.iter().find(|project| project.key == *key)
    }

    /// The user who is looking.
    pub(crate) fn viewer(&self, viewer: &Viewer) -> Option<&User> {
        self.users.viewer(viewer)
    }

    /// How people call the user of this name.
    pub(crate) fn display_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.users.find(name).map_or(name, |user| &user.display_name)
    }

    /// A full address: the tracker's own, and a path that begins with `/`.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    fn may_see(&self, viewer: &Viewer, issue: &Issue) -> bool {
        match (self.users.viewer(viewer), self.project(issue.key.project())) {
            (Some(user), Some(project)) => issue.visible_to(user, project),
            _ => false,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Issue>> {
        // A panic elsewhere leaves the list whole: it only ever grows by one finished issue.
        self.issues.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Issue>> {
        self.issues.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an issue was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// Nobody is logged in.
    #[error("nobody is logged in")]
    Anonymous,
    /// The assignee does not exist.
    #[error("there is no such assignee")]
    Assignee,
    /// There are too many issues.
    #[error("there is no room for another issue")]
    Full,
    /// The project does not exist, or the viewer may not see it.
    #[error("there is no such project")]
    Project,
    /// The clock cannot tell the time.
    #[error("the clock cannot tell the time")]
    Time,
}

#[cfg(test)]
mod tests {
    use taa_core::time::{ManualClock, UnixMillis};

    use super::*;
    use crate::issue::{IssueType, Priority, Summary};
    use crate::permission::{Audience, Group, SecurityLevel};

    fn tracker() -> Tracker {
        let clock = Arc::new(ManualClock::new(UnixMillis(1_777_887_000_000)));
        Tracker::sample("http://tracker.example/".parse().unwrap(), clock)
    }

    fn viewer(name: &str) -> Viewer {
        Viewer(Some(name.to_owned()))
    }

    fn total(tracker: &Tracker, viewer: &Viewer) -> usize {
        tracker.search(viewer, &Jql::default(), Window::ALL).total
    }

    #[test]
    fn who_sees_what() {
        let tracker = tracker();
        for (name, expected) in [("admin", 2), ("fred", 1), ("FRED", 1), ("ghost", 0), ("blocked", 0)] {
            assert_eq!(total(&tracker, &viewer(name)), expected, "{name}");
        }
        assert_eq!(total(&tracker, &Viewer(None)), 0);
    }

    #[test]
    fn a_security_level_narrows_the_project() {
        let mut issues = sample::issues();
        issues.retain(|issue| issue.key.to_string() == "HSP-1");
        for issue in &mut issues {
            issue.security = Some(SecurityLevel {
                name: "Administrators".into(),
                audience: Audience::of([Group::new("administrators")]),
            });
        }
        let clock = Arc::new(ManualClock::new(UnixMillis(0)));
        let base = "http://tracker.example/".parse().unwrap();
        let tracker = Tracker::new(base, sample::users(), sample::projects(), issues, clock);
        assert_eq!(total(&tracker, &viewer("admin")), 1);
        assert_eq!(total(&tracker, &viewer("fred")), 0);
    }

    #[test]
    fn numbers_go_on() {
        let tracker = tracker();
        let new = |project: &str| NewIssue {
            project: project.parse().unwrap(),
            summary: Summary::parse("another").unwrap(),
            description: String::new(),
            issue_type: IssueType::Task,
            priority: Priority::Major,
            assignee: None,
            due: None,
        };
        let made = tracker.create(&viewer("Fred"), new("HSP")).unwrap();
        assert_eq!((made.key.to_string(), made.reporter.as_str()), ("HSP-2".into(), "fred"));
        assert_eq!(tracker.create(&viewer("fred"), new("MKY")).unwrap_err(), CreateError::Project);
        assert_eq!(tracker.create(&viewer("fred"), new("NONE")).unwrap_err(), CreateError::Project);
        assert_eq!(tracker.create(&Viewer(None), new("HSP")).unwrap_err(), CreateError::Anonymous);
        assert_eq!(tracker.create(&viewer("blocked"), new("HSP")).unwrap_err(), CreateError::Anonymous);
    }
}
