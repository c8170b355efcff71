//! What targets would make of units, as differences for people and programs.

use serde_json::{Value, json};

use crate::app::App;
use crate::app::difference::{Compared, Grouping};
use crate::app::outcome::plural;
use crate::app::rollout::shipment::{Shipment, shipments};
use crate::app::select::Selection;
use crate::deploy::{self, Action, ObjectPreview, Target};
use crate::error::{Error, Kind, Result};
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
            let mut changed = 0;
            let previews = dispatch.ask(&destinations, &shipments, "diff", asked)?;
            for (shipment, preview) in shipments.iter().zip(previews) {
                let reference = shipment.reference();
                let objects = match preview {
                    Ok(objects) => objects,
                    Err(error) => {
                        found.is_refused = true;
                        found.notes.push(format!("{reference}: {error}"));
                        continue;
                    }
                };
                found.notes.extend(unchecked(reference, &objects));
                let rows = objects.iter().filter_map(|object| row(reference, object));
                found.objects.extend(rows);
                if let Some(compared) = compared(&objects)? {
                    changed += 1;
                    let revisions = (shipment.unit.live.unwrap_or(0), shipment.revision());
                    grouping.add(reference.to_owned(), revisions, compared);
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
    let options = deploy::ApplyOptions::default();
    let units: Vec<_> = shipments
        .iter()
        .map(|unit| (unit.objects.clone(), unit.inventory.clone()))
        .collect();
    let plans = target.plan(&units, &options)?;
    let mut planned = Vec::new();
    let mut previews: Vec<Option<Previewed>> = Vec::with_capacity(plans.len());
    for ((unit, _), plan) in units.into_iter().zip(plans) {
        previews.push(match plan {
            Ok(plan) if plan.is_change() => {
                planned.push((unit, plan));
                None
            }
            Ok(_) => Some(Ok(Vec::new())),
            Err(error) => Some(Err(error)),
        });
    }
    let mut answers = target.preview(&planned, &options)?.into_iter();
    let previews = previews.into_iter().map(|known| {
        known
            .or_else(|| answers.next())
            .unwrap_or_else(|| Ok(Vec::new()))
    });
    Ok(previews.collect())
}

/// The change of one unit as texts; none where nothing would change.
pub(super) fn compared(objects: &[ObjectPreview]) -> Result<Option<Compared>> {
    let changed = |object: &&ObjectPreview| {
        object.action != Action::Keep && (object.before != object.after || object.after.is_none())
    };
    let changed: Vec<&ObjectPreview> = objects.iter().filter(changed).collect();
    if changed.is_empty() {
        return Ok(None);
    }
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
    Ok(Some(Compared::of((!is_new).then_some(old), new)))
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
