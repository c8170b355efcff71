//! What units refer to, looked up once each while many units are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db::View;
use crate::error::Result;
use crate::id::{SpaceId, UnitId};
use crate::model::{Space, Unit};

/// What a unit refers to.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) space: Arc<Space>,
    /// The unit it was cloned from, and that unit's space; none where it was deleted.
    pub(crate) upstream: Option<(Arc<Unit>, Arc<Space>)>,
}

/// A cache of spaces and upstream units for the time of one read.
pub(crate) struct Related<'a> {
    view: &'a View,
    spaces: BTreeMap<SpaceId, Arc<Space>>,
    upstreams: BTreeMap<UnitId, Option<Arc<Unit>>>,
}

impl<'a> Related<'a> {
    pub(crate) fn new(view: &'a View) -> Self {
        Self {
            view,
            spaces: BTreeMap::new(),
            upstreams: BTreeMap::new(),
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
        Ok(Facts { space, upstream })
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
