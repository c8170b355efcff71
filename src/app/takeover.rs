//! Taking over objects that are there already, as they are.

use crate::app::outcome::{Outcome, Status as Done, UnitReport, plural};
use crate::app::rollout::{put_inventory, shipments};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::deploy::{TakenObject, Takeover};
use crate::error::{Error, Kind, Result};

/// How many fields a note names.
const MAX_FIELDS: usize = 5;

impl App {
    /// Makes objects that are in clusters already the units' own, as they are: no field changes its
    /// value. The next apply makes them what the units say.
    ///
    /// # Errors
    /// [`Kind::Usage`] when nobody is named to take them from; [`Kind::NotFound`] when an object is
    /// not there; [`Kind::Conflict`] when it is another unit's that is not named. The units before
    /// the failing one stay taken, and the outcome says so.
    pub fn takeover(
        &self,
        selection: &Selection,
        from: &[String],
        dry_run: bool,
    ) -> Result<Outcome> {
        self.refuse_inside_atomic("takeover")?;
        if from.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                "expected whom the objects are taken from, found nobody",
            )
            .hint("--from kubectl-client-side-apply,helm; or unit:SPACE/UNIT, or store:ID"));
        }
        let text = format!("takeover --from {}", from.join(","));
        let destinations = self.destinations_of(selection)?;
        let is_sandbox = destinations.is_sandbox();
        let dry_run = dry_run || (self.is_rehearsing() && !is_sandbox);
        let verb = Verb::new(text.clone());
        let (reports, op) = self.dispatched(is_sandbox, verb, |dispatch| {
            let shipments = dispatch.read(|view| {
                self.refuse_moved(view, selection)?;
                let ids: Vec<_> = selection.pins().iter().map(|pin| pin.unit).collect();
                self.refuse_leased(view, &ids)?;
                shipments(view, selection, None)
            })?;
            let mut reports: Vec<UnitReport> = Vec::new();
            for shipment in &shipments {
                let mut report = shipment.report();
                if reports
                    .iter()
                    .any(|report| matches!(report.status, Done::Failed(_)))
                {
                    report.status = Done::Skipped("not taken: another unit failed".to_owned());
                    reports.push(report);
                    continue;
                }
                let destination = destinations.get(&shipment.target)?;
                let taken = dispatch.with(destination, &text, |target| {
                    let inventory = shipment.inventory.as_ref();
                    Ok(target.takeover(&shipment.objects, inventory, from, dry_run))
                })?;
                match taken {
                    Err(error) => report.status = Done::Failed(Error::from(error)),
                    Ok(taken) => {
                        report.status = Done::Changed;
                        report.note = in_words(&taken);
                        if let Some(inventory) = taken.inventory.as_ref().filter(|_| !dry_run) {
                            dispatch.write(&text, |transaction| {
                                let (unit, target) = (shipment.unit.id, &shipment.target);
                                put_inventory(transaction, unit, target, Some(inventory))
                            })?;
                        }
                    }
                }
                reports.push(report);
            }
            Ok(reports)
        })?;
        let outcome = Outcome {
            verb: text,
            op,
            reports,
            is_partial: true,
            is_preview: dry_run,
            notes: vec![
                "no field has another value; windlass apply makes them what the units say"
                    .to_owned(),
            ],
            ..Outcome::default()
        };
        match outcome.empty() {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }
}

fn in_words(taken: &Takeover) -> String {
    let mut parts = vec![format!("{} taken", plural(taken.objects.len(), "object"))];
    for object in taken
        .objects
        .iter()
        .filter(|object| !object.managers.is_empty())
    {
        parts.push(format!(
            "{} from {}",
            object.resource,
            object.managers.join(", ")
        ));
    }
    parts.extend(taken.objects.iter().filter_map(extra));
    parts.join("; ")
}

/// The fields that others set and the unit lacks: they stay, and nobody looks after them.
fn extra(object: &TakenObject) -> Option<String> {
    if object.extra.is_empty() {
        return None;
    }
    let shown: Vec<String> = object
        .extra
        .iter()
        .take(MAX_FIELDS)
        .map(ToString::to_string)
        .collect();
    let more = match object.extra.len().saturating_sub(MAX_FIELDS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{} has fields that the unit lacks: {}{more}",
        object.resource,
        shown.join(", ")
    ))
}
