//! The data of the demonstration: small, and chosen so that every viewer sees another number of issues.

use jiff::civil::date;
use taa_core::time::UnixMillis;

use crate::issue::{Issue, IssueKey, IssueType, Priority, Project, ProjectKey, Resolution, Status, Summary};
use crate::permission::{Audience, Group};
use crate::user::{User, UserBase};

/// Numbers of issues begin after this one.
pub(crate) const FIRST_ID: u32 = 10_000;

const USERS: &str = "users";
const ADMINISTRATORS: &str = "administrators";

pub(crate) fn users() -> UserBase {
    let user = |name: &str, display_name: &str, groups: &[&str], may_log_in| User {
        name: name.into(),
        display_name: display_name.into(),
        groups: groups.iter().map(|group| Group::new(group)).collect(),
        may_log_in,
    };
    UserBase::new([
        user("admin", "Ada Administrator", &[USERS, ADMINISTRATORS], true),
        user("fred", "Fred Normal", &[USERS], true),
        user("blocked", "Bo Locked", &[USERS], false),
    ])
}

pub(crate) fn projects() -> Vec<Project> {
    let project = |id, key: &str, name: &str, group| {
        Some(Project {
            id,
            key: key.parse::<ProjectKey>().ok()?,
            name: name.into(),
            browse: Audience::of([Group::new(group)]),
        })
    };
    [project(10_000, "HSP", "Homosapien", USERS), project(10_001, "MKY", "Monkey", ADMINISTRATORS)]
        .into_iter()
        .flatten()
        .collect()
}

pub(crate) fn issues() -> Vec<Issue> {
    [hsp_1(), mky_1()].into_iter().flatten().collect()
}

fn hsp_1() -> Option<Issue> {
    Some(Issue {
        id: 10_001,
        key: "HSP-1".parse::<IssueKey>().ok()?,
        summary: Summary::parse("Log in once, be known in <both> applications").ok()?,
        description: "Whoever is logged in to the wiki should see their own issues there,\n\
                      without a second password."
            .into(),
        issue_type: IssueType::Improvement,
        priority: Priority::Major,
        status: Status::InProgress,
        resolution: None,
        assignee: Some("fred".into()),
        reporter: "admin".into(),
        created: UnixMillis(1_777_887_000_000),
        updated: UnixMillis(1_778_162_400_000),
        due: Some(date(2026, 6, 1)),
        labels: vec!["trust".into(), "wiki".into()],
        versions: vec!["1.0".into()],
        fix_versions: vec!["1.1".into()],
        components: vec!["Login".into()],
        votes: 7,
        security: None,
    })
}

fn mky_1() -> Option<Issue> {
    Some(Issue {
        id: 10_002,
        key: "MKY-1".parse::<IssueKey>().ok()?,
        summary: Summary::parse("Rotate the signing key & tell nobody else").ok()?,
        description: "Only administrators can see this project.".into(),
        issue_type: IssueType::Task,
        priority: Priority::Critical,
        status: Status::Resolved,
        resolution: Some(Resolution::Fixed),
        assignee: Some("admin".into()),
        reporter: "admin".into(),
        created: UnixMillis(1_778_248_800_000),
        updated: UnixMillis(1_778_680_800_000),
        due: None,
        labels: Vec::new(),
        versions: Vec::new(),
        fix_versions: Vec::new(),
        components: vec!["Keys".into()],
        votes: 1,
        security: None,
    })
}

#[cfg(test)]
mod tests {
    /// The builders above leave out what does not parse; nothing may be left out.
    #[test]
    fn complete() {
        assert_eq!(super::projects().len(), 2);
        assert_eq!(super::issues().len(), 2);
    }
}
