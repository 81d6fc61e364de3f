use askama::Template;
use askama::filters::HtmlSafe;

use crate::failure::{FieldProblem, sentence};

/// The id of a field on its page: what the summary of errors links to.
pub(crate) fn anchor(name: &str) -> String {
    format!("f-{name}")
}

/// A field of a form with its label, help and error.
#[derive(Template)]
#[template(path = "part/input.html")]
pub(crate) struct Input {
    name: &'static str,
    label: &'static str,
    help: String,
    /// Like help, and marked: what weakens.
    warning: Option<String>,
    value: String,
    kind: Kind,
    error: Option<String>,
    required: bool,
}

enum Kind {
    Check,
    Lines(u8),
    Number,
    Select(Vec<(String, String)>),
    Text,
    Time,
    Url,
}

impl HtmlSafe for Input {}

impl Input {
    fn new(kind: Kind, name: &'static str, label: &'static str, value: impl Into<String>) -> Self {
        Self {
            name,
            label,
            help: String::new(),
            warning: None,
            value: value.into(),
            kind,
            error: None,
            required: false,
        }
    }

    pub(crate) fn text(name: &'static str, label: &'static str, value: impl Into<String>) -> Self {
        Self::new(Kind::Text, name, label, value)
    }

    pub(crate) fn number(name: &'static str, label: &'static str, value: impl Into<String>) -> Self {
        Self::new(Kind::Number, name, label, value)
    }

    pub(crate) fn url(name: &'static str, label: &'static str, value: impl Into<String>) -> Self {
        Self::new(Kind::Url, name, label, value)
    }

    /// Date and time as text: a browser's own field knows no time zone.
    pub(crate) fn time(name: &'static str, label: &'static str, value: impl Into<String>) -> Self {
        Self::new(Kind::Time, name, label, value)
    }

    pub(crate) fn lines(name: &'static str, label: &'static str, value: impl Into<String>, rows: u8) -> Self {
        Self::new(Kind::Lines(rows), name, label, value)
    }

    pub(crate) fn check(name: &'static str, label: &'static str, checked: bool) -> Self {
        Self::new(Kind::Check, name, label, if checked { "true" } else { "" })
    }

    pub(crate) fn select(
        name: &'static str,
        label: &'static str,
        value: impl Into<String>,
        options: Vec<(String, String)>,
    ) -> Self {
        Self::new(Kind::Select(options), name, label, value)
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    pub(crate) fn warning(mut self, warning: impl Into<String>) -> Self {
        self.warning = Some(warning.into());
        self
    }

    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// With what is wrong with it, if something is.
    pub(crate) fn judged(mut self, problems: &[FieldProblem]) -> Self {
        self.error = problems
            .iter()
            .find(|problem| problem.field == self.name)
            .map(|problem| sentence(&problem.message));
        self
    }

    pub(crate) fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    fn id(&self) -> String {
        anchor(self.name)
    }

    /// What a screen reader reads after the label.
    fn described_by(&self) -> String {
        let id = self.id();
        let mut parts = Vec::new();
        if self.error.is_some() {
            parts.push(format!("{id}-error"));
        }
        if !self.help.is_empty() {
            parts.push(format!("{id}-help"));
        }
        if self.warning.is_some() {
            parts.push(format!("{id}-warning"));
        }
        parts.join(" ")
    }

    fn is_check(&self) -> bool {
        matches!(self.kind, Kind::Check)
    }
}
