//! The planners: patch, function, replacement, merge and restore.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::app::App;
use crate::app::Verb;
use crate::app::change::{ChangeOptions, Draft, Head, Plan};
use crate::app::json_patch;
use crate::app::merge_report::MergeCounts;
use crate::app::outcome::{Outcome, plural};
use crate::app::select::Selection;
use crate::error::Result;
use crate::model::{Bookkeeping, RevisionSource};
use crate::script::{Arguments, Subject};
use crate::yaml::merge::{MergeInput, Merged, Prefer, RowState, merge};
use crate::yaml::patch::{self, PatchOptions};
use crate::yaml::{Edit, PathSet, Stream};

/// Notes that are longer than this many characters are cut short.
const MAX_NOTE: usize = 40;

/// Values of more characters than this are not shown beside their path.
const MAX_SCALAR: usize = 24;

impl App {
    /// Merges `patch` into the data: objects by key, keyed lists by their key, null deletes; or
    /// applies it as RFC 6902 where it is an array.
    ///
    /// # Errors
    /// When the selection moved; failures of single units are in the outcome.
    pub fn patch(
        &self,
        selection: &Selection,
        patch: &Value,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let verb = Verb::with("patch", patch.clone());
        let description = format!("patch {}", brief(patch));
        self.change(selection, verb, options, &|head| {
            plan_patch(head, patch, &description)
        })
    }

    /// Runs a function over the units.
    ///
    /// # Errors
    /// When there is no such function, an argument is wrong, or the selection moved; failures of
    /// single units are in the outcome.
    pub fn run_function(
        &self,
        selection: &Selection,
        name: &str,
        args: &[Value],
        named: &serde_json::Map<String, Value>,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let function = self.catalogue()?.get(name)?;
        let arguments = Arguments::resolve(&function, args.to_vec(), named.clone())?;
        let call = arguments.to_string();
        let text = if call.is_empty() {
            name.to_owned()
        } else {
            format!("{name} {call}")
        };
        let source = RevisionSource::Function {
            name: name.to_owned(),
            args: call,
        };
        let verb = Verb::with(text.clone(), arguments.to_json().into());
        let plan = |head: &Head| {
            let labels = &head.unit.labels;
            let done = self.0.runner.call(
                &function,
                &arguments,
                &Subject {
                    stream: &head.stream,
                    slug: head.unit.slug.as_str(),
                    labels,
                    space_slug: head.space.slug.as_str(),
                    space_labels: &head.space.labels,
                    revision: head.unit.head,
                },
            )?;
            if let Some(reason) = done.skipped {
                return Ok(Plan::Skip(reason));
            }
            let mut draft = Draft::of(head, source.clone(), text.clone());
            own(head, &mut draft.bookkeeping, done.owned);
            draft.stream = done.stream;
            draft.edits = done.edits;
            Ok(Plan::Write(Box::new(draft)))
        };
        if let Some(outcome) = self.exhausted_by_first(selection, &text, &plan)? {
            return Ok(outcome);
        }
        self.change(selection, verb, options, &plan)
    }

    /// Replaces the data, always.
    ///
    /// # Errors
    /// When `text` is not valid, or the selection moved.
    pub fn update_text(
        &self,
        selection: &Selection,
        text: &str,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let stream = Stream::parse(text)?;
        self.change(selection, Verb::new("update"), options, &|head| {
            let mut draft = Draft::of(head, RevisionSource::Update, "replace the data");
            draft.stream = stream.clone();
            Ok(Plan::Write(Box::new(draft)))
        })
    }

    /// Merges what differs between two texts into the data: twice changes nothing.
    ///
    /// # Errors
    /// When a text is not valid, or the selection moved.
    pub fn merge_text(
        &self,
        selection: &Selection,
        base: &str,
        incoming: &str,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let base = Stream::parse(base)?;
        let incoming = Stream::parse(incoming)?;
        self.change(selection, Verb::new("merge text"), options, &|head| {
            let draft = Draft::of(
                head,
                RevisionSource::MergeText {
                    source: String::new(),
                },
                "merge a changed text",
            );
            merged(head, draft, &base, &incoming, Prefer::Local)
        })
    }
}

fn plan_patch(head: &Head, patch: &Value, description: &str) -> Result<Plan> {
    let resources = head.stream.resources();
    let resource = |document: usize| resources.get(document).cloned();
    let (edits, places): (Vec<Edit>, Vec<_>) = if patch.is_array() {
        let edits = json_patch::edits(&head.stream, patch)?;
        let named = |edit: &Edit| Some((resource(edit.document)?, edit.path.clone()));
        let places = edits.iter().filter_map(named).collect();
        (edits, places)
    } else {
        let options = PatchOptions {
            unit: Some(head.unit.slug.as_str()),
            document: None,
        };
        let patched = match patch::patch(&head.stream, patch, options) {
            Ok(patched) => patched,
            Err(
                error @ (patch::Error::NoResource { .. }
                | patch::Error::NoPlace { .. }
                | patch::Error::NoContainer { .. }),
            ) => return Ok(Plan::Skip(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let of = resource(patched.document);
        let places = patched
            .places
            .into_iter()
            .filter_map(|path| Some((of.clone()?, path)));
        (patched.edits, places.collect())
    };
    let mut draft = Draft::of(head, RevisionSource::Patch, description);
    draft.stream = head.stream.apply(&edits)?;
    own(head, &mut draft.bookkeeping, places);
    draft.edits = edits;
    Ok(Plan::Write(Box::new(draft)))
}

/// Marks paths as the variant's own: a merge keeps them, and says so where upstream changes them.
fn own(
    head: &Head,
    bookkeeping: &mut Bookkeeping,
    paths: Vec<(crate::yaml::ResourceId, crate::path::Path)>,
) {
    if head.unit.upstream.is_some() {
        for (resource, path) in paths {
            bookkeeping.owned.insert(Some(resource), path);
        }
    }
}

/// The plan of a three-way merge into the head.
pub(crate) fn merged(
    head: &Head,
    draft: Draft,
    base: &Stream,
    incoming: &Stream,
    prefer: Prefer,
) -> Result<Plan> {
    let input = MergeInput {
        base,
        incoming,
        local: &head.stream,
        owned: &head.bookkeeping.owned,
        protected: &head.bookkeeping.protected,
        prefer,
    };
    planned(draft, input)
}

/// As [`merged`], where the incoming text is the unit's own, edited elsewhere: what the unit owns or
/// protects is kept from others, not from whoever edits it.
pub(crate) fn merged_own(
    head: &Head,
    draft: Draft,
    base: &Stream,
    incoming: &Stream,
) -> Result<Plan> {
    let nothing = PathSet::default();
    let input = MergeInput {
        base,
        incoming,
        local: &head.stream,
        owned: &nothing,
        protected: &nothing,
        prefer: Prefer::Local,
    };
    planned(draft, input)
}

fn planned(mut draft: Draft, input: MergeInput<'_>) -> Result<Plan> {
    let merged = merge(input)?;
    draft.note = merge_note(&merged);
    draft.counts = merge_counts(&merged);
    draft.stream = merged.stream;
    draft.edits = merged.edits;
    draft.conflicts = merged.conflicts;
    Ok(Plan::Write(Box::new(draft)))
}

fn merge_counts(merged: &Merged) -> MergeCounts {
    let count = |state: RowState| {
        let rows = merged.conflicts.iter();
        rows.filter(|row| row.state == state).count()
    };
    let kept = merged.kept.iter().map(|kept| {
        let path = brief_path(&kept.path);
        match &kept.after {
            None => format!("{path} removed"),
            Some(value) => match scalar_in_words(value) {
                Some(value) => format!("{path} {value}"),
                None => path,
            },
        }
    });
    MergeCounts {
        taken: merged.taken.len(),
        conflicts: count(RowState::Open),
        protected: count(RowState::Kept),
        kept: kept.collect::<BTreeSet<_>>().into_iter().collect(),
    }
}

/// A number, a boolean or a short text, as it is written in a line.
fn scalar_in_words(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let is_short = !text.is_empty() && text.chars().count() <= MAX_SCALAR && !text.contains('\n');
    is_short.then_some(text)
}

/// What a merge did, in a line: `took 2, 1 conflict, kept replicas`.
fn merge_note(merged: &Merged) -> String {
    let mut note = format!("took {}", merged.taken.len());
    let count = |state: RowState| {
        let rows = merged.conflicts.iter();
        rows.filter(|row| row.state == state).count()
    };
    match count(RowState::Open) {
        0 => {}
        open => {
            let _ = write!(note, ", {}", plural(open, "conflict"));
        }
    }
    match count(RowState::Kept) {
        0 => {}
        protected => {
            let _ = write!(note, ", {protected} protected");
        }
    }
    let kept: BTreeSet<String> = merged
        .kept
        .iter()
        .map(|kept| brief_path(&kept.path))
        .collect();
    let mut rest = kept.len();
    let mut gap = ", kept ";
    for path in &kept {
        if rest < kept.len() && note.chars().count() + path.chars().count() > MAX_NOTE {
            let _ = write!(note, " and {rest} more");
            break;
        }
        note.push_str(gap);
        note.push_str(path);
        gap = ", ";
        rest -= 1;
    }
    note
}

/// A path without what every workload's begins with.
pub(crate) fn brief_path(path: &crate::path::Path) -> String {
    let text = path.to_string();
    let brief = ["spec.template.spec.", "spec."]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix));
    brief.unwrap_or(&text).to_owned()
}

fn brief(patch: &Value) -> String {
    let text = patch.to_string();
    match text.char_indices().nth(80) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
