//! An event as documents have it. The line in the log leaves out what an event of another kind has; a
//! document has every field, null where there is no such thing.

use serde_json::{Value, json};

use crate::domain::event::Event;
use crate::ui::{Page, Report};

/// An event, for a program.
pub(super) struct Told(pub(super) Event);

impl serde::Serialize for Told {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let end = &self.0.end;
        let mut document = serde_json::to_value(&self.0).unwrap_or_default();
        let parts = [
            ("owner", json!(end.owner)),
            ("task", json!(end.task)),
            ("set", json!(end.set)),
            ("changed", json!(end.changed)),
            ("moved", json!(end.moved)),
        ];
        if let Value::Object(fields) = &mut document {
            fields.extend(parts.map(|(name, value)| (name.to_owned(), value)));
        }
        document.serialize(to)
    }
}

impl Report for Told {
    // People read the operations.
    fn text(&self, _: &mut Page) {}
}
