//! Lists without merge keys, and the lines of texts.

use super::align::{Part, Rule, Side, Woven, weave};
use super::plan::{Action, Plan, Slot};
use super::row::{Prefer, Reason, RowState};
use super::walk::{Claims, Sides, Walk, take};
use crate::path::Segment;
use crate::yaml::element::{fingerprint, keyed};
use crate::yaml::tree::NodeRef;

impl<'a> Walk<'a> {
    /// Decides about a list that both sides have.
    pub(super) fn lists(&mut self, sides: Sides<'a>, claims: &Claims<'_>) -> Action<'a> {
        let lists = [sides.base, sides.incoming, sides.local];
        if let Some([base, incoming, local]) = keyed(&self.resource.kind, &self.place, lists) {
            return self.keyed(&base, &incoming, &local, claims);
        }
        self.plain_lists(sides, claims)
    }

    fn plain_lists(&mut self, sides: Sides<'a>, claims: &Claims<'_>) -> Action<'a> {
        let nodes = [sides.base, sides.incoming, sides.local].map(|list| {
            list.into_iter()
                .flat_map(|list| list.items())
                .collect::<Vec<NodeRef<'a>>>()
        });
        let [base, incoming, local] = &nodes;
        let prints = nodes
            .each_ref()
            .map(|list| list.iter().copied().map(fingerprint).collect::<Vec<_>>());
        let claimed = |at: usize| {
            let sides = Sides {
                local: Some(local[at]),
                base: None,
                incoming: None,
            };
            claims.element(Some(at), sides)
        };
        let frozen: Vec<usize> = (0..local.len())
            .filter(|at| claims.touch() && claimed(*at).touch())
            .collect();
        let guarded = frozen.iter().any(|at| claimed(*at).protected.touches());
        let weave_with = |frozen: &[usize], winner| {
            let rule = Rule {
                frozen,
                winner,
                once: true,
            };
            weave(&prints[0], &prints[1], &prints[2], rule)
        };
        let winner = match self.prefer {
            Prefer::Incoming if !guarded => Side::Incoming,
            _ => Side::Local,
        };
        let mut woven = weave_with(&frozen, winner);
        if claims.owned.covers() {
            woven = self.whole_list(woven, &prints);
        }
        if woven.conflict {
            // What only the declaration holds back is closed at birth.
            let unclaimed: Vec<usize> = frozen
                .iter()
                .copied()
                .filter(|at| claimed(*at).owned.touches())
                .collect();
            let only_guarded =
                guarded && !weave_with(&unclaimed, Side::Local).conflict && !claims.owned.covers();
            match (only_guarded, guarded && self.prefer == Prefer::Incoming) {
                (true, _) => self.protected_row(sides),
                (false, true) => self.row(sides, Reason::List, RowState::Kept),
                (false, false) => {
                    self.decide(sides, Reason::List);
                }
            }
        } else {
            self.keep(sides);
        }
        self.woven(&woven, base, incoming, local, claims)
    }

    /// With the whole list owned, every change of incoming's that local has not already made is a
    /// conflict.
    fn whole_list(&self, woven: Woven, prints: &[Vec<String>; 3]) -> Woven {
        let [_, incoming, local] = prints;
        if woven.elements(incoming, local).into_iter().eq(local) && !woven.conflict {
            return woven;
        }
        let part = match self.prefer {
            Prefer::Local => Part::Of(Side::Local, 0..local.len()),
            Prefer::Incoming => Part::Of(Side::Incoming, 0..incoming.len()),
        };
        Woven {
            parts: vec![part],
            conflict: true,
        }
    }

    fn woven(
        &mut self,
        woven: &Woven,
        base: &[NodeRef<'a>],
        incoming: &[NodeRef<'a>],
        local: &[NodeRef<'a>],
        claims: &Claims<'_>,
    ) -> Action<'a> {
        let mut slots = Vec::new();
        for part in &woven.parts {
            match part {
                Part::Common {
                    local: l,
                    incoming: i,
                    base: b,
                    len,
                } => {
                    for step in 0..*len {
                        let sides = Sides {
                            base: Some(base[b + step]),
                            incoming: Some(incoming[i + step]),
                            local: Some(local[l + step]),
                        };
                        // Equal in value; only comments can differ.
                        self.place.push(Segment::Key((l + step).to_string()));
                        let plan = self.node(sides, &claims.element(Some(l + step), sides));
                        self.place.pop();
                        slots.push(Slot::Local(l + step, plan));
                    }
                }
                Part::Of(Side::Local, range) => {
                    slots.extend(range.clone().map(|at| Slot::Local(at, Plan::KEEP)));
                }
                Part::Of(Side::Incoming, range) => {
                    slots.extend(range.clone().map(|at| Slot::New {
                        node: incoming[at],
                        without: Vec::new(),
                    }));
                }
            }
        }
        listed(slots, local.len())
    }

    /// Decides about a text of several lines that both sides have.
    pub(super) fn lines(
        &mut self,
        sides: Sides<'a>,
        [base, incoming, local]: [&'a str; 3],
        owned: bool,
    ) -> Action<'a> {
        let split = |text: &'a str| text.split_inclusive('\n').collect::<Vec<_>>();
        let (b, i, l) = (split(base), split(incoming), split(local));
        let frozen: Vec<usize> = if owned {
            (0..l.len()).collect()
        } else {
            Vec::new()
        };
        let rule = Rule {
            frozen: &frozen,
            winner: match self.prefer {
                Prefer::Local => Side::Local,
                Prefer::Incoming => Side::Incoming,
            },
            once: false,
        };
        let woven = weave(&b, &i, &l, rule);
        let merged: String = woven.elements(&i, &l).into_iter().copied().collect();
        if woven.conflict || (owned && merged != local) {
            let prefer = self.decide(sides, Reason::OverlappingLines);
            if owned && prefer == Prefer::Local {
                return Action::Keep;
            }
        } else {
            self.keep(sides);
        }
        match sides.incoming {
            _ if merged == local => Action::Keep,
            Some(node) if merged == incoming => take(node),
            _ => Action::Text(merged),
        }
    }
}

/// A list of these elements; nothing if they are local's own, unchanged.
pub(super) fn listed(slots: Vec<Slot<'_>>, local_len: usize) -> Action<'_> {
    let own = |(at, slot): (usize, &Slot<'_>)| matches!(slot, Slot::Local(old, plan) if *old == at && plan.is_keep());
    if slots.len() == local_len && slots.iter().enumerate().all(own) {
        Action::Keep
    } else {
        Action::List(slots)
    }
}
