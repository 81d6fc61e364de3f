//! As much of a browser as the tests need: it reads tags, attributes and text, and knows nothing else.

use std::collections::HashMap;

/// A tag with its attributes, unescaped.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    attributes: HashMap<String, String>,
    /// The text up to the next tag.
    pub(crate) text: String,
}

impl Tag {
    pub(crate) fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn has(&self, attribute: &str) -> bool {
        self.attributes.contains_key(attribute)
    }
}

/// A page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) tags: Vec<Tag>,
    /// What is shown, in one line.
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn read(html: &str) -> Self {
        assert!(html.starts_with("<!DOCTYPE html>"), "{html}");
        let (mut tags, mut text) = (Vec::new(), String::new());
        let mut rest = html;
        while let Some(start) = rest.find('<') {
            let end =
                start + rest[start..].find('>').unwrap_or_else(|| panic!("a tag is not closed: {rest}"));
            let inside = &rest[start + 1..end];
            rest = &rest[end + 1..];
            let shown = rest[..rest.find('<').unwrap_or(rest.len())].to_owned();
            text.push(' ');
            text.push_str(&unescaped(&shown));
            if inside.starts_with(['/', '!']) {
                continue;
            }
            tags.push(tag(inside, &shown));
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { tags, text }
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Tag> {
        self.tags.iter().filter(move |tag| tag.name == name)
    }

    /// The first text of the one heading.
    pub(crate) fn heading(&self) -> &str {
        let headings: Vec<_> = self.all("h1").collect();
        assert_eq!(headings.len(), 1, "{headings:?}");
        &headings[0].text
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// Asserts that a text is shown.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.shows(text), "{text:?} is not in: {}", self.text);
        self
    }

    /// The value of the first field with this name.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let field = self.tags.iter().find(|tag| {
            tag.get("name") == name && matches!(tag.name.as_str(), "input" | "textarea" | "select" | "button")
        })?;
        match field.name.as_str() {
            // A browser drops the line end after the tag.
            "textarea" => Some(field.text.strip_prefix('\n').unwrap_or(&field.text).to_owned()),
            _ => Some(field.get("value").to_owned()),
        }
    }

    pub(crate) fn field(&self, id: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.get("id") == id)
    }

    pub(crate) fn checked(&self, name: &str) -> Vec<String> {
        let checked = self.all("input").filter(|tag| tag.get("name") == name && tag.has("checked"));
        checked.map(|tag| tag.get("value").to_owned()).collect()
    }

    /// The messages of fields: id and text.
    pub(crate) fn errors(&self) -> Vec<(String, String)> {
        let errors = self.all("p").filter(|tag| tag.get("class") == "error");
        errors.map(|tag| (tag.get("id").to_owned(), tag.text.trim().to_owned())).collect()
    }

    /// Everything that leads somewhere.
    pub(crate) fn links(&self) -> Vec<&str> {
        let links = self.tags.iter().flat_map(|tag| [tag.get("href"), tag.get("src"), tag.get("action")]);
        links.filter(|link| !link.is_empty()).collect()
    }
}

fn tag(inside: &str, text: &str) -> Tag {
    let inside = inside.trim_end_matches('/');
    let (name, mut rest) = inside.split_once([' ', '\n']).unwrap_or((inside, ""));
    let mut attributes = HashMap::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let end = rest.find(['=', ' ', '\n']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => {
                let end = quoted.find('"').unwrap_or_else(|| panic!("an attribute is not closed: {inside}"));
                (&quoted[..end], &quoted[end + 1..])
            }
            None => {
                assert!(!after.starts_with('='), "an attribute without quotes: {inside}");
                ("", after)
            }
        };
        let twice = attributes.insert(key.to_owned(), unescaped(value));
        assert!(twice.is_none(), "an attribute stands twice: {inside}");
        rest = after;
    }
    Tag { name: name.to_owned(), attributes, text: unescaped(text) }
}

fn unescaped(text: &str) -> String {
    text.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}
