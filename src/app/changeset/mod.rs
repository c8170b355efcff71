//! Changesets: staged writes and pinned states that become true together or not at all.
//!
//! A staged write goes through the planners of every other change ([`App::staged_in`]); only where
//! the result is kept differs. Applying writes an intent, sends, and makes all of it true in one
//! transaction; what was sent is put back where anything refuses (see `apply`).

use crate::app::select::Request;
use crate::app::{App, Verb};
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::{OpId, Slug, UnitId};
use crate::model::{ChangeSet, ChangeSetEntry, ChangeSetState, Intent, Pinned};
use crate::query::nearest;

mod apply;
mod complete;
mod plan;
mod recover;
mod show;
mod stage;

pub use apply::ApplyChangeSet;
pub use show::Described;
pub use stage::Staging;

/// How a changeset is made.
#[derive(Debug, Clone, Default)]
pub struct ChangeSetOptions {
    /// What it is for.
    pub description: String,
    /// Whose present state it pins; it is made for staged writes where this is none.
    pub pinned: Option<Request>,
}

/// A changeset that was made, or was there.
#[derive(Debug, Clone)]
pub struct MadeChangeSet {
    /// The changeset.
    pub changeset: ChangeSet,
    /// Whether it was made by this call.
    pub is_new: bool,
    /// The operation that made it.
    pub op: Option<OpId>,
}

impl App {
    /// Makes a changeset.
    ///
    /// # Errors
    /// [`Kind::Exists`] when there is one of that name; [`Kind::NotFound`] when nothing is there
    /// to be pinned; those of the request.
    pub fn create_changeset(
        &self,
        slug: &Slug,
        options: &ChangeSetOptions,
    ) -> Result<MadeChangeSet> {
        if let Some(found) = self.find_changeset(slug)? {
            return Err(Error::new(
                Kind::Exists,
                format!(
                    "expected no changeset `{slug}`, found one that is {}",
                    found.state
                ),
            )
            .hint(format!("windlass changeset get {slug} shows it")));
        }
        let entries = match &options.pinned {
            None => Vec::new(),
            Some(request) => self.present_of(request)?,
        };
        let clause = options.pinned.as_ref().map(in_words);
        let verb = Verb::new(format!("changeset create {slug}"));
        let (changeset, op) = self.write(verb, |transaction| {
            let changeset = ChangeSet {
                slug: slug.clone(),
                description: options.description.clone(),
                created: transaction.at(),
                created_by: self.actor(),
                state: ChangeSetState::Open,
                reason: None,
                clause,
                applied: None,
                entries,
            };
            transaction.put_changeset(&changeset)?;
            Ok(changeset)
        })?;
        Ok(MadeChangeSet {
            changeset,
            is_new: true,
            op,
        })
    }

    /// Makes sure of a changeset: one that is there stays as it is.
    ///
    /// # Errors
    /// [`Kind::Exists`] when it was discarded; those of [`Self::create_changeset`].
    pub fn ensure_changeset(
        &self,
        slug: &Slug,
        options: &ChangeSetOptions,
    ) -> Result<MadeChangeSet> {
        match self.find_changeset(slug)? {
            None => self.create_changeset(slug, options),
            Some(found) if found.state == ChangeSetState::Discarded => Err(Error::new(
                Kind::Exists,
                format!("expected changeset `{slug}` to be open, found it discarded"),
            )
            .hint("use another name")),
            Some(changeset) => Ok(MadeChangeSet {
                changeset,
                is_new: false,
                op: None,
            }),
        }
    }

    fn find_changeset(&self, slug: &Slug) -> Result<Option<ChangeSet>> {
        self.read(|view| Ok(view.find_changeset(slug)?))
    }

    /// The present state of the units that are meant.
    fn present_of(&self, request: &Request) -> Result<Vec<ChangeSetEntry>> {
        let selection = self.select(request)?;
        if selection.pins().is_empty() {
            return Err(
                Error::new(Kind::NotFound, "expected units to pin, found no match")
                    .hint("windlass unit list with the same filter shows what it finds"),
            );
        }
        let by = self.actor();
        self.read(|view| {
            let pins = selection.pins().iter();
            pins.map(|pin| {
                let unit = view.unit(pin.unit)?;
                Ok(ChangeSetEntry {
                    unit: unit.id,
                    owner: by.clone(),
                    by: by.clone(),
                    pinned: Pinned::Present {
                        head: unit.head,
                        live: unit.live,
                    },
                })
            })
            .collect()
        })
    }

    /// The changeset of this name.
    ///
    /// # Errors
    /// [`Kind::NotFound`], with the nearest name, when there is none.
    pub fn changeset(&self, slug: &str) -> Result<ChangeSet> {
        self.read(|view| named(view, slug))
    }

    /// Refuses a changeset with units of another space than this one, or of a glob of spaces.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when it has one; [`Kind::NotFound`] when there is no such changeset.
    pub fn check_changeset_space(&self, slug: &str, spaces: &str) -> Result<()> {
        let spaces = self.spaces_matching(spaces)?;
        self.read(|view| {
            for entry in named(view, slug)?.entries {
                let unit = view.unit(entry.unit)?;
                if !spaces.iter().any(|space| space.id == unit.space) {
                    let space = view.space(unit.space)?.slug;
                    return Err(Error::new(
                        Kind::Invalid,
                        format!(
                            "expected units of the space that was named, found {space}/{}",
                            unit.slug
                        ),
                    )
                    .hint(format!("windlass changeset apply {slug} applies all of it")));
                }
            }
            Ok(())
        })
    }

    /// Gives a changeset up; its staged data is not written.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none, [`Kind::Conflict`] when it was applied or is being
    /// applied.
    pub fn discard_changeset(&self, slug: &str) -> Result<ChangeSet> {
        let verb = Verb::new(format!("changeset discard {slug}"));
        let (changeset, _) = self.write(verb, |transaction| {
            let mut changeset = named(transaction, slug)?;
            refuse_busy(transaction, &changeset)?;
            match changeset.state {
                ChangeSetState::Discarded => return Ok(changeset),
                ChangeSetState::Open => {}
                ChangeSetState::Applied => return Err(not_open(&changeset)),
            }
            changeset.state = ChangeSetState::Discarded;
            transaction.put_changeset(&changeset)?;
            Ok(changeset)
        })?;
        Ok(changeset)
    }

    /// Deletes a changeset, whatever became of it; what it wrote stays written.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none, [`Kind::Conflict`] while it is being applied.
    pub fn delete_changeset(&self, slug: &str) -> Result<()> {
        let verb = Verb::new(format!("changeset delete {slug}"));
        let ((), _) = self.write(verb, |transaction| {
            let changeset = named(transaction, slug)?;
            refuse_busy(transaction, &changeset)?;
            Ok(transaction.delete_changeset(&changeset.slug)?)
        })?;
        Ok(())
    }

    /// Takes a unit out of an open changeset.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it is not in it, [`Kind::Conflict`] when the changeset is not open.
    pub fn remove_from_changeset(&self, slug: &str, unit: UnitId) -> Result<ChangeSet> {
        let reference = self.reference(unit)?;
        let verb = Verb::new(format!("changeset remove {slug} {reference}"));
        let (changeset, _) = self.write(verb, |transaction| {
            let mut changeset = open(transaction, slug)?;
            if changeset.entry(unit).is_none() {
                return Err(Error::new(
                    Kind::NotFound,
                    format!("expected `{reference}` in changeset `{slug}`, found it outside"),
                ));
            }
            changeset.entries.retain(|entry| entry.unit != unit);
            transaction.put_changeset(&changeset)?;
            Ok(changeset)
        })?;
        Ok(changeset)
    }

    /// An application whose changes are staged in a changeset rather than written; `owner` answers
    /// for them, the actor where it is none.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such changeset, [`Kind::Conflict`] when it is not open.
    pub fn staged_in(&self, slug: &str, owner: Option<&str>) -> Result<Self> {
        let changeset = self.read(|view| open(view, slug))?;
        let staging = Staging {
            changeset: changeset.slug,
            owner: owner.map(ToOwned::to_owned),
        };
        Ok(Self(self.0.clone(), Some(std::sync::Arc::new(staging))))
    }
}

/// The changeset of this name, with an error that knows the nearest one.
fn named(view: &View, slug: &str) -> Result<ChangeSet> {
    let found = match slug.parse() {
        Ok(slug) => view.find_changeset(&slug)?,
        Err(_) => None,
    };
    if let Some(changeset) = found {
        return Ok(changeset);
    }
    let error = Error::new(
        Kind::NotFound,
        format!("expected a changeset `{slug}`, found none"),
    );
    let all = view.changesets()?;
    Err(
        match nearest(slug, all.iter().map(|changeset| changeset.slug.as_str())) {
            Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
            None => error.hint("windlass changeset list shows those there are"),
        },
    )
}

/// As [`named`], for a change of its entries.
fn open(view: &View, slug: &str) -> Result<ChangeSet> {
    let changeset = named(view, slug)?;
    refuse_busy(view, &changeset)?;
    match changeset.state {
        ChangeSetState::Open => Ok(changeset),
        ChangeSetState::Applied | ChangeSetState::Discarded => Err(not_open(&changeset)),
    }
}

fn not_open(changeset: &ChangeSet) -> Error {
    let state = changeset.state.to_string().to_lowercase();
    Error::new(
        Kind::Conflict,
        format!(
            "expected changeset `{}` to be open, found it {state}",
            changeset.slug
        ),
    )
    .hint("windlass changeset create NAME makes another one")
}

fn refuse_busy(view: &View, changeset: &ChangeSet) -> Result<()> {
    let intents = view.intents()?;
    match intents
        .iter()
        .find(|intent| intent.changeset == changeset.slug)
    {
        Some(intent) => Err(busy(&format!("changeset `{}`", changeset.slug), intent)),
        None => Ok(()),
    }
}

/// The error of something that an apply in progress keeps.
pub(crate) fn busy(what: &str, intent: &Intent) -> Error {
    Error::new(
        Kind::Conflict,
        format!(
            "expected {what} to be free, found changeset `{}` being applied by {} since {}",
            intent.changeset,
            intent.by,
            intent.at.to_minutes()
        ),
    )
    .hint("wait until it is done, or has failed, and try again")
}

fn in_words(request: &Request) -> String {
    let parts = [
        request.selector.clone(),
        request.space.as_ref().map(|space| format!("space {space}")),
        (!request.units.is_empty()).then(|| request.units.join(", ")),
        request.clause.clone(),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" AND ")
}
