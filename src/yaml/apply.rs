//! Edits on a text.

use serde_json::Value;

use super::edit::{Change, Edit};
use super::emit::Layout;
use super::value_edit::apply_to_values;
use super::{Error, Stream};

/// Applies edits one after the other.
pub(super) fn apply(stream: &Stream, edits: &[Edit]) -> Result<Stream, Error> {
    let mut values: Vec<Value> = stream.view().documents().map(|root| root.to_value()).collect();
    for edit in edits {
        apply_to_values(&mut values, edit)?;
        if matches!(edit.change, Change::SetComment { .. }) {
            return Err(Error::Inexpressible { path: edit.path.clone() });
        }
    }
    let layout = Layout { step: 2, dash: 0, newline: "\n" };
    let texts: Vec<String> = values.iter().map(|value| layout.document(value)).collect();
    Stream::parse(&texts.join("---\n"))
}
