use serde_json::Value;

/// A member of what a row says: a change from old to new, or a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    /// The value before, if it is a change.
    pub(super) old: Option<String>,
    pub(super) value: String,
}

/// The members of a row's detail, as sentences would have them.
pub(super) fn lines(detail: &Value) -> Vec<Line> {
    match detail {
        Value::Null => Vec::new(),
        Value::Object(members) => members.iter().flat_map(|(name, value)| member(name, value)).collect(),
        other => vec![Line { name: String::new(), old: None, value: text(other) }],
    }
}

/// A member; one that has members itself, as an application's rules, gives a line for each.
fn member(name: &str, value: &Value) -> Vec<Line> {
    let name = name.replace('_', " ");
    match value {
        Value::Object(members) => match (members.get("old"), members.get("new")) {
            (Some(old), Some(new)) if members.len() == 2 => {
                vec![Line { name, old: Some(text(old)), value: text(new) }]
            }
            _ => members.iter().flat_map(|(name, value)| member(name, value)).collect(),
        },
        value => vec![Line { name, old: None, value: text(value) }],
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "(empty)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "(empty)".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{}: {}", name.replace('_', " "), text(value)))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn old_and_new() {
        let detail = json!({
            "name": {"old": "Wiki", "new": "<b>"},
            "paths": {"old": ["/rest"], "new": ["/rest", "/sr"]},
            "by_person": true,
            "problem": null,
            "keys": [{"use": "sig", "ended": false}],
            "rules": {"timeout_ms": 60000, "paths_of_rules": ["/rest"]},
        });
        let lines = lines(&detail);
        let find = |name: &str| lines.iter().find(|line| line.name == name).unwrap();
        assert_eq!(find("name").old.as_deref(), Some("Wiki"));
        assert_eq!(find("name").value, "<b>");
        assert_eq!(find("paths").old.as_deref(), Some("/rest"));
        assert_eq!(find("paths").value, "/rest, /sr");
        assert_eq!((find("by person").value.as_str(), find("problem").value.as_str()), ("yes", "none"));
        assert_eq!(
            (find("timeout ms").value.as_str(), find("paths of rules").value.as_str()),
            ("60000", "/rest")
        );
        assert!(find("keys").value.contains("use: sig"));
        assert!(super::lines(&json!(null)).is_empty());
        assert_eq!(super::lines(&json!("x"))[0].value, "x");
    }
}
