use url::Url;

use crate::jira_issues::{JiraIssues, MacroError};

/// The text of a page, read: headings (`h2. …`), paragraphs with empty lines between them, and macros on lines of their own.
///
/// Texts hold what the author wrote; showing them escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup {
    /// The parts, from top to bottom.
    pub blocks: Vec<Block>,
}

/// One part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// The `jiraissues` macro, or why it is not understood: the rest of the page is shown all the same.
    Issues(Result<JiraIssues, MacroError>),
    /// Lines of text.
    Paragraph(String),
}

impl Markup {
    /// Reads a page's source. Every text is a page; what is no heading or macro is a paragraph.
    #[must_use]
    pub fn parse(source: &str, tracker: &Url) -> Self {
        let mut blocks = Vec::new();
        let mut paragraph: Vec<&str> = Vec::new();
        for line in source.lines().map(str::trim).chain([""]) {
            let block = match_macro(line)
                .map(|parameters| Block::Issues(JiraIssues::parse(parameters, tracker)))
                .or_else(|| line.strip_prefix("h2. ").map(|text| Block::Heading(text.trim().to_owned())));
            if block.is_none() && !line.is_empty() {
                paragraph.push(line);
                continue;
            }
            if !paragraph.is_empty() {
                blocks.push(Block::Paragraph(paragraph.join("\n")));
                paragraph.clear();
            }
            blocks.extend(block);
        }
        Self { blocks }
    }
}

/// The parameters, when the line is the macro.
fn match_macro(line: &str) -> Option<&str> {
    let inside = line.strip_prefix("{jiraissues")?.strip_suffix('}')?;
    if inside.is_empty() { Some("") } else { inside.strip_prefix(':') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_page() {
        let tracker = "https://tracker.example/".parse().unwrap();
        let markup = Markup::parse(
            "h2. A\none\ntwo\n\n<b>\n{jiraissues:HSP-1}\n{other}\r\n{jiraissues}\n{jiraissuesx}",
            &tracker,
        );
        assert_eq!(
            markup.blocks,
            [
                Block::Heading("A".into()),
                Block::Paragraph("one\ntwo".into()),
                Block::Paragraph("<b>".into()),
                Block::Issues(JiraIssues::parse("HSP-1", &tracker)),
                Block::Paragraph("{other}".into()),
                Block::Issues(Err(MacroError::NoUrl)),
                Block::Paragraph("{jiraissuesx}".into()),
            ]
        );
        assert_eq!(Markup::parse("", &tracker).blocks, []);
    }
}
