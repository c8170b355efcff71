//! Showing: tables, variant trees, outlines, differences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;
use similar::TextDiff;

use crate::app::App;
use crate::app::history::revision_of;
use crate::app::outcome::{UnitReport, plural};
use crate::app::record::{Column, UnitRecord};
use crate::app::related::Related;
use crate::app::select::{Request, Selection};
use crate::app::table::{Cell, Table};
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{RevisionSource, Unit};
use crate::query::Glob;
use crate::yaml::{Difference, Stream, diff};

/// The columns of a list of units where none are chosen.
const LIST_COLUMNS: [&str; 7] = [
    "Name",
    "Space.Slug",
    "Target.Slug",
    "HeadRevisionNum",
    "Status",
    "UpgradeNeeded",
    "UnappliedChanges",
];

/// The columns of a tree after NODE and UNIT where none are chosen.
const TREE_COLUMNS: [&str; 4] = ["Status", "UpgradeNeeded", "UnappliedChanges", "ApplyGates"];

/// A resource and a path of more characters than this go on a line each.
const MAX_PLACE: usize = 95;

/// How many lines around a change are shown.
const CONTEXT_LINES: usize = 1;

impl App {
    /// The units of a selection as rows; columns are attributes or data paths.
    ///
    /// # Errors
    /// When a column is neither.
    pub fn table(&self, selection: &Selection, columns: &[String]) -> Result<Table> {
        let names: Vec<String> = if columns.is_empty() {
            LIST_COLUMNS.map(str::to_owned).to_vec()
        } else {
            columns.to_vec()
        };
        let parsed = parse_columns(&names)?;
        self.read(|view| {
            let mut table = Table::new(names);
            let mut related = Related::new(view);
            for pin in selection.pins() {
                let unit = view.unit(pin.unit)?;
                table.push(cells(view, &mut related, &unit, &parsed)?);
            }
            Ok(table)
        })
    }

    /// The variant tree of the units that a selector names.
    ///
    /// # Errors
    /// When the selector or a column cannot be read.
    pub fn tree(&self, selector: &str, columns: &[String]) -> Result<Table> {
        let request = Request {
            selector: Some(selector.to_owned()),
            ..Request::default()
        };
        self.tree_of(&self.select(&request)?, columns)
    }

    /// Variants below what they were cloned from; units without an upstream are roots, and so are
    /// those whose upstream is not selected.
    ///
    /// # Errors
    /// When a column cannot be read.
    pub fn tree_of(&self, selection: &Selection, columns: &[String]) -> Result<Table> {
        let chosen: Vec<String> = if columns.is_empty() {
            TREE_COLUMNS.map(str::to_owned).to_vec()
        } else {
            // NODE is the space already.
            columns
                .iter()
                .filter(|column| *column != "Space.Slug")
                .cloned()
                .collect()
        };
        let parsed = parse_columns(&chosen)?;
        self.read(|view| {
            let ids: Vec<UnitId> = selection.pins().iter().map(|pin| pin.unit).collect();
            let units = view.units(&ids)?;
            let selected: BTreeSet<UnitId> = ids.iter().copied().collect();
            let mut children: BTreeMap<Option<UnitId>, Vec<&Unit>> = BTreeMap::new();
            for unit in &units {
                let parent = unit
                    .upstream
                    .map(|link| link.unit)
                    .filter(|id| selected.contains(id));
                children.entry(parent).or_default().push(unit);
            }
            let headings = ["Node".to_owned(), "Unit".to_owned()]
                .into_iter()
                .chain(chosen);
            let mut branch = Branch {
                view,
                related: Related::new(view),
                children: &children,
                columns: &parsed,
                table: Table::new(headings),
            };
            branch.grow(None, "")?;
            Ok(branch.table)
        })
    }

    /// Spaces with their units below them, each with a note.
    ///
    /// # Errors
    /// When a space that is named without a glob does not exist; those of `note`.
    pub fn outline(
        &self,
        patterns: &[String],
        note: &dyn Fn(UnitId) -> Result<String>,
    ) -> Result<String> {
        let mut lines = Vec::new();
        for pattern in patterns {
            for space in self.spaces_matching(pattern)? {
                let units = self.read(|view| {
                    let ids = view.unit_ids_in(space.id)?;
                    Ok(view.units(&ids)?)
                })?;
                lines.push(format!("{}/", space.slug));
                let last = units.len().saturating_sub(1);
                for (at, unit) in units.iter().enumerate() {
                    let corner = if at == last { "└──" } else { "├──" };
                    let note = note(unit.id)?;
                    let (note, mark) = match note.strip_suffix(" ✓") {
                        Some(note) => (note, " ✓"),
                        None => (note.as_str(), ""),
                    };
                    lines.push(match note {
                        "" => format!("{corner} {}{mark}", unit.slug),
                        note => format!("{corner} {} ({note}){mark}", unit.slug),
                    });
                }
            }
        }
        Ok(lines.join("\n"))
    }

    /// What differs between two revisions of the units, or between live and head.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when a unit has no such revision.
    pub fn diff(
        &self,
        selection: &Selection,
        from: Option<u32>,
        to: Option<u32>,
    ) -> Result<String> {
        self.read(|view| {
            let mut related = Related::new(view);
            let mut changes = Vec::new();
            for pin in selection.pins() {
                let unit = view.unit(pin.unit)?;
                let before = from.or(unit.live).unwrap_or(0);
                let after = to.unwrap_or(unit.head);
                let old = revision_stream(view, unit.id, before)?;
                let new = revision_stream(view, unit.id, after)?.ok_or_else(|| {
                    Error::new(Kind::Usage, "expected a revision number from 1, found 0")
                })?;
                if old.as_ref() != Some(&new) {
                    let space = related.space(unit.space)?;
                    let reference = format!("{}/{}", space.slug, unit.slug);
                    changes.push(UnitChange {
                        reference,
                        before,
                        after,
                        old,
                        new,
                    });
                }
            }
            Ok(grouped_diff(&changes))
        })
    }

    /// What a write changed in the units of its report.
    ///
    /// # Errors
    /// When a unit was deleted meanwhile.
    pub fn diff_reports(&self, reports: &[UnitReport]) -> Result<String> {
        self.read(|view| {
            let mut changes = Vec::new();
            for report in reports
                .iter()
                .filter(|report| report.before != report.after)
            {
                let old = revision_stream(view, report.unit, report.before)?;
                if let Some(new) = revision_stream(view, report.unit, report.after)? {
                    changes.push(UnitChange {
                        reference: report.reference.clone(),
                        before: report.before,
                        after: report.after,
                        old,
                        new,
                    });
                }
            }
            Ok(grouped_diff(&changes))
        })
    }

    /// A unit's revisions, the newest first.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the unit was deleted.
    pub fn revision_table(&self, unit: UnitId, limit: Option<usize>) -> Result<Table> {
        self.read(|view| {
            let mut table = Table::new(["Num", "Time", "User", "Source", "Description"]);
            for revision in view.revisions(unit, limit.unwrap_or(usize::MAX))? {
                table.push(vec![
                    Cell::from(Value::from(revision.num)),
                    Cell::text(revision.at.to_minutes()),
                    Cell::text(revision.author),
                    Cell::text(source_word(&revision.source)),
                    Cell::text(revision.description),
                ]);
            }
            Ok(table)
        })
    }

    /// A unit's YAML at a revision, or at its head.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the unit has no such revision.
    pub fn data(&self, unit: UnitId, revision: Option<u32>) -> Result<String> {
        self.read(|view| {
            let hash = match revision {
                None => view.unit(unit)?.data,
                Some(num) => revision_of(view, &view.unit(unit)?, num)?.data,
            };
            Ok(view.text(&hash)?)
        })
    }

    /// The first value at a data path, in the resource `Kind/name` or in any.
    ///
    /// # Errors
    /// When the path cannot be read.
    pub fn data_value(
        &self,
        unit: UnitId,
        path: &str,
        resource: Option<&str>,
    ) -> Result<Option<Value>> {
        let path: crate::path::Path = path.parse()?;
        self.read(|view| {
            let unit = view.unit(unit)?;
            let mut found = None;
            view.tree(&unit.data, |tree| {
                for document in tree.documents() {
                    let id = crate::yaml::ResourceId::of(document);
                    if resource.is_none_or(|wanted| id.to_string() == wanted) {
                        document.select(&path, &mut |node| {
                            found.get_or_insert_with(|| node.to_value());
                        });
                    }
                }
            })?;
            Ok(found)
        })
    }

    /// One attribute of a unit.
    ///
    /// # Errors
    /// When there is no such attribute, or the unit was deleted.
    pub fn attribute(&self, unit: UnitId, name: &str) -> Result<Value> {
        let column = Column::parse(name)?;
        self.read(|view| {
            let unit = view.unit(unit)?;
            let facts = Related::new(view).facts(&unit)?;
            UnitRecord::with(view, &unit, &facts, column.reads_data(), &mut |record| {
                record.column(&column)
            })
        })
    }

    /// A unit with every attribute, the space's name among them, as JSON.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it was deleted.
    pub fn record(&self, unit: UnitId) -> Result<Value> {
        self.read(|view| {
            let unit = view.unit(unit)?;
            let mut related = Related::new(view);
            let facts = related.facts(&unit)?;
            let mut record =
                UnitRecord::with(view, &unit, &facts, true, &mut |record| record.to_json())?;
            record["Space"] = facts.space.slug.as_str().into();
            if let Some((upstream, space)) = &facts.upstream {
                record["UpstreamUnit"] = format!("{}/{}", space.slug, upstream.slug).into();
            }
            let bookkeeping = view.bookkeeping(&unit.bookkeeping)?;
            record["OwnedPaths"] = serde_json::json!(bookkeeping.owned);
            record["ProtectedPaths"] = serde_json::json!(bookkeeping.protected);
            if let Some(reason) = &unit.status_reason {
                record["StatusReason"] = reason.as_str().into();
            }
            Ok(record)
        })
    }

    /// A unit's name as `space/unit`.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it was deleted.
    pub fn reference(&self, unit: UnitId) -> Result<String> {
        let names = self.references(&Selection::of_unit(unit, 0))?;
        Ok(names.into_iter().next().unwrap_or_default())
    }
}

struct Branch<'a> {
    view: &'a View,
    related: Related<'a>,
    children: &'a BTreeMap<Option<UnitId>, Vec<&'a Unit>>,
    columns: &'a [Column],
    table: Table,
}

impl Branch<'_> {
    fn grow(&mut self, parent: Option<UnitId>, indent: &str) -> Result<()> {
        let Some(units) = self.children.get(&parent) else {
            return Ok(());
        };
        for (at, unit) in units.iter().enumerate() {
            let is_last = at + 1 == units.len();
            let corner = if is_last { "└── " } else { "├── " };
            let space = self.related.space(unit.space)?;
            let mut row = vec![
                Cell {
                    value: space.slug.as_str().into(),
                    text: format!("{indent}{corner}{}", space.slug),
                },
                Cell::text(unit.slug.as_str()),
            ];
            row.extend(cells(self.view, &mut self.related, unit, self.columns)?);
            self.table.push(row);
            let below = if is_last { "    " } else { "│   " };
            self.grow(Some(unit.id), &format!("{indent}{below}"))?;
        }
        Ok(())
    }
}

fn parse_columns(names: &[String]) -> Result<Vec<Column>> {
    names.iter().map(|name| Column::parse(name)).collect()
}

fn cells(
    view: &View,
    related: &mut Related<'_>,
    unit: &Unit,
    columns: &[Column],
) -> Result<Vec<Cell>> {
    let facts = related.facts(unit)?;
    let needs_data = columns.iter().any(Column::reads_data);
    UnitRecord::with(view, unit, &facts, needs_data, &mut |record| {
        columns
            .iter()
            .map(|column| Cell::from(record.column(column)))
            .collect()
    })
}

fn revision_stream(view: &View, unit: UnitId, num: u32) -> Result<Option<Stream>> {
    if num == 0 {
        return Ok(None);
    }
    let revision = revision_of(view, &view.unit(unit)?, num)?;
    Ok(Some(view.stream(&revision.data)?))
}

/// A unit whose data changed.
#[derive(Debug, Clone)]
pub(crate) struct UnitChange {
    pub(crate) reference: String,
    pub(crate) before: u32,
    pub(crate) after: u32,
    /// None where the unit is new.
    pub(crate) old: Option<Stream>,
    pub(crate) new: Stream,
}

/// The changes of many units, each distinct change once, with the paths it is about.
pub(crate) fn grouped_diff(changes: &[UnitChange]) -> String {
    let mut groups: Vec<(String, Vec<&UnitChange>)> = Vec::new();
    for change in changes {
        let hunks = hunks(change);
        match groups.iter_mut().find(|(known, _)| *known == hunks) {
            Some((_, members)) => members.push(change),
            None => groups.push((hunks, vec![change])),
        }
    }
    let mut text = String::new();
    for (hunks, members) in groups {
        let first = members[0];
        let count = match members.len() {
            1 => String::new(),
            count => format!("{}, identical change; shown: ", plural(count, "unit")),
        };
        let _ = writeln!(
            text,
            "{count}{}  r{} → r{}",
            first.reference, first.before, first.after
        );
        for line in paths(first) {
            let _ = writeln!(text, "  {line}");
        }
        text.push_str(&hunks);
        for other in &members[1..] {
            let _ = writeln!(
                text,
                "  as well: {}  r{} → r{}",
                other.reference, other.before, other.after
            );
        }
    }
    text
}

fn paths(change: &UnitChange) -> Vec<String> {
    let Some(old) = &change.old else {
        return vec!["new".to_owned()];
    };
    let line = |difference: Difference| {
        let (resource, path) = (difference.resource.to_string(), difference.path.to_string());
        let is_wide = resource.chars().count() + path.chars().count() > MAX_PLACE;
        let gap = if is_wide { "\n    " } else { "   " };
        format!("{resource}{gap}{path}")
    };
    diff(old, &change.new).into_iter().map(line).collect()
}

/// The changed lines with their numbers in the new text.
fn hunks(change: &UnitChange) -> String {
    let old = change.old.as_ref().map_or("", Stream::text);
    let diff = TextDiff::from_lines(old, change.new.text());
    let mut text = String::new();
    for (at, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if at > 0 {
            text.push_str("     ⋮\n");
        }
        for line in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match line.tag() {
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
                similar::ChangeTag::Equal => ' ',
            };
            let number = line
                .new_index()
                .or(line.old_index())
                .map_or(0, |index| index + 1);
            let content = line.value();
            let _ = writeln!(
                text,
                "{number:>6} {sign} {}",
                content.trim_end_matches(['\n', '\r'])
            );
        }
    }
    text
}

/// What made a revision, in a word.
fn source_word(source: &RevisionSource) -> String {
    match source {
        RevisionSource::Create => "create".to_owned(),
        RevisionSource::Clone { .. } => "clone".to_owned(),
        RevisionSource::Copy { .. } => "copy".to_owned(),
        RevisionSource::Patch => "patch".to_owned(),
        RevisionSource::Function { name, .. } => name.clone(),
        RevisionSource::Upgrade { .. } => "upgrade".to_owned(),
        RevisionSource::Merge { .. } => "merge".to_owned(),
        RevisionSource::Restore { .. } => "restore".to_owned(),
        RevisionSource::Update => "update".to_owned(),
        RevisionSource::Ensure { .. } => "ensure".to_owned(),
        RevisionSource::Import { .. } => "import".to_owned(),
        RevisionSource::MergeText { .. } => "merge text".to_owned(),
        RevisionSource::Undo { .. } => "undo".to_owned(),
        RevisionSource::Resolve => "conflict".to_owned(),
    }
}

/// The spaces whose slug a glob matches.
pub(crate) fn matching(pattern: &str, slug: &str) -> bool {
    Glob::new(pattern).is_match(slug)
}
