//! Fields as the server writes them in its refusals, as paths.

use crate::path::{Path, Segment};

/// Maps whose keys may hold dots; the server does not escape them.
const FREE_KEYS: &[&str] = &[
    "annotations",
    "labels",
    "matchLabels",
    "nodeSelector",
    "data",
    "binaryData",
    "stringData",
    "limits",
    "requests",
    "hard",
];

/// Our path for a field as the server writes it: `.spec.containers[name="x"].image`, and also
/// `spec.containers[0].image`.
pub(super) fn field_path(field: &str) -> Path {
    let mut path = Path::root();
    let mut rest = field.trim_start_matches('.');
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = closing(inside);
            if let Some(segment) = element(&inside[..end]) {
                path.push(segment);
            }
            rest = inside.get(end + 1..).unwrap_or_default();
        } else {
            let is_free = path.last().is_some_and(
                |last| matches!(last, Segment::Key(key) if FREE_KEYS.contains(&key.as_str())),
            );
            let end = if is_free {
                rest.len()
            } else {
                rest.find(['.', '[']).unwrap_or(rest.len())
            };
            path.push(&rest[..end]);
            rest = &rest[end..];
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    path
}

/// Where the bracket ends, quoted text aside.
fn closing(text: &str) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// The step for `name="x",port=80`, for `0`, or for `"key"`. An element of a set, `="x"`, has no
/// path of its own.
fn element(inside: &str) -> Option<Segment> {
    if let Ok(serde_json::Value::String(key)) = serde_json::from_str(inside) {
        return Some(Segment::Key(key));
    }
    if !inside.contains('=') {
        return Some(Segment::Key(inside.to_owned()));
    }
    let mut fields = Vec::new();
    let mut rest = inside;
    while let Some((key, after)) = rest.split_once('=') {
        let mut values = serde_json::Deserializer::from_str(after).into_iter();
        let value: serde_json::Value = values.next()?.ok()?;
        let text = match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        fields.push((key.trim_start_matches(',').to_owned(), text));
        rest = after.get(values.byte_offset()..).unwrap_or_default();
    }
    (!fields.iter().any(|(key, _)| key.is_empty())).then_some(Segment::Match(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_as_paths() {
        for (field, expected) in [
            (".spec.replicas", "spec.replicas"),
            (
                ".spec.template.spec.containers[name=\"a.b]\"].image",
                "spec.template.spec.containers.?name=a.b].image",
            ),
            (
                ".spec.ports[port=80,protocol=\"TCP\"].name",
                "spec.ports.?port=80,protocol=TCP.name",
            ),
            ("spec.containers[0].image", "spec.containers.0.image"),
            (".data.a.b", "data.a~1b"),
            (".metadata.finalizers[=\"x\"]", "metadata.finalizers"),
            ("spec.x[", "spec.x"),
            ("", ""),
        ] {
            let found = field_path(field);
            let parsed = Path::parse(&found.to_string());
            assert_eq!(parsed.as_ref(), Ok(&found), "{field}");
            if !expected.contains(['~', ']']) && !field.ends_with('[') {
                assert_eq!(found.to_string(), expected, "{field}");
            }
        }
        assert_eq!(field_path(".data.a.b"), Path::root().key("data").key("a.b"));
    }
}
