//! The walk over three versions of one document that decides about every place.

use super::comment;
use super::mark::Marks;
use super::plan::{Action, Plan};
use super::row::{ConflictRow, Prefer, Reason, RowState};
use super::source::{Source, value_text};
use crate::path::{Path, Segment};
use crate::yaml::ResourceId;
use crate::yaml::diff::{Comparison, Difference};
use crate::yaml::element::{keyed, same, same_state};
use crate::yaml::schema::{self, Union};
use crate::yaml::tree::{Kind, NodeRef, Scalar};

/// The three versions of one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) base: Option<NodeRef<'a>>,
    pub(super) incoming: Option<NodeRef<'a>>,
    pub(super) local: Option<NodeRef<'a>>,
}

impl<'a> Sides<'a> {
    /// The three versions of an entry of this map.
    fn get(&self, key: &str) -> Self {
        self.map(|node| node.get(key))
    }

    pub(super) fn map(&self, inner: impl Fn(NodeRef<'a>) -> Option<NodeRef<'a>>) -> Self {
        Self {
            base: self.base.and_then(&inner),
            incoming: self.incoming.and_then(&inner),
            local: self.local.and_then(inner),
        }
    }

    /// Whether both of the sides that are merged are of this kind.
    fn both_are(&self, kind: Kind) -> bool {
        let is = |node: Option<NodeRef<'a>>| node.is_some_and(|n| n.kind() == kind);
        is(self.incoming) && is(self.local)
    }

    /// The sides, without a base of another kind.
    fn of_kind(&self, kind: Kind) -> Self {
        Self {
            base: self.base.filter(|n| n.kind() == kind),
            ..*self
        }
    }
}

/// The owned and protected places that lead to a node or into it.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims<'p> {
    pub(super) owned: Marks<'p>,
    pub(super) protected: Marks<'p>,
}

impl Claims<'_> {
    pub(super) fn touch(&self) -> bool {
        self.owned.touches() || self.protected.touches()
    }

    pub(super) fn key(&self, key: &str) -> Self {
        Self {
            owned: self.owned.key(key),
            protected: self.protected.key(key),
        }
    }

    pub(super) fn element(&self, index: Option<usize>, sides: Sides<'_>) -> Self {
        let nodes = [sides.local, sides.incoming, sides.base];
        Self {
            owned: self.owned.element(index, &nodes),
            protected: self.protected.element(index, &nodes),
        }
    }

    pub(super) fn order(&self) -> Self {
        Self {
            owned: self.owned.order(),
            protected: self.protected.order(),
        }
    }
}

/// The walk over one document.
pub(super) struct Walk<'a> {
    pub(super) source: Source<'a>,
    pub(super) prefer: Prefer,
    pub(super) resource: ResourceId,
    pub(super) place: Vec<Segment>,
    pub(super) rows: Vec<ConflictRow>,
    pub(super) kept: Vec<Difference>,
}

impl<'a> Walk<'a> {
    /// Decides about a whole document.
    pub(super) fn document(&mut self, sides: Sides<'a>, claims: &Claims<'_>) -> Plan<'a> {
        match (sides.base, sides.incoming, sides.local) {
            (Some(_), Some(_), None) if !same_state(sides.base, sides.incoming) => {
                match (self.decide(sides, Reason::Document), sides.incoming) {
                    (Prefer::Incoming, Some(node)) => Plan::take(node),
                    _ => Plan::KEEP,
                }
            }
            (Some(base), None, Some(local)) => {
                if same(base, local) && !claims.touch() {
                    Action::Remove.into()
                } else if claims.protected.touches() {
                    // What only the declaration holds back is closed at birth.
                    if same(base, local) && !claims.owned.touches() {
                        self.protected_row(sides);
                    } else {
                        self.row(sides, Reason::Document, self.held_state());
                    }
                    Plan::KEEP
                } else if self.decide(sides, Reason::Document) == Prefer::Incoming {
                    Action::Remove.into()
                } else {
                    Plan::KEEP
                }
            }
            (None, Some(node), None) => Plan::take(node),
            _ => self.node(sides, claims),
        }
    }

    /// The state of a row whose place also holds something protected, so that it stays anyway.
    pub(super) fn held_state(&self) -> RowState {
        match self.prefer {
            Prefer::Local => RowState::Open,
            Prefer::Incoming => RowState::Kept,
        }
    }

    /// Decides about a node: its value and its comments.
    pub(super) fn node(&mut self, sides: Sides<'a>, claims: &Claims<'_>) -> Plan<'a> {
        if self.source.upstream_left_it(sides) {
            self.keep(sides);
            return Plan::KEEP;
        }
        let mut plan: Plan<'a> = self.value(sides, claims).into();
        if !claims.protected.covers()
            && let (Some(incoming), Some(local)) = (sides.incoming, sides.local)
            && !matches!(plan.action, Action::Remove)
        {
            plan.comments = comment::merge(&self.source, sides.base, incoming, local);
        }
        plan
    }

    fn value(&mut self, sides: Sides<'a>, claims: &Claims<'_>) -> Action<'a> {
        let Sides {
            base,
            incoming,
            local,
        } = sides;
        let upstream_changed = !same_state(base, incoming);
        if upstream_changed && same_state(incoming, local) && local.is_none() {
            return Action::Keep;
        }
        if claims.protected.covers() {
            if upstream_changed && !same_state(incoming, local) {
                self.protected_row(sides);
            } else if !upstream_changed {
                self.keep(sides);
            }
            return Action::Keep;
        }
        if sides.both_are(Kind::Map) {
            return self.maps(sides.of_kind(Kind::Map), claims);
        }
        if sides.both_are(Kind::List) {
            return self.lists(sides.of_kind(Kind::List), claims);
        }
        if !upstream_changed {
            self.keep(sides);
            return Action::Keep;
        }
        if same_state(incoming, local) {
            return Action::Keep;
        }
        let locally = claims.owned.covers() || !same_state(base, local);
        match (incoming, local) {
            (None, Some(_)) => self.removed_upstream(sides, claims, locally),
            (Some(node), None) if base.is_some() => self.removed_here(sides, node),
            (Some(node), None) => self.added_upstream(sides, claims, node),
            (Some(node), Some(_)) if !locally => take(node),
            (Some(_), Some(_)) => self.changed_scalars(sides, claims),
            (None, None) => Action::Keep,
        }
    }

    fn removed_upstream(
        &mut self,
        sides: Sides<'a>,
        claims: &Claims<'_>,
        locally: bool,
    ) -> Action<'a> {
        if !locally && !claims.touch() {
            return Action::Remove;
        }
        if claims.protected.touches() {
            // Only what nobody but the declaration holds back is closed at birth.
            if locally || claims.owned.touches() {
                self.row(sides, Reason::RemovedIncoming, self.held_state());
            } else {
                self.protected_row(sides);
            }
            return Action::Keep;
        }
        match self.decide(sides, Reason::RemovedIncoming) {
            Prefer::Local => Action::Keep,
            Prefer::Incoming => Action::Remove,
        }
    }

    fn removed_here(&mut self, sides: Sides<'a>, incoming: NodeRef<'a>) -> Action<'a> {
        match self.decide(sides, Reason::RemovedLocally) {
            Prefer::Local => Action::Keep,
            Prefer::Incoming => take(incoming),
        }
    }

    fn added_upstream(
        &mut self,
        sides: Sides<'a>,
        claims: &Claims<'_>,
        node: NodeRef<'a>,
    ) -> Action<'a> {
        if claims.owned.covers() {
            return self.removed_here(sides, node);
        }
        let element = node.key().is_none();
        if element || !claims.touch() {
            return take(node);
        }
        let mut without = Vec::new();
        self.withhold(node, claims, &Path::root(), &mut without);
        if !node.is_empty() && leaves_nothing(node, &without) {
            return Action::Keep;
        }
        Action::Take { node, without }
    }

    /// Finds what must not come along with a node that only incoming has, and writes its rows.
    ///
    /// Elements of lists come whole or not at all: without their own `image` they would be of no
    /// use, and local has nothing there that could be lost.
    fn withhold(
        &mut self,
        node: NodeRef<'a>,
        claims: &Claims<'_>,
        inner: &Path,
        out: &mut Vec<Path>,
    ) {
        let elements = keyed(&self.resource.kind, &self.place, [Some(node)]);
        for (at, child) in node.items().enumerate() {
            let sides = Sides {
                base: None,
                incoming: Some(child),
                local: None,
            };
            let (step, claims) = match child.key() {
                Some(key) => (Segment::Key(key.to_owned()), claims.key(key)),
                None => (Segment::Key(at.to_string()), claims.element(None, sides)),
            };
            let shown = elements
                .as_ref()
                .map_or_else(|| step.clone(), |[list]| list.segment(at));
            let inner = inner.join(step);
            self.place.push(shown);
            if claims.protected.covers() {
                self.protected_row(sides);
                out.push(inner);
            } else if claims.owned.covers() {
                if self.decide(sides, Reason::RemovedLocally) == Prefer::Local {
                    out.push(inner);
                }
            } else if claims.touch() && child.key().is_some() {
                self.withhold(child, &claims, &inner, out);
            }
            self.place.pop();
        }
    }

    pub(super) fn changed_scalars(&mut self, sides: Sides<'a>, claims: &Claims<'_>) -> Action<'a> {
        if let Some(texts) = texts(sides) {
            return self.lines(sides, texts, claims.owned.covers());
        }
        match (self.decide(sides, Reason::BothChanged), sides.incoming) {
            (Prefer::Incoming, Some(node)) => take(node),
            _ => Action::Keep,
        }
    }

    fn maps(&mut self, sides: Sides<'a>, claims: &Claims<'_>) -> Action<'a> {
        let (Some(incoming), Some(local)) = (sides.incoming, sides.local) else {
            return Action::Keep;
        };
        let mut plans: Vec<(&'a str, Plan<'a>)> = Vec::new();
        let mut decided = Vec::new();
        if let Some(union) = schema::union(&self.resource.kind, &self.place)
            && self.unions(union, sides, claims, &mut plans)
        {
            decided = union.members();
        }
        let only_incoming = incoming
            .entries()
            .filter(|(key, _)| local.get(key).is_none());
        for (key, _) in local.entries().chain(only_incoming) {
            if decided.contains(&key) {
                continue;
            }
            self.place.push(Segment::Key(key.to_owned()));
            let plan = self.node(sides.get(key), &claims.key(key));
            self.place.pop();
            if !plan.is_keep() {
                plans.push((key, plan));
            }
        }
        if plans.is_empty() {
            Action::Keep
        } else {
            Action::Map(plans)
        }
    }

    /// Decides about the members of a union as one value where the sides chose differently; false
    /// where they did not, and the members are merged like other fields.
    fn unions(
        &mut self,
        union: Union,
        sides: Sides<'a>,
        claims: &Claims<'_>,
        plans: &mut Vec<(&'a str, Plan<'a>)>,
    ) -> bool {
        if !chose_differently(union, sides) {
            return false;
        }
        let members = union.members();
        let equal = |a: Option<NodeRef<'a>>, b: Option<NodeRef<'a>>| {
            let member = |side: Option<NodeRef<'a>>, name| side.and_then(|map| map.get(name));
            members
                .iter()
                .all(|name| same_state(member(a, name), member(b, name)))
        };
        let changed = |marks: &Marks<'_>| members.iter().any(|name| marks.key(name).touches());
        if equal(sides.base, sides.incoming) {
            for name in &members {
                self.place.push(Segment::Key((*name).to_owned()));
                self.keep(sides.get(name));
                self.place.pop();
            }
            return true;
        }
        if changed(&claims.protected) {
            self.union_row(union, sides, Reason::Protected, RowState::Kept);
            return true;
        }
        if !equal(sides.base, sides.local) || changed(&claims.owned) {
            let state = self.state();
            self.union_row(union, sides, Reason::Union, state);
            if self.prefer == Prefer::Local {
                return true;
            }
        }
        let (Some(from), Some(to)) = (sides.incoming, sides.local) else {
            return true;
        };
        for (key, _) in to.entries().filter(|(key, _)| members.contains(key)) {
            if from.get(key).is_none() {
                plans.push((key, Action::Remove.into()));
            }
        }
        for (key, node) in from.entries().filter(|(key, _)| members.contains(key)) {
            if !to.get(key).is_some_and(|there| same(there, node)) {
                plans.push((key, Plan::take(node)));
            }
        }
        true
    }

    /// Notes what local changed and incoming did not touch.
    pub(super) fn keep(&mut self, sides: Sides<'_>) {
        if same_state(sides.base, sides.local) {
            return;
        }
        let mut comparison = Comparison::at(self.resource.clone(), self.place.clone());
        comparison.run(sides.base, sides.local, &mut self.kept);
    }

    pub(super) fn state(&self) -> RowState {
        match self.prefer {
            Prefer::Local => RowState::Open,
            Prefer::Incoming => RowState::Taken,
        }
    }

    /// Writes a row for a place that both sides changed, and says which side stands.
    pub(super) fn decide(&mut self, sides: Sides<'_>, reason: Reason) -> Prefer {
        let state = self.state();
        self.row(sides, reason, state);
        self.prefer
    }

    pub(super) fn protected_row(&mut self, sides: Sides<'_>) {
        self.row(sides, Reason::Protected, RowState::Kept);
    }

    pub(super) fn row(&mut self, sides: Sides<'_>, reason: Reason, state: RowState) {
        let texts = [
            sides.base.map(|node| self.source.base_text(node)),
            sides.local.map(|node| self.source.local_text(node)),
            sides.incoming.map(|node| self.source.incoming_text(node)),
        ];
        self.push_row(texts, reason, state);
    }

    fn union_row(&mut self, union: Union, sides: Sides<'_>, reason: Reason, state: RowState) {
        let text = |side: Option<NodeRef<'_>>| members_text(union, side?);
        let texts = [text(sides.base), text(sides.local), text(sides.incoming)];
        self.push_row(texts, reason, state);
    }

    pub(super) fn push_row(
        &mut self,
        [base, local, incoming]: [Option<String>; 3],
        reason: Reason,
        state: RowState,
    ) {
        self.rows.push(ConflictRow {
            resource: self.resource.clone(),
            path: Path::from(self.place.clone()),
            base,
            local,
            incoming,
            reason,
            state,
        });
    }
}

pub(super) fn take(node: NodeRef<'_>) -> Action<'_> {
    Action::Take {
        node,
        without: Vec::new(),
    }
}

/// Whether incoming and local each have a member that the other has not, or chose two values.
fn chose_differently(union: Union, sides: Sides<'_>) -> bool {
    let (Some(incoming), Some(local)) = (sides.incoming, sides.local) else {
        return false;
    };
    match union {
        Union::OneOf(members) => {
            let lacks = |a: NodeRef<'_>, b: NodeRef<'_>| {
                let only = |name: &&str| a.get(name).is_some() && b.get(name).is_none();
                members.iter().any(only)
            };
            lacks(incoming, local) && lacks(local, incoming)
        }
        Union::Chosen { by, default, .. } => {
            let choice = |map: NodeRef<'_>| match map.get(by).and_then(|node| node.scalar()) {
                Some(Scalar::Str(text)) => text.to_owned(),
                _ => default.to_owned(),
            };
            choice(incoming) != choice(local)
        }
    }
}

/// The members of a union that a map has, as a text; none if it has none.
pub(super) fn members_text(union: Union, map: NodeRef<'_>) -> Option<String> {
    let members: serde_json::Map<_, _> = map
        .entries()
        .filter(|(key, _)| union.members().contains(key))
        .map(|(key, node)| (key.to_owned(), node.to_value()))
        .collect();
    (!members.is_empty()).then(|| value_text(&serde_json::Value::Object(members)))
}

/// The three texts, if all are and the base has lines.
fn texts<'a>(sides: Sides<'a>) -> Option<[&'a str; 3]> {
    let text = |node: Option<NodeRef<'a>>| match node?.scalar()? {
        Scalar::Str(text) => Some(text),
        _ => None,
    };
    let base = text(sides.base)?;
    base.trim_end_matches('\n').contains('\n').then_some([
        base,
        text(sides.incoming)?,
        text(sides.local)?,
    ])
}

/// Whether all entries or elements of a node are withheld.
fn leaves_nothing(node: NodeRef<'_>, without: &[Path]) -> bool {
    without.iter().filter(|path| path.len() == 1).count() == node.len()
}
