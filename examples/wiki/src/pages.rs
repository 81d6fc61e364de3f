//! The pages.

mod issues_view;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use self::issues_view::{Answer, IssuesView};
use crate::column::Cell;
use crate::markup::Block;
use crate::visitor::Visitor;
use crate::wiki::{Page, Wiki};

/// `GET /`
pub(crate) async fn list(State(wiki): State<Arc<Wiki>>, visitor: Visitor) -> Response {
    let pages = wiki.pages.iter().map(|(page, _)| page).collect();
    render(StatusCode::OK, &ListPage { visitor: &visitor, pages })
}

/// `GET /pages/{id}`
pub(crate) async fn page(
    State(wiki): State<Arc<Wiki>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let Some((page, markup)) = wiki.page(&id) else {
        return render(StatusCode::NOT_FOUND, &MissingPage { visitor: &visitor });
    };
    let mut parts = Vec::new();
    for block in &markup.blocks {
        parts.push(match block {
            Block::Heading(text) => Part::Heading(text),
            Block::Paragraph(text) => Part::Paragraph(text),
            Block::Issues(Err(error)) => Part::Mistake(error.to_string()),
            Block::Issues(Ok(issues)) => Part::Issues(IssuesView::fetch(&wiki, &visitor, issues).await),
        });
    }
    render(StatusCode::OK, &OnePage { visitor: &visitor, page, parts })
}

/// `GET /style.css`
pub(crate) async fn style() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=300")],
        include_str!("../assets/style.css"),
    )
}

pub(crate) fn render(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage<'a> {
    visitor: &'a Visitor,
    pages: Vec<&'a Page>,
}

#[derive(Template)]
#[template(path = "page.html")]
struct OnePage<'a> {
    visitor: &'a Visitor,
    page: &'a Page,
    parts: Vec<Part<'a>>,
}

#[derive(Template)]
#[template(path = "missing.html")]
struct MissingPage<'a> {
    visitor: &'a Visitor,
}

enum Part<'a> {
    Heading(&'a str),
    Issues(IssuesView),
    Mistake(String),
    Paragraph(&'a str),
}
