//! Showing: tables, variant trees, outlines, differences.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::app::App;
use crate::app::difference::{UnitChange, group};
use crate::app::history::revision_of;
use crate::app::outcome::UnitReport;
use crate::app::record::{Column, UnitRecord};
use crate::app::related::Related;
use crate::app::select::{Request, Selection};
use crate::app::table::{Cell, Table};
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{Hash, RevisionSource, Unit};
use crate::query::Glob;
use crate::yaml::{PathSet, ResourceId, Stream, pod_template};

/// The columns of a list of units where none are chosen.
const LIST_COLUMNS: [&str; 9] = [
    "Name",
    "Space.Slug",
    "ChangeSet.Slug",
    "Target.Slug",
    "Status",
    "LastAction",
    "UpgradeNeeded",
    "UnappliedChanges",
    "ApplyGates",
];

/// What JSON has besides, and a script's rows: the slug by its name in the data model.
const MORE_COLUMNS: [&str; 2] = ["Slug", "HeadRevisionNum"];

/// The columns of a tree after NODE and UNIT where none are chosen.
const TREE_COLUMNS: [&str; 4] = ["Status", "UpgradeNeeded", "UnappliedChanges", "ApplyGates"];

impl App {
    /// The units of a selection as rows; columns are attributes or data paths.
    ///
    /// # Errors
    /// When a column is neither.
    pub fn table(&self, selection: &Selection, columns: &[String]) -> Result<Table> {
        let is_default = columns.is_empty();
        let names: Vec<String> = if is_default {
            LIST_COLUMNS
                .into_iter()
                .chain(MORE_COLUMNS)
                .map(str::to_owned)
                .collect()
        } else {
            columns.to_vec()
        };
        let parsed = parse_columns(&names)?;
        self.read(|view| {
            let mut table = Table::new(names);
            if is_default {
                table = table.headed(LIST_COLUMNS).droppable();
            }
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
            if columns.is_empty() {
                branch.table = branch.table.droppable();
            }
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
                let old = revision_data(view, unit.id, before)?;
                let new = revision_data(view, unit.id, after)?.ok_or_else(|| {
                    Error::new(Kind::Usage, "expected a revision number from 1, found 0")
                })?;
                if old != Some(new) {
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
            Ok(group(view, &changes)?.to_string())
        })
    }

    /// What a write changed in the units of its report; those that it deleted are left out.
    ///
    /// # Errors
    /// When a unit was deleted meanwhile.
    pub fn diff_reports(&self, reports: &[UnitReport]) -> Result<String> {
        self.read(|view| {
            let mut changes = Vec::new();
            for report in reports
                .iter()
                .filter(|report| report.before != report.after && report.after > 0)
            {
                let old = revision_data(view, report.unit, report.before)?;
                if let Some(new) = revision_data(view, report.unit, report.after)? {
                    changes.push(UnitChange {
                        reference: report.reference.clone(),
                        before: report.before,
                        after: report.after,
                        old,
                        new,
                    });
                }
            }
            Ok(group(view, &changes)?.to_string())
        })
    }

    /// A unit's YAML at a revision, or at its head.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the unit has no such revision.
    pub fn data(&self, unit: UnitId, revision: Option<u32>) -> Result<String> {
        self.read(|view| {
            let hash = match revision {
                None => {
                    let unit = view.unit(unit)?;
                    let staged = self.staged_data(view, &unit)?;
                    staged.map_or(unit.data, |staged| staged.data)
                }
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
            let staged = self.staged_data(view, &unit)?;
            let data = staged.map_or(unit.data, |staged| staged.data);
            let mut found = None;
            view.tree(&data, |tree| {
                for document in tree.documents() {
                    let id = ResourceId::of(document);
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
            if let Some(upstream) = record.get("UpstreamUnitID").cloned() {
                record["upstream_unit_id"] = upstream;
            }
            record["data"] = main_document(&view.stream(&unit.data)?);
            record["Space"] = facts.space.slug.as_str().into();
            record["Revision"] = unit.head.into();
            if let Some((upstream, space)) = &facts.upstream {
                record["UpstreamUnit"] = format!("{}/{}", space.slug, upstream.slug).into();
            }
            let bookkeeping = view.bookkeeping(&unit.bookkeeping)?;
            record["OwnedPaths"] = paths(&bookkeeping.owned);
            record["ProtectedPaths"] = paths(&bookkeeping.protected);
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

/// Paths as `--json` shows them, each with its resource; null stands for every resource.
fn paths(set: &PathSet) -> Value {
    let paths = set.iter().map(|(resource, path)| {
        json!({
            "Resource": resource.map(ResourceId::full),
            "Path": path.to_string(),
        })
    });
    paths.collect()
}

/// The data as values, for programs: the only workload's, else the first resource's.
fn main_document(stream: &Stream) -> Value {
    let documents = || stream.view().documents();
    let mut workloads = documents().filter(|root| pod_template(*root).is_some());
    let main = match (workloads.next(), workloads.next()) {
        (Some(only), None) => Some(only),
        _ => documents().next(),
    };
    main.map_or(Value::Null, |root| root.to_value())
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

fn revision_data(view: &View, unit: UnitId, num: u32) -> Result<Option<Hash>> {
    if num == 0 {
        return Ok(None);
    }
    Ok(Some(revision_of(view, &view.unit(unit)?, num)?.data))
}

/// What made a revision, in a word.
pub(crate) fn source_word(source: &RevisionSource) -> String {
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
