//! The JSON bodies.

use serde::{Deserialize, Serialize};

use super::FieldErrors;
use super::error::ApiError;
use crate::icon;
use crate::issue::{Issue, IssueType, NewIssue, Priority, Summary};
use crate::text::json_time;
use crate::tracker::Tracker;
use crate::user::User;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchBody {
    pub(crate) start_at: usize,
    pub(crate) max_results: usize,
    pub(crate) total: usize,
    pub(crate) issues: Vec<IssueBody>,
}

#[derive(Debug, Serialize)]
pub(crate) struct IssueBody {
    id: String,
    key: String,
    #[serde(rename = "self")]
    address: String,
    fields: FieldsBody,
}

#[derive(Debug, Serialize)]
struct FieldsBody {
    summary: String,
    description: String,
    issuetype: KindBody,
    status: KindBody,
    priority: KindBody,
    resolution: Option<KindBody>,
    project: ProjectBody,
    assignee: Option<UserBody>,
    reporter: UserBody,
    created: String,
    updated: String,
    duedate: Option<String>,
    labels: Vec<String>,
}

#[derive(Debug, Serialize)]
struct KindBody {
    id: String,
    name: &'static str,
    #[serde(rename = "iconUrl", skip_serializing_if = "Option::is_none")]
    icon_url: Option<String>,
}

#[derive(Debug, Serialize)]
struct ProjectBody {
    id: String,
    key: String,
    name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserBody {
    name: String,
    display_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MyselfBody {
    name: String,
    key: String,
    display_name: String,
    active: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct CreatedBody {
    id: String,
    key: String,
    #[serde(rename = "self")]
    pub(crate) address: String,
}

/// What a client sends to make an issue. A field that is not known is refused, not dropped in silence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIssueBody {
    fields: NewFieldsBody,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFieldsBody {
    project: KeyBody,
    summary: String,
    #[serde(default)]
    description: String,
    issuetype: Option<NameBody>,
    priority: Option<NameBody>,
    assignee: Option<NameBody>,
    duedate: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyBody {
    key: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameBody {
    name: String,
}

impl IssueBody {
    pub(crate) fn of(tracker: &Tracker, issue: &Issue) -> Self {
        let kind = |id: u32, name, icon: &str| KindBody {
            id: id.to_string(),
            name,
            icon_url: (!icon.is_empty()).then(|| tracker.link(&icon::path(icon))),
        };
        let user = |name: &String| UserBody {
            name: name.clone(),
            display_name: tracker.display_name(name).to_owned(),
        };
        let project = tracker.project(issue.key.project());
        Self {
            id: issue.id.to_string(),
            key: issue.key.to_string(),
            address: address(tracker, issue),
            fields: FieldsBody {
                summary: issue.summary.to_string(),
                description: issue.description.clone(),
                issuetype: kind(issue.issue_type.id(), issue.issue_type.name(), issue.issue_type.icon()),
                status: kind(issue.status.id(), issue.status.name(), issue.status.icon()),
                priority: kind(issue.priority.id(), issue.priority.name(), issue.priority.icon()),
                resolution: issue.resolution.map(|it| kind(it.id(), it.name(), it.icon())),
                project: ProjectBody {
                    id: project.map(|project| project.id.to_string()).unwrap_or_default(),
                    key: issue.key.project().to_string(),
                    name: project.map(|project| project.name.clone()).unwrap_or_default(),
                },
                assignee: issue.assignee.as_ref().map(user),
                reporter: user(&issue.reporter),
                created: json_time(issue.created),
                updated: json_time(issue.updated),
                duedate: issue.due.map(|day| day.to_string()),
                labels: issue.labels.clone(),
            },
        }
    }
}

impl CreatedBody {
    pub(crate) fn of(tracker: &Tracker, issue: &Issue) -> Self {
        Self { id: issue.id.to_string(), key: issue.key.to_string(), address: address(tracker, issue) }
    }
}

impl MyselfBody {
    pub(crate) fn of(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            key: user.name.clone(),
            display_name: user.display_name.clone(),
            active: user.may_log_in,
        }
    }
}

impl NewIssueBody {
    /// Checks every field, so that a client learns all its mistakes at once.
    pub(crate) fn parse(self) -> Result<NewIssue, ApiError> {
        let fields = self.fields;
        let mut errors = FieldErrors::new();
        let project = fields.project.key.parse().map_err(|error| errors.insert("project", text(error))).ok();
        let summary =
            Summary::parse(&fields.summary).map_err(|error| errors.insert("summary", text(error))).ok();
        let issue_type = match fields.issuetype {
            None => Some(IssueType::Bug),
            Some(body) => IssueType::named(&body.name),
        };
        if issue_type.is_none() {
            errors.insert("issuetype", "there is no such issue type".into());
        }
        let priority = match fields.priority {
            None => Some(Priority::Major),
            Some(body) => Priority::named(&body.name),
        };
        if priority.is_none() {
            errors.insert("priority", "there is no such priority".into());
        }
        let due = fields.duedate.map(|day| day.parse()).transpose().unwrap_or_else(|_| {
            errors.insert("duedate", "a day is written as 2026-05-04".into());
            None
        });
        match (project, summary, issue_type, priority) {
            (Some(project), Some(summary), Some(issue_type), Some(priority)) if errors.is_empty() => {
                Ok(NewIssue {
                    project,
                    summary,
                    description: fields.description,
                    issue_type,
                    priority,
                    assignee: fields.assignee.map(|body| body.name),
                    due,
                })
            }
            _ => Err(ApiError::fields(errors)),
        }
    }
}

fn address(tracker: &Tracker, issue: &Issue) -> String {
    tracker.link(&format!("/rest/api/2/issue/{}", issue.key))
}

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}
