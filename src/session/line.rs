//! A session that is fed piece by piece: what earlier lines defined is there for later ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, Scope};

use crate::app::App;
use crate::error::{Error, Kind, Location, Result};
use crate::ops::Output;
use crate::runtime::Interrupt;
use crate::script::{Catalogue, Program};
use crate::session::convert::to_json;
use crate::session::outcome::ScriptOutcome;
use crate::session::preview::ScriptPreview;
use crate::session::vocabulary::{self, Vocabulary};
use crate::session::{Session, asked_exit, interrupted, variable_type};

/// The name of the variable that holds the last result.
pub const LAST: &str = "it";

/// A session with a memory: variables, functions and imports of earlier lines stay.
pub struct LineSession {
    session: Session,
    variables: Scope<'static>,
    /// The statements `import … as …;` of earlier lines, in one text.
    imports: String,
    /// The texts of the lines that defined functions, by the name that errors have for them.
    texts: BTreeMap<String, Arc<str>>,
    /// The names of the functions that lines defined.
    functions: BTreeSet<String>,
    count: usize,
    /// Grows whenever the functions of the catalogue are others than before.
    generation: u64,
    catalogue: Arc<Catalogue>,
    width: Option<usize>,
}

/// A line that has been read and not run yet.
#[derive(Debug)]
pub struct Line {
    program: Program,
    words: Vec<String>,
    /// Whether it is a script with arguments rather than a line.
    is_file: bool,
}

impl Line {
    /// Its text.
    pub fn text(&self) -> &str {
        self.program.text()
    }

    /// The words behind it as a value of script; none where there are none.
    pub fn arguments(&self) -> Option<String> {
        let args = self.program.arguments(&self.words).ok();
        let json = to_json(&args.filter(|_| !self.words.is_empty())?).ok()?;
        Some(if json.is_object() {
            format!("#{json}")
        } else {
            json.to_string()
        })
    }
}

/// What a line gave.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What to show of it.
    pub output: Output,
    /// Whether it is the last result from now on.
    pub is_kept: bool,
    /// The exit code that the line asked for.
    pub exit: Option<u8>,
    /// Whether it is the outcome of a write, or a preview of one.
    pub is_report: bool,
}

/// The variables as they were at some moment.
#[derive(Debug, Clone)]
pub struct Variables(Scope<'static>);

impl LineSession {
    /// A session over `app` that prints through `print`, and stops what runs once `interrupt` is
    /// set.
    ///
    /// # Errors
    /// When the project's functions cannot be read.
    pub fn new(
        app: &App,
        print: impl Fn(&str) + Clone + Send + Sync + 'static,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let mut session = Session::new(app, print)?.stop_on(interrupt);
        session.stop_when_told();
        let catalogue = app.catalogue()?;
        Ok(Self {
            session,
            variables: Scope::new(),
            imports: String::new(),
            texts: BTreeMap::new(),
            functions: BTreeSet::new(),
            count: 0,
            generation: 0,
            catalogue,
            width: None,
        })
    }

    /// Reads a line of script; errors name it `input-1`, `input-2`, ….
    ///
    /// # Errors
    /// With line and column: a line that cannot be read.
    pub fn read(&mut self, text: &str) -> Result<Line> {
        let name = format!("input-{}", self.count + 1);
        let line = self.read_file(&name, text, &[])?;
        self.count += 1;
        Ok(Line {
            is_file: false,
            ..line
        })
    }

    /// Reads a whole script, with the words behind it, to be run like a line.
    ///
    /// # Errors
    /// As [`Self::read`]; and when the words do not fit the script, or the store cannot be read.
    pub fn read_file(&mut self, path: &str, text: &str, words: &[String]) -> Result<Line> {
        self.refresh()?;
        let program = self.session.parse(path, text)?;
        program.arguments(words).map(drop)?;
        Ok(Line {
            program,
            words: words.to_vec(),
            is_file: true,
        })
    }

    /// Takes in what became of functions since the last line: files of the project, and what is
    /// installed in the store. Returns a number that is another one whenever something did.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn refresh(&mut self) -> Result<u64> {
        let app = &self.session.app;
        app.recheck_functions();
        let catalogue = app.catalogue()?;
        if !Arc::ptr_eq(&catalogue, &self.catalogue) {
            self.catalogue = catalogue;
            self.generation += 1;
            self.session.take_functions()?;
        }
        Ok(self.generation)
    }

    /// Runs a line; what it returns is the last result from then on, unless that is nothing.
    ///
    /// `variable` reads the environment, as for [`Session::run`].
    ///
    /// # Errors
    /// What the line threw and nobody caught, with its place. Variables that it made or changed
    /// before stay.
    pub fn run(&mut self, line: &Line, variable: fn(&str) -> Option<String>) -> Result<Answer> {
        let args = line.program.arguments(&line.words)?;
        self.session.prepare(&line.program, variable);
        let prelude = self.session.engine.compile(&self.imports);
        let prelude = prelude.map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
        let mut ast = prelude.merge(line.program.ast());
        ast.set_source(line.program.path());
        let variables = &mut self.variables;
        if line.is_file || !variables.contains("args") {
            set(variables, "args", args);
        }
        match self.session.evaluate(variables, &ast) {
            Ok(value) => {
                self.keep_definitions(line);
                self.answer(value)
            }
            Err(error) => self.ended(line, &error),
        }
    }

    /// Makes tables fit so many columns; none: they are as wide as they are.
    pub fn fit(&mut self, width: Option<usize>) {
        self.width = width;
    }

    /// Forgets what the names of variables meant since then.
    pub fn restore(&mut self, variables: Variables) {
        self.variables = variables.0;
    }

    /// The variables as they are now. Values that closures share stay shared.
    pub fn variables(&self) -> Variables {
        Variables(self.variables.clone())
    }

    /// Makes the imports of a line that ran last for later lines too: whole statements, as they
    /// stand in the text.
    pub fn keep_import(&mut self, statement: &str) {
        let statement = statement.trim().trim_end_matches(';');
        if !self
            .imports
            .lines()
            .any(|line| line == format!("{statement};"))
        {
            self.imports.push_str(statement);
            self.imports.push_str(";\n");
        }
    }

    /// The names of the variables with the types of their values.
    pub fn typed_variables(&self) -> Vec<(String, String)> {
        let variables = self.variables.iter_raw();
        let named = variables.map(|(name, _, value)| (name.to_owned(), variable_type(value)));
        named.collect()
    }

    /// The names of the functions that lines defined.
    pub fn functions(&self) -> &BTreeSet<String> {
        &self.functions
    }

    /// Every name that a line may use, but for what lines defined.
    ///
    /// # Errors
    /// When the project's functions cannot be read.
    pub fn vocabulary(&self) -> Result<Vocabulary> {
        vocabulary::of(&self.session)
    }

    /// Makes that somebody stopped a line no reason to stop the next one.
    pub fn resume(&self) {
        self.session.interrupt.clear();
    }

    /// What is documented of a function, method, property or operation.
    ///
    /// # Errors
    /// When the project's functions cannot be read; [`Kind::NotFound`], with the nearest name, when
    /// there is nothing of this name.
    pub fn describe(&self, name: &str) -> Result<String> {
        vocabulary::describe(&self.session, name)
    }

    fn answer(&mut self, value: Dynamic) -> Result<Answer> {
        let output = self.session.present(&value, self.width)?;
        let is_kept = !value.is_unit();
        let is_report = value.is::<ScriptOutcome>() || value.is::<ScriptPreview>();
        if is_kept {
            set(&mut self.variables, LAST, value.flatten());
        }
        Ok(Answer {
            output,
            is_kept,
            exit: None,
            is_report,
        })
    }

    fn ended(&self, line: &Line, error: &EvalAltResult) -> Result<Answer> {
        if let Some(code) = asked_exit(error) {
            return Ok(Answer {
                output: Output::Text(String::new()),
                is_kept: false,
                exit: Some(code),
                is_report: false,
            });
        }
        if self.session.interrupt.is_set() {
            return Err(interrupted());
        }
        let found = self.session.failure(&line.program, error);
        Err(self.with_earlier_text(found))
    }

    /// The error with the text of the earlier line that its place is in.
    fn with_earlier_text(&self, error: Error) -> Error {
        let Some(at) = error.location().cloned() else {
            return error;
        };
        let is_unread = at.text.as_ref().is_none_or(String::is_empty);
        let Some(text) = self.texts.get(&at.file).filter(|_| is_unread) else {
            return error;
        };
        let line = text.lines().nth(at.line.saturating_sub(1));
        let word = line
            .unwrap_or_default()
            .chars()
            .skip(at.column.saturating_sub(1))
            .take_while(|c| c.is_alphanumeric() || *c == '_');
        error.placed(Location {
            length: word.count().max(1),
            text: Some(text.to_string()),
            ..at
        })
    }

    /// Functions of the line, closures included, stay callable, each with its own text.
    fn keep_definitions(&mut self, line: &Line) {
        let functions = line.program.ast().shared_lib();
        if functions.is_empty() {
            return;
        }
        let named = line.program.ast().iter_functions();
        let named = named.filter(|function| function.name.starts_with(char::is_alphabetic));
        self.functions
            .extend(named.map(|function| function.name.to_owned()));
        let functions = functions.clone();
        self.session.engine.register_global_module(functions);
        let name = line.program.path().to_owned();
        self.texts.insert(name, Arc::from(line.program.text()));
    }
}

/// Gives a variable a value, whatever it was before: a constant cannot be set.
fn set(variables: &mut Scope<'static>, name: &'static str, value: Dynamic) {
    drop(variables.remove::<Dynamic>(name));
    variables.push(name, value);
}
