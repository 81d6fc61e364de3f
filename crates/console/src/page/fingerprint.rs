use askama::Template;
use askama::filters::HtmlSafe;

/// A fingerprint as it is compared: large, in groups.
#[derive(Template)]
#[template(
    ext = "html",
    source = "<p class=\"fingerprint\">{% for group in groups %}<span>{{ group }}</span> {% endfor %}</p>"
)]
pub(crate) struct Fingerprint {
    groups: Vec<String>,
}

impl HtmlSafe for Fingerprint {}

impl Fingerprint {
    /// A fingerprint has its blanks; the thumbprint of an older key gets them, so that it can be read aloud too.
    pub(crate) fn new(text: &str) -> Self {
        let groups = if text.contains(' ') {
            text.split(' ').map(str::to_owned).collect()
        } else {
            let chars: Vec<char> = text.chars().collect();
            chars.chunks(4).map(|group| group.iter().collect()).collect()
        };
        Self { groups }
    }
}
