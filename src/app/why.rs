//! Why a unit is as it is: everything that is known of it, in the order in which one asks.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::drift::UnitDrift;
use crate::app::gate::gates_of;
use crate::app::record::target;
use crate::app::select::Selection;
use crate::deploy::LiveState;
use crate::error::Result;
use crate::id::UnitId;
use crate::model::{Apply, Revision, Space, Unit};

/// How many of the newest applies are looked through for the last one of a unit.
const MAX_APPLIES: usize = 1_000;

/// What is known of a unit.
#[derive(Debug, Clone, Default)]
pub struct Why {
    /// Lines of a name and what there is to say.
    lines: Vec<(String, String)>,
    /// What to run next, and what for.
    next: Vec<(String, String)>,
}

impl Why {
    fn say(&mut self, name: &str, text: impl Into<String>) {
        self.lines.push((name.to_owned(), text.into()));
    }

    fn advise(&mut self, command: String, what: &str) {
        self.next.push((command, what.to_owned()));
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut last = "";
        for (name, line) in &self.lines {
            let shown = if name == last { "" } else { name.as_str() };
            let _ = writeln!(text, "{shown:<10}  {line}");
            last = name;
        }
        if !self.next.is_empty() {
            text.push_str("\nNext\n");
        }
        for (command, what) in &self.next {
            let _ = writeln!(text, "  {command:<52} {what}");
        }
        text
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let lines = self
            .lines
            .iter()
            .map(|(name, text)| json!({ "About": name, "Text": text }));
        let next = self
            .next
            .iter()
            .map(|(command, what)| json!({ "Command": command, "What": what }));
        json!({ "Lines": lines.collect::<Vec<_>>(), "Next": next.collect::<Vec<_>>() })
    }
}

/// What the store knows of a unit.
struct Known {
    unit: Unit,
    space: Space,
    reference: String,
    head: Revision,
    gates: Vec<(String, String)>,
    upstream: Option<String>,
    apply: Option<Apply>,
}

impl App {
    /// Everything that is known of why a unit is as it is: data, upstream, gates, the last apply,
    /// what its target says and what has drifted there. A target that does not answer is part of it.
    ///
    /// # Errors
    /// When the unit does not exist or the store cannot be read.
    pub fn why(&self, unit: UnitId) -> Result<Why> {
        let known = self.known(unit)?;
        let mut why = Why::default();
        of_store(&known, &mut why);
        of_apply(&known, &mut why);
        let target = target(&known.unit, &known.space).map(ToOwned::to_owned);
        let Some(target) = target else {
            why.say("target", "none: nothing deploys it");
            let space = &known.space.slug;
            why.advise(
                format!("windlass worker install worker --space {space} --wait"),
                "sets the sandbox",
            );
            return Ok(why);
        };
        why.say("target", target);
        if known.unit.live.is_some() || known.unit.last_applied.is_some() {
            self.of_target(&known, &mut why);
        }
        Ok(why)
    }

    fn known(&self, unit: UnitId) -> Result<Known> {
        self.read(|view| {
            let unit = view.unit(unit)?;
            let space = view.space(unit.space)?;
            let upstream = match unit.upstream {
                None => None,
                Some(upstream) => view.find_unit_by_id(upstream.unit)?.map(|found| {
                    let newer = found.head.saturating_sub(upstream.revision);
                    if newer == 0 {
                        format!(
                            "r{} of its upstream, which has nothing newer",
                            upstream.revision
                        )
                    } else {
                        format!(
                            "r{} of its upstream, which has {newer} newer",
                            upstream.revision
                        )
                    }
                }),
            };
            let mut applies = view.applies(MAX_APPLIES)?.into_iter();
            let apply =
                applies.find(|apply| apply.members.iter().any(|member| member.unit == unit.id));
            let gates = gates_of(&unit, &space, view.now()).into_iter();
            Ok(Known {
                reference: format!("{}/{}", space.slug, unit.slug),
                head: view.revision(unit.id, unit.head)?,
                gates: gates
                    .map(|gate| (gate.name.to_owned(), gate.reason))
                    .collect(),
                upstream,
                apply,
                unit,
                space,
            })
        })
    }

    fn of_target(&self, known: &Known, why: &mut Why) {
        let selection = Selection::of_unit(known.unit.id, known.unit.head);
        match self.live_states(&selection) {
            Err(error) => {
                why.say("live", format!("cannot be told: {error}"));
                return;
            }
            Ok(states) => states.iter().for_each(|state| of_live(state, why)),
        }
        match self.drift(&selection) {
            Err(error) => why.say("drift", format!("cannot be told: {error}")),
            Ok(found) => found.iter().for_each(|unit| of_drift(unit, why)),
        }
    }
}

fn of_store(known: &Known, why: &mut Why) {
    let (unit, reference) = (&known.unit, &known.reference);
    let reason = unit
        .status_reason
        .as_ref()
        .map(|reason| format!(": {reason}"));
    why.say(
        "unit",
        format!(
            "{reference} is {}{}",
            unit.status,
            reason.unwrap_or_default()
        ),
    );
    let head = &known.head;
    why.say(
        "head",
        format!(
            "r{} by {}, {}: {}",
            head.num,
            head.author,
            head.at.to_minutes(),
            head.description
        ),
    );
    match unit.live {
        Some(live) if live == unit.head => why.say("live", format!("r{live}, the head")),
        Some(live) => {
            why.say("live", format!("r{live}; r{} is not applied", unit.head));
            why.advise(
                format!("windlass unit apply {reference} --dry-run"),
                "shows what applying it would change",
            );
        }
        None => why.say("live", "nothing: it is not deployed"),
    }
    if let Some(upstream) = &known.upstream {
        why.say("upstream", upstream.clone());
    }
    for (gate, reason) in &known.gates {
        why.say("gate", format!("{gate}: {reason}"));
        if gate == crate::app::gate::HOLD {
            why.advise(format!("windlass unhold {reference}"), "ends the hold");
        } else {
            why.advise(
                format!("windlass conflict list {reference}"),
                "shows what is to be decided",
            );
        }
    }
}

fn of_apply(known: &Known, why: &mut Why) {
    let Some(apply) = &known.apply else {
        return;
    };
    let member = apply
        .members
        .iter()
        .find(|member| member.unit == known.unit.id);
    let step = member
        .map(|member| member.step.to_string())
        .unwrap_or_default();
    let end = match apply.ended {
        Some(ended) => format!("ended {}", ended.to_minutes()),
        None => "has not ended".to_owned(),
    };
    why.say(
        "last apply",
        format!(
            "{} ({}) by {}, {end}; this unit: {step}",
            apply.id, apply.verb, apply.by
        ),
    );
    if apply.unfinished().next().is_some() && apply.ended.is_some() {
        why.advise(
            format!("windlass unit apply --resume {}", apply.id),
            "what it left",
        );
        why.advise(
            format!("windlass rollback {}", apply.id),
            "back to before it, and held",
        );
    }
}

fn of_live(state: &LiveState, why: &mut Why) {
    why.say(
        "live",
        format!("{} on {}: {}", state.status, state.target, state.reason),
    );
    for object in &state.objects {
        why.say(
            "object",
            format!("{} {}: {}", object.resource, object.status, object.reason),
        );
        for pod in &object.pods {
            why.say("pod", format!("{} {}: {}", pod.pod, pod.state, pod.reason));
        }
    }
}

fn of_drift(unit: &UnitDrift, why: &mut Why) {
    let open = unit.open().count();
    if open == 0 {
        return;
    }
    let first: Vec<String> = unit
        .open()
        .take(3)
        .map(|row| format!("{} {}", row.resource, row.path))
        .collect();
    why.say("drift", format!("{open}: {}", first.join(", ")));
    why.advise(
        format!("windlass drift show {}", unit.reference),
        "applied, desired and live values",
    );
}
