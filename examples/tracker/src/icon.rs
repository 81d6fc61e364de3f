use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

/// Name, colour, and what is drawn in white on it, in a square of 16.
const ICONS: &[(&str, &str, &str)] = &[
    ("bug", "#d04437", "M8 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z"),
    ("newfeature", "#67ab49", "M7 4h2v3h3v2H9v3H7V9H4V7h3z"),
    ("task", "#3b7fc4", "M4 8l2-2 1.5 1.5L11 4l1.5 1.5-5 5.5z"),
    ("improvement", "#67ab49", "M8 4l4 4H9.5v4h-3V8H4z"),
    ("blocker", "#c9302c", "M4 7h8v2H4z"),
    ("critical", "#d04437", "M8 3l4 5H9v5H7V8H4z"),
    ("major", "#e07b39", "M8 4l4 4-1.4 1.4L8 6.8 5.4 9.4 4 8z"),
    ("minor", "#3a87c8", "M8 12L4 8l1.4-1.4L8 9.2l2.6-2.6L12 8z"),
    ("trivial", "#8993a4", "M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z"),
    ("open", "#4a6785", "M4 4h8v8H4z"),
    ("inprogress", "#e0a139", "M5 4l7 4-7 4z"),
    ("resolved", "#14892c", "M4 8l2-2 1.5 1.5L11 4l1.5 1.5-5 5.5z"),
    ("closed", "#14892c", "M4 7h8v2H4z"),
];

/// The path of an icon.
pub(crate) fn path(name: &str) -> String {
    format!("/images/icons/{name}.svg")
}

/// One of the fixed icons. They say nothing about anybody, so they may be kept.
pub(crate) async fn serve(Path(file): Path<String>) -> Response {
    let icon = file.strip_suffix(".svg").and_then(|name| ICONS.iter().find(|(known, ..)| *known == name));
    match icon {
        None => StatusCode::NOT_FOUND.into_response(),
        Some((_, colour, shape)) => (
            [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")],
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\" width=\"16\" height=\"16\">\
                 <rect width=\"16\" height=\"16\" rx=\"3\" fill=\"{colour}\"/><path d=\"{shape}\" fill=\"#fff\"/></svg>\n"
            ),
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::{IssueType, Priority, Status};

    #[test]
    fn every_kind_has_its_icon() {
        let names = IssueType::ALL
            .iter()
            .map(|kind| kind.icon())
            .chain(Priority::ALL.iter().map(|kind| kind.icon()))
            .chain(Status::ALL.iter().map(|kind| kind.icon()));
        for name in names {
            assert!(ICONS.iter().any(|(known, ..)| *known == name), "{name}");
        }
    }
}
