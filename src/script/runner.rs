//! Calling a function on a unit: all edits or none.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Array, CallFnOptions, Dynamic, EvalAltResult, Map, Scope as Variables};
use serde_json::Value;

use super::arguments::Arguments;
use super::draft::{Draft, Finished};
use super::error::{Error, Fault, Result};
use super::function::{Function, Kind, Scope};
use super::limits::{Limits, Meter};
use super::native::Skip;
use super::node::{Node, json};
use super::unit::{Space, Unit};
use super::{engine, translate, value};
use crate::path::Path;
use crate::yaml::{Edit, ResourceId, Stream};

/// What a function may see of a unit.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The unit's text.
    pub stream: &'a Stream,
    /// The unit's slug.
    pub slug: &'a str,
    /// The unit's labels.
    pub labels: &'a BTreeMap<String, String>,
    /// The slug of its space.
    pub space_slug: &'a str,
    /// The labels of its space.
    pub space_labels: &'a BTreeMap<String, String>,
    /// The revision that `stream` is.
    pub revision: u32,
}

/// A value that a query found.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The resource it was found in; none for a function over the whole unit.
    pub resource: Option<ResourceId>,
    /// The value.
    pub value: Value,
}

/// Something that a validation found wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The resource; none for a function over the whole unit.
    pub resource: Option<ResourceId>,
    /// The place in it; the root when the function gave none.
    pub path: Path,
    /// What is wrong.
    pub message: String,
}

/// What a call did.
#[derive(Debug, Clone)]
pub struct Call {
    /// The unit's text afterwards; the text before where nothing changed.
    pub stream: Stream,
    /// The changes, each seeing the ones before it.
    pub edits: Vec<Edit>,
    /// Paths that the function named, so that they are the variant's own now.
    pub owned: Vec<(ResourceId, Path)>,
    /// What a query found, in the order of the resources.
    pub rows: Vec<Row>,
    /// What a validation found wrong.
    pub findings: Vec<Finding>,
    /// Why nothing was done, when that is so for every resource.
    pub skipped: Option<String>,
    /// How many resources the function acted on.
    pub acted: usize,
    /// What the function printed.
    pub printed: Vec<String>,
}

/// Calls functions. Free to make, shared by threads.
///
/// Calls run on threads with large stacks; work on many units does well to run its loop there,
/// in [`engine::pool`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Runner(());

impl Runner {
    /// Makes a runner.
    pub fn new() -> Self {
        Self(())
    }

    /// Calls `function` on a unit.
    ///
    /// # Errors
    ///
    /// When the code fails, runs out of its allowance or returns what its kind does not return,
    /// or when its edits cannot be written. Then nothing was changed.
    pub fn call(
        &self,
        function: &Function,
        arguments: &Arguments,
        subject: &Subject<'_>,
    ) -> Result<Call> {
        if engine::pool().current_thread_index().is_some() {
            return call(function, arguments, subject);
        }
        engine::on_large_stack(|| call(function, arguments, subject))
    }
}

fn call(function: &Function, arguments: &Arguments, subject: &Subject<'_>) -> Result<Call> {
    let meter = Meter::start(Limits::FUNCTION);
    let draft = Arc::new(Draft::new(
        subject.stream.clone(),
        function.kind == Kind::Mutate,
    ));
    let mut run = Run {
        function,
        arguments,
        draft: &draft,
        rows: Vec::new(),
        acted: 0,
    };
    let skipped = match function.scope {
        Scope::Resource => run.resources(subject)?,
        Scope::Unit => run.unit(subject)?,
    };
    let Run { rows, acted, .. } = run;
    let Finished {
        stream,
        edits,
        owned,
    } = draft.finish()?;
    let mut call = Call {
        stream,
        edits,
        owned,
        rows: Vec::new(),
        findings: Vec::new(),
        skipped: skipped.filter(|_| acted == 0),
        acted,
        printed: meter.take_printed(),
    };
    if rows.is_empty() {
        return Ok(call);
    }
    let resources = subject.stream.resources();
    for (document, returned) in rows {
        let resource = document.and_then(|document| resources.get(document).cloned());
        match function.kind {
            Kind::Mutate => {}
            Kind::Query if returned.is_unit() => {}
            Kind::Query => {
                let value = json("a query's result", &returned).map_err(|e| at(function, e))?;
                call.rows.push(Row { resource, value });
            }
            Kind::Validate => {
                findings(&returned, resource.as_ref(), &mut call.findings)
                    .map_err(|error| at(function, error))?;
            }
        }
    }
    Ok(call)
}

fn at(function: &Function, error: Error) -> Error {
    let location = translate::function_location(function);
    error.at(location, Some(Arc::clone(&function.source)))
}

struct Run<'a> {
    function: &'a Function,
    arguments: &'a Arguments,
    draft: &'a Arc<Draft>,
    rows: Vec<(Option<usize>, Dynamic)>,
    acted: usize,
}

impl Run<'_> {
    /// Calls the function for each resource that it applies to; why none was acted on.
    fn resources(&mut self, subject: &Subject<'_>) -> Result<Option<String>> {
        let view = subject.stream.view();
        let mut skipped = None;
        for document in 0..view.document_count() {
            let Some(root) = view.document(document) else {
                continue;
            };
            let text = |key| {
                root.get(key)
                    .and_then(|node| super::look::Look::Tree(node).as_str())
            };
            let (version, kind) = (text("apiVersion"), text("kind"));
            if !self
                .function
                .applies_to(version.unwrap_or(""), kind.unwrap_or(""))
            {
                continue;
            }
            let node = Node::root(self.draft, document);
            match self.invoke(Dynamic::from(node), Some(document))? {
                Some(reason) => drop(skipped.get_or_insert(reason)),
                None => self.acted += 1,
            }
        }
        Ok(skipped.or_else(|| Some(nothing_fits(self.function))))
    }

    fn unit(&mut self, subject: &Subject<'_>) -> Result<Option<String>> {
        let unit = Unit {
            draft: Arc::clone(self.draft),
            slug: subject.slug.into(),
            labels: Arc::new(subject.labels.clone()),
            revision: subject.revision,
            space: Space {
                slug: subject.space_slug.into(),
                labels: Arc::new(subject.space_labels.clone()),
            },
        };
        let skipped = self.invoke(Dynamic::from(unit), None)?;
        self.acted = usize::from(skipped.is_none());
        Ok(skipped)
    }

    /// One call; the reason if the function skipped.
    fn invoke(&mut self, subject: Dynamic, document: Option<usize>) -> Result<Option<String>> {
        let mark = self.draft.mark();
        let mut values = Vec::with_capacity(self.function.params.len() + 1);
        values.push(subject);
        values.extend(
            self.arguments
                .values()
                .iter()
                .map(|given| given.as_ref().map_or(Dynamic::UNIT, value::from_json)),
        );
        match invoke(self.function, values) {
            Ok(returned) => {
                if self.function.kind != Kind::Mutate {
                    self.rows.push((document, returned));
                }
                Ok(None)
            }
            Err(error) => match skip_reason(&error) {
                Some(reason) => {
                    self.draft.rewind(mark);
                    Ok(Some(reason))
                }
                None => Err(translate::run_error(
                    self.function,
                    &error,
                    Some(self.draft),
                )),
            },
        }
    }
}

/// Runs the code of a function.
pub(super) fn invoke(
    function: &Function,
    values: Vec<Dynamic>,
) -> std::result::Result<Dynamic, Box<EvalAltResult>> {
    let options = CallFnOptions::new().eval_ast(function.needs_globals);
    let mut variables = Variables::new();
    let engine = engine::function_engine();
    engine.call_fn_with_options::<Dynamic>(
        options,
        &mut variables,
        &function.ast,
        &function.ident,
        values,
    )
}

/// The reason, if the error is a call of `skip`, at whatever depth.
pub(super) fn skip_reason(error: &EvalAltResult) -> Option<String> {
    match error {
        EvalAltResult::ErrorTerminated(token, _) => {
            token.read_lock::<Skip>().map(|skip| skip.0.clone())
        }
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => skip_reason(inner),
        _ => None,
    }
}

fn nothing_fits(function: &Function) -> String {
    match function.resources.as_slice() {
        [] => "no resource".to_owned(),
        [only] => format!("no {only}"),
        [first @ .., last] => format!("no {} or {last}", first.join(", ")),
    }
}

fn findings(
    returned: &Dynamic,
    resource: Option<&ResourceId>,
    found: &mut Vec<Finding>,
) -> Result<()> {
    let wrong = |found: &str| {
        Error::new(Fault::Misuse {
            operation: "a validation".to_owned(),
            expected: "to return an array of #{ path, message }, empty if all is well".to_owned(),
            found: found.to_owned(),
        })
    };
    let Some(list) = returned.read_lock::<Array>() else {
        return Err(wrong(value::type_word(returned.type_name())));
    };
    for entry in list.iter() {
        let Some(entry) = entry.read_lock::<Map>() else {
            return Err(wrong("an element that is no map"));
        };
        let Some(message) = entry.get("message") else {
            return Err(wrong("an element without a message"));
        };
        let path = entry
            .get("path")
            .map(ToString::to_string)
            .unwrap_or_default();
        found.push(Finding {
            resource: resource.cloned(),
            path: Path::parse(&path).map_err(|error| wrong(&error.to_string()))?,
            message: message.to_string(),
        });
    }
    Ok(())
}
