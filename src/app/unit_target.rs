//! Where single units deploy, in place of the target of their space.

use crate::app::change::ChangeOptions;
use crate::app::connect::no_such_target;
use crate::app::outcome::Outcome;
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::error::Result;
use crate::id::Slug;

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
        if let Some(slug) = target {
            let found = self.read(|view| Ok(view.find_target(slug)?))?;
            found.ok_or_else(|| no_such_target(slug))?;
        }
        let name = target.map_or("-", Slug::as_str);
        let verb = Verb::new(format!("set target {name}"));
        self.change_records(selection, verb, options, &|unit, _| {
            unit.target = target.cloned();
        })
    }
}
