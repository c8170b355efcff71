//! Gates: reasons why a unit may not be applied just now, and the ways past them.

use std::collections::BTreeSet;

use crate::app::outcome::plural;
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::model::{Space, Unit};

/// The gate of a unit with open conflicts, where its space has it switched on.
pub const OPEN_CONFLICTS: &str = "conflicts/open";

/// The gate of a unit that somebody holds.
pub const HOLD: &str = "hold";

/// The gates that a space may switch on.
pub const SWITCHABLE: [&str; 1] = [OPEN_CONFLICTS];

/// How many gated units an error names.
const MAX_NAMED: usize = 5;

/// A reason why a unit may not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gate {
    pub(crate) name: &'static str,
    /// In words, with what opens it.
    pub(crate) reason: String,
}

/// What an apply does about gates; it is refused at the first one where this says nothing.
#[derive(Debug, Clone, Default)]
pub struct GatePolicy {
    /// Leave gated units out.
    pub skip: bool,
    /// The gates that are passed, by name. The log says so.
    pub overridden: Vec<String>,
}

impl GatePolicy {
    /// Refuses names that no gate has.
    ///
    /// # Errors
    /// [`Kind::Usage`] at the first one.
    pub(crate) fn check(&self) -> Result<()> {
        let known = |name: &&String| *name != HOLD && !SWITCHABLE.contains(&name.as_str());
        self.overridden
            .iter()
            .find(known)
            .map_or(Ok(()), |name| Err(unknown(name)))
    }

    fn passes(&self, gate: &Gate) -> bool {
        self.overridden.iter().any(|name| name == gate.name)
    }

    /// The gates that keep a unit from being applied, those that are passed left out.
    pub(crate) fn closed(&self, gates: Vec<Gate>) -> Vec<Gate> {
        gates
            .into_iter()
            .filter(|gate| !self.passes(gate))
            .collect()
    }
}

fn unknown(name: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("expected the name of a gate, found `{name}`"),
    )
    .hint(format!(
        "the gates are {HOLD} and {}",
        SWITCHABLE.join(", ")
    ))
}

/// Refuses what no space can switch on.
///
/// # Errors
/// [`Kind::Usage`].
pub(crate) fn refuse_unknown_switch(name: &str) -> Result<()> {
    if SWITCHABLE.contains(&name) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Usage,
        format!("expected a gate that a space can switch on, found `{name}`"),
    )
    .hint(format!("there is {}", SWITCHABLE.join(", "))))
}

/// The gates of a unit at an instant, sorted by name.
pub(crate) fn gates_of(unit: &Unit, space: &Space, now: Timestamp) -> Vec<Gate> {
    let mut gates = Vec::new();
    if unit.open_conflicts > 0 && space.gates.contains(OPEN_CONFLICTS) {
        let count = usize::try_from(unit.open_conflicts).unwrap_or(usize::MAX);
        gates.push(Gate {
            name: OPEN_CONFLICTS,
            reason: format!("{} to decide", plural(count, "conflict")),
        });
    }
    if let Some(hold) = unit.held.as_ref().filter(|hold| hold.is_in_force(now)) {
        let until = hold
            .until
            .map(|until| format!(", until {}", until.to_minutes()))
            .unwrap_or_default();
        let why = hold
            .why
            .as_ref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        gates.push(Gate {
            name: HOLD,
            reason: format!("held by {}{until}{why}", hold.by),
        });
    }
    gates
}

/// The names of a unit's gates.
pub(crate) fn names_of(unit: &Unit, space: &Space, now: Timestamp) -> BTreeSet<String> {
    let gates = gates_of(unit, space, now).into_iter();
    gates.map(|gate| gate.name.to_owned()).collect()
}

/// The gates of one unit in a line: `conflicts/open (2 conflicts to decide)`.
pub(crate) fn in_words(gates: &[Gate]) -> String {
    let words = gates
        .iter()
        .map(|gate| format!("{} ({})", gate.name, gate.reason));
    words.collect::<Vec<_>>().join(", ")
}

/// The error of an apply that meets gates; `gated` has a unit and its gates in words each.
pub(crate) fn refusal(gated: &[(String, Vec<Gate>)]) -> Error {
    let mut error = Error::new(
        Kind::Gated,
        format!(
            "expected every gate to be open, found {} gated",
            plural(gated.len(), "unit")
        ),
    );
    for (reference, gates) in gated.iter().take(MAX_NAMED) {
        error = error.context(format!("{reference}   {}", in_words(gates)));
    }
    if gated.len() > MAX_NAMED {
        error = error.context(format!("… and {} more", gated.len() - MAX_NAMED));
    }
    let all: BTreeSet<&str> = gated
        .iter()
        .flat_map(|(_, gates)| gates.iter().map(|gate| gate.name))
        .collect();
    if all.contains(OPEN_CONFLICTS) {
        error = error.hint("windlass conflict list shows what is to be decided");
    }
    if all.contains(HOLD) {
        error = error.hint("windlass hold list shows who holds what; windlass unhold ends it");
    }
    let names: Vec<String> = all
        .iter()
        .map(|name| format!("--override-gate {name}"))
        .collect();
    error
        .hint(format!(
            "--skip-gated applies the others; {} -m WHY applies all",
            names.join(" ")
        ))
        .context("nothing was sent")
}
