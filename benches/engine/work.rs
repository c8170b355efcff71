//! The work that is measured, through the library's [`App`] on a store file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, json};
use windlass::app::App;
use windlass::app::change::ChangeOptions;
use windlass::app::create::{SpaceOptions, UnitOptions};
use windlass::app::import::{ImportOptions, Manifests};
use windlass::app::outcome::Outcome;
use windlass::app::select::{Request, Selection};
use windlass::app::upgrade::UpgradeOptions;
use windlass::id::{Slug, UnitId};

use crate::baseline::{Sqlite, difference, replay};
use crate::corpus;
use crate::line::Line;
use crate::measure::{self, Taken};
use crate::project::open;
use crate::table::Row;
use crate::{Result, Scale};

/// How many units carry the label, and how many are variants of the base, that indexes find.
const FEW: usize = 20;

/// How many variants are made in one transaction while the stage is set.
const CHUNK: usize = 500;

/// One size: a folder of files, a store, and `SQLite` beside it.
pub(crate) struct Stage {
    folder: PathBuf,
    scale: Scale,
    files: Vec<PathBuf>,
    app: App,
    sqlite: Sqlite,
    rows: Vec<Row>,
}

impl Stage {
    /// Writes the files and measures importing them.
    pub(crate) fn import(folder: &Path, scale: Scale) -> Result<Self> {
        let files = folder.join("files");
        fs::create_dir_all(&files)?;
        let files: Vec<PathBuf> = (0..scale.units)
            .map(|at| {
                let file = files.join(format!("{}.yaml", corpus::name(at)));
                fs::write(&file, corpus::deployment(at))?;
                Ok(file)
            })
            .collect::<Result<_>>()?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut last = None;
        let mut peak = None;
        for run in 0..scale.runs {
            let folder = folder.join(format!("run-{run}"));
            fs::create_dir_all(folder.join(".windlass"))?;
            let app = open(&folder)?;
            let source = files[0].parent().unwrap_or(&folder).display().to_string();
            measure::forget_peak();
            let (taken, outcome) = measure::once(|| {
                Ok(app.import_manifests(
                    &slug("bench")?,
                    &Manifests::Path(source.clone().into()),
                    &ImportOptions::default(),
                )?)
            })?;
            peak = measure::peak();
            expect(&outcome, scale.units)?;
            ours.push(taken);
            let mut sqlite = Sqlite::create(&folder.join("baseline.sqlite"))?;
            theirs.push(measure::once(|| sqlite.import(&files))?.0);
            last = Some((folder, app, sqlite));
        }
        let (folder, app, sqlite) = last.ok_or("no run")?;
        let mut stage = Self {
            folder,
            scale,
            files,
            app,
            sqlite,
            rows: Vec::new(),
        };
        let (ours, theirs) = (measure::middle(ours), measure::middle(theirs));
        stage.row(
            "import, one transaction",
            ours,
            Some(theirs),
            Line::Ms(600.0),
            peak,
        );
        Ok(stage)
    }

    /// What was measured, in the order of the work.
    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    fn row(
        &mut self,
        work: &str,
        ours: Taken,
        theirs: Option<Taken>,
        line: Line,
        peak: Option<f64>,
    ) {
        self.rows.push(Row {
            work: work.to_owned(),
            units: self.scale.units,
            ours,
            theirs,
            line,
            peak,
        });
    }

    fn select(&self, clause: &str) -> Result<Selection> {
        Ok(self.app.select(&Request {
            clause: Some(clause.to_owned()),
            ..Request::default()
        })?)
    }

    fn set_replicas(
        &self,
        selection: &Selection,
        replicas: usize,
        dry_run: bool,
    ) -> Result<Outcome> {
        let options = ChangeOptions {
            dry_run,
            ..ChangeOptions::default()
        };
        let args = [json!(replicas)];
        Ok(self
            .app
            .run_function(selection, "set-replicas", &args, &Map::new(), options)?)
    }

    /// A function over all units: shown, then written with a revision of each.
    pub(crate) fn bulk(&mut self) -> Result<()> {
        let clause = "Space.Slug = 'bench'";
        let all = self.select(clause)?;
        let (runs, units) = (self.scale.runs, self.scale.units);
        // The first call reads the functions.
        expect(&self.set_replicas(&all, 99, true)?, units)?;
        measure::forget_peak();
        let ours = measure::median(runs, |run| {
            expect(&self.set_replicas(&all, 10 + run, true)?, units)
        })?;
        let peak = measure::peak();
        self.row("set-replicas, preview", ours, None, Line::Ms(200.0), peak);
        measure::forget_peak();
        let ours = measure::median(runs, |run| {
            let all = self.select(clause)?;
            expect(&self.set_replicas(&all, 30 + run, false)?, units)
        })?;
        let peak = measure::peak();
        let theirs = measure::median(runs, |run| {
            let to = (30 + run).to_string();
            self.sqlite.replace(&[("replicas: ".to_owned(), to)])
        })?;
        self.row(
            "set-replicas, durable",
            ours,
            Some(theirs),
            Line::Ms(300.0),
            peak,
        );
        Ok(())
    }

    /// Clauses: by a scan of the data, and by the indexes.
    pub(crate) fn queries(&mut self) -> Result<()> {
        let app = self.app.clone();
        let some = app
            .create_space(&slug("some")?, &SpaceOptions::default())?
            .id;
        let text = corpus::deployment(1_000_000);
        let base = slug("few-base")?;
        let base = app
            .create_unit(some, &base, &text, &UnitOptions::default())?
            .id;
        let labels = BTreeMap::from([("tier".to_owned(), "gold".to_owned())]);
        for at in 0..FEW {
            app.create_clone(some, base, &slug(&format!("few-{at}"))?, &labels)?;
        }
        // Replicas as they were imported, so that the clause finds a part.
        let all = self.select("Space.Slug = 'bench' AND Slug LIKE '%5'")?;
        self.set_replicas(&all, 900, false)?;
        self.sqlite
            .prepare_queries(|at| if at % 10 == 5 { 900 } else { 30 })?;
        let found = self.scale.units / 10;
        let slug = corpus::name(self.scale.units / 2);
        let by_slug = format!("slug = '{slug}'");
        let clauses: [(&str, String, &str, usize, f64); 4] = [
            (
                "WHERE on a data path, scan",
                "spec.replicas > 800".to_owned(),
                "json_extract(json, '$.spec.replicas') > 800",
                found,
                20.0,
            ),
            (
                "WHERE on a label, index",
                "Labels.tier = 'gold'".to_owned(),
                "tier = 'gold'",
                FEW,
                1.0,
            ),
            (
                "WHERE on a slug, index",
                format!("Slug = '{slug}'"),
                &by_slug,
                1,
                1.0,
            ),
            (
                "WHERE on the upstream, index",
                "UpstreamUnit.Slug = 'few-base'".to_owned(),
                "upstream = 1000000",
                FEW,
                1.0,
            ),
        ];
        for (work, ours, theirs, found, line) in clauses {
            let runs = self.scale.runs * 5;
            measure::forget_peak();
            let taken = measure::median(runs, |_| same(self.select(&ours)?.pins().len(), found))?;
            let peak = measure::peak();
            let baseline = measure::median(runs, |_| same(self.sqlite.count(theirs)?, found))?;
            self.row(work, taken, Some(baseline), Line::Ms(line), peak);
        }
        Ok(())
    }

    /// Variants of one base, each with something of its own, a tenth of them with a conflict.
    pub(crate) fn upgrade(&mut self) -> Result<()> {
        let (runs, units) = (self.scale.runs, self.scale.units);
        let app = self.app.clone();
        let spaces = SpaceOptions::default();
        let bases = app.create_space(&slug("bases")?, &spaces)?.id;
        let fleet = app.create_space(&slug("fleet")?, &spaces)?.id;
        let text = corpus::deployment(2_000_000);
        let base = app
            .create_unit(bases, &slug("base")?, &text, &UnitOptions::default())?
            .id;
        for chunk in (0..units).collect::<Vec<_>>().chunks(CHUNK) {
            app.atomic(None, || {
                for at in chunk {
                    let name: Slug = corpus::name(*at).parse()?;
                    let made = app.create_clone(fleet, base, &name, &BTreeMap::new())?;
                    let mut patch =
                        json!({ "metadata": { "annotations": { "shard": at.to_string() } } });
                    if at % 10 == 0 {
                        patch["spec"] = json!({ "replicas": 700 + at % 100 });
                    }
                    let one = Selection::of_unit(made.id, 1);
                    app.patch(&one, &patch, ChangeOptions::default())?;
                }
                Ok(())
            })?;
        }
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut peak = None;
        for run in 0..runs {
            self.change_base(base, run)?;
            let fleet = self.select("Space.Slug = 'fleet' AND UpgradeNeeded = true")?;
            measure::forget_peak();
            let (taken, outcome) =
                measure::once(|| Ok(app.upgrade(&fleet, UpgradeOptions::default())?))?;
            peak = measure::peak();
            expect(&outcome, units)?;
            same(outcome.conflicts().len(), units.div_ceil(10))?;
            ours.push(taken);
            let changes = [
                ("image: ".to_owned(), image(run)),
                ("replicas: ".to_owned(), (100 + run).to_string()),
            ];
            theirs.push(measure::once(|| self.sqlite.replace(&changes))?.0);
        }
        let (ours, theirs) = (measure::middle(ours), measure::middle(theirs));
        self.row(
            "upgrade, 10 % conflicts",
            ours,
            Some(theirs),
            Line::Ms(600.0),
            peak,
        );
        Ok(())
    }

    fn change_base(&self, base: UnitId, run: usize) -> Result<()> {
        let one = self.app.selection_of(base)?;
        let patch = json!({ "spec": {
            "replicas": 100 + run,
            "template": { "spec": { "containers": [{ "name": "main", "image": image(run) }] } },
        } });
        self.app.patch(&one, &patch, ChangeOptions::default())?;
        Ok(())
    }

    /// One patch of one unit, beside redb writing the same keys and values.
    pub(crate) fn single_write(&mut self) -> Result<()> {
        let store = self.folder.join("store.redb");
        let copy = self.folder.join("copy.redb");
        let unit = self.app.unit_named(&format!("bench/{}", corpus::name(1)))?;
        let write = |run: usize| -> Result<()> {
            let one = self.app.selection_of(unit)?;
            let patch = json!({ "spec": { "replicas": 1_000 + run } });
            expect(&self.app.patch(&one, &patch, ChangeOptions::default())?, 1)
        };
        write(0)?;
        fs::copy(&store, &copy)?;
        write(1)?;
        let mut changes = difference(&copy, &store)?;
        let runs = self.scale.runs * 10;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        measure::forget_peak();
        for run in 0..runs {
            ours.push(measure::once(|| write(2 + run))?.0);
            // Another value each time, so that nothing is written that is there already.
            for value in changes.iter_mut().filter_map(|(_, value)| value.as_mut()) {
                if let Some(last) = value.last_mut() {
                    *last = last.wrapping_add(1);
                }
            }
            theirs.push(measure::once(|| replay(&copy, &changes))?.0);
        }
        let peak = measure::peak();
        let (ours, theirs) = (measure::middle(ours), measure::middle(theirs));
        let line = Line::Ratio(1.3);
        self.row("one patch, acknowledged", ours, Some(theirs), line, peak);
        Ok(())
    }

    /// One unit read by a process of its own, beside one that reads nothing: as JSON, its data, as a
    /// line of a list.
    pub(crate) fn cold_reads(&mut self) -> Result<()> {
        let program = env!("CARGO_BIN_EXE_windlass");
        let store = self.folder.join("store.redb");
        let reference = format!("bench/{}", corpus::name(self.scale.units / 2));
        let start = |args: &[&str]| -> Result<()> {
            let status = Command::new(program)
                .args(args)
                .current_dir(&self.folder)
                .stdout(Stdio::null())
                .status()?;
            if status.success() {
                Ok(())
            } else {
                Err(format!("windlass {} ended with {status}", args.join(" ")).into())
            }
        };
        let store = store.display().to_string();
        let theirs = measure::median(self.scale.starts, |_| start(&["--version"]))?;
        let mut taken = Vec::new();
        for (name, verb) in [
            ("unit get, fresh process", "get"),
            ("unit data, fresh process", "data"),
            ("unit list UNIT, fresh process", "list"),
        ] {
            let read = ["unit", verb, reference.as_str(), "--store", store.as_str()];
            taken.push((name, measure::median(self.scale.starts, |_| start(&read))?));
        }
        for (name, ours) in taken {
            self.row(name, ours, Some(theirs), Line::Ms(10.0), None);
        }
        Ok(())
    }

    /// How many bytes the files have together, and the store.
    pub(crate) fn sizes(&self) -> Result<(u64, u64)> {
        let mut files = 0;
        for file in &self.files {
            files += fs::metadata(file)?.len();
        }
        Ok((files, fs::metadata(self.folder.join("store.redb"))?.len()))
    }
}

fn image(run: usize) -> String {
    format!("registry.example.com/base:v{}", 100 + run)
}

fn slug(text: &str) -> Result<Slug> {
    Ok(text.parse()?)
}

/// Work that did not do what it was to do is not worth measuring.
fn expect(outcome: &Outcome, changed: usize) -> Result<()> {
    same(outcome.changed(), changed)
}

fn same(found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(format!("expected {expected} units, found {found}").into())
}
