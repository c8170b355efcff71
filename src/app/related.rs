//! What units refer to, looked up once each while many units are read.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::db::View;
use crate::error::Result;
use crate::id::{SpaceId, UnitId};
use crate::model::{ChangeSetState, Pinned, Space, Unit};
use crate::query::Value;

/// What a unit refers to.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) space: Arc<Space>,
    /// The unit it was cloned from, and that unit's space; none where it was deleted.
    pub(crate) upstream: Option<(Arc<Unit>, Arc<Space>)>,
    pub(crate) staged: Arc<StagedUnits>,
}

/// Which open changesets have new data of which units; read where it is asked for.
#[derive(Debug, Default)]
pub(crate) struct StagedUnits(OnceLock<BTreeMap<UnitId, Vec<String>>>);

impl StagedUnits {
    /// The changeset that has new data of a unit: its name, or all names where there are several.
    pub(crate) fn of(&self, view: &View, unit: UnitId) -> Option<Value<'_>> {
        // Changesets that cannot be read are a damaged store, of which `log verify` tells.
        let all = self.0.get_or_init(|| staged(view).unwrap_or_default());
        match all.get(&unit)?.as_slice() {
            [one] => Some(one.as_str().into()),
            _ => all.get(&unit).map(|names| Value::Collection(names)),
        }
    }
}

fn staged(view: &View) -> Result<BTreeMap<UnitId, Vec<String>>> {
    let mut staged: BTreeMap<UnitId, Vec<String>> = BTreeMap::new();
    for changeset in view.changesets()? {
        if changeset.state != ChangeSetState::Open {
            continue;
        }
        for entry in &changeset.entries {
            if matches!(entry.pinned, Pinned::Staged(_)) {
                let names = staged.entry(entry.unit).or_default();
                names.push(changeset.slug.to_string());
            }
        }
    }
    Ok(staged)
}

/// A cache of spaces and upstream units for the time of one read.
pub(crate) struct Related<'a> {
    view: &'a View,
    spaces: BTreeMap<SpaceId, Arc<Space>>,
    upstreams: BTreeMap<UnitId, Option<Arc<Unit>>>,
    staged: Arc<StagedUnits>,
}

impl<'a> Related<'a> {
    pub(crate) fn new(view: &'a View) -> Self {
        Self {
            view,
            spaces: BTreeMap::new(),
            upstreams: BTreeMap::new(),
            staged: Arc::default(),
        }
    }

    pub(crate) fn space(&mut self, id: SpaceId) -> Result<Arc<Space>> {
        if let Some(space) = self.spaces.get(&id) {
            return Ok(Arc::clone(space));
        }
        let space = Arc::new(self.view.space(id)?);
        self.spaces.insert(id, Arc::clone(&space));
        Ok(space)
    }

    pub(crate) fn facts(&mut self, unit: &Unit) -> Result<Facts> {
        let space = self.space(unit.space)?;
        let upstream = match &unit.upstream {
            None => None,
            Some(link) => match self.upstream(link.unit)? {
                None => None,
                Some(upstream) => {
                    let space = self.space(upstream.space)?;
                    Some((upstream, space))
                }
            },
        };
        Ok(Facts {
            space,
            upstream,
            staged: Arc::clone(&self.staged),
        })
    }

    fn upstream(&mut self, id: UnitId) -> Result<Option<Arc<Unit>>> {
        if let Some(unit) = self.upstreams.get(&id) {
            return Ok(unit.clone());
        }
        let unit = self.view.find_unit_by_id(id)?.map(Arc::new);
        self.upstreams.insert(id, unit.clone());
        Ok(unit)
    }
}
