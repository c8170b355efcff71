//! In which order units go to the cluster. Pure.

use crate::id::UnitId;

use super::error::Error;
use super::kind::Rank;

/// What the order of a unit depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The unit.
    pub unit: UnitId,
    /// The unit as `space/unit`, for messages.
    pub name: String,
    /// Its label `order`.
    pub order: Option<String>,
    /// The kinds of its objects.
    pub kinds: Vec<String>,
}

/// Batches of units: all of a batch may go at once, each batch after the one before.
///
/// Every label `order` n comes before every m > n. Within one order the kinds decide: a unit goes
/// with the earliest of its kinds, so that a namespace is there before what is put into it. Units
/// without the label go first if they hold what others stand on (namespaces, definitions, access,
/// config), else last. Units are destroyed in the reverse order: see [`destroy_order`].
///
/// ```
/// use windlass::deploy::{Placement, order};
/// use windlass::id::UnitId;
///
/// let unit = |id, order: Option<&str>, kind: &str| Placement {
///     unit: UnitId(id),
///     name: format!("s/u{id}"),
///     order: order.map(str::to_owned),
///     kinds: vec![kind.to_owned()],
/// };
/// let batches = order(&[
///     unit(1, Some("10"), "Deployment"),
///     unit(2, Some("9"), "Deployment"),
///     unit(3, Some("9"), "Service"),
///     unit(4, None, "Namespace"),
/// ])
/// .unwrap();
/// assert_eq!(batches, [[UnitId(4)], [UnitId(3)], [UnitId(2)], [UnitId(1)]]);
/// ```
///
/// # Errors
/// [`Error::Order`] when a label `order` is not a number.
pub fn order(units: &[Placement]) -> Result<Vec<Vec<UnitId>>, Error> {
    let mut keyed = Vec::with_capacity(units.len());
    for unit in units {
        keyed.push((key(unit)?, unit.unit));
    }
    // Stable: within a batch, the order given.
    keyed.sort_by(|(a, _), (b, _)| {
        let (stage, order, rank) = a;
        let (other_stage, other_order, other_rank) = b;
        stage
            .cmp(other_stage)
            .then(order.total_cmp(other_order))
            .then(rank.cmp(other_rank))
    });
    let mut batches: Vec<Vec<UnitId>> = Vec::new();
    let mut previous = None;
    for (key, unit) in keyed {
        match batches.last_mut() {
            Some(batch) if previous == Some(key) => batch.push(unit),
            _ => batches.push(vec![unit]),
        }
        previous = Some(key);
    }
    Ok(batches)
}

/// The reverse of [`order`]: what was applied last goes first.
///
/// # Errors
/// As [`order`].
pub fn destroy_order(units: &[Placement]) -> Result<Vec<Vec<UnitId>>, Error> {
    let mut batches = order(units)?;
    batches.reverse();
    for batch in &mut batches {
        batch.reverse();
    }
    Ok(batches)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Foundation,
    Numbered,
    Rest,
}

fn key(unit: &Placement) -> Result<(Stage, f64, Rank), Error> {
    let rank = unit
        .kinds
        .iter()
        .map(|kind| Rank::of(kind))
        .min()
        .unwrap_or(Rank::Edge);
    let Some(label) = &unit.order else {
        let stage = if rank < Rank::Service {
            Stage::Foundation
        } else {
            Stage::Rest
        };
        return Ok((stage, 0.0, rank));
    };
    match label.trim().parse::<f64>() {
        // Adding zero makes `-0` and `0` one order.
        Ok(number) if number.is_finite() => Ok((Stage::Numbered, number + 0.0, rank)),
        _ => Err(Error::Order {
            unit: unit.name.clone(),
            found: label.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `id:order:Kind+Kind …` to `1,2 3` (batches).
    fn ordered(units: &str) -> Result<String, Error> {
        let placements: Vec<Placement> = units
            .split_whitespace()
            .map(|unit| {
                let mut parts = unit.split(':');
                let mut part = || parts.next().expect("three parts");
                let id = part();
                let order = part();
                Placement {
                    unit: id.parse().expect("a number"),
                    name: format!("s/{id}"),
                    order: (order != "-").then(|| order.to_owned()),
                    kinds: part().split('+').map(str::to_owned).collect(),
                }
            })
            .collect();
        let shown = |batch: &Vec<UnitId>| {
            let ids: Vec<String> = batch.iter().map(|id| id.0.to_string()).collect();
            ids.join(",")
        };
        let forward: Vec<String> = order(&placements)?.iter().map(shown).collect();
        let mut back = destroy_order(&placements)?;
        back.reverse();
        for batch in &mut back {
            batch.reverse();
        }
        let back: Vec<String> = back.iter().map(shown).collect();
        Ok(if back == forward {
            forward.join(" ")
        } else {
            format!("{forward:?} and back {back:?}")
        })
    }

    #[test]
    fn orders() {
        for (units, expected) in [
            ("", ""),
            ("1:-:Deployment 2:-:Namespace", "2 1"),
            ("1:10:Deployment 2:9:Deployment", "2 1"),
            ("1:1:Ingress 2:2:Namespace", "1 2"),
            ("1:1:Deployment 2:1:Service 3:1:Deployment", "2 1,3"),
            ("1:3:Deployment 2:-:ConfigMap 3:-:Deployment", "2 1 3"),
            ("1:1:Namespace+Deployment 2:1:ConfigMap", "1 2"),
            (
                "1:-:Ingress 2:-:Deployment 3:-:Service 4:-:Secret 5:-:Role 6:-:CustomResourceDefinition 7:-:Namespace",
                "7 6 5 4 3 2 1",
            ),
            ("1:-:Widget 2:-:Deployment", "2 1"),
            (
                "1:-0:Deployment 2:0:Deployment 3:-1:Deployment 4:0.5:Deployment",
                "3 1,2 4",
            ),
        ] {
            assert_eq!(ordered(units).expect("an order"), expected, "{units}");
        }
        for bad in ["1:first:Pod", "1:nan:Pod", "1::Pod"] {
            assert!(matches!(ordered(bad), Err(Error::Order { .. })), "{bad}");
        }
    }
}
