use askama::Template;

use super::frame::Frame;
use super::input::Input;

/// Asks once more before something that cannot be undone.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) frame: Frame,
    pub(super) title: String,
    /// What it is about: name and value.
    pub(super) facts: Vec<(&'static str, String)>,
    /// What it means, a paragraph each.
    pub(super) text: Vec<String>,
    /// What is dangerous about it.
    pub(super) warning: Option<String>,
    pub(super) action: String,
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) fields: Vec<Input>,
    pub(super) button: &'static str,
    /// Whether the button destroys something.
    pub(super) destroys: bool,
    pub(super) cancel: String,
}
