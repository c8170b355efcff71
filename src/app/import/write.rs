//! Writing imported units: new ones are made, those that were imported before are merged.

use std::collections::BTreeMap;

use super::ImportOptions;
use super::read::Incoming;
use crate::app::change::{ChangeOptions, Draft, Plan};
use crate::app::create::{SpaceOptions, UnitOptions, remember};
use crate::app::delete::DeleteOptions;
use crate::app::edit::merged;
use crate::app::outcome::{Outcome, plural};
use crate::app::select::{Pin, Selection};
use crate::app::{App, Verb};
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::RevisionSource;
use crate::yaml::Stream;
use crate::yaml::merge::Prefer;

impl App {
    pub(super) fn import_units(
        &self,
        space: &Slug,
        units: &BTreeMap<Slug, Incoming>,
        options: &ImportOptions,
    ) -> Result<Outcome> {
        let verb = format!("import {} into {space}", plural(units.len(), "unit"));
        let body = || {
            let made = self.ensure_space(space, &SpaceOptions::default())?;
            let mut created = Vec::new();
            let mut existing = Selection::default();
            let mut texts: BTreeMap<UnitId, &Incoming> = BTreeMap::new();
            self.write(Verb::new(verb.clone()), |transaction| {
                let mut counting = self.counting(&verb, units.len());
                for (slug, incoming) in units {
                    counting.step(1);
                    if let Some(unit) = transaction.find_unit(made.id, slug)? {
                        existing.push(Pin {
                            unit: unit.id,
                            head: unit.head,
                        });
                        texts.insert(unit.id, incoming);
                        continue;
                    }
                    let options = UnitOptions {
                        source: Some(options.source.clone()),
                        ..UnitOptions::default()
                    };
                    let source = RevisionSource::Import {
                        file: incoming.file.clone(),
                    };
                    let text = incoming.text.unfold()?;
                    let made =
                        self.insert_prepared(transaction, made.id, slug, text, source, &options)?;
                    created.extend(made.report);
                }
                Ok(())
            })?;
            let mut outcome = self.merge_imported(&existing, &texts, options)?;
            outcome.reports.extend(created);
            outcome
                .reports
                .sort_by(|a, b| a.reference.cmp(&b.reference));
            if let Some(upstream) = &options.upstream {
                let told = self.link_imported(&outcome.reports, upstream)?;
                outcome.notes.push(told);
            }
            self.protect_imported(&mut outcome, &options.protect)?;
            self.prune_imported(made.id, units, options, &mut outcome)?;
            Ok(outcome)
        };
        let mut outcome = self.as_one_or_dry(&verb, options.dry_run, body)?;
        outcome.verb = verb;
        Ok(outcome)
    }

    fn protect_imported(&self, outcome: &mut Outcome, paths: &[String]) -> Result<()> {
        for path in paths {
            let selection = Selection::of_reports(&outcome.reports);
            let done = self.set_protected(&selection, path, None, true)?;
            if let Some(error) = done.failure() {
                return Err(error);
            }
            let count = done.changed();
            outcome
                .notes
                .push(format!("protected {path} in {}", plural(count, "unit")));
        }
        Ok(())
    }

    /// Units that were imported under the same name before and are no longer in the source.
    fn prune_imported(
        &self,
        space: SpaceId,
        units: &BTreeMap<Slug, Incoming>,
        options: &ImportOptions,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let gone = self.read(|view| {
            let mut gone = view.units_in(space)?;
            gone.retain(|unit| !units.contains_key(&unit.slug));
            let hashes: Vec<_> = gone.iter().map(|unit| unit.bookkeeping).collect();
            let mut known = view.bookkeepings(&hashes)?.into_iter();
            gone.retain(|_| {
                let known = known.next();
                known.is_some_and(|known| known.sources.contains_key(&options.source))
            });
            Ok(gone)
        })?;
        if options.prune && !gone.is_empty() {
            let selection = Selection::of_units(&gone);
            let deleted = self.delete_units(&selection, DeleteOptions::default())?;
            if let Some(error) = deleted.failure() {
                return Err(error);
            }
            outcome.notes.extend(deleted.notes);
        }
        let word = if options.prune {
            "pruned"
        } else {
            "gone from the source, kept without --prune"
        };
        outcome
            .notes
            .extend(gone.iter().map(|unit| format!("{word}: {}", unit.slug)));
        Ok(())
    }

    fn merge_imported(
        &self,
        existing: &Selection,
        texts: &BTreeMap<UnitId, &Incoming>,
        options: &ImportOptions,
    ) -> Result<Outcome> {
        if existing.pins().is_empty() {
            return Ok(Outcome::default());
        }
        let source = options.source.as_str();
        let bases = self.read(|view| {
            let mut bases = BTreeMap::new();
            for pin in existing.pins() {
                let unit = view.unit(pin.unit)?;
                let bookkeeping = view.bookkeeping(&unit.bookkeeping)?;
                let Some(remembered) = bookkeeping.sources.get(source) else {
                    continue;
                };
                let base = if remembered.digest == texts[&pin.unit].text.hash() {
                    Base::Same
                } else {
                    Base::Text(view.text(&remembered.digest)?)
                };
                bases.insert(pin.unit, base);
            }
            Ok(bases)
        })?;
        let now = self.now();
        let outcome = self.change(
            existing,
            Verb::new("import"),
            ChangeOptions {
                allow_empty: true,
                ..ChangeOptions::default()
            },
            &|head| {
                let incoming = texts[&head.unit.id];
                let base = match bases.get(&head.unit.id) {
                    Some(Base::Same) => return Ok(Plan::Unchanged(String::new())),
                    Some(Base::Text(text)) => Some(Stream::parse(text)?),
                    None => None,
                };
                let (stream, _) = incoming.text.unfold()?;
                let kind = RevisionSource::Import {
                    file: incoming.file.clone(),
                };
                let description = format!("import {}", incoming.file);
                let mut draft = Draft::of(head, kind, description);
                remember(&mut draft.bookkeeping, source, &stream, now);
                draft.remembered.push(stream.clone());
                match base {
                    Some(base) => merged(head, draft, &base, &stream, Prefer::Local),
                    None if head.stream == stream => Ok(Plan::Write(Box::new(draft))),
                    None => Err(Error::new(
                        Kind::Exists,
                        format!(
                            "expected `{}` to remember a text under `{source}`, found none and \
                             other data",
                            head.reference()
                        ),
                    )
                    .hint("windlass unit update SPACE/UNIT FILE replaces the data")),
                }
            },
        )?;
        match outcome.failure() {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }
}

/// The text that a unit was last imported from.
enum Base {
    /// It is the one that is imported now.
    Same,
    Text(String),
}
