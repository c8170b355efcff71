//! Spaces: finding and listing them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::connect::no_such_target;
use crate::app::gate::{names_of, refuse_unknown_switch};
use crate::app::select::{no_space, no_unit};
use crate::app::show::matching;
use crate::app::table::{Cell, Table};
use crate::app::{App, Verb};
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::Space;

/// What is to become of the record of a space.
#[derive(Debug, Clone, Default)]
pub struct SpaceChange {
    /// Labels with their new values; none removes one.
    pub labels: BTreeMap<String, Option<String>>,
    /// The target where its units deploy.
    pub target: Option<Slug>,
    /// Gates to be switched on.
    pub gates_on: Vec<String>,
    /// Gates to be switched off.
    pub gates_off: Vec<String>,
}

impl SpaceChange {
    fn apply(&self, space: &mut Space) {
        for (key, value) in &self.labels {
            match value {
                Some(value) => space.labels.insert(key.clone(), value.clone()),
                None => space.labels.remove(key),
            };
        }
        if let Some(target) = &self.target {
            space.target = Some(target.clone());
        }
        space.gates.extend(self.gates_on.iter().cloned());
        space.gates.retain(|gate| !self.gates_off.contains(gate));
    }
}

impl App {
    /// Changes the records of spaces; a table says what each is now.
    ///
    /// # Errors
    /// As [`Self::spaces_matching`]; [`Kind::NotFound`] when there is no such target or no space
    /// matches, [`Kind::Usage`] when there is no such gate.
    pub fn update_spaces(&self, pattern: &str, change: &SpaceChange) -> Result<Table> {
        for gate in change.gates_on.iter().chain(&change.gates_off) {
            refuse_unknown_switch(gate)?;
        }
        let spaces = self.spaces_matching(pattern)?;
        if spaces.is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                format!("expected a space that matches `{pattern}`, found none"),
            )
            .hint("windlass space list shows the spaces there are"));
        }
        let verb = Verb::new(format!("space update {pattern}"));
        let (table, _) = self.write(verb, |transaction| {
            if let Some(target) = &change.target
                && transaction.find_target(target)?.is_none()
            {
                return Err(no_such_target(target));
            }
            let mut table = Table::new(["Name", "Result", "Labels", "Target", "Gates"]);
            for space in &spaces {
                let before = transaction.space(space.id)?;
                let mut space = before.clone();
                change.apply(&mut space);
                let is_changed = space != before;
                if is_changed {
                    transaction.put_space(&space)?;
                }
                let labels = space.labels.iter();
                let labels: Vec<String> = labels.map(|(k, v)| format!("{k}={v}")).collect();
                table.push(vec![
                    Cell::text(space.slug.as_str()),
                    Cell::text(if is_changed { "changed" } else { "unchanged" }),
                    Cell::from(Value::from(labels)),
                    Cell::text(space.target.map(String::from).unwrap_or_default()),
                    Cell::from(Value::from_iter(space.gates)),
                ]);
            }
            Ok(table)
        })?;
        Ok(table)
    }

    /// The space of this number.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::Kind::NotFound) when it was deleted.
    pub fn space_by_id(&self, id: SpaceId) -> Result<Space> {
        self.read(|view| Ok(view.space(id)?))
    }

    /// The space of this name.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::Kind::NotFound), with the nearest name, when there is none.
    pub fn space_named(&self, slug: &str) -> Result<Space> {
        self.read(|view| {
            let found = match slug.parse() {
                Ok(slug) => view.find_space(&slug)?,
                Err(_) => None,
            };
            match found {
                Some(space) => Ok(space),
                None => Err(no_space(view, slug)?),
            }
        })
    }

    /// The spaces whose name a glob matches, in the order of their creation; a name without a
    /// glob must exist.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::Kind::NotFound) when a name without a glob names none.
    pub fn spaces_matching(&self, pattern: &str) -> Result<Vec<Space>> {
        if !pattern.contains(['*', '?']) {
            return self.space_named(pattern).map(|space| vec![space]);
        }
        self.read(|view| {
            let mut spaces = view.spaces()?;
            spaces.retain(|space| matching(pattern, space.slug.as_str()));
            spaces.sort_by_key(|space| space.id);
            Ok(spaces)
        })
    }

    /// The name of a unit.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::Kind::NotFound) when it was deleted.
    pub fn unit_slug(&self, unit: UnitId) -> Result<Slug> {
        self.read(|view| Ok(view.unit(unit)?.slug))
    }

    /// The unit of this name in a space.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::Kind::NotFound) when there is none.
    pub fn unit_in(&self, space: SpaceId, slug: &str) -> Result<UnitId> {
        self.read(|view| {
            let found = match slug.parse() {
                Ok(slug) => view.find_unit(space, &slug)?,
                Err(_) => None,
            };
            match found {
                Some(unit) => Ok(unit.id),
                None => Err(no_unit(&format!("{}/{slug}", view.space(space)?.slug))),
            }
        })
    }

    /// One space, as JSON: its labels, target and gates, and what is in it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn space_record(&self, space: &Space) -> Result<Value> {
        self.read(|view| {
            let mut workers = view.workers()?;
            workers.retain(|worker| worker.space == space.id);
            let workers: Vec<_> = workers.into_iter().map(|worker| worker.slug).collect();
            Ok(json!({
                "SpaceID": space.id.to_string(),
                "Slug": space.slug,
                "Labels": space.labels,
                "Target": space.target,
                "Gates": space.gates,
                "Units": view.unit_ids_in(space.id)?.len(),
                "Workers": workers,
                "CreatedAt": space.created.to_string(),
            }))
        })
    }

    /// Spaces with what is in them.
    ///
    /// # Errors
    /// As [`Self::spaces_matching`].
    pub fn space_table(&self, pattern: &str) -> Result<Table> {
        let spaces = self.spaces_matching(pattern)?;
        self.read(|view| {
            let workers = view.workers()?;
            let mut table = Table::new([
                "Name",
                "Environment",
                "Units",
                "Gated",
                "Upgradable",
                "Workers",
                "Target",
            ]);
            for space in spaces {
                let ids = view.unit_ids_in(space.id)?;
                let (mut upgradable, mut gated) = (0, 0);
                for unit in view.units(&ids)? {
                    gated += usize::from(!names_of(&unit, &space, view.now()).is_empty());
                    if let Some(link) = unit.upstream
                        && let Some(upstream) = view.find_unit_by_id(link.unit)?
                        && unit.needs_upgrade(&upstream)
                    {
                        upgradable += 1;
                    }
                }
                let workers = workers
                    .iter()
                    .filter(|worker| worker.space == space.id)
                    .count();
                let environment = space.labels.get("environment").cloned();
                table.push(vec![
                    Cell::text(space.slug.as_str()),
                    Cell::from(environment.map_or(Value::Null, Value::from)),
                    Cell::from(Value::from(ids.len())),
                    Cell::from(Value::from(gated)),
                    Cell::from(Value::from(upgradable)),
                    Cell::from(Value::from(workers)),
                    Cell::text(space.target.map(String::from).unwrap_or_default()),
                ]);
            }
            Ok(table)
        })
    }
}
