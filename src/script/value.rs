//! Values between Rhai and YAML. Plain values only: documents stay nodes and keep their order.

use rhai::{Array, Dynamic, Map};
use serde_json::Value;

use super::node::Node;
use super::unit::Space;
use crate::yaml::habitual_order;

/// Values nest at most this deep on the way into a document.
const DEPTH: usize = 64;

/// Why a Rhai value cannot stand in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfit(pub &'static str);

/// What YAML a Rhai value is. Keys of a new map take Kubernetes' habitual order.
pub(super) fn to_json(value: &Dynamic) -> Result<Value, Unfit> {
    let mut json = to_json_at(value, 0)?;
    // A node has the order of its text; Rhai's own maps have lost theirs.
    if !value.is::<Node>() {
        habitual_order(&mut json);
    }
    Ok(json)
}

fn to_json_at(value: &Dynamic, depth: usize) -> Result<Value, Unfit> {
    if depth > DEPTH {
        return Err(Unfit("a value nested more than 64 deep"));
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(int) = value.as_int() {
        return Ok(Value::from(int));
    }
    if let Ok(float) = value.as_float() {
        let number = serde_json::Number::from_f64(float);
        return number
            .map(Value::Number)
            .ok_or(Unfit("a number that is not finite"));
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::String(text.to_string()));
    }
    if let Ok(character) = value.as_char() {
        return Ok(Value::String(character.to_string()));
    }
    if let Some(array) = value.read_lock::<Array>() {
        let items = array.iter().map(|item| to_json_at(item, depth + 1));
        return items.collect::<Result<_, _>>().map(Value::Array);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entries = map
            .iter()
            .map(|(key, value)| Ok((key.to_string(), to_json_at(value, depth + 1)?)));
        return entries.collect::<Result<_, _>>().map(Value::Object);
    }
    if let Some(node) = value.read_lock::<Node>() {
        return node.to_json().map_err(|_| Unfit("a node that was removed"));
    }
    Err(Unfit(type_word(value.type_name())))
}

/// What Rhai value a YAML value is, as plain maps and arrays.
pub(super) fn from_json(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => int.into(),
            // Above the range of Rhai's integers: digits as text lose nothing.
            (None, _) if number.is_u64() => number.to_string().into(),
            (None, Some(float)) => float.into(),
            (None, None) => number.to_string().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => Dynamic::from_array(items.iter().map(from_json).collect()),
        Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.into(), from_json(value)));
            Dynamic::from_map(entries.collect())
        }
    }
}

/// Whether two values read the same: `1` equals `1.0`, `"1"` does not.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || (left.is_f64() || right.is_f64()) && left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, l)| right.get(key).is_some_and(|r| same(l, r)))
        }
        _ => left == right,
    }
}

/// Rhai's name of a type in plain words, with its article.
pub(super) fn type_word(name: &str) -> &'static str {
    let space = std::any::type_name::<Space>();
    match name {
        "()" => "nothing",
        "i64" => "an integer",
        "f64" => "a number",
        "bool" => "a boolean",
        "char" => "a character",
        "string" | "str" => "a string",
        "array" => "an array",
        "map" => "a map",
        "blob" => "a blob",
        "Fn" => "a function",
        "range" | "range=" => "a range",
        "timestamp" => "a timestamp",
        "node" => "a node",
        "unit" => "a unit",
        name if name == space => "a space",
        name if name.contains("String") => "a string",
        name if name.ends_with("Vec<rhai::types::dynamic::Dynamic>") => "an array",
        name if name.contains("BTreeMap") => "a map",
        name if name.contains("FnPtr") => "a function",
        name if name.contains("script::node::Node") => "a node",
        name if name.contains("script::unit::Unit") => "a unit",
        _ => "another kind of value",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn new_maps_take_the_habitual_order() {
        let map = from_json(&json!({
            "volumeMounts": [], "image": "a", "name": "b", "ports": [], "env": []
        }));
        let text = to_json(&map).unwrap().to_string();
        assert_eq!(
            text,
            r#"{"name":"b","image":"a","env":[],"ports":[],"volumeMounts":[]}"#
        );
        let top = from_json(&json!({"spec": 1, "metadata": 1, "kind": 1, "apiVersion": 1}));
        let text = to_json(&top).unwrap().to_string();
        assert_eq!(text, r#"{"apiVersion":1,"kind":1,"metadata":1,"spec":1}"#);
    }

    #[test]
    fn what_is_no_yaml_is_named() {
        assert_eq!(
            to_json(&f64::NAN.into()),
            Err(Unfit("a number that is not finite"))
        );
        let mut nested = Dynamic::from_array(Vec::new());
        for _ in 0..70 {
            nested = Dynamic::from_array(vec![nested]);
        }
        assert_eq!(
            to_json(&nested),
            Err(Unfit("a value nested more than 64 deep"))
        );
    }

    #[test]
    fn numbers_are_the_same_by_value_and_text_is_not_a_number() {
        assert!(same(&json!({"a": [1, 2.0]}), &json!({"a": [1.0, 2]})));
        assert!(!same(&json!("1"), &json!(1)));
        assert!(!same(
            &json!(9_007_199_254_740_993_i64),
            &json!(9_007_199_254_740_992_i64)
        ));
    }
}
