//! What a rollback can be told to undo: an apply, an operation, everything since a time.

use std::collections::BTreeMap;

use crate::app::App;
use crate::app::rollback::RollbackTo;
use crate::app::select::Selection;
use crate::clock::Timestamp;
use crate::db::{Key, View, decode};
use crate::error::{Error, Kind, Result};
use crate::id::{ApplyId, OpId, UnitId};
use crate::model::Unit;

/// The units of a rollback, and where each goes.
pub struct RollbackTarget {
    /// The units.
    pub selection: Selection,
    /// Where each goes.
    pub to: RollbackTo,
}

impl App {
    /// The units that an apply touched, as they were live before it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such apply, or it changed nothing.
    pub fn before_apply(&self, id: ApplyId) -> Result<RollbackTarget> {
        let apply = self.apply_numbered(id)?;
        let live = apply.touched().map(|member| (member.unit, member.before));
        self.moment(format!("before {id}"), live.collect())
    }

    /// The units that an operation changed, as they were live before it; their heads where it
    /// changed nothing that is live.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such operation, or it changed no unit.
    pub fn before_operation(&self, op: OpId) -> Result<RollbackTarget> {
        let live = self.read(|view| {
            let mut live = BTreeMap::new();
            for change in view.net_changes(op)? {
                let Key::Unit(unit) = change.key else {
                    continue;
                };
                let Some(bytes) = change.before.bytes(&change.key)? else {
                    continue;
                };
                let before: Unit = decode(bytes, unit)?;
                let Some(now) = view.find_unit_by_id(unit)? else {
                    continue;
                };
                let wanted = if before.live == now.live {
                    Some(before.head)
                } else {
                    before.live
                };
                live.insert(unit, wanted);
            }
            Ok(live)
        })?;
        self.moment(format!("before {op}"), live)
    }

    /// The units of a selection, as they were live at a time.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when nothing of it was applied since.
    pub fn live_at(&self, selection: &Selection, at: Timestamp) -> Result<RollbackTarget> {
        let units: Vec<UnitId> = selection.pins().iter().map(|pin| pin.unit).collect();
        let live = self.read(|view| live_before(view, &units, at))?;
        self.moment(at.to_minutes(), live)
    }

    fn moment(&self, name: String, live: BTreeMap<UnitId, Option<u32>>) -> Result<RollbackTarget> {
        let selection = self.selection_of_units(live.keys().copied())?;
        if selection.pins().is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                format!("expected units to put back to {name}, found none"),
            ));
        }
        Ok(RollbackTarget {
            selection,
            to: RollbackTo::Moment { name, live },
        })
    }
}

/// What was live of units just before the first apply of each that began after a time; units that
/// no apply has changed since are left out.
fn live_before(
    view: &View,
    units: &[UnitId],
    at: Timestamp,
) -> Result<BTreeMap<UnitId, Option<u32>>> {
    let mut live = BTreeMap::new();
    for apply in view.applies(usize::MAX)? {
        if apply.at <= at {
            break;
        }
        // The newest comes first: an older one after that time overwrites what it said.
        for member in apply
            .touched()
            .filter(|member| units.contains(&member.unit))
        {
            live.insert(member.unit, member.before);
        }
    }
    Ok(live)
}
