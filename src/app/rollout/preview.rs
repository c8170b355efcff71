//! What targets would make of units, as differences for people and programs.

use std::collections::HashMap;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde_json::{Value, json};

use crate::app::App;
use crate::app::difference::{Compared, Grouped, Grouping};
use crate::app::outcome::plural;
use crate::app::rollout::shipment::{Shipment, shipments};
use crate::app::select::Selection;
use crate::deploy::{self, Action, ObjectPreview, Target};
use crate::error::{Error, Kind, Result};
use crate::script::engine::pool;
use crate::yaml::Stream;

/// What applying units would change on their targets.
#[derive(Debug, Clone)]
pub struct TargetDiff {
    /// Each distinct change once, with the units that it is of.
    pub changes: String,
    /// The same for programs: a row an object.
    pub objects: Vec<Value>,
    /// How many units there were, and how many of them would change.
    pub summary: String,
    /// Objects that a target could not check, and units that it would refuse.
    pub notes: Vec<String>,
    /// Whether anything would change.
    pub is_change: bool,
    /// Whether a target would refuse something.
    pub is_refused: bool,
}

impl App {
    /// What applying the heads of units would change on their targets, as those themselves say. A
    /// cluster is asked by a dry run of what would be sent; nothing is changed.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when a unit has no target; [`Kind::Unavailable`] when a target does not
    /// answer.
    pub fn target_diff(&self, selection: &Selection) -> Result<TargetDiff> {
        self.settle_abandoned()?;
        let destinations = self.destinations_of(selection)?;
        self.looking(|dispatch| {
            let shipments = dispatch.read(|view| shipments(view, selection, None))?;
            let mut found = TargetDiff {
                changes: String::new(),
                objects: Vec::new(),
                summary: String::new(),
                notes: Vec::new(),
                is_change: false,
                is_refused: false,
            };
            let mut grouping = Grouping::default();
            let previews = dispatch.ask(&destinations, &shipments, "diff", asked)?;
            let units = shipments.iter().zip(&previews);
            let units: Vec<PreviewedUnit<'_>> = units
                .map(|(shipment, preview)| PreviewedUnit {
                    reference: shipment.reference(),
                    revisions: (shipment.unit.live.unwrap_or(0), shipment.revision()),
                    objects: preview.as_ref().map_or(&[], Vec::as_slice),
                })
                .collect();
            let changed = add_changes(&mut grouping, &units)?;
            for (shipment, preview) in shipments.iter().zip(previews) {
                let reference = shipment.reference();
                match preview {
                    Ok(objects) => {
                        found.notes.extend(unchecked(reference, &objects));
                        let rows = objects.iter().filter_map(|object| row(reference, object));
                        found.objects.extend(rows);
                    }
                    Err(error) => {
                        found.is_refused = true;
                        found.notes.push(format!("{reference}: {error}"));
                    }
                }
            }
            found.changes = grouping.finish().to_string();
            found.is_change = changed > 0;
            found.summary = format!(
                "{} compared: {changed} would change",
                plural(shipments.len(), "unit")
            );
            Ok(found)
        })
    }
}

type Previewed = std::result::Result<Vec<ObjectPreview>, deploy::Error>;

/// What a target says of units of its own.
fn asked(target: &dyn Target, shipments: &[&Shipment]) -> Result<Vec<Previewed>> {
    let options = deploy::ApplyOptions {
        dry_run: true,
        ..deploy::ApplyOptions::default()
    };
    let units: Vec<_> = shipments
        .iter()
        .map(|unit| (&unit.objects, unit.inventory.as_ref()))
        .collect();
    let plans = target.plan(&units, &options)?;
    let changed = units.iter().zip(&plans);
    let planned: Vec<_> = changed
        .filter_map(|((unit, _), plan)| Some((*unit, plan.as_ref().ok()?)))
        .filter(|(_, plan)| plan.is_change())
        .collect();
    let mut answers = target.preview(&planned, &options)?.into_iter();
    drop(planned);
    let previews = plans.into_iter().map(|plan| match plan {
        Ok(plan) if plan.is_change() => answers.next().unwrap_or_else(|| Ok(Vec::new())),
        Ok(_) => Ok(Vec::new()),
        Err(error) => Err(error),
    });
    Ok(previews.collect())
}

/// What a target would make of one unit.
pub(super) struct PreviewedUnit<'a> {
    pub(super) reference: &'a str,
    /// The revision that is live, and the one that would be.
    pub(super) revisions: (u32, u32),
    pub(super) objects: &'a [ObjectPreview],
}

/// Adds what would change in units; how many would. Only one unit of those whose fields change in
/// the same way is written as text and compared: there may be thousands.
pub(super) fn add_changes(grouping: &mut Grouping, units: &[PreviewedUnit<'_>]) -> Result<usize> {
    let keys: Vec<Option<String>> =
        pool().install(|| units.par_iter().map(|unit| key(unit.objects)).collect());
    let mut shown: Vec<&[ObjectPreview]> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut changed = Vec::new();
    for (unit, key) in units.iter().zip(&keys) {
        let Some(key) = key else { continue };
        let at = *known.entry(key).or_insert_with(|| {
            shown.push(unit.objects);
            shown.len() - 1
        });
        changed.push((unit, at));
    }
    let compared: Result<Vec<Compared>> =
        pool().install(|| shown.par_iter().map(|objects| compared(objects)).collect());
    let groups = compared?.into_iter();
    let groups: Vec<Grouped> = groups.map(|compared| grouping.group_of(compared)).collect();
    for (unit, at) in &changed {
        grouping.join(&groups[*at], unit.reference.to_owned(), unit.revisions);
    }
    Ok(changed.len())
}

fn would_change(object: &ObjectPreview) -> bool {
    object.action != Action::Keep && (object.before != object.after || object.after.is_none())
}

/// What changes in a unit, without the names of its objects; none where nothing does.
fn key(objects: &[ObjectPreview]) -> Option<String> {
    let mut changes = Vec::new();
    for object in objects.iter().filter(|object| would_change(object)) {
        let kind = &object.resource.kind;
        let (before, after) = (object.before.as_ref(), object.after.as_ref());
        changes.push(json!([kind, format!("{:?}", object.action)]));
        // What is new or goes is told whole.
        match (before, after) {
            (Some(before), Some(after)) => differ(before, after, kind, &mut changes),
            (whole, other) => changes.push(json!([whole, other])),
        }
    }
    (!changes.is_empty()).then(|| Value::Array(changes).to_string())
}

fn differ(before: &Value, after: &Value, path: &str, changes: &mut Vec<Value>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, old) in old {
                let new = new.get(key).unwrap_or(&Value::Null);
                differ(old, new, &format!("{path}/{key}"), changes);
            }
            let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
            changes.extend(added.map(|(key, new)| json!([format!("{path}/{key}"), new])));
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                differ(old, new, &format!("{path}/{at}"), changes);
            }
        }
        _ if before == after => {}
        _ => changes.push(json!([path, before, after])),
    }
}

/// The change of one unit as texts.
fn compared(objects: &[ObjectPreview]) -> Result<Compared> {
    let changed: Vec<&ObjectPreview> = objects
        .iter()
        .filter(|object| would_change(object))
        .collect();
    let old = stream(
        changed
            .iter()
            .filter_map(|object| named(object, object.before.as_ref())),
    )?;
    let new = stream(
        changed
            .iter()
            .filter_map(|object| named(object, object.after.as_ref())),
    )?;
    let is_new = changed.iter().all(|object| object.before.is_none());
    Ok(Compared::of((!is_new).then_some(&old), &new))
}

/// An object with what names it: the fields that we own do not.
fn named(object: &ObjectPreview, value: Option<&Value>) -> Option<Value> {
    let fields = value?.as_object()?;
    let mut whole = serde_json::Map::new();
    whole.insert("kind".to_owned(), object.resource.kind.clone().into());
    let mut metadata = serde_json::Map::new();
    metadata.insert("name".to_owned(), object.resource.name.clone().into());
    if !object.resource.namespace.is_empty() {
        metadata.insert(
            "namespace".to_owned(),
            object.resource.namespace.clone().into(),
        );
    }
    if let Some(Value::Object(more)) = fields.get("metadata") {
        metadata.extend(more.clone());
    }
    whole.insert("metadata".to_owned(), metadata.into());
    let rest = fields
        .iter()
        .filter(|(key, _)| !["kind", "metadata"].contains(&key.as_str()));
    whole.extend(rest.map(|(key, value)| (key.clone(), value.clone())));
    Some(whole.into())
}

fn stream(objects: impl Iterator<Item = Value>) -> Result<Stream> {
    let mut text = String::new();
    for object in objects {
        let yaml = serde_saphyr::to_string(&object).map_err(|error| {
            Error::new(Kind::Internal, format!("cannot write an object: {error}"))
        })?;
        if !text.is_empty() {
            text.push_str("---\n");
        }
        text.push_str(yaml.trim_end());
        text.push('\n');
    }
    Ok(Stream::parse(&text)?)
}

/// A line for each object that the target could not check.
pub(super) fn unchecked<'a>(
    reference: &'a str,
    objects: &'a [ObjectPreview],
) -> impl Iterator<Item = String> + 'a {
    objects.iter().filter_map(move |object| {
        let why = object.unchecked.as_ref()?;
        Some(format!(
            "{reference} {}: new, not checked by the server ({why})",
            object.resource
        ))
    })
}

fn row(reference: &str, object: &ObjectPreview) -> Option<Value> {
    (object.action != Action::Keep).then(|| {
        json!({
            "Unit": reference,
            "Resource": object.resource.to_string(),
            "Namespace": object.resource.namespace,
            "Action": format!("{:?}", object.action),
            "Before": object.before,
            "After": object.after,
            "Unchecked": object.unchecked,
        })
    })
}
