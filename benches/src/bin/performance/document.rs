//! The document: prose that people write, and tables between markers that this program writes.

use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- figures: ";
const END: &str = "<!-- end of figures -->";

/// The project's folder of documents.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    written.and_then(|()| std::fs::write(path, text)).map_err(|error| format!("{}: {error}", path.display()))
}

/// Replaces what stands between the markers `<!-- figures: NAME -->` and `<!-- end of figures -->`. A table without
/// results stays as it is.
pub(crate) fn fill(
    text: &str,
    table: impl Fn(&str) -> Option<Result<String, String>>,
) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after.split_once(" -->").ok_or("a marker without its end")?;
        let (old, after) = after.split_once(END).ok_or_else(|| format!("{name}: no end of figures"))?;
        let new = match table(name) {
            Some(new) => format!("\n{}", new?),
            None => old.to_owned(),
        };
        out.push_str(&format!("{before}{BEGIN}{name} -->{new}{END}"));
        rest = after;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_markers_changes() {
        let text = "a\n<!-- figures: x -->\nold\n<!-- end of figures -->\nb\n<!-- figures: y -->\nkept\n\
                    <!-- end of figures -->\nc\n";
        let filled = fill(text, |name| (name == "x").then(|| Ok("new\n".to_owned()))).unwrap();
        assert_eq!(filled, text.replace("old", "new"));
        assert!(fill("<!-- figures: x -->", |_| None).is_err());
        assert!(fill(text, |_| Some(Err("no such table".to_owned()))).is_err());
    }
}
