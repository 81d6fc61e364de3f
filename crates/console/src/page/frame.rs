use std::fmt;

use askama::filters::HtmlSafe;

use super::done;
use crate::console::Console;
use crate::failure::{Failure, FieldProblem, sentence};
use crate::links::Links;
use crate::visit::Visit;

/// What every page has around its content.
pub(crate) struct Frame {
    /// Where links lead.
    pub(crate) at: Links,
    /// The administrator; none on a page for somebody who is none.
    pub(crate) administrator: Option<String>,
    /// The token of the forms.
    pub(crate) token: Token,
    pub(crate) section: Section,
    pub(crate) service: Option<(String, String)>,
    /// Where the administrator has to confirm who they are before they change anything.
    pub(crate) confirm_at: Option<String>,
    /// What was just done.
    pub(crate) notice: Option<&'static str>,
    /// What is wrong with what was sent.
    pub(crate) errors: Vec<PageError>,
}

/// One line of the summary of errors.
pub(crate) struct PageError {
    /// The id of the field it is about.
    pub(crate) anchor: Option<String>,
    pub(crate) message: String,
}

/// The hidden field that every form has.
pub(crate) struct Token(String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Base64url: nothing in it needs escaping.
        write!(f, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", crate::change::TOKEN, self.0)
    }
}

impl HtmlSafe for Token {}

/// A part of the console, as the navigation has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Incoming,
    Outgoing,
    Own,
    Users,
    WhatIf,
    Audit,
    System,
    /// A page that belongs to none.
    None,
}

/// A line of the navigation.
pub(crate) struct NavItem {
    pub(crate) label: &'static str,
    pub(crate) href: String,
    pub(crate) here: bool,
}

impl Frame {
    pub(crate) fn new(console: &Console, visit: &Visit, section: Section) -> Result<Self, Failure> {
        let inner = console.inner();
        let token = inner.form_key.token(visit.administrator(), inner.random.as_ref()).map_err(|_| {
            tracing::error!("there is no randomness for the token of a form");
            Failure::Internal
        })?;
        Ok(Self {
            administrator: Some(visit.actor().to_string()),
            token: Token(token),
            section,
            confirm_at: visit.administrator().confirm_at().map(str::to_owned),
            ..Self::bare(console, visit.links())
        })
    }

    /// For a page that is shown to somebody who is not let in: no navigation, no forms.
    pub(crate) fn bare(console: &Console, links: &Links) -> Self {
        let service = console.inner().service.as_ref();
        Self {
            at: links.clone(),
            administrator: None,
            token: Token(String::new()),
            section: Section::None,
            service: service.map(|service| (service.name.clone(), service.url.clone())),
            confirm_at: None,
            notice: None,
            errors: Vec::new(),
        }
    }

    /// With what the page before says was done.
    pub(crate) fn done(mut self, word: Option<&str>) -> Self {
        self.notice = word.and_then(done::text);
        self
    }

    /// With what is wrong with what was sent.
    pub(crate) fn failed(mut self, failure: &Failure) -> Self {
        self.errors = match failure.fields() {
            [] => vec![PageError { anchor: None, message: failure.message() }],
            fields => fields.iter().map(PageError::of).collect(),
        };
        self
    }

    pub(crate) fn nav(&self) -> Vec<NavItem> {
        let item = |section, label, href| NavItem { label, href, here: self.section == section };
        vec![
            item(Section::Incoming, "Incoming trust", self.at.incoming()),
            item(Section::Outgoing, "Outgoing servers", self.at.servers()),
            item(Section::Own, "Own certificate", self.at.own()),
            item(Section::Users, "Users", self.at.users()),
            item(Section::WhatIf, "Would it be allowed?", self.at.what_if()),
            item(Section::Audit, "Audit trail", self.at.audit()),
            item(Section::System, "System", self.at.system()),
        ]
    }
}

impl PageError {
    fn of(problem: &FieldProblem) -> Self {
        Self { anchor: Some(super::input::anchor(problem.field)), message: sentence(&problem.message) }
    }
}
