//! Writing functions: new files, cases that are kept as tests, and what the tests cover.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::files::{replace, unwritable};
use crate::app::function_template::{NewFunction, refuse_name, text_of};
use crate::app::functions::FOLDER;
use crate::app::select::Selection;
use crate::app::table::{Cell, Table};
use crate::error::{Error, Kind, Result};
use crate::script::{
    Arguments, Coverage, Fixture, Folder, FunctionSource as _, coverage_of, fixture_output,
    skipped_because,
};

impl App {
    /// Writes the file of a new function below the project's `functions`, with an example and a
    /// test that pass, and returns its name.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the name or a parameter's type is none, or the name is a method's;
    /// [`Kind::Exists`] when there is such a file.
    pub fn new_function(&self, new: &NewFunction) -> Result<String> {
        refuse_name(&new.name)?;
        let file = format!("{FOLDER}/{}.rhai", new.name);
        if self.project().root().join(&file).exists() {
            return Err(
                Error::new(Kind::Exists, format!("expected no file {file}, found one"))
                    .hint(format!("windlass function test {} tests it", new.name)),
            );
        }
        let text = text_of(new)?;
        self.write_file(&file, &text)?;
        Ok(file)
    }

    /// Keeps a unit's data as a test of a function: what goes in, the arguments, and what the
    /// function makes of it now. Where it fails, only what goes in is kept: the test then asks that
    /// it does not fail. Returns the folder, and the error of a function that failed.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the function is none of the project's, [`Kind::Exists`] when the
    /// case is there with other data, [`Kind::Usage`] when an argument is wrong.
    pub fn add_case(
        &self,
        name: &str,
        selection: &Selection,
        args: &[String],
    ) -> Result<(String, Option<Error>)> {
        let function = self.catalogue()?.get(name)?;
        if function.origin != "project" {
            return Err(Error::new(
                Kind::NotFound,
                format!(
                    "expected a function in {FOLDER}, found `{name}` in the {}",
                    function.origin
                ),
            ));
        }
        let given = args.iter().map(|arg| Value::from(arg.as_str())).collect();
        let arguments = Arguments::resolve(&function, given, serde_json::Map::new())?;
        let reference = self.references(selection)?.remove(0);
        let case = reference.replace('/', "-");
        let place = format!("{FOLDER}/fixtures/{}/{case}", function.name);
        let input = self.read(|view| {
            let unit = view.unit(selection.pins()[0].unit)?;
            Ok(view.text(&unit.data)?)
        })?;
        let named = arguments.to_json();
        let fixture = Fixture {
            name: case,
            folder: PathBuf::new(),
            input: input.clone(),
            want: None,
            arguments: (!named.is_empty())
                .then(|| yaml(&Value::Object(named)))
                .transpose()?,
        };
        self.refuse_other_case(&place, &fixture)?;
        let output = fixture_output(&function, &fixture);
        if let Some(reason) = output.as_ref().err().and_then(skipped_because) {
            return Err(Error::new(
                Kind::Invalid,
                format!(
                    "expected a unit that `{name}` acts on, found that it skips {reference}: {reason}"
                ),
            ));
        }
        self.write_file(&format!("{place}/in.yaml"), &input)?;
        if let Some(arguments) = &fixture.arguments {
            self.write_file(&format!("{place}/args.yaml"), arguments)?;
        }
        match output {
            Ok(text) => {
                self.write_file(&format!("{place}/want.yaml"), &text)?;
                Ok((place, None))
            }
            Err(error) => Ok((place, Some(error.into()))),
        }
    }

    fn refuse_other_case(&self, place: &str, fixture: &Fixture) -> Result<()> {
        let there = |file: &str| {
            let path = self.project().root().join(place).join(file);
            std::fs::read_to_string(path).ok()
        };
        let input = there("in.yaml");
        if input.is_none()
            || (input.as_ref(), there("args.yaml"))
                == (Some(&fixture.input), fixture.arguments.clone())
        {
            return Ok(());
        }
        Err(Error::new(
            Kind::Exists,
            format!("expected no case in {place}, found one with other data or arguments"),
        )
        .hint("remove the folder, or give it another name"))
    }

    /// Writes what functions make of their fixtures now as what is wanted of them: of one function,
    /// or of all. Returns the files that changed.
    ///
    /// # Errors
    /// When there is no such function, or a file cannot be written. Fixtures at which a function
    /// fails stay as they are: its tests say so.
    pub fn update_fixtures(&self, name: Option<&str>) -> Result<Vec<String>> {
        let catalogue = self.catalogue()?;
        let functions = match name {
            Some(name) => vec![catalogue.get(name)?],
            None => catalogue.list(),
        };
        let root = self.project().root();
        let folder = Folder::new(root.join(FOLDER), FOLDER);
        let mut updated = Vec::new();
        for function in functions {
            for fixture in folder.fixtures(&function.name)? {
                let Ok(text) = fixture_output(&function, &fixture) else {
                    continue;
                };
                if fixture.want.as_ref() == Some(&text) {
                    continue;
                }
                let path = fixture.folder.join("want.yaml");
                replace(&path, text.as_bytes()).map_err(|error| unwritable(&path, &error))?;
                let shown = path.strip_prefix(root).unwrap_or(&path);
                updated.push(shown.display().to_string());
            }
        }
        Ok(updated)
    }

    /// What the tests of the project's functions run of them: of one, or of all.
    ///
    /// # Errors
    /// When there is no such function.
    pub fn function_coverage(&self, name: Option<&str>) -> Result<CoverageReport> {
        let catalogue = self.catalogue()?;
        let functions = if let Some(name) = name {
            vec![catalogue.get(name)?]
        } else {
            let mut all = catalogue.list();
            all.retain(|function| function.origin == "project");
            all
        };
        let folder = Folder::new(self.project().root().join(FOLDER), FOLDER);
        let mut rows = Vec::new();
        for function in functions {
            let fixtures = folder.fixtures(&function.name)?;
            let (_, coverage) = coverage_of(&function, &fixtures);
            rows.push((function.name.clone(), coverage));
        }
        Ok(CoverageReport { rows })
    }
}

/// What the tests of functions run of them.
#[derive(Debug, Clone)]
pub struct CoverageReport {
    rows: Vec<(String, Coverage)>,
}

impl CoverageReport {
    /// The share of all lines with statements that were run, in per cent, rounded down.
    pub fn percent(&self) -> usize {
        let lines = self.rows.iter().map(|(_, coverage)| coverage.lines.len());
        let run = self.rows.iter().map(|(_, coverage)| coverage.run.len());
        percent(run.sum(), lines.sum())
    }

    /// A row a function.
    pub fn table(&self) -> Table {
        let columns = ["Function", "Lines", "Run", "Percent", "Missed"];
        let mut table = Table::new(columns).right_aligned(["Lines", "Run", "Percent"]);
        for (name, coverage) in &self.rows {
            let (lines, run) = (coverage.lines.len(), coverage.run.len());
            table.push(vec![
                Cell::text(name.clone()),
                Cell::from(Value::from(lines)),
                Cell::from(Value::from(run)),
                Cell::from(Value::from(percent(run, lines))),
                Cell {
                    value: json!(coverage.missed().collect::<Vec<_>>()),
                    text: ranges(coverage.missed()),
                },
            ]);
        }
        table
    }
}

impl fmt::Display for CoverageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return writeln!(
                f,
                "no functions in {FOLDER}: windlass function new NAME writes one"
            );
        }
        let table = self.table();
        if f.alternate() {
            write!(f, "{table:#}")?;
        } else {
            write!(f, "{table}")?;
        }
        writeln!(f, "{} % of all lines with statements", self.percent())
    }
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(100)
}

/// `3, 7-9`.
fn ranges(lines: impl Iterator<Item = usize>) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => spans.push((line, line)),
        }
    }
    let words = spans.into_iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn yaml(value: &Value) -> Result<String> {
    serde_saphyr::to_string(value)
        .map_err(|error| Error::new(Kind::Internal, format!("cannot write YAML: {error}")))
}
