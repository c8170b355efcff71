//! Drift: fields of live objects that are no longer what was applied, and what to do about them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::app::change::{ChangeOptions, Draft, Head, Plan};
use crate::app::gate::GatePolicy;
use crate::app::outcome::{Outcome, plural};
use crate::app::related::Related;
use crate::app::rollout::{ApplyOptions, Shipment, shipment};
use crate::app::select::{Pin, Selection};
use crate::app::table::{Cell, Table};
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::db::View;
use crate::deploy::{self, Object};
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, UnitId};
use crate::model::{RevisionRef, RevisionSource, Tolerance, Unit};
use crate::path::Path;
use crate::yaml::{Edit, ResourceId, Stream};

/// The drift of one unit.
#[derive(Debug, Clone)]
pub struct UnitDrift {
    /// The unit.
    pub unit: UnitId,
    /// Its head, to which a selection of drifted units is pinned.
    head: u32,
    /// As people name it: `space/unit`.
    pub reference: String,
    /// The target that it is live on.
    pub target: Slug,
    /// The fields, in the order of the unit's objects.
    pub rows: Vec<DriftRow>,
}

/// One field that has drifted.
#[derive(Debug, Clone)]
pub struct DriftRow {
    /// The object.
    pub resource: ResourceId,
    /// The field; the root where the object is gone.
    pub path: Path,
    /// What was applied.
    pub applied: Option<Value>,
    /// What the unit says now.
    pub desired: Option<Value>,
    /// What is there.
    pub live: Option<Value>,
    /// Until when it is tolerated, where it is.
    pub tolerated: Option<Tolerance>,
}

impl DriftRow {
    fn is_gone(&self) -> bool {
        self.path.segments().is_empty()
    }
}

impl UnitDrift {
    /// The rows that nobody tolerates.
    pub fn open(&self) -> impl Iterator<Item = &DriftRow> {
        self.rows.iter().filter(|row| row.tolerated.is_none())
    }
}

/// What is meant of the drift of units: everything, or one field.
#[derive(Debug, Clone, Default)]
pub struct DriftFilter {
    /// The field, with everything below it; all where it is none.
    pub path: Option<Path>,
    /// The object as `Kind/name`; all where it is none.
    pub resource: Option<String>,
}

impl DriftFilter {
    fn is_meant(&self, row: &DriftRow) -> bool {
        let is_path = self
            .path
            .as_ref()
            .is_none_or(|path| row.path.starts_with(path));
        let name = row.resource.to_string();
        let is_resource = self
            .resource
            .as_ref()
            .is_none_or(|resource| *resource == name);
        // What is tolerated is meant only by name.
        is_path && is_resource && (row.tolerated.is_none() || self.path.is_some())
    }
}

impl App {
    /// The drift of the units of a selection that are live; a unit without any has no rows.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when a target does not answer.
    pub fn drift(&self, selection: &Selection) -> Result<Vec<UnitDrift>> {
        self.settle_abandoned()?;
        let destinations = self.destinations_of(selection)?;
        self.looking(|dispatch| {
            let (shipments, now) =
                dispatch.read(|view| Ok((live_ones(view, selection)?, view.now())))?;
            let drift = dispatch.ask(&destinations, &shipments, "", |target, units| {
                Ok(target.drift(&Shipment::all_deployed(units))?)
            })?;
            let units = shipments.iter().zip(drift);
            Ok(units
                .map(|(shipment, rows)| unit_drift(shipment, rows, now))
                .collect())
        })
    }

    /// Takes live values into the store: each becomes what the unit says.
    ///
    /// # Errors
    /// As [`Self::drift`]; [`Kind::NotFound`] when there is no drift that is meant.
    pub fn accept_drift(
        &self,
        selection: &Selection,
        filter: &DriftFilter,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let meant = self.meant(selection, filter)?;
        let text = "drift accept".to_owned();
        let selection = pinned(&meant);
        let by_unit: BTreeMap<UnitId, Vec<DriftRow>> = meant
            .into_iter()
            .map(|unit| (unit.unit, unit.rows))
            .collect();
        let outcome = self.change(&selection, Verb::new(text.clone()), options, &|head| {
            accept(head, &by_unit[&head.unit.id], &text)
        })?;
        Ok(outcome)
    }

    /// Forces live fields back to what was applied. The unit stays as it is.
    ///
    /// # Errors
    /// As [`Self::drift`] and [`Self::apply`]; [`Kind::NotFound`] when there is no drift that is
    /// meant.
    pub fn revert_drift(
        &self,
        selection: &Selection,
        filter: &DriftFilter,
        gates: GatePolicy,
        dry_run: bool,
    ) -> Result<Outcome> {
        let meant = self.meant(selection, filter)?;
        let rows = meant.iter().flat_map(|unit| &unit.rows);
        let options = ApplyOptions {
            revision: Some(RevisionRef::Live),
            title: Some("drift revert".to_owned()),
            force: rows
                .map(|row| (row.resource.clone(), row.path.clone()))
                .collect(),
            gates,
            dry_run,
            ..ApplyOptions::default()
        };
        let mut outcome = self.apply(&pinned(&meant), &options)?;
        for report in &mut outcome.reports {
            let unit = meant.iter().find(|unit| unit.unit == report.unit);
            let places: Vec<String> = unit.iter().flat_map(|unit| &unit.rows).map(place).collect();
            report.note = format!("{}; {}", places.join(", "), report.note);
        }
        "drift revert".clone_into(&mut outcome.verb);
        Ok(outcome)
    }

    /// Lets a field differ from what was applied, until a time or for good.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the selection is empty; [`Kind::Conflict`] when it moved.
    pub fn tolerate_drift(
        &self,
        selection: &Selection,
        path: &Path,
        resource: Option<&str>,
        until: Option<Timestamp>,
    ) -> Result<Outcome> {
        let (by, why) = (self.actor(), self.message());
        let verb = Verb::new(format!("drift tolerate {path}"));
        self.change_records(selection, verb, ChangeOptions::default(), &|unit, now| {
            let is_other =
                |known: &Tolerance| known.path != *path || known.resource.as_deref() != resource;
            let same = unit.tolerated.iter().find(|known| !is_other(known));
            if same.is_some_and(|known| (known.until, &known.why) == (until, &why)) {
                return;
            }
            unit.tolerated.retain(is_other);
            unit.tolerated.push(Tolerance {
                resource: resource.map(ToOwned::to_owned),
                path: path.clone(),
                by: by.clone(),
                at: now,
                until,
                why: why.clone(),
            });
        })
    }

    /// Ends the tolerances of a field.
    ///
    /// # Errors
    /// As [`Self::tolerate_drift`].
    pub fn end_tolerance(&self, selection: &Selection, path: &Path) -> Result<Outcome> {
        let verb = Verb::new(format!("drift tolerate {path} --end"));
        self.change_records(selection, verb, ChangeOptions::default(), &|unit, _| {
            unit.tolerated.retain(|known| known.path != *path);
        })
    }

    /// The units with the rows that are meant.
    fn meant(&self, selection: &Selection, filter: &DriftFilter) -> Result<Vec<UnitDrift>> {
        let mut found = self.drift(selection)?;
        for unit in &mut found {
            unit.rows.retain(|row| filter.is_meant(row));
        }
        found.retain(|unit| !unit.rows.is_empty());
        if found.is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                "expected drift that is meant by this, found none",
            )
            .hint("windlass drift list shows the units that have drifted"));
        }
        Ok(found)
    }
}

/// A selection of the units of a report.
fn pinned(units: &[UnitDrift]) -> Selection {
    let mut selection = Selection::default();
    for unit in units {
        selection.push(Pin {
            unit: unit.unit,
            head: unit.head,
        });
    }
    selection
}

/// The units of a selection that are live, with their heads as objects.
fn live_ones(view: &View, selection: &Selection) -> Result<Vec<Shipment>> {
    let mut related = Related::new(view);
    let mut live = Vec::new();
    for pin in selection.pins() {
        let unit: Unit = view.unit(pin.unit)?;
        if unit.live.is_none() {
            continue;
        }
        let space = related.space(unit.space)?;
        let (number, data) = (unit.head, unit.data);
        live.push(shipment(view, unit, &space, number, &data)?);
    }
    Ok(live)
}

fn unit_drift(shipment: &Shipment, rows: Vec<deploy::Drift>, now: Timestamp) -> UnitDrift {
    let unit = &shipment.unit;
    let rows = rows.into_iter().map(|row| {
        let name = row.resource.to_string();
        let mut tolerances = unit.tolerated.iter();
        DriftRow {
            desired: desired(&shipment.objects.objects, &row.resource, &row.path),
            tolerated: tolerances
                .find(|known| known.covers(&name, &row.path, now))
                .cloned(),
            resource: row.resource,
            path: row.path,
            applied: row.applied,
            live: row.live,
        }
    });
    UnitDrift {
        unit: unit.id,
        head: unit.head,
        reference: shipment.reference().to_owned(),
        target: shipment.target.clone(),
        rows: rows.collect(),
    }
}

fn desired(objects: &[Object], resource: &ResourceId, path: &Path) -> Option<Value> {
    let object = objects
        .iter()
        .find(|object| is_object(&object.id, resource))?;
    deploy::value_at(&object.value, path).cloned()
}

/// Whether an object of a unit is the one that a cluster has: there, each has its namespace.
fn is_object(own: &ResourceId, live: &ResourceId) -> bool {
    let same_namespace = own.namespace == live.namespace
        || own.namespace.is_empty()
        || own.namespace == deploy::PLACEHOLDER;
    own.group == live.group && own.kind == live.kind && own.name == live.name && same_namespace
}

fn accept(head: &Head, rows: &[DriftRow], text: &str) -> Result<Plan> {
    let mut draft = Draft::of(head, RevisionSource::Patch, text);
    let mut places = Vec::new();
    let mut left = Vec::new();
    for row in rows {
        let edit = edit(&draft.stream, row);
        let Some(edit) = edit.filter(|_| !row.is_gone()) else {
            left.push(place(row));
            continue;
        };
        draft.stream = draft.stream.apply(std::slice::from_ref(&edit))?;
        draft.edits.push(edit);
        places.push(place(row));
    }
    if places.is_empty() {
        return Ok(Plan::Skip(format!(
            "{} cannot be accepted: the object is gone, or the unit has no such object; windlass drift revert brings it back",
            left.join(", ")
        )));
    }
    draft.note = places.join(", ");
    if !left.is_empty() {
        let _ = write!(draft.note, "; left: {}", left.join(", "));
    }
    Ok(Plan::Write(Box::new(draft)))
}

/// What makes a live value the unit's own.
fn edit(stream: &Stream, row: &DriftRow) -> Option<Edit> {
    let resources = stream.resources();
    let document = resources
        .iter()
        .position(|own| is_object(own, &row.resource))?;
    Some(match &row.live {
        Some(value) => Edit::set(document, row.path.clone(), value.clone()),
        None => Edit::remove(document, row.path.clone()),
    })
}

fn place(row: &DriftRow) -> String {
    if row.is_gone() {
        format!("{} is gone", row.resource)
    } else {
        format!("{} {}", row.resource, row.path)
    }
}

/// Units with their drift, as a table of counts.
pub fn table(found: &[UnitDrift]) -> Table {
    let mut table = Table::new(["Unit", "Target", "Drift", "Tolerated", "First"]);
    for unit in found.iter().filter(|unit| !unit.rows.is_empty()) {
        let open = unit.open().count();
        let first = unit.open().next().or(unit.rows.first());
        table.push(vec![
            Cell::text(unit.reference.clone()),
            Cell::text(unit.target.as_str()),
            Cell::from(json!(open)),
            Cell::from(json!(unit.rows.len() - open)),
            Cell::text(first.map(place).unwrap_or_default()),
        ]);
    }
    table
}

/// The drift of units in full, for people.
pub fn describe(found: &[UnitDrift]) -> String {
    let mut text = String::new();
    let drifted: Vec<&UnitDrift> = found.iter().filter(|unit| !unit.rows.is_empty()).collect();
    if drifted.is_empty() {
        let _ = writeln!(text, "no drift in {}", plural(found.len(), "live unit"));
        return text;
    }
    for unit in &drifted {
        let _ = writeln!(text, "{} → {}", unit.reference, unit.target);
        for row in &unit.rows {
            let until = row
                .tolerated
                .as_ref()
                .map(|tolerance| match tolerance.until {
                    Some(until) => format!("   tolerated until {}", until.to_minutes()),
                    None => "   tolerated".to_owned(),
                });
            let _ = writeln!(text, "  {}{}", place(row), until.unwrap_or_default());
            if row.is_gone() {
                continue;
            }
            let _ = writeln!(text, "    applied  {}", shown(row.applied.as_ref()));
            if row.desired != row.applied {
                let _ = writeln!(text, "    desired  {}", shown(row.desired.as_ref()));
            }
            let _ = writeln!(text, "    live     {}", shown(row.live.as_ref()));
        }
    }
    let first = &drifted[0].reference;
    let _ = write!(
        text,
        "\nDecide\n  \
         windlass drift accept {first}      take the live values into the store\n  \
         windlass drift revert {first}      force these fields back to what was applied\n  \
         windlass drift tolerate {first} PATH --until 7d -m WHY      let a field differ\n"
    );
    text
}

/// The drift of units for programs.
pub fn to_json(found: &[UnitDrift]) -> Value {
    let rows = found.iter().flat_map(|unit| {
        unit.rows.iter().map(|row| {
            json!({
                "Unit": unit.reference,
                "UnitID": unit.unit.to_string(),
                "Target": unit.target,
                "Resource": row.resource.to_string(),
                "Namespace": row.resource.namespace,
                "Path": row.path.to_string(),
                "Gone": row.is_gone(),
                "Applied": row.applied,
                "Desired": row.desired,
                "Live": row.live,
                "Tolerated": row.tolerated.is_some(),
            })
        })
    });
    rows.collect()
}

/// A value on one line.
pub(crate) fn shown(value: Option<&Value>) -> String {
    match value {
        None => "(nothing)".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
