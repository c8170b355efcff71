//! Spaces: finding and listing them.

use serde_json::Value;

use crate::app::App;
use crate::app::select::{no_space, no_unit};
use crate::app::show::matching;
use crate::app::table::{Cell, Table};
use crate::error::Result;
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::Space;

impl App {
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
                "Upgradable",
                "Workers",
                "Target",
            ]);
            for space in spaces {
                let ids = view.unit_ids_in(space.id)?;
                let mut upgradable = 0;
                for unit in view.units(&ids)? {
                    if let Some(link) = unit.upstream
                        && let Some(upstream) = view.find_unit_by_id(link.unit)?
                        && link.revision < upstream.head
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
                    Cell::from(Value::from(upgradable)),
                    Cell::from(Value::from(workers)),
                    Cell::text(space.target.map(String::from).unwrap_or_default()),
                ]);
            }
            Ok(table)
        })
    }
}
