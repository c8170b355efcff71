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
            let Some(segment) = segment(row, base, incoming, local) else {
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
        if upstream || here {
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

/// The segment that names an element: by the keys it will have in the result.
fn segment(
    row: &Row<'_>,
    base: &Elements<'_>,
    incoming: &Elements<'_>,
    local: &Elements<'_>,
) -> Option<Segment> {
    match (row.base, row.incoming, row.local) {
        (Some(b), Some(i), Some(l)) if base.ids[b] == local.ids[l] && incoming.unique => {
            Some(incoming.segment(i))
        }
        (_, _, Some(l)) => Some(local.segment(l)),
        (_, Some(i), None) => Some(incoming.segment(i)),
        (Some(b), None, None) => Some(base.segment(b)),
        (None, None, None) => None,
    }
}

/// Pairs the elements of three versions, by key and by rename.
fn pair<'a>(base: &Elements<'_>, incoming: &Elements<'_>, local: &Elements<'_>) -> Vec<Row<'a>> {
    let theirs = renames(base, incoming);
    let ours = renames(base, local);
    // A new name that the other side also has, and not by the same rename, is that element's.
    let counts = |list: &Elements<'_>, at: usize, other: &Elements<'_>, same: Option<usize>| {
        other
            .find(&list.ids[at])
            .is_none_or(|found| same == Some(found))
    };
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (at, id) in base.ids.iter().enumerate() {
        let (i, l) = (theirs[at], ours[at]);
        let i = incoming
            .find(id)
            .or(i.filter(|i| counts(incoming, *i, local, l)));
        let l = local
            .find(id)
            .or(l.filter(|l| counts(local, *l, incoming, i)));
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
fn renames(base: &Elements<'_>, side: &Elements<'_>) -> Vec<Option<usize>> {
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
            let alike = likeness(base.nodes[from], side.nodes[to], base.keys);
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
