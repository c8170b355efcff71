//! Server-side apply in small: who set which field, conflicts, and fields that nobody holds on to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// A field as the keys of `fieldsV1` that lead to it.
type Place = Vec<String>;

/// A field that another manager set to another value.
pub struct Conflict {
    pub manager: String,
    /// As the API server writes it: `.spec.template.spec.containers[name="api"].image`.
    pub field: String,
}

/// Applies `desired` to `live` as `manager`, and gives the object as it then is.
pub fn apply(
    live: &Value,
    desired: &Value,
    manager: &str,
    force: bool,
) -> Result<Value, Vec<Conflict>> {
    let wanted = leaves(desired);
    let mut owners = owners(live);
    let mut conflicts = Vec::new();
    for ((name, operation), places) in &mut owners {
        if name == manager && operation == "Apply" {
            continue;
        }
        for (place, value) in &wanted {
            if places.contains(place) && get(live, place).is_some_and(|found| found != value) {
                conflicts.push(Conflict {
                    manager: name.clone(),
                    field: field(place),
                });
                places.remove(place);
            }
        }
    }
    if !force && !conflicts.is_empty() {
        return Err(conflicts);
    }
    let ours = (manager.to_owned(), "Apply".to_owned());
    let before = owners.remove(&ours).unwrap_or_default();
    let mut object = live.clone();
    for place in before.iter().filter(|place| !wanted.contains_key(*place)) {
        if owners.values().all(|places| !places.contains(place)) {
            remove(&mut object, place);
        }
    }
    for (place, value) in &wanted {
        set(&mut object, place, value.clone());
    }
    owners.insert(ours, wanted.into_keys().collect());
    write_owners(&mut object, &owners);
    Ok(object)
}

/// Sets one field as `manager`, as an update does: whoever had it has it no longer.
pub fn update(object: &mut Value, place: &[&str], value: Value, manager: &str) {
    let place: Place = place.iter().map(|&key| key.to_owned()).collect();
    let mut owners = owners(object);
    for places in owners.values_mut() {
        places.remove(&place);
    }
    let key = (manager.to_owned(), "Update".to_owned());
    owners.entry(key).or_default().insert(place.clone());
    set(object, &place, value);
    write_owners(object, &owners);
}

type Owners = BTreeMap<(String, String), BTreeSet<Place>>;

fn owners(object: &Value) -> Owners {
    let entries = object["metadata"]["managedFields"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let mut places = BTreeSet::new();
            places_of(&entry["fieldsV1"], &mut Vec::new(), &mut places);
            ((text(&entry["manager"]), text(&entry["operation"])), places)
        })
        .collect()
}

fn write_owners(object: &mut Value, owners: &Owners) {
    let held = owners.iter().filter(|(_, places)| !places.is_empty());
    let entries = held.map(|((manager, operation), places)| {
        let mut tree = json!({});
        for place in places {
            let mut node = &mut tree;
            for key in place {
                node = &mut node[key];
                if node.is_null() {
                    *node = json!({});
                }
            }
        }
        json!({
            "manager": manager, "operation": operation, "apiVersion": object["apiVersion"],
            "fieldsType": "FieldsV1", "fieldsV1": tree,
        })
    });
    let entries: Vec<Value> = entries.collect();
    object["metadata"]["managedFields"] = Value::Array(entries);
}

fn places_of(tree: &Value, place: &mut Place, found: &mut BTreeSet<Place>) {
    let children = tree.as_object().filter(|children| !children.is_empty());
    let Some(children) = children else {
        found.insert(place.clone());
        return;
    };
    for (key, below) in children {
        place.push(key.clone());
        places_of(below, place, found);
        place.pop();
    }
}

fn leaves(desired: &Value) -> BTreeMap<Place, Value> {
    let mut body = desired.clone();
    if let Some(map) = body.as_object_mut() {
        map.shift_remove("apiVersion");
        map.shift_remove("kind");
    }
    if let Some(Value::Object(map)) = body.get_mut("metadata") {
        for name in [
            "name",
            "namespace",
            "managedFields",
            "uid",
            "resourceVersion",
        ] {
            map.shift_remove(name);
        }
    }
    let mut found = BTreeMap::new();
    collect(&body, &mut Vec::new(), &mut found);
    found
}

fn collect(value: &Value, place: &mut Place, found: &mut BTreeMap<Place, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, child) in map {
                place.push(format!("f:{key}"));
                collect(child, place, found);
                place.pop();
            }
        }
        Value::Array(items)
            if !items.is_empty() && items.iter().all(|item| item["name"].is_string()) =>
        {
            for item in items {
                place.push(format!("k:{}", json!({ "name": item["name"] })));
                place.push(".".to_owned());
                found.insert(place.clone(), Value::Null);
                place.pop();
                collect(item, place, found);
                place.pop();
            }
        }
        // All other lists are atomic here.
        _ => {
            if !place.is_empty() {
                found.insert(place.clone(), value.clone());
            }
        }
    }
}

fn name_of(key: &str) -> Option<Value> {
    let keys: Value = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
    Some(keys["name"].clone())
}

fn get<'a>(value: &'a Value, place: &[String]) -> Option<&'a Value> {
    place
        .iter()
        .try_fold(value, |node, key| match key.strip_prefix("f:") {
            Some(name) => node.get(name),
            // The place of an element itself conflicts with nobody.
            None if key == "." => None,
            None => {
                let name = name_of(key)?;
                node.as_array()?.iter().find(|item| item["name"] == name)
            }
        })
}

fn set(value: &mut Value, place: &[String], new: Value) {
    let mut node = value;
    for key in place {
        if key == "." {
            return;
        }
        if let Some(name) = key.strip_prefix("f:") {
            if !node.is_object() {
                *node = Value::Object(Map::new());
            }
            node = &mut node[name];
        } else {
            let name = name_of(key).expect("a key with a name");
            if !node.is_array() {
                *node = json!([]);
            }
            let items = node.as_array_mut().expect("a list");
            let at = items.iter().position(|item| item["name"] == name);
            let at = at.unwrap_or_else(|| {
                items.push(json!({ "name": name }));
                items.len() - 1
            });
            node = &mut items[at];
        }
    }
    *node = new;
}

fn remove(value: &mut Value, place: &[String]) {
    let Some((last, around)) = place.split_last() else {
        return;
    };
    let mut node = value;
    for (at, key) in around.iter().enumerate() {
        let is_element_itself = last == "." && at + 1 == around.len();
        match (key.strip_prefix("f:"), node) {
            (Some(name), Value::Object(map)) => match map.get_mut(name) {
                Some(next) => node = next,
                None => return,
            },
            (None, Value::Array(items)) => {
                let name = name_of(key);
                let found = items
                    .iter()
                    .position(|item| Some(&item["name"]) == name.as_ref());
                match found {
                    Some(found) if is_element_itself => {
                        items.remove(found);
                        return;
                    }
                    Some(found) => node = &mut items[found],
                    None => return,
                }
            }
            _ => return,
        }
    }
    if let (Some(name), Value::Object(map)) = (last.strip_prefix("f:"), node) {
        map.shift_remove(name);
    }
}

fn field(place: &[String]) -> String {
    place
        .iter()
        .filter(|key| *key != ".")
        .map(|key| match (key.strip_prefix("f:"), name_of(key)) {
            (Some(name), _) => format!(".{name}"),
            (None, Some(name)) => format!("[name={name}]"),
            (None, None) => String::new(),
        })
        .collect()
}
