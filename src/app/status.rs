//! How the fleet stands: a line for each space, and what needs somebody, worst first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::app::App;
use crate::app::dry_run::{WIDTH, push_wrapped};
use crate::app::gate::{Gate, HOLD, gates_of};
use crate::app::outcome::plural;
use crate::app::record::target;
use crate::app::related::Related;
use crate::app::table::{Cell, Table, shortened};
use crate::app::worker::listing::{SILENT, beating};
use crate::clock::Timestamp;
use crate::db::View;
use crate::error::Result;
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::{Apply, Operation, Space, Status, Unit, Worker};

/// How many of the newest applies are looked through for the last one of each space.
const MAX_APPLIES: usize = 1_000;

/// How many rows of one need are told, before the rest is counted.
const MAX_TOLD: usize = 3;

/// The columns; those of numbers are right-aligned.
const COLUMNS: [&str; 9] = [
    "Space",
    "Target",
    "Units",
    "Ready",
    "Upgrade",
    "Conflict",
    "Unapplied",
    "Gated",
    "LastApply",
];

/// How the fleet stands, from the store alone: no target is asked.
#[derive(Debug, Clone)]
pub struct FleetStatus {
    lines: Vec<SpaceLine>,
    needs: Vec<Need>,
    workers: Vec<String>,
    facts: Facts,
}

#[derive(Debug, Clone)]
struct Facts {
    units: usize,
    targets: usize,
    store: String,
    bytes: u64,
    actor: String,
    now: Timestamp,
    last: Option<Operation>,
}

/// One space.
#[derive(Debug, Clone, Default)]
struct SpaceLine {
    space: String,
    target: Option<String>,
    units: usize,
    /// Of the units that have a target.
    ready: Option<usize>,
    upgrade: usize,
    conflicts: u64,
    unapplied: usize,
    gated: usize,
    last_apply: Option<(Timestamp, String)>,
}

/// Something that needs somebody.
#[derive(Debug, Clone)]
struct Need {
    word: &'static str,
    what: String,
    why: String,
    command: String,
}

/// How wide the second column of what needs somebody becomes.
const MAX_WHAT: usize = 28;

/// How much of the last operation's verb is shown.
const MAX_VERB: usize = 24;

/// What stands before a command that fits into its line, and how far in one that does not stands.
const GAP: &str = "   ";
const COMMAND_COLUMN: usize = 43;

/// What is collected of the units while the spaces are gone through.
#[derive(Default)]
struct Collected {
    degraded: Vec<(String, String, Status)>,
    held: Vec<(String, String)>,
    conflicts: Vec<(String, u64)>,
    gated: BTreeMap<String, (usize, BTreeSet<&'static str>)>,
}

impl App {
    /// How the fleet stands. With `spaces`, only the spaces that match this glob.
    ///
    /// # Errors
    /// When no space matches a name without a glob, or the store cannot be read.
    pub fn fleet_status(&self, spaces: Option<&str>) -> Result<FleetStatus> {
        let spaces = self.spaces_matching(spaces.unwrap_or("*"))?;
        let store = self.store_path();
        let bytes = std::fs::metadata(store).map_or(0, |found| found.len());
        let (store, actor, now) = (store.display().to_string(), self.actor(), self.now());
        self.read(|view| {
            let mut collected = Collected::default();
            let applies = view.applies(MAX_APPLIES)?;
            let last_applies = last_applies(view, &applies)?;
            let mut lines = Vec::with_capacity(spaces.len());
            for space in &spaces {
                let mut line = line_of(view, space, &mut collected)?;
                line.last_apply = last_applies.get(&space.id).cloned();
                lines.push(line);
            }
            let (workers, silent) = workers(view, &spaces, now)?;
            let mut needs = collected.needs();
            needs.extend(silent);
            needs.extend(unfinished(&applies));
            needs.sort_by_key(|need| rank(need.word));
            Ok(FleetStatus {
                facts: Facts {
                    units: lines.iter().map(|line| line.units).sum(),
                    targets: view.targets()?.len(),
                    store,
                    bytes,
                    actor,
                    now,
                    last: view
                        .last_operation()?
                        .map(|id| view.operation(id))
                        .transpose()?,
                },
                lines,
                needs,
                workers,
            })
        })
    }
}

/// The worst first.
fn rank(word: &str) -> usize {
    let order = [
        "Failed",
        "Degraded",
        "Unfinished",
        "Silent",
        "Conflict",
        "Gated",
        "Held",
    ];
    order
        .iter()
        .position(|known| *known == word)
        .unwrap_or(order.len())
}

fn line_of(view: &View, space: &Space, collected: &mut Collected) -> Result<SpaceLine> {
    let mut related = Related::new(view);
    let mut line = SpaceLine {
        space: space.slug.to_string(),
        target: space.target.as_ref().map(Slug::to_string),
        ..SpaceLine::default()
    };
    for unit in view.units_in(space.id)? {
        line.units += 1;
        if let Some((upstream, _)) = &related.facts(&unit)?.upstream {
            line.upgrade += usize::from(unit.needs_upgrade(upstream));
        }
        line.conflicts += u64::from(unit.open_conflicts);
        if target(&unit, space).is_some() {
            let ready = line.ready.get_or_insert(0);
            *ready += usize::from(unit.status == Status::Ready);
            line.unapplied += usize::from(unit.is_unapplied());
        }
        let gates = gates_of(&unit, space, view.now());
        line.gated += usize::from(gates.iter().any(|gate| gate.name != HOLD));
        collected.add(space, &unit, &gates);
    }
    Ok(line)
}

impl Collected {
    fn add(&mut self, space: &Space, unit: &Unit, gates: &[Gate]) {
        let reference = || format!("{}/{}", space.slug, unit.slug);
        if matches!(unit.status, Status::Degraded | Status::Failed) {
            let why = unit.status_reason.clone().unwrap_or_default();
            self.degraded.push((reference(), why, unit.status));
        }
        let is_held = gates.iter().any(|gate| gate.name == HOLD);
        if let Some(held) = unit.held.as_ref().filter(|_| is_held) {
            let until = held
                .until
                .map(|until| format!(" until {}", until.to_minutes()));
            let why = held.why.as_ref().map(|why| format!(" \"{why}\""));
            let (until, why) = (until.unwrap_or_default(), why.unwrap_or_default());
            let (by, since) = (&held.by, held.at.to_minutes());
            self.held
                .push((reference(), format!("by {by} since {since}{until}{why}")));
        }
        if unit.open_conflicts > 0 {
            self.conflicts
                .push((reference(), unit.open_conflicts.into()));
        }
        let names: Vec<&'static str> = gates
            .iter()
            .map(|gate| gate.name)
            .filter(|name| *name != HOLD)
            .collect();
        if !names.is_empty() {
            let (units, known) = self.gated.entry(space.slug.to_string()).or_default();
            *units += 1;
            known.extend(names);
        }
    }

    fn needs(self) -> Vec<Need> {
        let mut needs = Vec::new();
        let shown = self.degraded.iter().take(MAX_TOLD);
        needs.extend(shown.map(|(reference, why, status)| Need {
            word: if *status == Status::Failed {
                "Failed"
            } else {
                "Degraded"
            },
            what: reference.clone(),
            why: why.clone(),
            command: format!("windlass why {reference}"),
        }));
        if let Some(more) = self
            .degraded
            .len()
            .checked_sub(MAX_TOLD)
            .filter(|more| *more > 0)
        {
            needs.push(Need {
                word: "Degraded",
                what: format!("{} more", plural(more, "unit")),
                why: String::new(),
                command: "windlass unit list --where \"Status IN ('Degraded', 'Failed')\""
                    .to_owned(),
            });
        }
        if let Some((first, _)) = self.conflicts.first() {
            let rows: u64 = self.conflicts.iter().map(|(_, count)| count).sum();
            needs.push(Need {
                word: "Conflict",
                what: format!("{rows} open in {}", plural(self.conflicts.len(), "unit")),
                why: format!("the first: {first}"),
                command: "windlass conflict list".to_owned(),
            });
        }
        for (space, (count, names)) in self.gated.iter().take(MAX_TOLD) {
            needs.push(Need {
                word: "Gated",
                what: format!("{space}, {}", plural(*count, "unit")),
                why: names.iter().copied().collect::<Vec<_>>().join(", "),
                command: format!("windlass unit list --space {space} --columns Name,ApplyGates"),
            });
        }
        let held = self.held.iter().take(MAX_TOLD);
        needs.extend(held.map(|(reference, why)| Need {
            word: "Held",
            what: reference.clone(),
            why: why.clone(),
            command: "windlass hold list".to_owned(),
        }));
        needs
    }
}

/// When each space was last sent to its target, and by whom.
fn last_applies(view: &View, applies: &[Apply]) -> Result<BTreeMap<SpaceId, (Timestamp, String)>> {
    let mut last = BTreeMap::new();
    let mut spaces: BTreeMap<UnitId, Option<SpaceId>> = BTreeMap::new();
    for apply in applies {
        for member in &apply.members {
            let space = if let Some(known) = spaces.get(&member.unit) {
                *known
            } else {
                let found = view.find_unit_by_id(member.unit)?.map(|unit| unit.space);
                spaces.insert(member.unit, found);
                found
            };
            if let Some(space) = space {
                last.entry(space)
                    .or_insert_with(|| (apply.at, apply.by.clone()));
            }
        }
    }
    Ok(last)
}

/// Applies that ended, or were killed, before all their units were where they were to be.
fn unfinished(applies: &[Apply]) -> Option<Need> {
    let last = applies.first()?;
    let left = last.unfinished().count();
    (left > 0 && last.ended.is_some()).then(|| Need {
        word: "Unfinished",
        what: format!("{}, {} left", last.id, plural(left, "unit")),
        why: format!("{} by {}", last.verb, last.by),
        command: format!("windlass apply --resume {}", last.id),
    })
}

/// A line for each worker that is a process, and those that give no sign of life.
fn workers(view: &View, spaces: &[Space], now: Timestamp) -> Result<(Vec<String>, Vec<Need>)> {
    let (mut lines, mut silent) = (Vec::new(), Vec::new());
    for space in spaces {
        for worker in view.workers_in(space.id)? {
            let Some(seen) = view.heartbeat(space.id, &worker.slug)? else {
                continue;
            };
            let name = format!("{} of {}", worker.slug, space.slug);
            let seen_ago = now.since(seen.at);
            lines.push(format!(
                "{name} ({}, seen {seen_ago} ago)",
                settings(&worker)
            ));
            if beating(&worker, Some(&seen), now) == SILENT {
                silent.push(Need {
                    word: "Silent",
                    what: format!("worker {name}"),
                    why: format!("no sign of life since {}", seen.at.to_minutes()),
                    command: format!("windlass worker list --space {}", space.slug),
                });
            }
        }
    }
    Ok((lines, silent))
}

fn settings(worker: &Worker) -> String {
    let poll = worker
        .poll
        .map_or_else(String::new, |poll| format!("every {poll} s"));
    if worker.auto_apply {
        format!("auto-apply, {poll}")
    } else {
        poll
    }
}

impl FleetStatus {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let spaces = self.lines.iter().map(|line| {
            json!({
                "Space": line.space,
                "Target": line.target,
                "Units": line.units,
                "Ready": line.ready,
                "UpgradeNeeded": line.upgrade,
                "Conflicts": line.conflicts,
                "UnappliedChanges": line.unapplied,
                "Gated": line.gated,
                "LastApply": line.last_apply.as_ref().map(|(at, _)| at.to_string()),
                "LastApplyBy": line.last_apply.as_ref().map(|(_, by)| by),
            })
        });
        let needs = self.needs.iter().map(|need| {
            json!({
                "Need": need.word,
                "What": need.what,
                "Why": need.why,
                "Command": need.command,
            })
        });
        json!({
            "Spaces": spaces.collect::<Vec<_>>(),
            "NeedsYou": needs.collect::<Vec<_>>(),
            "Workers": self.workers,
            "Units": self.facts.units,
            "Targets": self.facts.targets,
            "Store": self.facts.store,
            "StoreBytes": self.facts.bytes,
            "Actor": self.facts.actor,
            "Time": self.facts.now.to_string(),
            "LastOperation": self.facts.last.as_ref().map(|last| last.id.to_string()),
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::new(COLUMNS).right_aligned([
            "Units",
            "Ready",
            "Upgrade",
            "Conflict",
            "Unapplied",
            "Gated",
        ]);
        let count = |count: usize| {
            Cell::text(if count == 0 {
                "-".to_owned()
            } else {
                count.to_string()
            })
        };
        let mut total = SpaceLine {
            space: "TOTAL".to_owned(),
            ..SpaceLine::default()
        };
        let mut row = |line: &SpaceLine, is_total: bool| {
            let last = line.last_apply.as_ref();
            let last = last.map(|(at, by)| format!("{} ago  {by}", self.facts.now.since(*at)));
            let dash = |text: Option<String>| Cell::text(text.unwrap_or_else(|| "-".to_owned()));
            table.push(vec![
                Cell::text(line.space.clone()),
                if is_total {
                    Cell::text("")
                } else {
                    dash(line.target.clone())
                },
                Cell::text(line.units.to_string()),
                dash(line.ready.map(|ready| ready.to_string())),
                count(line.upgrade),
                count(usize::try_from(line.conflicts).unwrap_or(usize::MAX)),
                count(line.unapplied),
                count(line.gated),
                if is_total { Cell::text("") } else { dash(last) },
            ]);
        };
        for line in &self.lines {
            row(line, false);
            total.units += line.units;
            if let Some(ready) = line.ready {
                *total.ready.get_or_insert(0) += ready;
            }
            total.upgrade += line.upgrade;
            total.conflicts += line.conflicts;
            total.unapplied += line.unapplied;
            total.gated += line.gated;
        }
        if self.lines.len() > 1 {
            row(&total, true);
        }
        table
    }
}

impl fmt::Display for FleetStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.facts;
        writeln!(
            f,
            "fleet   {}   {}   {}   {}   as {}",
            plural(self.lines.len(), "space"),
            plural(facts.units, "unit"),
            plural(facts.targets, "target"),
            facts.now.to_minutes(),
            facts.actor
        )?;
        let size = size_in_words(facts.bytes);
        write!(f, "        store {}  {size}", facts.store)?;
        if let Some(last) = &facts.last {
            let ago = facts.now.since(last.at);
            let verb = shortened(&last.verb, MAX_VERB);
            write!(
                f,
                "   last {}, {ago} ago, {verb} by {}",
                last.id, last.actor
            )?;
        }
        writeln!(f, "\n")?;
        if f.alternate() {
            write!(f, "{:#}", self.table())?;
        } else {
            write!(f, "{}", self.table())?;
        }
        if !self.needs.is_empty() {
            writeln!(f, "\nNEEDS YOU, worst first")?;
        }
        let widths = self.needs.iter().map(|need| need.what.width());
        let what_width = widths.max().unwrap_or(0).min(MAX_WHAT);
        for (at, need) in self.needs.iter().enumerate() {
            let (word, what) = (need.word, &need.what);
            let head = format!("{:>2}  {word:<10} {what:<what_width$}  ", at + 1);
            let mut text = String::new();
            push_wrapped(&mut text, &head, &need.why, WIDTH);
            let line = text.trim_end();
            let is_short =
                !line.contains('\n') && line.width() + GAP.len() + need.command.width() <= WIDTH;
            let gap = if is_short {
                GAP.to_owned()
            } else {
                format!("\n{:COMMAND_COLUMN$}", "")
            };
            writeln!(f, "{line}{gap}{}", need.command)?;
        }
        if !self.workers.is_empty() {
            writeln!(f, "\nworkers  {}", self.workers.join("\n         "))?;
        }
        Ok(())
    }
}

/// A size for people: `18 MiB`.
fn size_in_words(bytes: u64) -> String {
    match bytes >> 10 {
        kibibytes @ 0..1_024 => format!("{kibibytes} KiB"),
        kibibytes => format!("{} MiB", kibibytes >> 10),
    }
}
