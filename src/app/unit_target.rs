//! Where single units deploy, in place of the target of their space.

use std::collections::BTreeSet;

use crate::app::change::ChangeOptions;
use crate::app::connect::no_such_target;
use crate::app::outcome::Outcome;
use crate::app::select::Selection;
use crate::app::targets::ALIAS;
use crate::app::{App, Verb};
use crate::error::Result;
use crate::id::{Slug, SpaceId};

impl App {
    /// Sets the target of units; with none, they have that of their space again. What is deployed
    /// already stays where it is: the next apply says so.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotFound`] when there is no such target, or no unit.
    pub fn set_target(
        &self,
        selection: &Selection,
        target: Option<&Slug>,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let name = target.map_or("-", Slug::as_str);
        let verb = Verb::new(format!("set target {name}"));
        let target = match target {
            None => None,
            Some(slug) => self.target_meant(selection, slug)?,
        };
        self.change_records(selection, verb, options, &|unit, _| {
            unit.target.clone_from(&target);
        })
    }

    /// The target of this name; none, which is that of the units' spaces, for the name by which
    /// `cub` calls the target of a worker that those spaces have.
    fn target_meant(&self, selection: &Selection, slug: &Slug) -> Result<Option<Slug>> {
        if self.read(|view| Ok(view.find_target(slug)?))?.is_some() {
            return Ok(Some(slug.clone()));
        }
        if let Some(worker) = slug.as_str().strip_prefix(ALIAS)
            && self.all_have_worker(&self.spaces_of(selection)?, &worker.parse()?)?
        {
            return Ok(None);
        }
        Err(no_such_target(slug))
    }

    fn spaces_of(&self, selection: &Selection) -> Result<BTreeSet<SpaceId>> {
        self.read(|view| {
            let pins = selection.pins().iter();
            pins.map(|pin| Ok(view.unit(pin.unit)?.space)).collect()
        })
    }
}
