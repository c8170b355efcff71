//! The files that the state of a store makes.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::export::record::{
    FilterRecord, FunctionRecord, Index, SpaceRecord, UnitRecord, UpstreamRecord, data_file,
    earlier_file, places_of, record_file, unit_of,
};
use crate::app::select::Selection;
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId};
use crate::model::{Hash, Space, Unit};

/// Files by their names in the folder, and the index over them.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, String>,
    /// The units that were asked for.
    pub(crate) units: BTreeMap<(Slug, Slug), UnitRecord>,
    /// Files of units that are there and were not asked for, as the last export wrote them.
    pub(crate) others: BTreeMap<String, Hash>,
    pub(crate) index: Index,
}

impl Tree {
    /// Everything there is.
    pub(crate) fn of_all(view: &View) -> Result<Self> {
        let mut tree = Self::default();
        let spaces = view.spaces()?;
        for space in &spaces {
            for unit in view.units_in(space.id)? {
                tree.add(view, space, &unit)?;
            }
        }
        for filter in view.filters()? {
            let space = filter.space.map(|space| view.space(space)).transpose()?;
            tree.index.filters.push(FilterRecord {
                slug: filter.slug,
                space: space.map(|space| space.slug),
                clause: filter.clause,
                from_space: filter.from_space,
            });
        }
        tree.index
            .filters
            .sort_by(|a, b| (&a.space, &a.slug).cmp(&(&b.space, &b.slug)));
        let functions = view.functions()?.into_iter();
        tree.index.functions = functions
            .map(|function| FunctionRecord {
                name: function.name,
                text: function.text,
            })
            .collect();
        tree.index.targets = view.targets()?;
        tree.close(spaces);
        Ok(tree)
    }

    /// Some units, with what they need.
    pub(crate) fn of_units(view: &View, selection: &Selection, old: &Index) -> Result<Self> {
        let mut tree = Self::default();
        let mut spaces: BTreeMap<SpaceId, Space> = BTreeMap::new();
        let mut targets = BTreeSet::new();
        for pin in selection.pins() {
            let unit = view.unit(pin.unit)?;
            let space = match spaces.get(&unit.space) {
                Some(space) => space.clone(),
                None => view.space(unit.space)?,
            };
            targets.extend(unit.target.clone());
            tree.add(view, &space, &unit)?;
            spaces.insert(space.id, space);
        }
        for (name, written) in &old.files {
            let Some((space, slug)) = unit_of(name) else {
                continue;
            };
            if tree.units.contains_key(&(space.clone(), slug.clone())) {
                continue;
            }
            if let Some(space) = view.find_space(&space)?
                && let Some(unit) = view.find_unit(space.id, &slug)?
            {
                tree.others.insert(name.clone(), *written);
                targets.extend(unit.target);
                spaces.insert(space.id, space);
            }
        }
        targets.extend(spaces.values().filter_map(|space| space.target.clone()));
        for target in targets {
            tree.index.targets.extend(view.find_target(&target)?);
        }
        tree.close(spaces.into_values().collect());
        Ok(tree)
    }

    /// The text of the index.
    pub(crate) fn index_text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(&self.index)
            .map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
        Ok(text + "\n")
    }

    fn close(&mut self, mut spaces: Vec<Space>) {
        spaces.sort_by(|a, b| a.slug.cmp(&b.slug));
        let records = spaces.into_iter().map(|space| SpaceRecord {
            slug: space.slug,
            labels: space.labels,
            target: space.target,
            gates: space.gates,
        });
        self.index.spaces = records.collect();
        self.index.files = self.others.clone();
        let files = self.files.iter();
        let digests = files.map(|(name, text)| (name.clone(), Hash::of(text.as_bytes())));
        self.index.files.extend(digests);
    }

    fn add(&mut self, view: &View, space: &Space, unit: &Unit) -> Result<()> {
        if unit.head == 0 {
            return Ok(());
        }
        let record = record_of(view, unit)?;
        for digest in &record.earlier {
            let name = earlier_file(&space.slug, &unit.slug, digest);
            self.put(name, view.text(digest)?)?;
        }
        self.put(data_file(&space.slug, &unit.slug), view.text(&unit.data)?)?;
        self.put(record_file(&space.slug, &unit.slug), record.text()?)?;
        let name = (space.slug.clone(), unit.slug.clone());
        self.units.insert(name, record);
        Ok(())
    }

    fn put(&mut self, name: String, text: String) -> Result<()> {
        if self.files.contains_key(&name) {
            return Err(Error::new(
                Kind::Invalid,
                format!("expected one unit for the file {name}, found two"),
            )
            .hint(
                "a unit whose name ends with .meta has the file of another's record: rename it",
            ));
        }
        self.files.insert(name, text);
        Ok(())
    }
}

fn record_of(view: &View, unit: &Unit) -> Result<UnitRecord> {
    let bookkeeping = view.bookkeeping(&unit.bookkeeping)?;
    let upstream = match unit.upstream {
        None => None,
        Some(link) => upstream_of(view, link)?,
    };
    Ok(UnitRecord {
        revision: unit.head,
        digest: unit.data.to_string(),
        description: unit.last_change.clone(),
        labels: unit.labels.clone(),
        target: unit.target.clone(),
        upstream,
        protected: places_of(&bookkeeping.protected),
        owned: places_of(&bookkeeping.owned),
        held: unit.held.clone(),
        tolerated: unit.tolerated.clone(),
        earlier: earlier_of(view, unit)?,
    })
}

fn upstream_of(view: &View, link: crate::model::Upstream) -> Result<Option<UpstreamRecord>> {
    let Some(upstream) = view.find_unit_by_id(link.unit)? else {
        return Ok(None);
    };
    let space = view.space(upstream.space)?;
    Ok(Some(UpstreamRecord {
        unit: format!("{}/{}", space.slug, upstream.slug),
        revision: link.revision,
        digest: view.revision(link.unit, link.revision)?.data,
    }))
}

/// The texts before the head's that variants have as their base, the oldest first.
fn earlier_of(view: &View, unit: &Unit) -> Result<Vec<Hash>> {
    let mut revisions = BTreeSet::new();
    for variant in view.by_upstream(unit.id)? {
        revisions.extend(view.unit(variant)?.upstream.map(|link| link.revision));
    }
    let mut texts = Vec::new();
    for revision in revisions {
        let data = view.revision(unit.id, revision)?.data;
        if data != unit.data && !texts.contains(&data) {
            texts.push(data);
        }
    }
    Ok(texts)
}
