use crate::failure::FieldProblem;

/// A list as a form would have it: an item on each line. An item that would be read as two is refused, or it would allow
/// more than it says.
pub(super) fn lines(
    field: &'static str,
    items: &[String],
    separates: fn(char) -> bool,
    problems: &mut Vec<FieldProblem>,
) -> String {
    if let Some(item) = items.iter().find(|item| item.trim().is_empty() || item.contains(separates)) {
        problems.push(FieldProblem::new(
            field,
            format!("{item:?}: an item is not empty and has no commas, blanks or lines (a comma in a path is %2C)."),
        ));
    }
    items.join("\n")
}

/// For addresses, paths and methods.
pub(super) fn comma_or_blank(c: char) -> bool {
    c == ',' || c.is_whitespace()
}

/// For user names, which may have blanks inside.
pub(super) fn comma_or_line(c: char) -> bool {
    matches!(c, ',' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_stays_one() {
        let mut problems = Vec::new();
        let items = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(lines("paths", &items(&["/a", "/b"]), comma_or_blank, &mut problems), "/a\n/b");
        assert_eq!(lines("never_as", &items(&["a b"]), comma_or_line, &mut problems), "a b");
        assert!(problems.is_empty());
        for bad in ["/a,/b", "/a /b", "/a\n/b", "", " "] {
            lines("paths", &items(&["/x", bad]), comma_or_blank, &mut problems);
        }
        lines("never_as", &items(&["a,b"]), comma_or_line, &mut problems);
        assert_eq!(problems.len(), 6);
    }
}
