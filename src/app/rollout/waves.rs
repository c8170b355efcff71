//! Applying wave after wave.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::app::App;
use crate::app::dispatch::Destinations;
use crate::app::outcome::{Outcome, Status as Done, UnitReport};
use crate::app::rollout::ApplyOptions;
use crate::app::select::Selection;
use crate::error::Result;

/// How units are cut into waves.
#[derive(Debug, Clone)]
pub struct Waves {
    /// The column whose values are the waves: `Space.Labels.wave`.
    pub column: String,
    /// How long a wave must stay ready before the next one begins.
    pub soak: Duration,
}

/// How long between two looks at a wave that soaks.
const LOOK: Duration = Duration::from_secs(5);

impl App {
    /// Applies units wave after wave, each until it is ready and has stayed so for a while; stops
    /// at the first wave that fails. Units without a value are the last wave.
    ///
    /// # Errors
    /// As [`Self::apply`]; [`crate::error::Kind::Usage`] when the column cannot be read.
    pub fn apply_in_waves(
        &self,
        selection: &Selection,
        waves: &Waves,
        options: &ApplyOptions,
    ) -> Result<Outcome> {
        self.refuse_gated_unless_skipped(selection, options)?;
        let options = ApplyOptions {
            wait: true,
            ..options.clone()
        };
        let groups = self.grouped(selection, &waves.column)?;
        let count = groups.len();
        let mut all = Outcome {
            verb: format!("apply --waves {}", waves.column),
            is_partial: true,
            ..Outcome::default()
        };
        let mut failed: Option<String> = None;
        for (number, (value, wave)) in groups.into_iter().enumerate() {
            let name = name(&value);
            if let Some(earlier) = &failed {
                all.reports.extend(self.not_sent(&wave, earlier)?);
                continue;
            }
            self.notify(&format!("wave {name} ({} of {count})", number + 1));
            let mut done = self.apply(&wave, &options)?;
            let is_last = number + 1 == count;
            if done.failed() == 0 && !is_last && !options.dry_run {
                self.soak(&wave, waves.soak, &mut done)?;
            }
            all.notes.push(format!("wave {name}: {}", done.summary()));
            if done.failed() > 0 {
                failed = Some(name);
            }
            all.is_preview = done.is_preview;
            all.op = done.op.or(all.op);
            all.apply = done.apply.or(all.apply);
            all.changes.push_str(&done.changes);
            all.reports.extend(done.reports);
        }
        Ok(all)
    }

    fn refuse_gated_unless_skipped(
        &self,
        selection: &Selection,
        options: &ApplyOptions,
    ) -> Result<()> {
        if options.gates.skip {
            return Ok(());
        }
        self.refuse_gated(selection, &options.gates)
    }

    /// Looks at a wave until it has been ready for long enough; its report then says what it found.
    fn soak(&self, wave: &Selection, soak: Duration, done: &mut Outcome) -> Result<()> {
        let destinations: Destinations = self.destinations_of(wave)?;
        // Time on the sandbox passes only while somebody waits for it.
        if soak.is_zero() || destinations.is_sandbox() || self.is_rehearsing() {
            return Ok(());
        }
        let begun = Instant::now();
        while begun.elapsed() < soak {
            thread::sleep(LOOK.min(soak.saturating_sub(begun.elapsed())));
            let looked = self.wait_ready(wave, Some(Duration::ZERO))?;
            if looked.failed() > 0 {
                done.reports = looked.reports;
                return Ok(());
            }
        }
        Ok(())
    }

    fn not_sent(&self, wave: &Selection, earlier: &str) -> Result<Vec<UnitReport>> {
        let names = self.references(wave)?;
        self.read(|view| {
            let reports = wave.pins().iter().zip(names).map(|(pin, reference)| {
                let unit = view.unit(pin.unit)?;
                let live = unit.live.unwrap_or(0);
                Ok(UnitReport {
                    before: live,
                    after: live,
                    status: Done::Skipped(format!("not sent: wave {earlier} failed")),
                    ..UnitReport::unchanged(&unit, reference)
                })
            });
            reports.collect()
        })
    }
}

fn name(value: &Value) -> String {
    match value {
        Value::Null => "without a value".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
