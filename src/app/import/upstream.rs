//! Imported units as variants: each follows the unit of its name in another space, and owns what
//! differs from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::app::outcome::{UnitReport, plural};
use crate::app::{App, Verb};
use crate::db::{NewRevision, Transaction};
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, UnitId};
use crate::model::{RevisionSource, Space, Unit, Upstream};
use crate::yaml::{ResourceId, diff};

/// What linking came to.
#[derive(Default)]
struct Links {
    equal: usize,
    /// Of each variant with paths of its own, how many.
    own: Vec<usize>,
    only_here: usize,
    before: usize,
}

impl App {
    /// Links imported units to those of the same names in `upstream`, and says in a line what came
    /// of it. A path that differs from the upstream becomes the variant's own.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such space, [`Kind::Usage`] when it is the units' own,
    /// [`Kind::Conflict`] when a unit follows another one already.
    pub(super) fn link_imported(&self, reports: &[UnitReport], upstream: &Slug) -> Result<String> {
        let space = self.space_named(upstream.as_str())?;
        let verb = Verb::new(format!("import: link to {upstream}"));
        let (links, _) = self.write(verb, |transaction| {
            let units = transaction.units_in(space.id)?;
            let sources: BTreeMap<&Slug, &Unit> =
                units.iter().map(|unit| (&unit.slug, unit)).collect();
            let mut links = Links::default();
            for report in reports {
                let unit = transaction.unit(report.unit)?;
                refuse_own(&unit, &space)?;
                match (sources.get(&unit.slug), unit.upstream) {
                    (None, _) => links.only_here += 1,
                    (Some(source), Some(link)) if link.unit == source.id => links.before += 1,
                    (Some(source), Some(_)) => return Err(another(report, upstream, source)),
                    (Some(source), None) => {
                        refuse_circle(transaction, unit.id, source)?;
                        let own = self.link(transaction, unit, source)?;
                        links.count(own);
                    }
                }
            }
            Ok(links)
        })?;
        Ok(links.told(reports.len(), upstream))
    }

    /// Makes a unit a variant; says how many paths are its own.
    fn link(&self, transaction: &mut Transaction, unit: Unit, source: &Unit) -> Result<usize> {
        let local = transaction.stream(&unit.data)?;
        let theirs = transaction.stream(&source.data)?;
        let mut bookkeeping = transaction.bookkeeping(&unit.bookkeeping)?;
        let mut own = 0;
        for difference in diff(&theirs, &local) {
            own += 1;
            let resource: ResourceId = difference.resource;
            bookkeeping.owned.insert(Some(resource), difference.path);
        }
        bookkeeping.upstream_revision = Some(source.head);
        self.note_touched(&unit);
        let id = unit.id;
        transaction.put_unit(&Unit {
            upstream: Some(Upstream {
                unit: source.id,
                revision: source.head,
            }),
            ..unit
        })?;
        transaction.write_revision(
            id,
            NewRevision {
                stream: &local,
                source: RevisionSource::Update,
                description: String::new(),
                edits: Vec::new(),
                bookkeeping: Some(bookkeeping),
                author: self.actor(),
            },
        )?;
        Ok(own)
    }
}

impl Links {
    fn count(&mut self, own: usize) {
        match own {
            0 => self.equal += 1,
            own => self.own.push(own),
        }
    }

    /// `47 units: 44 linked to base (31 equal, 13 with 38 paths of their own), 3 only here`.
    fn told(&self, units: usize, upstream: &Slug) -> String {
        let linked = self.equal + self.own.len();
        let units = plural(units, "unit");
        let mut line = match (linked, self.before) {
            (0, before @ 1..) => format!("{units}: {before} linked to {upstream} before"),
            _ => format!("{units}: {linked} linked to {upstream}"),
        };
        if linked > 0 {
            let (variants, paths) = (self.own.len(), self.own.iter().sum::<usize>());
            let _ = write!(
                line,
                " ({} equal, {variants} with {} of their own)",
                self.equal,
                plural(paths, "path")
            );
        }
        if linked > 0 && self.before > 0 {
            let _ = write!(line, ", {} before", self.before);
        }
        if self.only_here > 0 {
            let _ = write!(line, ", {} only here", self.only_here);
        }
        line
    }
}

fn refuse_own(unit: &Unit, space: &Space) -> Result<()> {
    if unit.space != space.id {
        return Ok(());
    }
    Err(Error::new(
        Kind::Usage,
        format!(
            "expected the upstreams in another space, found `{}`, where the units are imported",
            space.slug
        ),
    ))
}

/// A unit must not follow itself, however many units are between.
fn refuse_circle(transaction: &Transaction, unit: UnitId, source: &Unit) -> Result<()> {
    let mut above = source.upstream;
    while let Some(link) = above {
        if link.unit == unit {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "expected an upstream of `{}`, found one that follows it",
                    source.slug
                ),
            ));
        }
        above = transaction.unit(link.unit)?.upstream;
    }
    Ok(())
}

fn another(report: &UnitReport, upstream: &Slug, source: &Unit) -> Error {
    Error::new(
        Kind::Conflict,
        format!(
            "expected `{}` to follow {upstream}/{} or nothing, found that it follows another unit",
            report.reference, source.slug
        ),
    )
    .hint("windlass unit tree shows what follows what; import it into another space")
}
