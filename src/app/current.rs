//! The current space of a session: where names that say no space are looked for.

use crate::app::App;
use crate::app::select::Request;
use crate::app::targets::SANDBOX;
use crate::error::Result;
use crate::id::Slug;
use crate::model::Space;
use crate::query::Selector;

impl App {
    /// Makes a space the current one, or none; returns its record.
    ///
    /// From then on a name or glob without a `/` means units of this space, in every call of this
    /// session. Clauses still look everywhere.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::Kind::NotFound), with the nearest name, when there is none.
    pub fn enter_space(&self, slug: Option<&str>) -> Result<Option<Space>> {
        let space = slug.map(|slug| self.space_named(slug)).transpose()?;
        self.scope().current = space.as_ref().map(|space| space.slug.clone());
        Ok(space)
    }

    /// The current space, if there is one.
    pub fn current_space(&self) -> Option<Slug> {
        self.scope().current.clone()
    }

    /// The kind of the target that the units of a space deploy to, where it has one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn target_kind(&self, space: &Space) -> Result<Option<String>> {
        let Some(target) = &space.target else {
            return Ok(None);
        };
        self.read(|view| Ok(view.find_target(target)?.map(|target| target.kind)))
    }

    /// Whether what is deployed from a space reaches a real cluster; without one, whether any target
    /// is one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_real(&self, space: Option<&Space>) -> Result<bool> {
        let Some(space) = space else {
            return self.has_clusters();
        };
        let kind = self.target_kind(space)?;
        Ok(kind.is_some_and(|kind| kind != SANDBOX))
    }

    /// The request, with the current space where its names say none.
    pub(super) fn in_current_space(&self, request: &Request) -> Request {
        let mut request = request.clone();
        let Some(current) = self.current_space() else {
            return request;
        };
        if request.space.is_some() {
            return request;
        }
        for unit in &mut request.units {
            if is_bare_name(unit) {
                *unit = format!("{current}/{}", unit.trim());
            }
        }
        if let Some(selector) = request.selector.as_mut().filter(|text| is_bare_name(text)) {
            *selector = format!("{current}/{}", selector.trim());
        }
        request
    }
}

/// Whether a selector is a name or glob without a space.
fn is_bare_name(text: &str) -> bool {
    !text.trim().is_empty()
        && matches!(
            Selector::parse(text),
            Ok(Selector::Reference { space: None, .. })
        )
}
