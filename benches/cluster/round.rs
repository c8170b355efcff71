//! One round: the same work by every side, each in a namespace of its own.

use std::path::Path;

use crate::Result;
use crate::bare::{self, Cluster, Room};
use crate::kubectl::{Files, Kubectl};
use crate::line::Line;
use crate::manifest::{ALL, FIRST, ONE};
use crate::measure::{self, Taken};
use crate::ours::Ours;
use crate::table::Row;

/// What sending all may take, in bare requests.
const SENDING: Line = Line::Ratio(1.2);
/// What looking at all may take, whatever is sent then.
const LOOKING: Line = Line::Ms(1_200.0);

/// What a round is made of.
pub(crate) struct Setting<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) kubeconfig: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) kubectl: Option<&'a Kubectl>,
    pub(crate) units: usize,
    pub(crate) number: usize,
}

struct Round<'a> {
    ours: Ours,
    bare: Room,
    files: Option<Files>,
    units: usize,
    /// The sides take turns in being first, so that neither has warm caches alone.
    is_ours_first: bool,
    rows: &'a mut Vec<Row>,
}

/// Measures all work once and adds it to the rows.
pub(crate) fn run(setting: &Setting<'_>, rows: &mut Vec<Row>) -> Result<()> {
    let room = |side: &str| {
        let name = format!("wb-{}-{}-{side}", std::process::id(), setting.number);
        Room::furnish(setting.cluster, name)
    };
    let (folder, units) = (setting.folder, setting.units);
    let files = match setting.kubectl {
        Some(kubectl) => Some(Files::new(kubectl.clone(), room("kubectl")?, folder, units)),
        None => None,
    };
    let round = Round {
        ours: Ours::new(room("ours")?, setting.kubeconfig, folder, units)?,
        bare: room("bare")?,
        files,
        units,
        is_ours_first: setting.number % 2 == 1,
        rows,
    };
    round.all()
}

impl Round<'_> {
    fn all(mut self) -> Result<()> {
        let units = self.units;
        self.sending("create", FIRST, false, |ours| ours.apply(units))?;
        self.by_kubectl("create", FIRST, None, Files::apply)?;

        self.looking("apply, nothing changed", |ours| ours.apply(0))?;
        self.by_kubectl("apply, nothing changed", FIRST, None, Files::apply)?;

        self.ours.change_one()?;
        self.looking("diff, one changed", |ours| ours.diff(1))?;
        self.by_kubectl("diff, one changed", FIRST, Some(ONE), |files| {
            files.diff(true)
        })?;
        self.looking("apply, one changed", |ours| ours.apply(1))?;
        self.by_kubectl("apply, one changed", FIRST, Some(ONE), Files::apply)?;

        self.ours.change_all()?;
        self.sending("diff, all changed", ALL, true, |ours| ours.diff(units))?;
        self.by_kubectl("diff, all changed", ALL, None, |files| files.diff(true))?;
        self.sending("apply, all changed", ALL, false, |ours| ours.apply(units))?;
        self.by_kubectl("apply, all changed", ALL, None, Files::apply)?;

        self.looking("drift check", Ours::drift)?;
        self.by_kubectl("drift check", ALL, None, |files| files.diff(false))
    }

    /// Work of Windlass that sends every Deployment, beside the bare requests.
    fn sending(
        &mut self,
        work: &'static str,
        value: u32,
        is_dry: bool,
        ours: impl FnOnce(&Ours) -> Result<()>,
    ) -> Result<()> {
        let prepared = bare::prepare(self.units, value)?;
        let bare = || measure::once(|| self.bare.apply(prepared, is_dry)).map(|(taken, ())| taken);
        let (ours, bare) = if self.is_ours_first {
            (timed(&self.ours, ours)?, bare()?)
        } else {
            let bare = bare()?;
            (timed(&self.ours, ours)?, bare)
        };
        let row = self.row(work, SENDING);
        row.add(ours);
        row.bare.push(bare);
        Ok(())
    }

    /// Work of Windlass that looks at every Deployment and sends at most one.
    fn looking(
        &mut self,
        work: &'static str,
        ours: impl FnOnce(&Ours) -> Result<()>,
    ) -> Result<()> {
        let ours = timed(&self.ours, ours)?;
        self.row(work, LOOKING).add(ours);
        Ok(())
    }

    fn by_kubectl(
        &mut self,
        work: &'static str,
        value: u32,
        one: Option<u32>,
        run: impl FnOnce(&Files) -> Result<()>,
    ) -> Result<()> {
        let Some(files) = &self.files else {
            return Ok(());
        };
        files.write(value, one)?;
        let (taken, ()) = measure::once(|| run(files))?;
        if let Some(row) = self.rows.iter_mut().find(|row| row.work == work) {
            row.kubectl.push(taken);
        }
        Ok(())
    }

    /// The row of this work, made by the first round.
    fn row(&mut self, work: &'static str, line: Line) -> &mut Row {
        let found = self.rows.iter().position(|row| row.work == work);
        let at = found.unwrap_or(self.rows.len());
        if found.is_none() {
            self.rows.push(Row {
                work,
                line,
                ours: Vec::new(),
                bare: Vec::new(),
                kubectl: Vec::new(),
                peak: None,
            });
        }
        &mut self.rows[at]
    }
}

impl Row {
    fn add(&mut self, (taken, peak): (Taken, Option<f64>)) {
        self.ours.push(taken);
        self.peak = self.peak.into_iter().chain(peak).reduce(f64::max);
    }
}

/// What work of Windlass took, and the peak of memory meanwhile.
fn timed(ours: &Ours, work: impl FnOnce(&Ours) -> Result<()>) -> Result<(Taken, Option<f64>)> {
    measure::forget_peak();
    let (taken, ()) = measure::once(|| work(ours))?;
    Ok((taken, measure::peak()))
}
