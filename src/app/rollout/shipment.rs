//! Units on their way to targets: which revision goes where, as which objects.

use std::collections::BTreeSet;

use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

use crate::app::gate::{Gate, GatePolicy, gates_of, in_words, refusal};
use crate::app::history::resolve;
use crate::app::outcome::{Status as Done, UnitReport, plural};
use crate::app::record::target;
use crate::app::related::Related;
use crate::app::select::Selection;
use crate::db::{PackedStream, Transaction, View};
use crate::deploy::{Deployed, Inventory, Object, Owner, Placement, UnitObjects};
use crate::error::{Error, Kind, Result};
use crate::id::{OpId, Slug, UnitId};
use crate::model::{Hash, RevisionRef, Space, Unit};
use crate::script::engine::pool;

/// How many units are read at a time.
const CHUNK: usize = 512;

/// A unit on its way to a target.
#[derive(Clone)]
pub(crate) struct Shipment {
    pub(crate) unit: Unit,
    pub(crate) target: Slug,
    pub(crate) objects: UnitObjects,
    /// What it has there already, as far as the store remembers.
    pub(crate) inventory: Option<Inventory>,
    pub(crate) gates: Vec<Gate>,
}

impl Shipment {
    pub(crate) fn revision(&self) -> u32 {
        self.objects.revision
    }

    pub(crate) fn deployed(&self) -> Deployed<'_> {
        Deployed {
            owner: &self.objects.owner,
            inventory: self.inventory.as_ref(),
        }
    }

    /// Units as targets are asked about them.
    pub(crate) fn all_deployed<'a>(units: &[&'a Self]) -> Vec<Deployed<'a>> {
        units.iter().map(|unit| unit.deployed()).collect()
    }

    pub(crate) fn reference(&self) -> &str {
        &self.objects.owner.name
    }

    pub(crate) fn report(&self) -> UnitReport {
        let live = self.unit.live.unwrap_or(0);
        UnitReport {
            before: live,
            after: live,
            ..UnitReport::unchanged(&self.unit, self.reference().to_owned())
        }
    }
}

/// What a unit has on its target after something was done there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Holding {
    /// What it had before; nothing was done.
    AsBefore,
    /// This; nothing where it is none.
    Now(Option<Inventory>),
}

/// The units of a selection as objects, in its order.
pub(crate) fn shipments(
    view: &View,
    selection: &Selection,
    revision: Option<RevisionRef>,
) -> Result<Vec<Shipment>> {
    let mut related = Related::new(view);
    let mut without_target = BTreeSet::new();
    let mut pinned = Vec::with_capacity(selection.pins().len());
    for pin in selection.pins() {
        let unit = view.unit(pin.unit)?;
        let space = related.space(unit.space)?;
        if target(&unit, &space).is_none() {
            without_target.insert(format!("{}/{}", space.slug, unit.slug));
            continue;
        }
        let (number, data) = match revision {
            None => (unit.head, unit.data),
            Some(revision) => {
                let found = resolve(view, &unit, revision)?;
                (found.num, found.data)
            }
        };
        pinned.push((unit, space, number, data));
    }
    if let Some(first) = without_target.first() {
        return Err(no_target(first, without_target.len()));
    }
    let mut shipments = Vec::with_capacity(pinned.len());
    let mut pinned = pinned.into_iter().peekable();
    while pinned.peek().is_some() {
        let chunk: Vec<_> = pinned.by_ref().take(CHUNK).collect();
        let texts: Vec<Hash> = chunk.iter().map(|(.., data)| *data).collect();
        for ((unit, space, number, _), objects) in chunk.into_iter().zip(all_objects(view, &texts)?)
        {
            shipments.push(shipment_of(view, unit, &space, number, objects)?);
        }
    }
    Ok(shipments)
}

/// The objects of texts, read on all cores.
fn all_objects(view: &View, texts: &[Hash]) -> Result<Vec<Vec<Object>>> {
    let packed = view.packed(texts)?;
    let read = |packed: PackedStream| Ok(Object::all(&packed.unpack()?));
    pool().install(|| packed.into_par_iter().map(read).collect())
}

/// One revision of a unit on its way to its target.
///
/// # Errors
/// [`Kind::Invalid`] when the unit has no target.
pub(crate) fn shipment(
    view: &View,
    unit: Unit,
    space: &Space,
    revision: u32,
    data: &Hash,
) -> Result<Shipment> {
    let objects = Object::all(&view.stream(data)?);
    shipment_of(view, unit, space, revision, objects)
}

fn shipment_of(
    view: &View,
    unit: Unit,
    space: &Space,
    revision: u32,
    objects: Vec<Object>,
) -> Result<Shipment> {
    let name = format!("{}/{}", space.slug, unit.slug);
    let slug = target(&unit, space).ok_or_else(|| no_target(&name, 1))?;
    let objects = UnitObjects {
        namespace: namespace(view, slug, space)?,
        owner: Owner {
            unit: unit.id,
            store: store_id(view)?,
            name,
        },
        revision,
        objects,
    };
    let target: Slug = slug.parse()?;
    Ok(Shipment {
        inventory: inventory(view, unit.id, &target)?,
        target,
        objects,
        gates: gates_of(&unit, space, view.now()),
        unit,
    })
}

/// What a unit has on a target, as far as the store remembers.
///
/// # Errors
/// [`Kind::Unavailable`] when the record is damaged.
pub(crate) fn inventory(view: &View, unit: UnitId, target: &Slug) -> Result<Option<Inventory>> {
    let Some(bytes) = view.inventory(unit, target)? else {
        return Ok(None);
    };
    let read = serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(
            Kind::Unavailable,
            format!(
                "expected a record of what unit {unit} has on `{target}`, found damage: {error}"
            ),
        )
    });
    read.map(Some)
}

/// Keeps what a unit has on a target; it has nothing there where this is none.
///
/// # Errors
/// When the store cannot be written.
pub(crate) fn put_inventory(
    transaction: &mut Transaction,
    unit: UnitId,
    target: &Slug,
    inventory: Option<&Inventory>,
) -> Result<()> {
    let bytes = inventory_bytes(unit, target, inventory)?;
    Ok(transaction.put_inventory(unit, target, bytes)?)
}

/// What many units have on their targets now, as [`put_inventory`] keeps it; written down on all
/// cores, so that the transaction is short.
pub(crate) fn inventories_bytes(
    inventories: &[(UnitId, Slug, Option<Inventory>)],
) -> Result<Vec<Option<Vec<u8>>>> {
    let written = inventories
        .par_iter()
        .map(|(unit, target, inventory)| inventory_bytes(*unit, target, inventory.as_ref()));
    pool().install(|| written.collect())
}

fn inventory_bytes(
    unit: UnitId,
    target: &Slug,
    inventory: Option<&Inventory>,
) -> Result<Option<Vec<u8>>> {
    let bytes = inventory.map(serde_json::to_vec).transpose();
    bytes.map_err(|error| {
        Error::new(
            Kind::Internal,
            format!("cannot keep what unit {unit} has on `{target}`: {error}"),
        )
    })
}

/// The units whose gates are open or passed, and a report of each that is left out.
pub(crate) fn past_gates(
    shipments: Vec<Shipment>,
    policy: &GatePolicy,
) -> Result<(Vec<Shipment>, Vec<UnitReport>)> {
    let mut open = Vec::with_capacity(shipments.len());
    let mut gated = Vec::new();
    for mut shipment in shipments {
        let closed = policy.closed(std::mem::take(&mut shipment.gates));
        if closed.is_empty() {
            open.push(shipment);
        } else {
            gated.push((shipment, closed));
        }
    }
    if !policy.skip && !gated.is_empty() {
        let named = gated
            .into_iter()
            .map(|(shipment, gates)| (shipment.reference().to_owned(), gates));
        return Err(refusal(&named.collect::<Vec<_>>()));
    }
    let report = |(shipment, gates): (Shipment, Vec<Gate>)| UnitReport {
        status: Done::Skipped(format!("gated: {}", in_words(&gates))),
        ..shipment.report()
    };
    Ok((open, gated.into_iter().map(report).collect()))
}

fn no_target(first: &str, count: usize) -> Error {
    let others = match count {
        1 => String::new(),
        count => format!(" and {}", plural(count - 1, "other")),
    };
    let space = first.split('/').next().unwrap_or_default();
    Error::new(
        Kind::Invalid,
        format!("expected a target for `{first}`{others}, found none"),
    )
    .hint(format!(
        "windlass worker install worker --space {space} --wait sets the sandbox"
    ))
    .context("nothing was sent")
}

/// The namespace of objects that name none: the target's, else the space's name.
pub(crate) fn namespace(view: &View, slug: &str, space: &Space) -> Result<String> {
    let target = match slug.parse() {
        Ok(slug) => view.find_target(&slug)?,
        Err(_) => None,
    };
    let Some(target) = target else {
        return Err(Error::new(
            Kind::NotFound,
            format!(
                "expected a target `{slug}` for space `{}`, found none",
                space.slug
            ),
        )
        .hint(format!("windlass target create {slug} makes it")));
    };
    let named = target.parameters.get("namespace").cloned();
    Ok(named.unwrap_or_else(|| space.slug.to_string()))
}

/// By which a cluster's objects tell stores apart: the hash of the store's first operation.
fn store_id(view: &View) -> Result<String> {
    match view.last_operation()? {
        None => Ok(String::new()),
        Some(_) => Ok(view.operation(OpId(1))?.hash.short()),
    }
}

pub(crate) fn placements(shipments: &[Shipment]) -> Vec<Placement> {
    let placement = |shipment: &Shipment| Placement {
        unit: shipment.unit.id,
        name: shipment.reference().to_owned(),
        order: shipment.unit.labels.get("order").cloned(),
        kinds: shipment.unit.kinds.clone(),
    };
    shipments.iter().map(placement).collect()
}
