//! The work by Windlass, through the library's [`App`] on a store file.

use std::fs;
use std::path::Path;

use serde_json::json;
use windlass::app::App;
use windlass::app::change::ChangeOptions;
use windlass::app::create::SpaceOptions;
use windlass::app::import::{ImportOptions, Manifests};
use windlass::app::outcome::{Outcome, Status};
use windlass::app::rollout::ApplyOptions;
use windlass::app::select::{Request, Selection};
use windlass::app::targets::TargetOptions;
use windlass::id::Slug;

use crate::bare::Room;
use crate::project::open;
use crate::{Result, corpus, manifest};

/// A store with a space whose units are to be in the namespace of a room.
pub(crate) struct Ours {
    app: App,
    units: usize,
    /// Goes with the store.
    _room: Room,
}

impl Ours {
    pub(crate) fn new(room: Room, kubeconfig: &Path, folder: &Path, units: usize) -> Result<Self> {
        let files = folder.join("files");
        fs::create_dir_all(&files)?;
        fs::create_dir_all(folder.join(".windlass"))?;
        for (at, text) in manifest::all(units, manifest::FIRST, None).enumerate() {
            fs::write(files.join(format!("{}.yaml", corpus::name(at))), text)?;
        }
        let app = open(folder)?;
        let target = slug("cluster")?;
        app.ensure_target(
            &target,
            &TargetOptions {
                kind: Some("kubernetes".to_owned()),
                namespace: Some(room.namespace.clone()),
                kubeconfig: Some(kubeconfig.display().to_string()),
                context: None,
            },
        )?;
        let options = SpaceOptions {
            target: Some(target),
            ..SpaceOptions::default()
        };
        app.create_space(&slug("bench")?, &options)?;
        let source = Manifests::Path(files.clone());
        let made = app.import_manifests(&slug("bench")?, &source, &ImportOptions::default())?;
        same("units imported", made.changed(), units)?;
        Ok(Self {
            app,
            units,
            _room: room,
        })
    }

    fn select(&self) -> Result<Selection> {
        let clause = Some("Space.Slug = 'bench'".to_owned());
        Ok(self.app.select(&Request {
            clause,
            ..Request::default()
        })?)
    }

    /// Applies the whole space, of which so many units are to be sent.
    pub(crate) fn apply(&self, changed: usize) -> Result<()> {
        let outcome = self.app.apply(&self.select()?, &ApplyOptions::default())?;
        done(&outcome)?;
        same("units applied", outcome.changed(), changed)?;
        same("units", outcome.reports.len(), self.units)
    }

    /// Compares the whole space with the cluster; so many objects are to differ.
    pub(crate) fn diff(&self, changed: usize) -> Result<()> {
        let diff = self.app.target_diff(&self.select()?)?;
        if diff.is_refused {
            return Err(format!("the cluster refused: {}", diff.notes.join("; ")).into());
        }
        same("objects that differ", diff.objects.len(), changed)
    }

    /// Checks the whole space for drift, of which there is none.
    pub(crate) fn drift(&self) -> Result<()> {
        let found = self.app.drift(&self.select()?)?;
        same("units checked", found.len(), self.units)?;
        let rows = found.iter().map(|unit| unit.rows.len()).sum();
        same("fields that drifted", rows, 0)
    }

    /// Changes the field in one unit; not part of the work.
    pub(crate) fn change_one(&self) -> Result<()> {
        let name = corpus::name(manifest::changed(self.units));
        let unit = self.app.unit_named(&format!("bench/{name}"))?;
        self.change(&self.app.selection_of(unit)?, manifest::ONE, 1)
    }

    /// Changes the field in all units; not part of the work.
    pub(crate) fn change_all(&self) -> Result<()> {
        self.change(&self.select()?, manifest::ALL, self.units)
    }

    fn change(&self, selection: &Selection, value: u32, units: usize) -> Result<()> {
        let patch = json!({ "spec": { "revisionHistoryLimit": value } });
        let outcome = self
            .app
            .patch(selection, &patch, ChangeOptions::default())?;
        done(&outcome)?;
        same("units changed", outcome.changed(), units)
    }
}

fn slug(text: &str) -> Result<Slug> {
    Ok(text.parse()?)
}

/// The first failure of a unit is the failure of the measurement.
fn done(outcome: &Outcome) -> Result<()> {
    for report in &outcome.reports {
        if let Status::Failed(error) = &report.status {
            return Err(format!("{}: {error}", report.reference).into());
        }
    }
    Ok(())
}

/// Work that did not do what it was to do is not worth measuring.
fn same(what: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(format!("expected {expected} {what}, found {found}").into())
}
