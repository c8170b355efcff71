//! RFC 6902 patches as edits: the json-patch crate says what the result is, the edits make it
//! without touching other bytes, and the two are compared.

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::path::Path;
use crate::yaml::{Change, Content, Edit, Stream};

/// Turns an RFC 6902 patch into edits of the one document in which it succeeds.
///
/// # Errors
/// [`Kind::Usage`] when it is no such patch; [`Kind::Invalid`] when it succeeds in no document, or
/// in several.
pub(super) fn edits(stream: &Stream, operations: &Value) -> Result<Vec<Edit>> {
    let patch: Patch = serde_json::from_value(operations.clone()).map_err(|error| {
        Error::new(
            Kind::Usage,
            format!("expected an RFC 6902 patch, found another array: {error}"),
        )
    })?;
    let mut fitting = Vec::new();
    let mut refusal = None;
    for (document, root) in stream.view().documents().enumerate() {
        let mut value = root.to_value();
        match json_patch::patch(&mut value, &patch) {
            Ok(()) => fitting.push((document, value)),
            // The first document is the workload as a rule.
            Err(error) => {
                refusal.get_or_insert(error.to_string());
            }
        }
    }
    let (document, expected) = match fitting.len() {
        1 => fitting.remove(0),
        0 => {
            let refusal = refusal.unwrap_or_else(|| "there is no document".to_owned());
            return Err(Error::new(
                Kind::Invalid,
                format!("expected the patch to fit: {refusal}"),
            ));
        }
        count => {
            return Err(Error::new(
                Kind::Invalid,
                format!("expected the patch to fit one document, found {count}"),
            )
            .hint("begin it with a test of /kind: { \"op\": \"test\", \"path\": \"/kind\", … }"));
        }
    };
    let mut edits = Vec::new();
    let mut now = stream.clone();
    for operation in &patch.0 {
        for (path, change) in changes(&now, document, operation)? {
            let edit = Edit {
                document,
                path,
                change,
            };
            now = now.apply(std::slice::from_ref(&edit))?;
            edits.push(edit);
        }
    }
    let result = now.view().document(document).map(|root| root.to_value());
    if result.as_ref() == Some(&expected) {
        return Ok(edits);
    }
    Err(Error::new(
        Kind::Internal,
        "the edits of a patch do not make what the patch says",
    ))
}

type Changes = Vec<(Path, Change)>;

fn changes(stream: &Stream, document: usize, operation: &PatchOperation) -> Result<Changes> {
    let at = |pointer: &str| -> Result<Option<Value>> {
        let path: Path = pointer.parse()?;
        let root = stream.view().document(document);
        Ok(root
            .and_then(|root| root.at(&path))
            .map(|node| node.to_value()))
    };
    Ok(match operation {
        PatchOperation::Test(_) => Vec::new(),
        PatchOperation::Remove(operation) => {
            vec![(operation.path.as_str().parse()?, Change::Remove)]
        }
        PatchOperation::Replace(operation) => {
            let content = Content::Value(operation.value.clone());
            vec![(operation.path.as_str().parse()?, Change::Set(content))]
        }
        PatchOperation::Add(operation) => {
            vec![added(
                operation.path.as_str(),
                operation.value.clone(),
                &at,
            )?]
        }
        PatchOperation::Copy(operation) => {
            let value = at(operation.from.as_str())?.unwrap_or_default();
            vec![added(operation.path.as_str(), value, &at)?]
        }
        PatchOperation::Move(operation) => {
            let value = at(operation.from.as_str())?.unwrap_or_default();
            let removed = (operation.from.as_str().parse()?, Change::Remove);
            vec![removed, added(operation.path.as_str(), value, &at)?]
        }
    })
}

/// Adding to a list inserts; adding to a map sets.
fn added(
    pointer: &str,
    value: Value,
    at: &dyn Fn(&str) -> Result<Option<Value>>,
) -> Result<(Path, Change)> {
    let content = Content::Value(value);
    let (parent, last) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    match at(parent)? {
        Some(Value::Array(_)) if last == "-" => Ok((parent.parse()?, Change::Append(content))),
        Some(Value::Array(_)) => {
            let index = last.parse().map_err(|_| {
                Error::new(
                    Kind::Invalid,
                    format!("expected an index in `{pointer}`, found `{last}`"),
                )
            })?;
            Ok((parent.parse()?, Change::Insert { index, content }))
        }
        _ => Ok((pointer.parse()?, Change::Set(content))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_changes_only_its_lines() {
        let text =
            "kind: Deployment # a\nspec:\n  replicas: 1 # b\n  list: [a, c]\n---\nkind: Service\n";
        let stream = Stream::parse(text).unwrap();
        let patch = serde_json::json!([
            { "op": "test", "path": "/kind", "value": "Deployment" },
            { "op": "replace", "path": "/spec/replicas", "value": 3 },
            { "op": "add", "path": "/spec/list/1", "value": "b" },
            { "op": "add", "path": "/spec/paused", "value": true },
        ]);
        let edits = edits(&stream, &patch).unwrap();
        assert_eq!(
            stream.apply(&edits).unwrap().text(),
            "kind: Deployment # a\nspec:\n  replicas: 3 # b\n  list: [a, b, c]\n  paused: true\n\
             ---\nkind: Service\n"
        );
    }

    #[test]
    fn a_patch_that_fits_nowhere_or_twice_is_refused() {
        let stream = Stream::parse("kind: A\n---\nkind: B\n").unwrap();
        for (patch, kind) in [
            (
                serde_json::json!([{ "op": "remove", "path": "/spec" }]),
                Kind::Invalid,
            ),
            (
                serde_json::json!([{ "op": "add", "path": "/a", "value": 1 }]),
                Kind::Invalid,
            ),
            (serde_json::json!([{ "op": "nothing" }]), Kind::Usage),
        ] {
            assert_eq!(edits(&stream, &patch).unwrap_err().kind(), kind, "{patch}");
        }
    }
}
