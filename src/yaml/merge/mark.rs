//! Owned and protected places, followed down the tree step by step.

use crate::path::Segment;
use crate::yaml::tree::NodeRef;
use crate::yaml::{PathSet, ResourceId};

/// What is left of the paths of a set that lead to the node where the walk is, or into it.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks<'p>(Vec<&'p [Segment]>);

impl<'p> Marks<'p> {
    /// The paths of a resource, whichever of its names the set knows it by.
    pub(super) fn of(set: &'p PathSet, names: &[&ResourceId]) -> Self {
        let paths = set
            .iter()
            .filter(|(resource, _)| resource.is_none_or(|named| names.contains(&named)));
        Self(paths.map(|(_, path)| path.segments()).collect())
    }

    /// Whether the node or one around it is in the set.
    pub(super) fn covers(&self) -> bool {
        self.0.iter().any(|rest| rest.is_empty())
    }

    /// Whether the node, one around it or one inside of it is in the set.
    pub(super) fn touches(&self) -> bool {
        !self.0.is_empty()
    }

    /// The marks of an entry of this map.
    pub(super) fn key(&self, key: &str) -> Self {
        self.step(|segment| match segment {
            Segment::Key(wanted) => wanted == key,
            Segment::Any => true,
            Segment::Match(_) | Segment::Order => false,
        })
    }

    /// The marks of an element of this list: `nodes` are its versions, `index` its place in local.
    pub(super) fn element(&self, index: Option<usize>, nodes: &[Option<NodeRef<'_>>]) -> Self {
        self.step(|segment| match segment {
            Segment::Any => true,
            Segment::Key(_) => index.is_some() && segment.index() == index,
            Segment::Match(fields) => nodes.iter().flatten().any(|node| node.reads_as(fields)),
            Segment::Order => false,
        })
    }

    /// The marks of the order of this list.
    pub(super) fn order(&self) -> Self {
        self.step(|segment| *segment == Segment::Order)
    }

    fn step(&self, fits: impl Fn(&Segment) -> bool) -> Self {
        let next = self.0.iter().filter_map(|rest| match rest.split_first() {
            None => Some(*rest),
            Some((first, rest)) => fits(first).then_some(rest),
        });
        Self(next.collect())
    }
}
