//! A resource in a function's hands: an opaque handle on a place, never a copy of the document.
//!
//! Handles keep the order and the comments of the text whatever a function does, because all they
//! do is add to the log of their [`Draft`]. Rhai writes every node it reached through back into
//! its parent; that is recognised and is nothing.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext};
use serde_json::Value;

use super::draft::{Draft, Place, misuse};
use super::engine::raise;
use super::error::{Error, Fault, Result};
use super::function::fits_type;
use super::look::{Found, Look, Step, follow};
use super::{address, pod, value};
use crate::path::Path;
use crate::yaml::{Kind, Scalar};

type Raised<T> = std::result::Result<T, Box<EvalAltResult>>;

/// A map or a list of a resource.
#[derive(Debug, Clone)]
pub(super) struct Node {
    draft: Arc<Draft>,
    place: Arc<Place>,
    /// Shifts of the draft that the place already reflects.
    seen: usize,
}

impl Node {
    pub(super) fn root(draft: &Arc<Draft>, document: usize) -> Self {
        let place = Place {
            document,
            steps: Vec::new(),
        };
        Self {
            draft: Arc::clone(draft),
            place: Arc::new(place),
            seen: draft.now(),
        }
    }

    pub(super) fn draft(&self) -> &Arc<Draft> {
        &self.draft
    }

    /// Reads here; an error when the node was removed.
    pub(super) fn look<R>(&self, f: impl FnOnce(&Place, Look<'_>, usize) -> R) -> Result<R> {
        self.draft
            .read(&self.place, self.seen, |found, now| match found {
                Some((place, Some(look))) => Ok(f(place, look, now)),
                _ => Err(misuse(
                    "reading",
                    "a node of the resource",
                    "one that was removed",
                )),
            })
    }

    pub(super) fn to_json(&self) -> Result<Value> {
        self.look(|_, look, _| look.to_json())
    }

    /// What a place holds, as a script sees it: scalars as values, maps and lists as nodes.
    fn dynamic(&self, place: Place, look: Look<'_>, now: usize) -> Dynamic {
        match look {
            Look::Tree(node) => match node.scalar() {
                Some(Scalar::Null) => Dynamic::UNIT,
                Some(Scalar::Bool(flag)) => flag.into(),
                Some(Scalar::Int(int)) => int.into(),
                Some(Scalar::UInt(int)) => int.to_string().into(),
                Some(Scalar::Float(float)) => float.into(),
                Some(Scalar::Str(text)) => text.into(),
                None => self.child(place, now),
            },
            Look::Value(value @ (Value::Array(_) | Value::Object(_))) => {
                debug_assert!(value.is_array() || value.is_object());
                self.child(place, now)
            }
            Look::Value(value) => value::from_json(value),
        }
    }

    fn child(&self, place: Place, now: usize) -> Dynamic {
        Dynamic::from(Self {
            draft: Arc::clone(&self.draft),
            place: Arc::new(place),
            seen: now,
        })
    }

    /// The value under a key, or nothing; remembers the key that was missing.
    pub(super) fn key(&self, key: &str) -> Result<Dynamic> {
        let found = self.look(|place, look, now| match look.kind() {
            Kind::Map => match look.get(key) {
                Some(value) if value.is_null() => Err(Some(place.clone())),
                Some(value) => Ok(self.dynamic(place.join(Step::Key(key.into())), value, now)),
                None if key == "name" && place.steps.is_empty() => {
                    let name = look.get("metadata").and_then(|meta| meta.get("name"));
                    Ok(name
                        .and_then(Look::text)
                        .map_or(Dynamic::UNIT, Dynamic::from))
                }
                None => Err(Some(place.clone())),
            },
            Kind::List | Kind::Scalar => Err(None),
        })?;
        match found {
            Ok(value) => Ok(value),
            Err(Some(place)) => {
                self.draft.missed(place, key);
                Ok(Dynamic::UNIT)
            }
            Err(None) => Err(self.not_a_map(key)),
        }
    }

    fn not_a_map(&self, key: &str) -> Error {
        misuse(&format!("`.{key}`"), "a map", &format!("the list {}", self.path_text()))
            .hint(format!("an element is reached by [0], by .find(\"name\", …) or in a loop; a method needs ( ): .{key}()"))
    }

    fn path_text(&self) -> String {
        let path = address::plain(&self.place.steps);
        if path.is_root() {
            "the resource".to_owned()
        } else {
            format!("`{path}`")
        }
    }

    /// The element at an index; from the end below zero.
    fn index(&self, index: i64) -> Result<Dynamic> {
        let found = self.look(|place, look, now| {
            let length = look.len();
            if look.kind() != Kind::List {
                return Err(misuse("an index", "a list", look.kind().describe()));
            }
            let at = usize::try_from(index)
                .ok()
                .or_else(|| length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?));
            let item = at.and_then(|at| Some((at, look.item(at)?)));
            let Some((at, item)) = item else {
                return Err(misuse(
                    &format!("[{index}]"),
                    &format!("an index into {length} elements"),
                    &index.to_string(),
                ));
            };
            Ok(self.dynamic(place.join(Step::Index(at)), item, now))
        });
        found?
    }

    /// The values that a path finds below here.
    fn select(&self, path: &Path) -> Result<Vec<Dynamic>> {
        self.look(|place, look, now| {
            let found = follow(look, path.segments()).unwrap_or_default();
            let there = found.into_iter().filter(|found| found.missing.is_empty());
            there
                .filter_map(|Found { steps, .. }| {
                    let value = look.walk(&steps)?;
                    let mut at = place.clone();
                    at.steps.extend(steps);
                    Some(self.dynamic(at, value, now))
                })
                .collect()
        })
    }

    fn get(&self, path: &str) -> Result<Dynamic> {
        let path = parse(path)?;
        let mut found = self.select(&path)?;
        if path.is_pattern() {
            return Ok(Dynamic::from_array(found));
        }
        Ok(found.pop().unwrap_or(Dynamic::UNIT))
    }

    fn set(&self, path: &str, value: &Dynamic) -> Result<()> {
        let path = parse(path)?;
        self.draft.set(
            &self.place,
            self.seen,
            path.segments(),
            &json("set", value)?,
            true,
        )
    }

    /// `node.key = value` and `node[0] = value`.
    fn assign(&self, step: &Step, value: &Dynamic) -> Result<()> {
        if let Some(node) = value.read_lock::<Self>()
            && Arc::ptr_eq(&node.draft, &self.draft)
            && self.wrote_back(step, &node)
        {
            return Ok(());
        }
        let segment = match step {
            Step::Key(key) => crate::path::Segment::Key(key.to_string()),
            Step::Index(index) => crate::path::Segment::Key(index.to_string()),
        };
        if value.is_unit() {
            let nothing = self.look(|_, look, _| look.step(step).is_none_or(Look::is_null))?;
            if nothing {
                return Ok(());
            }
            return Err(misuse("an assignment", "a value", "nothing").hint(format!(
                "to take a key away, write   {}",
                "resource.remove(\"path\")"
            )));
        }
        let new = json("an assignment", value)?;
        self.draft
            .set(&self.place, self.seen, &[segment], &new, false)
    }

    /// Whether `node` is what stands, or stood until it was removed, at `step`.
    fn wrote_back(&self, step: &Step, node: &Self) -> bool {
        let Ok(there) = self.look(|place, _, _| place.join(step.clone())) else {
            return false;
        };
        node.draft.read(&node.place, node.seen, |found, _| {
            // A removed node that is assigned can only have come from a write-back.
            found.is_none_or(|(place, _)| *place == there)
        })
    }

    fn remove(&self, path: &Path) -> Result<bool> {
        self.draft.remove(&self.place, self.seen, path.segments())
    }

    fn insert(&self, path: &str, index: Option<usize>, value: &Dynamic) -> Result<()> {
        let path = parse(path)?;
        let new = json("append", value)?;
        self.draft
            .insert(&self.place, self.seen, path.segments(), index, &new)
    }

    fn is_a(&self, wanted: &str) -> Result<bool> {
        self.look(|_, look, _| {
            let text = |key| look.get(key).and_then(Look::as_str).unwrap_or_default();
            fits_type(wanted, text("apiVersion"), text("kind"))
        })
    }

    fn address(&self, below: Option<Step>) -> Result<String> {
        self.draft
            .address(&self.place, self.seen, below)
            .map(|path| path.to_string())
    }

    /// The map at a path, made where it is missing.
    fn ensure(&self, text: &str) -> Result<Dynamic> {
        let path = parse(text)?;
        if let Some(found) = self.select(&path)?.pop()
            && !found.is_unit()
        {
            return Ok(found);
        }
        let empty = Value::Object(serde_json::Map::new());
        self.draft
            .set(&self.place, self.seen, path.segments(), &empty, false)?;
        Ok(self.select(&path)?.pop().unwrap_or(Dynamic::UNIT))
    }

    /// The elements of a list, or the values of a map.
    pub(super) fn values(&self) -> Result<Vec<Dynamic>> {
        self.look(|place, look, now| {
            if look.kind() == Kind::List {
                let items = (0..look.len()).filter_map(|index| {
                    Some(self.dynamic(place.join(Step::Index(index)), look.item(index)?, now))
                });
                return items.collect();
            }
            let keys = look.keys().into_iter().filter_map(|key| {
                Some(self.dynamic(place.join(Step::Key(key.into())), look.get(key)?, now))
            });
            keys.collect()
        })
    }

    fn keys(&self) -> Result<Array> {
        self.look(|_, look, _| {
            look.keys()
                .into_iter()
                .map(|key| key.to_owned().into())
                .collect()
        })
    }

    fn contains(&self, wanted: &Dynamic) -> Result<bool> {
        let wanted = json("contains", wanted)?;
        self.look(|_, look, _| match (look.kind(), &wanted) {
            (Kind::Map, Value::String(key)) => look.get(key).is_some(),
            (Kind::List, wanted) => (0..look.len())
                .filter_map(|index| look.item(index))
                .any(|item| value::same(&item.to_json(), wanted)),
            _ => false,
        })
    }

    /// Text of the whole document, or of the values here.
    fn to_yaml(&self) -> Result<String> {
        let stream = self.draft.to_stream()?;
        let (document, steps) = self.look(|place, _, _| (place.document, place.steps.clone()))?;
        let Some(position) = self.draft.position(document) else {
            return Err(misuse(
                "to_yaml",
                "a node of the resource",
                "one that was removed",
            ));
        };
        let view = stream.view();
        if steps.is_empty() {
            if view.document_count() == 1 {
                return Ok(stream.text().to_owned());
            }
            let range = view.document_range(position);
            return Ok(stream.text().get(range).unwrap_or_default().to_owned());
        }
        let look = view
            .document(position)
            .map(Look::Tree)
            .and_then(|look| look.walk(&steps));
        Ok(look
            .map(|look| look.to_json().to_string())
            .unwrap_or_default())
    }

    pub(super) fn equals(&self, other: &Dynamic) -> bool {
        match (self.to_json(), value::to_json(other)) {
            (Ok(left), Ok(right)) => value::same(&left, &right),
            _ => false,
        }
    }
}

/// A loop over a list; over a map it is an error that says what to write.
impl IntoIterator for Node {
    type Item = Raised<Dynamic>;
    type IntoIter = std::vec::IntoIter<Raised<Dynamic>>;

    fn into_iter(self) -> Self::IntoIter {
        let is_map = self.look(|_, look, _| look.kind() == Kind::Map);
        let items: Vec<Raised<Dynamic>> = match (is_map, self.values()) {
            (Ok(false), Ok(values)) => values.into_iter().map(Ok).collect(),
            (Ok(true), _) => vec![Err(raise(
                misuse("for", "a list", &format!("the map {}", self.path_text()))
                    .hint("write   for key in map.keys()   or   for value in map.values()"),
            ))],
            (Err(error), _) | (_, Err(error)) => vec![Err(raise(error))],
        };
        items.into_iter()
    }
}

fn parse(path: &str) -> Result<Path> {
    Path::parse(path).map_err(|error| Error::script(error.to_string()))
}

pub(super) fn json(operation: &str, value: &Dynamic) -> Result<Value> {
    value::to_json(value).map_err(|unfit| misuse(operation, "a value for YAML", unfit.0))
}

/// Makes nodes known to an engine.
pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Node>("node");
    engine.register_iterator_result::<Node, Dynamic>();
    engine
        .register_indexer_get(|node: &mut Node, key: &str| node.key(key).map_err(raise))
        .register_indexer_set(|node: &mut Node, key: &str, value: Dynamic| {
            node.assign(&Step::Key(key.into()), &value).map_err(raise)
        })
        .register_indexer_get(|node: &mut Node, index: i64| node.index(index).map_err(raise))
        .register_indexer_set(|node: &mut Node, index: i64, value: Dynamic| {
            assign_index(node, index, &value).map_err(raise)
        });
    register_paths(engine);
    register_collections(engine);
    pod::register(engine);
}

fn assign_index(node: &Node, index: i64, value: &Dynamic) -> Result<()> {
    // Removing an element in `list[0].remove()` shortens the list before it is written back.
    if let Some(written) = value.read_lock::<Node>()
        && Arc::ptr_eq(&written.draft, &node.draft)
        && written
            .draft
            .read(&written.place, written.seen, |found, _| found.is_none())
    {
        return Ok(());
    }
    let length = node.look(|_, look, _| look.len())?;
    let at = usize::try_from(index)
        .ok()
        .or_else(|| length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?));
    let Some(at) = at.filter(|at| *at < length) else {
        return Err(misuse(
            &format!("[{index}] ="),
            &format!("an index into {length} elements"),
            &index.to_string(),
        ));
    };
    node.assign(&Step::Index(at), value)
}

fn register_paths(engine: &mut Engine) {
    engine
        .register_fn("get", |node: &mut Node, path: &str| {
            node.get(path).map_err(raise)
        })
        .register_fn("get", |node: &mut Node, path: &str, default: Dynamic| {
            let found = node.get(path).map_err(raise)?;
            Raised::Ok(if found.is_unit() { default } else { found })
        })
        .register_fn("set", |node: &mut Node, path: &str, value: Dynamic| {
            node.set(path, &value).map_err(raise)
        })
        .register_fn("remove", |node: &mut Node, path: &str| {
            node.remove(&parse(path).map_err(raise)?).map_err(raise)
        })
        .register_fn("remove", |node: &mut Node, index: i64| {
            let length = node.look(|_, look, _| look.len()).map_err(raise)?;
            let at = if index < 0 {
                index + i64::try_from(length).unwrap_or(0)
            } else {
                index
            };
            node.remove(&parse(&at.to_string()).map_err(raise)?)
                .map_err(raise)
        })
        .register_fn("remove", |node: &mut Node| {
            node.remove(&Path::root()).map_err(raise)
        })
        .register_fn("ensure", |node: &mut Node, path: &str| {
            node.ensure(path).map_err(raise)
        })
        .register_fn("find", |node: &mut Node, path: &str| {
            node.get(path).map_err(raise)
        })
        .register_fn("find", |node: &mut Node, key: &str, wanted: Dynamic| {
            find_by_key(node, key, &wanted).map_err(raise)
        })
        .register_fn(
            "find",
            |context: NativeCallContext<'_>, node: &mut Node, test: FnPtr| {
                for item in node.values().map_err(raise)? {
                    if test.call_within_context::<bool>(&context, (item.clone(),))? {
                        return Raised::Ok(item);
                    }
                }
                Ok(Dynamic::UNIT)
            },
        )
        .register_fn("path", |node: &mut Node| node.address(None).map_err(raise))
        .register_fn("path", |node: &mut Node, key: &str| {
            node.address(Some(Step::Key(key.into()))).map_err(raise)
        })
        .register_fn("path", |node: &mut Node, index: i64| {
            let index = usize::try_from(index).unwrap_or(0);
            node.address(Some(Step::Index(index))).map_err(raise)
        })
        .register_fn("is_a", |node: &mut Node, wanted: &str| {
            node.is_a(wanted).map_err(raise)
        })
        .register_fn("escape", |key: &str| Path::root().key(key).to_string())
        .register_fn("to_yaml", |node: &mut Node| node.to_yaml().map_err(raise))
        .register_fn("to_string", |node: &mut Node| display(node))
        .register_fn("to_debug", |node: &mut Node| display(node));
}

fn display(node: &Node) -> String {
    node.to_json()
        .map_or_else(|_| "(removed)".to_owned(), |value| value.to_string())
}

fn find_by_key(node: &Node, key: &str, wanted: &Dynamic) -> Result<Dynamic> {
    let wanted = json("find", wanted)?;
    node.look(|place, look, now| {
        let mut items = (0..look.len()).filter_map(|index| Some((index, look.item(index)?)));
        let hit = items.find(|(_, item)| {
            item.get(key)
                .is_some_and(|found| value::same(&found.to_json(), &wanted))
        });
        hit.map_or(Dynamic::UNIT, |(index, item)| {
            node.dynamic(place.join(Step::Index(index)), item, now)
        })
    })
}

fn register_collections(engine: &mut Engine) {
    engine
        .register_fn("push", |node: &mut Node, value: Dynamic| {
            node.insert("", None, &value).map_err(raise)
        })
        .register_fn("append", |node: &mut Node, value: Dynamic| {
            node.insert("", None, &value).map_err(raise)
        })
        .register_fn("append", |node: &mut Node, path: &str, value: Dynamic| {
            node.insert(path, None, &value).map_err(raise)
        })
        .register_fn("+=", |node: &mut Node, values: Array| {
            values
                .iter()
                .try_for_each(|value| node.insert("", None, value))
                .map_err(raise)
        })
        .register_fn("insert", |node: &mut Node, index: i64, value: Dynamic| {
            let length = node.look(|_, look, _| look.len()).map_err(raise)?;
            let index = usize::try_from(index)
                .ok()
                .or_else(|| length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?));
            node.insert("", index.or(Some(0)), &value).map_err(raise)
        })
        .register_fn("keys", |node: &mut Node| node.keys().map_err(raise))
        .register_fn("values", |node: &mut Node| node.values().map_err(raise))
        .register_fn("len", |node: &mut Node| {
            let length = node.look(|_, look, _| look.len()).map_err(raise)?;
            Raised::Ok(i64::try_from(length).unwrap_or(i64::MAX))
        })
        .register_fn("is_empty", |node: &mut Node| {
            node.look(|_, look, _| look.len() == 0).map_err(raise)
        })
        .register_fn("is_map", |node: &mut Node| {
            node.look(|_, look, _| look.kind() == Kind::Map)
                .map_err(raise)
        })
        .register_fn("is_list", |node: &mut Node| {
            node.look(|_, look, _| look.kind() == Kind::List)
                .map_err(raise)
        })
        .register_fn("contains", |node: &mut Node, wanted: Dynamic| {
            node.contains(&wanted).map_err(raise)
        })
        .register_fn("to_map", |node: &mut Node| {
            node.to_json()
                .map(|value| value::from_json(&value))
                .map_err(raise)
        })
        .register_fn("==", |left: &mut Node, right: Dynamic| left.equals(&right))
        .register_fn("!=", |left: &mut Node, right: Dynamic| !left.equals(&right))
        .register_fn("==", |left: Dynamic, right: Node| right.equals(&left))
        .register_fn("!=", |left: Dynamic, right: Node| !right.equals(&left));
}

/// The error for a name that a resource lacks, with what it has instead.
pub(super) fn missing(draft: &Draft, place: &Place, key: &str) -> Error {
    let resource = draft.resource_name(place.document);
    let error = Error::new(Fault::Missing {
        path: key.to_owned(),
        resource,
    });
    draft.read(place, usize::MAX, |found, _| {
        let Some((at, Some(look))) = found else {
            return error;
        };
        let keys = look.keys();
        let mut path = address::plain(&at.steps).to_string();
        if path.is_empty() {
            "the top level".clone_into(&mut path);
        }
        let line = look
            .line()
            .map(|line| format!(", line {line}"))
            .unwrap_or_default();
        let mut shown: Vec<&str> = keys.clone();
        shown.sort_unstable();
        let more = if shown.len() > 12 { ", …" } else { "" };
        shown.truncate(12);
        let nearest = super::error::nearest(key, keys);
        let error = if shown.is_empty() {
            error.hint(format!("{path} is empty"))
        } else {
            error.hint(format!(
                "there is   {}{more}   ({path}{line})",
                shown.join(", ")
            ))
        };
        error.nearest(nearest)
    })
}
