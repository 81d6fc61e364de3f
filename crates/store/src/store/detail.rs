use serde_json::{Map, Value, json};

/// What a row of the audit trail says beyond action and subject: JSON with the members in the order of their names. It
/// never holds a secret: nothing here takes one.
#[derive(Clone, Debug, Default)]
pub(super) struct Detail(Map<String, Value>);

impl Detail {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A fact.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// A field that a change may have changed: old and new value if it has.
    pub(super) fn change(mut self, name: &str, old: impl Into<Value>, new: impl Into<Value>) -> Self {
        let (old, new) = (old.into(), new.into());
        if old != new {
            self.0.insert(name.to_owned(), json!({ "old": old, "new": new }));
        }
        self
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}
