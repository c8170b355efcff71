//! The three-way merge: what a variant made its own stays, what its upstream changed comes.
//!
//! Each place ends in one of three ways: local's state stays because incoming left it alone,
//! incoming's state is taken because local left it alone, or both changed it and there is a
//! [`ConflictRow`]. The walk decides on values (`walk`, `keyed`, `list`); the decisions make
//! a plan (`plan`); the plan makes edits onto local's text, and the result is compared with the
//! plan once more.

mod align;
mod comment;
mod keyed;
mod list;
mod mark;
mod plan;
mod row;
mod settle;
mod source;
mod walk;

use self::mark::Marks;
use self::plan::{Action, Plan, Writer, agrees};
use self::source::Source;
use self::walk::{Claims, Sides, Walk};
use super::diff::Comparison;
use super::tree::NodeRef;
use super::{
    Change, Content, Difference, Edit, Error, Fragment, PathSet, ResourceId, Stream, pair,
};
use crate::path::Path;

pub use self::row::{ConflictRow, Prefer, Reason, RowState};
pub use self::settle::{settle, take};

/// What [`merge`] works on.
#[derive(Debug, Clone, Copy)]
pub struct MergeInput<'a> {
    /// The common ancestor: what was taken from upstream last time.
    pub base: &'a Stream,
    /// What shall be taken now.
    pub incoming: &'a Stream,
    /// The text that is merged into.
    pub local: &'a Stream,
    /// Places that count as changed in local even where their values equal the base's.
    pub owned: &'a PathSet,
    /// Places that stay local's whatever incoming does; their rows are closed at birth.
    pub protected: &'a PathSet,
    /// Which side stands where both changed.
    pub prefer: Prefer,
}

/// What came out of a merge.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The merged text.
    pub stream: Stream,
    /// The edits that make it out of local; values only, where the text is incoming's own.
    pub edits: Vec<Edit>,
    /// What the merge changed in local.
    pub taken: Vec<Difference>,
    /// What local had changed and incoming did not touch.
    pub kept: Vec<Difference>,
    /// The places where it could not do both sides' will.
    pub conflicts: Vec<ConflictRow>,
}

/// Merges the changes from `base` to `incoming` into `local`.
///
/// Changed on one side only: that side. Changed alike: that, without a row. Changed on both: one
/// stands, and there is a row. Where local's text is base's and nothing is held back, the result
/// is incoming's text byte for byte; where incoming's is base's, local's.
///
/// # Errors
/// [`Error::Inexpressible`] when the merged text would not read as was decided, and what
/// [`Stream::apply`] refuses.
///
/// ```
/// use windlass::yaml::merge::{MergeInput, Prefer, merge};
/// use windlass::yaml::{PathSet, Stream};
///
/// let text = |replicas, image| {
///     let text = format!("kind: Deployment\nspec:\n  replicas: {replicas} # ours\n  image: {image}\n");
///     Stream::parse(&text).unwrap()
/// };
/// let merged = merge(MergeInput {
///     base: &text(1, "a:1"),
///     incoming: &text(1, "a:2"),
///     local: &text(3, "a:1"),
///     owned: &PathSet::default(),
///     protected: &PathSet::default(),
///     prefer: Prefer::Local,
/// })
/// .unwrap();
/// assert_eq!(merged.stream.text(), text(3, "a:2").text());
/// assert!(merged.conflicts.is_empty());
/// ```
pub fn merge(input: MergeInput<'_>) -> Result<Merged, Error> {
    let MergeInput {
        base,
        incoming,
        local,
        ..
    } = input;
    if base.text() == incoming.text() {
        return Ok(Merged {
            stream: local.clone(),
            edits: Vec::new(),
            taken: Vec::new(),
            kept: super::diff(base, local),
            conflicts: Vec::new(),
        });
    }
    let mut merger = Merger::new(input);
    let triples = documents(base, incoming, local);
    for triple in &triples {
        merger.document(*triple);
    }
    let mut edits = merger.edits;
    edits.append(&mut merger.removals);
    edits.append(&mut merger.additions);
    let all_taken = merger
        .conflicts
        .iter()
        .all(|row| row.state == RowState::Taken);
    let stream = if base.text() == local.text() && all_taken {
        incoming.clone()
    } else if edits.is_empty() {
        local.clone()
    } else {
        local.apply(&edits)?
    };
    let mut taken = Vec::new();
    check(&merger.outcomes, incoming, local, &stream, &mut taken)?;
    Ok(Merged {
        stream,
        edits,
        taken,
        kept: merger.kept,
        conflicts: merger.conflicts,
    })
}

/// The edits that turn the values of one text into those of another, with the second's comments
/// and style where it differs.
///
/// # Errors
/// As [`merge`].
pub fn edits_between(from: &Stream, to: &Stream) -> Result<Vec<Edit>, Error> {
    let none = PathSet::default();
    let merged = merge(MergeInput {
        base: from,
        incoming: to,
        local: from,
        owned: &none,
        protected: &none,
        prefer: Prefer::Local,
    })?;
    Ok(merged.edits)
}

/// The numbers of one document in base, incoming and local.
#[derive(Debug, Clone, Copy)]
struct Triple {
    base: Option<usize>,
    incoming: Option<usize>,
    local: Option<usize>,
}

/// Pairs the documents: those of local in their order, then those that it has not.
fn documents(base: &Stream, incoming: &Stream, local: &Stream) -> Vec<Triple> {
    let theirs = pair(base, incoming);
    let ours = pair(base, local);
    let added = pair(incoming, local);
    let of_base = |pairs: &[(Option<usize>, Option<usize>)], b: usize| {
        pairs.iter().find(|p| p.0 == Some(b)).and_then(|p| p.1)
    };
    let is_new =
        |pairs: &[(Option<usize>, Option<usize>)], at: usize| pairs.contains(&(None, Some(at)));
    let mut out: Vec<Triple> = (0..base.view().document_count())
        .map(|b| Triple {
            base: Some(b),
            incoming: of_base(&theirs, b),
            local: of_base(&ours, b),
        })
        .collect();
    for (i, l) in added {
        let i = i.filter(|i| is_new(&theirs, *i));
        let l = l.filter(|l| is_new(&ours, *l));
        if i.is_some() || l.is_some() {
            out.push(Triple {
                base: None,
                incoming: i,
                local: l,
            });
        }
    }
    out.sort_by_key(|t| (t.local.is_none(), t.local, t.incoming));
    out
}

/// What was decided about one document.
struct Decided<'a> {
    triple: Triple,
    resource: ResourceId,
    plan: Plan<'a>,
}

/// Goes through the documents and collects what is decided.
struct Merger<'a> {
    input: MergeInput<'a>,
    source: Source<'a>,
    edits: Vec<Edit>,
    removals: Vec<Edit>,
    additions: Vec<Edit>,
    kept: Vec<Difference>,
    conflicts: Vec<ConflictRow>,
    outcomes: Vec<Decided<'a>>,
}

impl<'a> Merger<'a> {
    fn new(input: MergeInput<'a>) -> Self {
        Self {
            input,
            source: Source::new(input.base, input.incoming, input.local),
            edits: Vec::new(),
            removals: Vec::new(),
            additions: Vec::new(),
            kept: Vec::new(),
            conflicts: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    fn document(&mut self, triple: Triple) {
        let root = |stream: &'a Stream, at: Option<usize>| stream.view().document(at?);
        let sides = Sides {
            base: root(self.input.base, triple.base),
            incoming: root(self.input.incoming, triple.incoming),
            local: root(self.input.local, triple.local),
        };
        let names: Vec<ResourceId> = [sides.local, sides.incoming, sides.base]
            .into_iter()
            .flatten()
            .map(ResourceId::of)
            .collect();
        let Some(resource) = names.first().cloned() else {
            return;
        };
        let known: Vec<&ResourceId> = names.iter().collect();
        let claims = Claims {
            owned: Marks::of(self.input.owned, &known),
            protected: Marks::of(self.input.protected, &known),
        };
        let mut walk = Walk {
            source: self.source,
            prefer: self.input.prefer,
            resource: resource.clone(),
            place: Vec::new(),
            rows: Vec::new(),
            kept: Vec::new(),
        };
        let plan = walk.document(sides, &claims);
        self.kept.append(&mut walk.kept);
        self.conflicts.append(&mut walk.rows);
        self.write(triple, sides.local, &plan);
        self.outcomes.push(Decided {
            triple,
            resource,
            plan,
        });
    }

    fn write(&mut self, triple: Triple, local: Option<NodeRef<'a>>, plan: &Plan<'a>) {
        let edit = |document, change| Edit {
            document,
            path: Path::root(),
            change,
        };
        match (&plan.action, triple.local) {
            (Action::Take { node, .. }, None) => {
                let content = Content::Source(Fragment::of(self.input.incoming, *node));
                let number = self.input.local.view().document_count() + self.additions.len();
                self.additions
                    .push(edit(number, Change::AddDocument(content)));
            }
            (Action::Remove, Some(at)) => {
                self.removals.insert(0, edit(at, Change::RemoveDocument));
            }
            (_, Some(at)) => {
                let mut writer = Writer {
                    incoming: self.input.incoming,
                    document: at,
                    edits: &mut self.edits,
                };
                writer.node(&Path::root(), plan, local);
            }
            (_, None) => {}
        }
    }
}

/// Compares the documents of the result with what was decided, and notes what changed in local.
fn check(
    outcomes: &[Decided<'_>],
    incoming: &Stream,
    local: &Stream,
    result: &Stream,
    taken: &mut Vec<Difference>,
) -> Result<(), Error> {
    // Where the text is incoming's own, its documents are.
    let verbatim = result.text() == incoming.text();
    let mut next = 0;
    for decided in outcomes {
        let Triple {
            incoming: theirs,
            local: ours,
            ..
        } = decided.triple;
        let before = ours.and_then(|at| local.view().document(at));
        if !decided.plan.leaves_node(before) {
            note(decided, before, None, taken);
            continue;
        }
        let at = if verbatim { theirs } else { Some(next) };
        next += 1;
        let after = at.and_then(|at| result.view().document(at));
        if !agrees(&decided.plan, before, after) {
            return Err(Error::Inexpressible { path: Path::root() });
        }
        note(decided, before, after, taken);
    }
    if result.view().document_count() == next {
        Ok(())
    } else {
        Err(Error::Inexpressible { path: Path::root() })
    }
}

fn note(
    decided: &Decided<'_>,
    before: Option<NodeRef<'_>>,
    after: Option<NodeRef<'_>>,
    taken: &mut Vec<Difference>,
) {
    if !decided.plan.is_keep() {
        Comparison::new(decided.resource.clone()).run(before, after, taken);
    }
}
