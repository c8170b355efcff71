//! Functions: asking them, their documentation and tests.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::change::ChangeOptions;
use crate::app::related::Related;
use crate::app::select::Selection;
use crate::app::table::{Cell, Table};
use crate::app::{App, project};
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::script::{
    Arguments, FunctionSource as _, Outcome as TestOutcome, Problem, TestReport, run_fixtures,
    run_tests,
};
use crate::script::{Catalogue, Folder, Function, Kind as FunctionKind, Subject};
use crate::yaml::ResourceId;

/// The folder of a project's own functions.
pub const FOLDER: &str = "functions";

/// Names that units and selections have methods of: a function is a method, too, so its name is
/// refused.
pub const RESERVED: [&str; 26] = [
    "apply",
    "blame",
    "conflicts",
    "copy",
    "data",
    "delete",
    "destroy",
    "diff",
    "get",
    "history",
    "live-state",
    "merge-text",
    "names",
    "patch",
    "preview",
    "protect",
    "release",
    "report",
    "restore",
    "revisions",
    "run",
    "table",
    "units",
    "update",
    "upgrade",
    "wait",
];

/// One answer of a query, or one finding of a validation.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The unit.
    pub unit: UnitId,
    /// As people name it.
    pub reference: String,
    /// The resource: `Kind/name`.
    pub resource: String,
    /// What was answered.
    pub value: Value,
}

impl App {
    /// Asks a function that only reads: one answer for each resource that has one.
    ///
    /// # Errors
    /// When there is no such function, an argument is wrong, or the function fails on a unit.
    pub fn ask_function(
        &self,
        selection: &Selection,
        name: &str,
        args: &[Value],
        named: &serde_json::Map<String, Value>,
    ) -> Result<Vec<Answer>> {
        let function = self.catalogue()?.get(name)?;
        let arguments = Arguments::resolve(&function, args.to_vec(), named.clone())?;
        self.read(|view| {
            let mut related = Related::new(view);
            let mut answers = Vec::new();
            for pin in selection.pins() {
                let unit = view.unit(pin.unit)?;
                let space = related.space(unit.space)?;
                let stream = view.stream(&unit.data)?;
                let reference = format!("{}/{}", space.slug, unit.slug);
                let done = self
                    .0
                    .runner
                    .call(
                        &function,
                        &arguments,
                        &Subject {
                            stream: &stream,
                            slug: unit.slug.as_str(),
                            labels: &unit.labels,
                            space_slug: space.slug.as_str(),
                            space_labels: &space.labels,
                            revision: unit.head,
                        },
                    )
                    .map_err(|error| {
                        Error::from(error)
                            .context(format!("unit         {reference} r{}", unit.head))
                    })?;
                let answer = |resource: String, value| Answer {
                    unit: unit.id,
                    reference: reference.clone(),
                    resource,
                    value,
                };
                for row in done.rows {
                    answers.push(answer(shown(row.resource.as_ref()), row.value));
                }
                for finding in done.findings {
                    let value =
                        json!({ "Path": finding.path.to_string(), "Message": finding.message });
                    answers.push(answer(shown(finding.resource.as_ref()), value));
                }
            }
            Ok(answers)
        })
    }

    /// Answers as a table.
    pub fn rows_table(&self, rows: &[Answer]) -> Table {
        let mut table = Table::new(["Unit", "Resource", "Value"]);
        for row in rows {
            table.push(vec![
                Cell::text(row.reference.clone()),
                Cell::text(row.resource.clone()),
                answer_cell(&row.value),
            ]);
        }
        table
    }

    /// The functions as a table.
    ///
    /// # Errors
    /// As [`Self::catalogue`].
    pub fn function_table(&self) -> Result<Table> {
        let catalogue = self.catalogue()?;
        let mut table = Table::new(["Name", "Kind", "Origin", "Summary"]);
        for function in catalogue.list() {
            let origin = match &function.shadows {
                None => function.origin.clone(),
                Some(shadowed) => format!("{}, shadows {shadowed}", function.origin),
            };
            table.push(vec![
                Cell::text(function.name.clone()),
                Cell::text(function.kind.to_string()),
                Cell::text(origin),
                Cell::text(function.summary.clone()),
            ]);
        }
        for problem in catalogue.problems() {
            self.notify(&refused(&problem));
        }
        Ok(table)
    }

    /// Runs the examples and tests of one function, of a folder of them, or of all.
    ///
    /// # Errors
    /// When there is no such function or folder, or the report cannot be written.
    pub fn test_functions(&self, what: Option<&str>, junit: Option<&str>) -> Result<TestSummary> {
        let is_folder = |name: &&str| self.project().root().join(name).is_dir();
        let (folder, catalogue) = if let Some(named) = what.filter(is_folder) {
            let folder = Folder::new(self.project().resolve(named)?, named);
            let catalogue = Catalogue::load(&[&folder], &|_| false).0;
            (folder, Arc::new(catalogue))
        } else {
            let folder = Folder::new(self.project().root().join(FOLDER), FOLDER);
            (folder, self.catalogue()?)
        };
        let functions = match what {
            Some(name) if !is_folder(&name) => vec![catalogue.get(name)?],
            _ => catalogue.list(),
        };
        let mut reports = Vec::new();
        for function in functions {
            reports.extend(run_tests(&function));
            reports.extend(run_fixtures(&function, &folder.fixtures(&function.name)?));
        }
        let problems = match what {
            Some(name) if catalogue.contains(name) => Vec::new(),
            _ => catalogue.problems().iter().map(refused).collect(),
        };
        let summary = TestSummary { reports, problems };
        if let Some(file) = junit {
            let path = self.project().root().join(file);
            std::fs::write(&path, crate::script::junit(&summary.reports))
                .map_err(|error| project::unreadable(&path, &error))?;
        }
        Ok(summary)
    }
}

/// What the tests of functions came to.
#[derive(Debug, Clone)]
pub struct TestSummary {
    reports: Vec<TestReport>,
    problems: Vec<String>,
}

impl TestSummary {
    /// 0 where all passed, else 1.
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.problems.is_empty() || self.reports.iter().any(|report| !passed(report)))
    }

    /// As `--json` shows it.
    pub fn to_json(&self) -> Value {
        let reports = self.reports.iter().map(|report| {
            json!({
                "Test": report.name,
                "Passed": passed(report),
                "Message": report.message,
                "Microseconds": report.micros,
            })
        });
        json!({ "Tests": reports.collect::<Vec<_>>(), "Problems": self.problems })
    }
}

impl fmt::Display for TestSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in self.reports.iter().filter(|report| !passed(report)) {
            writeln!(f, "FAILED  {}\n{}", report.name, report.message)?;
        }
        for problem in &self.problems {
            writeln!(f, "FAILED  {problem}")?;
        }
        let passed = self.reports.iter().filter(|report| passed(report)).count();
        let failed = self.reports.len() - passed + self.problems.len();
        writeln!(f, "{passed} passed, {failed} failed")
    }
}

fn shown(resource: Option<&ResourceId>) -> String {
    resource.map(ToString::to_string).unwrap_or_default()
}

pub(super) fn passed(report: &TestReport) -> bool {
    matches!(report.outcome, TestOutcome::Passed)
}

pub(super) fn refused(problem: &Problem) -> String {
    let at = problem
        .error
        .location()
        .map(|at| format!("{}:{}:{}: ", at.file, at.line, at.column));
    format!(
        "function {}: {}{}",
        problem.name,
        at.unwrap_or_default(),
        problem.error.message()
    )
}

/// A function's page: how it is called, what it does, its parameters and examples.
pub fn explain(function: &Function) -> String {
    let mut text = format!("{}\n\n{}\n\n", function.usage(), function.doc.trim());
    let _ = writeln!(text, "kind       {}", function.kind);
    if !function.resources.is_empty() {
        let _ = writeln!(text, "resources  {}", function.resources.join(", "));
    }
    let _ = writeln!(text, "from       {}", function.origin);
    if !function.params.is_empty() {
        text.push_str("\nParameters\n");
        for param in &function.params {
            let default = match &param.default {
                Some(value) => format!(", default {value}"),
                None if param.required => String::new(),
                None => ", optional".to_owned(),
            };
            let _ = writeln!(
                text,
                "  --{:<18} {} ({}{default})",
                param.name,
                param.about,
                param.accepted()
            );
        }
    }
    text
}

/// A function's description as data.
pub fn to_json(function: &Function) -> Value {
    let params = function.params.iter().map(|param| {
        json!({
            "Name": param.name,
            "Type": param.kind.name(),
            "Required": param.required,
            "Default": param.default,
            "About": param.about,
        })
    });
    json!({
        "Name": function.name,
        "Kind": function.kind.to_string(),
        "Summary": function.summary,
        "Doc": function.doc,
        "Resources": function.resources,
        "Origin": function.origin,
        "Shadows": function.shadows,
        "Parameters": params.collect::<Vec<_>>(),
    })
}

/// Findings read as path and message; other answers as they are.
fn answer_cell(value: &Value) -> Cell {
    match (&value["Path"], &value["Message"]) {
        (Value::String(path), Value::String(message)) => Cell {
            value: value.clone(),
            text: format!("{path}: {message}"),
        },
        _ => Cell::from(value.clone()),
    }
}

/// Whether calling the function writes.
pub fn is_mutating(function: &Function) -> bool {
    function.kind == FunctionKind::Mutate
}

/// Refuses options that mean nothing for a function that only reads.
///
/// # Errors
/// [`Kind::Usage`] when there is one.
pub fn refuse_dry_run(name: &str, options: ChangeOptions) -> Result<()> {
    if options.dry_run {
        return Err(Error::new(
            Kind::Usage,
            format!("expected no --dry-run: `{name}` only reads"),
        ));
    }
    Ok(())
}
