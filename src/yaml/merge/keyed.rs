//! Lists whose elements have merge keys: elements are merged by key, renames are followed, and the
//! order is a value of its own.

use super::list::listed;
use super::plan::{Action, Plan, Slot};
use super::row::{Prefer, Reason, RowState};
use super::source::value_text;
use super::walk::{Claims, Sides, Walk};
use crate::path::Segment;
use crate::yaml::diff::order_value;
use crate::yaml::element::{Elements, likeness, same};
use crate::yaml::tree::NodeRef;

/// From this share of equal leaves on, an element that went and one that came are the same one.
const RENAMED: f64 = 0.7;

/// Where the three versions of one element stand, and what becomes of it.
#[derive(Debug)]
struct Row<'a> {
    base: Option<usize>,
    incoming: Option<usize>,
    local: Option<usize>,
    plan: Plan<'a>,
    stays: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn keyed(
        &mut self,
        base: &Elements<'a>,
        incoming: &Elements<'a>,
        local: &Elements<'a>,
        claims: &Claims<'_>,
    ) -> Action<'a> {
        let mut rows = pair(base, incoming, local);
        for row in &mut rows {
            let sides = Sides {
                base: row.base.map(|at| base.nodes[at]),
                incoming: row.incoming.map(|at| incoming.nodes[at]),
                local: row.local.map(|at| local.nodes[at]),
            };
            let claims = claims.element(row.local, sides);
            let held = |name: &str| {
                let claims = claims.key(name);
                claims.protected.covers() || (claims.owned.covers() && self.prefer == Prefer::Local)
            };
            let Some(segment) = self.segment(row, [base, incoming, local], &held) else {
                continue;
            };
            self.place.push(segment);
            row.plan = self.node(sides, &claims);
            self.renamed(row, [base, incoming, local], sides);
            self.place.pop();
            row.stays = row.plan.leaves_node(sides.local);
        }
        let order = self.order(&rows, [base, incoming, local], &claims.order());
        let slots = order
            .into_iter()
            .filter_map(|at| {
                let row = &mut rows[at];
                let plan = std::mem::replace(&mut row.plan, Plan::KEEP);
                match (row.local, plan.action) {
                    (Some(at), action) => Some(Slot::Local(
                        at,
                        Plan {
                            action,
                            comments: plan.comments,
                        },
                    )),
                    (None, Action::Take { node, without }) => Some(Slot::New { node, without }),
                    (None, _) => None,
                }
            })
            .collect();
        listed(slots, local.nodes.len())
    }

    /// The segment that names an element: by the keys it will have in the result. `held` says
    /// which of local's keys stay.
    fn segment(
        &self,
        row: &Row<'_>,
        [base, incoming, local]: [&Elements<'_>; 3],
        held: &dyn Fn(&str) -> bool,
    ) -> Option<Segment> {
        let (b, i, l) = match (row.base, row.incoming, row.local) {
            (Some(b), Some(i), Some(l)) if incoming.unique && local.unique => (b, i, l),
            (_, _, Some(l)) => return Some(local.segment(l)),
            (_, Some(i), None) => return Some(incoming.segment(i)),
            (Some(b), None, None) => return Some(base.segment(b)),
            (None, None, None) => return None,
        };
        let fields = local.keys.iter().enumerate().map(|(at, key)| {
            let [b, i, l] = [
                &base.ids[b].values[at],
                &incoming.ids[i].values[at],
                &local.ids[l].values[at],
            ];
            let theirs = b != i && (b == l || self.prefer == Prefer::Incoming) && !held(key.name);
            let value = if theirs { i } else { l };
            (key.name.to_owned(), value.clone().into_owned())
        });
        Some(Segment::Match(fields.collect()))
    }

    /// Writes a row where one side renamed an element that the other changed inside.
    fn renamed(&mut self, row: &Row<'_>, lists: [&Elements<'a>; 3], sides: Sides<'a>) {
        let [base, incoming, local] = lists;
        let (Some(b), Some(i), Some(l)) = (row.base, row.incoming, row.local) else {
            return;
        };
        let (b, i, l) = (
            &base.ids[b].values,
            &incoming.ids[i].values,
            &local.ids[l].values,
        );
        let changed = |node: Option<NodeRef<'a>>| {
            let (Some(node), Some(before)) = (node, sides.base) else {
                return false;
            };
            differs_but_for(node, before, base)
        };
        let upstream = b != i && b == l && changed(sides.local);
        let here = b != l && b == i && changed(sides.incoming);
        // Both renamed it by different fields: it bears a name that neither gave it.
        let mixed = base.keys.len() > 1 && b != i && b != l && i != l;
        if upstream || here || mixed {
            let state = self.state();
            self.row(sides, Reason::Renamed, state);
        }
    }

    /// The order of the elements that stay: indexes of `rows`.
    fn order(
        &mut self,
        rows: &[Row<'_>],
        [base, incoming, local]: [&Elements<'_>; 3],
        claims: &Claims<'_>,
    ) -> Vec<usize> {
        let sorted = |by: &dyn Fn(&Row<'_>) -> Option<usize>, and: &dyn Fn(&Row<'_>) -> bool| {
            let mut found: Vec<usize> = (0..rows.len())
                .filter(|at| by(&rows[*at]).is_some() && and(&rows[*at]))
                .collect();
            found.sort_by_key(|at| by(&rows[*at]));
            found
        };
        let all = |_: &Row<'_>| true;
        let in_base = |row: &Row<'_>| row.base.is_some();
        let in_incoming = |row: &Row<'_>| row.incoming.is_some();
        let in_local = |row: &Row<'_>| row.local.is_some();
        let theirs = sorted(&|row| row.incoming, &all);
        let ours = sorted(&|row| row.local, &all);
        let they_moved =
            sorted(&|row| row.incoming, &in_base) != sorted(&|row| row.base, &in_incoming);
        let we_moved = sorted(&|row| row.local, &in_base) != sorted(&|row| row.base, &in_local);
        let agree =
            sorted(&|row| row.incoming, &in_local) == sorted(&|row| row.local, &in_incoming);
        let owned = claims.owned.covers() && they_moved;
        let mut follow_theirs = they_moved && !we_moved && !owned;
        if agree {
            follow_theirs = false;
        } else if claims.protected.covers() && they_moved {
            follow_theirs = false;
            self.order_row([base, incoming, local], Reason::Protected, RowState::Kept);
        } else if we_moved == they_moved || owned {
            let state = self.state();
            self.order_row([base, incoming, local], Reason::Order, state);
            follow_theirs = self.prefer == Prefer::Incoming;
        } else if we_moved {
            self.kept_order(base, local);
        }
        let (spine, others) = if follow_theirs {
            (theirs, ours)
        } else {
            (ours, theirs)
        };
        let stays = |at: &usize| rows[*at].stays;
        let spine: Vec<usize> = spine.into_iter().filter(stays).collect();
        let others: Vec<usize> = others.into_iter().filter(stays).collect();
        insert_behind_predecessors(spine, &others)
    }

    fn order_row(&mut self, lists: [&Elements<'_>; 3], reason: Reason, state: RowState) {
        let [base, incoming, local] = lists.map(|list| Some(value_text(&order_value(list))));
        self.place.push(Segment::Order);
        self.push_row([base, local, incoming], reason, state);
        self.place.pop();
    }

    fn kept_order(&mut self, base: &Elements<'_>, local: &Elements<'_>) {
        self.place.push(Segment::Order);
        self.kept.push(crate::yaml::diff::Difference {
            resource: self.resource.clone(),
            path: self.place.clone().into(),
            before: Some(order_value(base)),
            after: Some(order_value(local)),
        });
        self.place.pop();
    }
}

/// Puts each of `others` that is not in `spine` right behind the one before it.
fn insert_behind_predecessors(mut spine: Vec<usize>, others: &[usize]) -> Vec<usize> {
    let mut before = None;
    for at in others {
        if !spine.contains(at) {
            let place = before
                .and_then(|before| spine.iter().position(|found| *found == before))
                .map_or(0, |found| found + 1);
            spine.insert(place, *at);
        }
        before = Some(*at);
    }
    spine
}

/// Whether two elements differ in more than their keys.
fn differs_but_for(a: NodeRef<'_>, b: NodeRef<'_>, elements: &Elements<'_>) -> bool {
    let is_key = |name: &str| elements.keys.iter().any(|key| key.name == name);
    let within = |from: NodeRef<'_>, to: NodeRef<'_>| {
        from.entries()
            .filter(|(name, _)| !is_key(name))
            .all(|(name, value)| to.get(name).is_some_and(|found| same(found, value)))
    };
    !(within(a, b) && within(b, a))
}

/// Pairs the elements of three versions, by key and by rename.
fn pair<'a>(base: &Elements<'_>, incoming: &Elements<'_>, local: &Elements<'_>) -> Vec<Row<'a>> {
    let theirs = renames(base, incoming, local);
    let ours = renames(base, local, incoming);
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (at, id) in base.ids.iter().enumerate() {
        // Where the other side has the new name too: the same rename if it has lost the old one,
        // another element if not.
        let (i, l) = match (incoming.find(id), local.find(id)) {
            (None, None) => match (theirs[at], ours[at]) {
                (Some(i), l) => (Some(i), local.find(&incoming.ids[i]).or(l)),
                (None, Some(l)) => (incoming.find(&local.ids[l]), Some(l)),
                (None, None) => (None, None),
            },
            (None, l) => {
                let other = |i: &usize| local.find(&incoming.ids[*i]).is_none();
                (theirs[at].filter(other), l)
            }
            (i, None) => {
                let other = |l: &usize| incoming.find(&local.ids[*l]).is_none();
                (i, ours[at].filter(other))
            }
            both => both,
        };
        let i = i.filter(|i| !rows.iter().any(|row| row.incoming == Some(*i)));
        let l = l.filter(|l| !rows.iter().any(|row| row.local == Some(*l)));
        rows.push(row(Some(at), i, l));
    }
    for (at, id) in incoming.ids.iter().enumerate() {
        if !rows.iter().any(|row| row.incoming == Some(at)) {
            let free = |l: &usize| !rows.iter().any(|row| row.local == Some(*l));
            let l = local.find(id).filter(free);
            rows.push(row(None, Some(at), l));
        }
    }
    for at in 0..local.nodes.len() {
        if !rows.iter().any(|row| row.local == Some(at)) {
            rows.push(row(None, None, Some(at)));
        }
    }
    rows
}

fn row<'a>(base: Option<usize>, incoming: Option<usize>, local: Option<usize>) -> Row<'a> {
    Row {
        base,
        incoming,
        local,
        plan: Plan::KEEP,
        stays: false,
    }
}

/// For each element of `base` that `side` has not: the one of `side` that it became, if any.
///
/// It may also be like what the other side made of the element: then a merge put that in before.
fn renames(base: &Elements<'_>, side: &Elements<'_>, other: &Elements<'_>) -> Vec<Option<usize>> {
    let mut out = vec![None; base.ids.len()];
    let gone: Vec<usize> = (0..base.ids.len())
        .filter(|at| side.find(&base.ids[*at]).is_none())
        .collect();
    let came: Vec<usize> = (0..side.ids.len())
        .filter(|at| base.find(&side.ids[*at]).is_none())
        .collect();
    let mut pairs = Vec::new();
    for &from in &gone {
        for &to in &came {
            let theirs = other.find(&base.ids[from]).map(|at| other.nodes[at]);
            let alike = [Some(base.nodes[from]), theirs]
                .into_iter()
                .flatten()
                .filter_map(|before| likeness(before, side.nodes[to], base.keys))
                .max_by(f64::total_cmp);
            if let Some(alike) = alike.filter(|alike| *alike >= RENAMED) {
                pairs.push((alike, from, to));
            }
        }
    }
    // The likeliest first; among equals, in order.
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, from, to) in pairs {
        if out[from].is_none() && !out.contains(&Some(to)) {
            out[from] = Some(to);
        }
    }
    out
}
