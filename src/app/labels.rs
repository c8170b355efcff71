//! Labels of units that exist.

use std::collections::BTreeMap;

use serde_json::json;

use crate::app::change::ChangeOptions;
use crate::app::outcome::Outcome;
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::error::{Error, Kind, Result};

/// Labels to set; none as a value takes a label away.
pub type LabelChange = BTreeMap<String, Option<String>>;

impl App {
    /// Sets and removes labels. Labels are no data: no revision is made of it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the selection is empty; [`Kind::Conflict`] when it moved;
    /// [`Kind::Usage`] when no label is given or one has no name.
    pub fn set_labels(
        &self,
        selection: &Selection,
        change: &LabelChange,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        if change.is_empty() || change.contains_key("") {
            return Err(Error::new(
                Kind::Usage,
                "expected labels with a name each, found none or one without a name",
            )
            .hint("--label tier=critical sets one, --label tier= removes it"));
        }
        let words = change.iter().map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => format!("{key}="),
        });
        let text = format!("label {}", words.collect::<Vec<_>>().join(" "));
        let verb = Verb::with(text, json!({ "labels": change }));
        self.change_records(selection, verb, options, &|unit, _| {
            for (key, value) in change {
                match value {
                    Some(value) => unit.labels.insert(key.clone(), value.clone()),
                    None => unit.labels.remove(key),
                };
            }
        })
    }
}
