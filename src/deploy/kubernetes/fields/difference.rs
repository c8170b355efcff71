//! In which of our fields an object is not what was applied.

use serde_json::{Map, Value};

use crate::path::{Path, Segment};

use super::{Step, children, holds, keys, owned, project_node};

/// A field that does not hold what was applied.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Difference {
    /// The field; a list element that is gone is one difference, and so is a set.
    pub(in super::super) path: Path,
    /// What was applied.
    pub(in super::super) applied: Option<Value>,
    /// What is there.
    pub(in super::super) live: Option<Value>,
}

/// Whether `live` has in `fields` what was `applied` there. Quick where it has.
pub(in super::super) fn matches(fields: &Value, applied: &Value, live: &Value) -> bool {
    same(fields, applied, live) || differences(fields, applied, live).is_empty()
}

/// Each of `fields` in which `live` is not what was `applied`.
pub(in super::super) fn differences(
    fields: &Value,
    applied: &Value,
    live: &Value,
) -> Vec<Difference> {
    let mut walk = Walk {
        ours: owned(live),
        path: Path::root(),
        found: Vec::new(),
    };
    walk.node(fields, Some(applied), Some(live));
    walk.found
}

/// Whether both have the same in `fields`, whoever owns what is in empty maps and lists.
pub(super) fn same(fields: &Value, applied: &Value, live: &Value) -> bool {
    let Some(children) = children(fields) else {
        return applied == live;
    };
    if is_container(applied) && !is_alike(applied, live) {
        return false;
    }
    let (mut before, mut now) = (0, 0);
    children.iter().all(|(key, below)| {
        let Some(step) = Step::of(key) else {
            return true;
        };
        match (step.child(applied, &mut before), step.child(live, &mut now)) {
            (Some(applied), Some(live)) => same(below, applied, live),
            (None, None) => true,
            _ => false,
        }
    })
}

fn is_container(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn is_alike(one: &Value, other: &Value) -> bool {
    one.is_object() == other.is_object() && one.is_array() == other.is_array()
}

/// Collects differences.
struct Walk<'a> {
    /// The fields that are ours in the object as it is now.
    ours: Option<&'a Value>,
    path: Path,
    found: Vec<Difference>,
}

impl Walk<'_> {
    fn node(&mut self, fields: &Value, applied: Option<&Value>, live: Option<&Value>) {
        if applied.is_none() && live.is_none() {
            return;
        }
        let Some(children) = children(fields) else {
            return self.leaf(applied, live);
        };
        let is_set = children.keys().any(|key| key.starts_with("v:"));
        if is_set {
            return self.set(children, applied, live);
        }
        let differs = |one: Option<&Value>, other: Option<&Value>| match (one, other) {
            (Some(one), Some(other)) => !is_alike(one, other),
            _ => false,
        };
        // A map that only stands there (`.`), with nothing of ours in it, can be gone too.
        let is_bare = children.keys().all(|key| Step::of(key).is_none());
        if differs(applied, live) || (is_bare && applied.is_some() != live.is_some()) {
            return self.add(applied.cloned(), live.cloned());
        }
        let (mut before, mut now) = (0, 0);
        for (key, below) in children {
            let Some(step) = Step::of(key) else { continue };
            let was = applied.and_then(|node| step.child(node, &mut before));
            let is = live.and_then(|node| step.child(node, &mut now));
            self.path.push(segment(step));
            match (step, was, is) {
                (Step::Keys(_) | Step::Index(_), Some(_), None)
                | (Step::Keys(_) | Step::Index(_), None, Some(_)) => {
                    self.add(was.cloned(), is.map(|is| project_node(is, below)));
                }
                _ => self.node(below, was, is),
            }
            self.path.pop();
        }
    }

    fn leaf(&mut self, applied: Option<&Value>, live: Option<&Value>) {
        if applied == live {
            return;
        }
        // What others put into an empty map is theirs; had they replaced it, it were not ours now.
        let still_ours = || {
            self.ours
                .is_some_and(|ours| holds(ours, None, self.path.segments()))
        };
        let was_empty = match applied {
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            _ => false,
        };
        let alike = applied.zip(live).is_some_and(|(a, l)| is_alike(a, l));
        if !(was_empty && alike && still_ours()) {
            self.add(applied.cloned(), live.cloned());
        }
    }

    fn set(&mut self, members: &Map<String, Value>, applied: Option<&Value>, live: Option<&Value>) {
        let ours = |list: Option<&Value>| {
            let list = list?;
            let steps = members.keys().filter_map(|key| Step::of(key));
            let mut hint = 0;
            Some(
                steps
                    .filter_map(|step| step.child(list, &mut hint).cloned())
                    .collect::<Vec<Value>>(),
            )
        };
        let (was, is) = (ours(applied), ours(live));
        if was != is {
            self.add(was.map(Value::Array), is.map(Value::Array));
        }
    }

    fn add(&mut self, applied: Option<Value>, live: Option<Value>) {
        self.found.push(Difference {
            path: self.path.clone(),
            applied,
            live,
        });
    }
}

/// The step as a segment of a path.
fn segment(step: Step<'_>) -> Segment {
    match step {
        Step::Field(name) | Step::Member(name) => Segment::Key(name.to_owned()),
        Step::Index(at) => Segment::Key(at.to_string()),
        Step::Keys(json) => Segment::Match(
            keys(json)
                .into_iter()
                .map(|(name, value)| {
                    let text = value.as_str().map(str::to_owned);
                    (name, text.unwrap_or_else(|| value.to_string()))
                })
                .collect(),
        ),
    }
}
