//! The script API: a Rhai engine with every operation in it, and the object API over it.
//!
//! Scripts see handles (units, selections, outcomes), never the data behind them; what a handle
//! says is read from the store when it is asked.

use std::collections::BTreeSet;

use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope};

use crate::app::{App, style};
use crate::error::{Error, Kind, Location, Result};
use crate::ops::{OPS, Output};
use crate::runtime::Interrupt;
use crate::script::engine::{SessionOptions, on_large_stack, session_engine};
use crate::script::{Limits, Meter, Program};

mod changeset;
mod conflict;
mod convert;
mod deploying;
mod files;
mod filter;
mod global;
mod history;
mod labelling;
mod line;
mod outcome;
mod present;
mod preview;
mod reference;
mod report;
mod selection;
mod space;
mod unit;
mod verbs;
mod vocabulary;

pub use line::{Answer, LAST, Line, LineSession, Variables};
pub use vocabulary::Vocabulary;

use convert::{Scripted, scripted, to_dynamic, to_json};

/// Runs scripts over an application.
pub struct Session {
    app: App,
    engine: Engine,
    interrupt: Interrupt,
    /// The functions of the catalogue that the engine has as methods, by their names there.
    methods: BTreeSet<String>,
}

/// The exit code that a script asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExitRequest(pub(crate) u8);

impl Session {
    /// A session over `app` that prints through `print`.
    ///
    /// # Errors
    /// When the project's functions cannot be read.
    pub fn new(app: &App, print: impl Fn(&str) + Clone + Send + Sync + 'static) -> Result<Self> {
        let mut engine = session_engine(SessionOptions {
            root: Some(app.project().root().to_path_buf()),
            limits: Limits::SESSION,
        });
        let printed = print.clone();
        engine.on_print(move |text| printed(&style::lines(&with_newline(text))));
        engine.on_debug(move |text, source, position| {
            let source = source.unwrap_or("script");
            print(&format!("{source}:{position:?} {text}\n"));
        });
        register(&mut engine, app);
        let mut session = Self {
            app: app.clone(),
            engine,
            interrupt: Interrupt::default(),
            methods: BTreeSet::new(),
        };
        session.take_functions()?;
        Ok(session)
    }

    /// Makes methods of the functions that came into the catalogue since the last call. Those that
    /// are gone stay methods, whose calls say so.
    fn take_functions(&mut self) -> Result<()> {
        let catalogue = self.app.catalogue()?;
        let new = catalogue
            .names()
            .filter(|name| !self.methods.contains(*name));
        let new: Vec<String> = new.map(ToOwned::to_owned).collect();
        if new.is_empty() {
            return Ok(());
        }
        let engine = &mut self.engine;
        verbs::register_functions::<changeset::ScriptStaged>(engine, &new);
        verbs::register_functions::<unit::ScriptUnit>(engine, &new);
        verbs::register_functions::<selection::ScriptSelection>(engine, &new);
        verbs::register_functions::<outcome::ScriptOutcome>(engine, &new);
        self.methods.extend(new);
        Ok(())
    }

    /// Stops what runs, between two steps, once `interrupt` is set.
    #[must_use]
    pub fn stop_on(mut self, interrupt: Interrupt) -> Self {
        self.app.stop_on(interrupt.clone());
        self.interrupt = interrupt;
        self
    }

    /// The project's root and the words behind a script are all that a program is run with.
    ///
    /// # Errors
    /// With line and column: a script that cannot be read.
    pub fn parse(&self, path: &str, text: &str) -> Result<Program> {
        Ok(Program::parse(path, text, &self.engine)?)
    }

    /// Runs a program; what it returns is shown.
    ///
    /// `variable` reads the environment; only what the program's META declares is asked for.
    ///
    /// # Errors
    /// What the program threw and nobody caught, with its place.
    pub fn run(
        &mut self,
        program: &Program,
        words: &[String],
        variable: fn(&str) -> Option<String>,
    ) -> Result<Option<Output>> {
        let args = program.arguments(words)?;
        self.stop_when_told();
        self.prepare(program, variable);
        let mut scope = Scope::new();
        scope.push_constant_dynamic("args", args);
        match self.evaluate(&mut scope, program.ast()) {
            Ok(value) => Ok(Some(self.shown(value))),
            Err(error) => self.failed(program, &error),
        }
    }

    /// Runs what was compiled, within the limits of a session.
    fn evaluate(
        &self,
        scope: &mut Scope<'static>,
        ast: &AST,
    ) -> std::result::Result<Dynamic, Box<EvalAltResult>> {
        let engine = &self.engine;
        on_large_stack(|| {
            let meter = Meter::start(Limits::SESSION);
            let result = engine.eval_ast_with_scope::<Dynamic>(scope, ast);
            drop(meter);
            result
        })
    }

    /// Makes the functions ready whose answers depend on the program that is run.
    fn prepare(&mut self, program: &Program, variable: fn(&str) -> Option<String>) {
        let declared = program.environment().to_vec();
        self.engine.register_fn("env", move |name: &str| {
            scripted(read_variable(&declared, name, variable))
        });
        let usage = program.usage();
        self.engine
            .register_fn("usage", move |found: &str| -> Scripted<()> {
                // Ends the script: it is about its words, and no line of it is at fault.
                let error = Error::new(Kind::Usage, found).hint(usage.clone());
                Err(Box::new(EvalAltResult::ErrorTerminated(
                    Dynamic::from(error),
                    rhai::Position::NONE,
                )))
            });
    }

    /// The reference of everything that scripts can name, as Markdown.
    ///
    /// # Errors
    /// When the project's functions cannot be read.
    pub fn reference(&self) -> Result<String> {
        let functions = self.app.catalogue()?.list();
        reference::text(&self.engine, &self.methods, &functions)
    }

    fn stop_when_told(&mut self) {
        let interrupt = self.interrupt.clone();
        let app = self.app.clone();
        self.engine.on_progress(move |count| {
            if count % 64 != 0 {
                return None;
            }
            if interrupt.is_set() {
                return Some(Dynamic::from("interrupted"));
            }
            if count % 4096 == 0 && app.is_overdue() {
                return Some(Dynamic::from(crate::app::ATOMIC_TOOK_TOO_LONG));
            }
            Meter::stop()
        });
    }

    /// Runs a program on a copy of the store in memory, and shows what it would write.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn rehearse(
        &mut self,
        program: &Program,
        words: &[String],
        variable: fn(&str) -> Option<String>,
    ) -> Result<Option<Output>> {
        let app = self.app.clone();
        let preview = app.rehearse_script(
            || self.run(program, words, variable),
            |transaction, _| app.preview_of(transaction),
        )?;
        Ok(Some(Output::Report {
            text: format!("{preview:#}"),
            value: preview.outcome().to_json(),
            exit_code: 0,
        }))
    }

    fn shown(&self, value: Dynamic) -> Output {
        if value.is_unit() {
            return Output::Text(String::new());
        }
        if let Some(outcome) = value.clone().try_cast::<outcome::ScriptOutcome>() {
            return Output::Outcome(outcome.into_outcome());
        }
        if let Some(table) = value.clone().try_cast::<selection::ScriptTable>() {
            return Output::Table(table.0);
        }
        if let Some(report) = value.clone().try_cast::<report::ScriptReport>() {
            return report.0;
        }
        let text = self.engine.eval_with_scope::<String>(
            &mut Scope::from_iter([("it".to_owned(), false, value.clone())]),
            "it.to_string()",
        );
        let text = with_newline(&text.unwrap_or_else(|_| value.to_string()));
        let json = to_json(&value).unwrap_or_else(|_| text.trim_end().into());
        let text = report::styled(&value).unwrap_or_else(|| style::lines(&text));
        Output::Report {
            text,
            value: json,
            exit_code: 0,
        }
    }

    fn failed(&self, program: &Program, error: &EvalAltResult) -> Result<Option<Output>> {
        if let Some(code) = asked_exit(error) {
            return Ok(Some(Output::Report {
                text: String::new(),
                value: code.into(),
                exit_code: code,
            }));
        }
        Err(self.failure(program, error))
    }

    /// Why a program ended that nobody asked to end.
    fn failure(&self, program: &Program, error: &EvalAltResult) -> Error {
        // Whatever it failed at then, it was told to stop.
        if self.interrupt.is_set() {
            return interrupted();
        }
        if let EvalAltResult::ErrorTerminated(value, _) = error.unwrap_inner()
            && let Some(stopped) = convert::stopped(value)
        {
            return stopped;
        }
        let found = match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(value, _) => convert::of_value(value),
            _ => program.explain(&self.engine, error).into(),
        };
        let found = match program.place(error) {
            Some(at) => found.at(Location {
                length: at.end.saturating_sub(at.column).max(1),
                ..location(&at.file, "", at.line, at.column)
            }),
            None => found,
        };
        self.with_text(program, found)
    }

    /// The error with the text that its place is in: the program's, or that of a module.
    fn with_text(&self, program: &Program, error: Error) -> Error {
        let Some(at) = error.location() else {
            return error;
        };
        if at.file.is_empty() || at.file == program.path() {
            return error.shown_in(program.path(), program.text());
        }
        let file = at.file.clone();
        match self.app.project().read_file(&file) {
            Ok(text) => error.shown_in(&file, &text),
            Err(_) => error,
        }
    }
}

fn register(engine: &mut Engine, app: &App) {
    global::register(engine, app);
    history::register(engine, app);
    space::register(engine, app);
    unit::register(engine);
    selection::register(engine);
    outcome::register(engine);
    preview::register(engine);
    changeset::register(engine, app);
    conflict::register(engine, app);
    deploying::register(engine, app);
    filter::register(engine, app);
    files::register(engine, app);
    report::register(engine);
    selection::register_reading::<outcome::ScriptOutcome>(engine);
    selection::register_previewing::<unit::ScriptUnit>(engine);
    selection::register_previewing::<selection::ScriptSelection>(engine);
    selection::register_previewing::<outcome::ScriptOutcome>(engine);
    history::register_blame::<unit::ScriptUnit>(engine);
    history::register_blame::<selection::ScriptSelection>(engine);
    history::register_blame::<outcome::ScriptOutcome>(engine);
    verbs::register::<unit::ScriptUnit>(engine);
    verbs::register::<selection::ScriptSelection>(engine);
    verbs::register::<outcome::ScriptOutcome>(engine);
    verbs::register_changing::<changeset::ScriptStaged>(engine);
    register_operations(engine, app);
}

/// Every operation of the table as a function of one map: `unit_apply(#{ space: "traderx" })`.
fn register_operations(engine: &mut Engine, app: &App) {
    for op in OPS {
        let here = app.clone();
        let run = move |options: rhai::Map| {
            scripted((|| {
                let output = op.run_json(&here, to_json(&Dynamic::from(options))?)?;
                to_dynamic(&output.to_json())
            })())
        };
        engine.register_fn(op.function_name(), run);
    }
}

fn read_variable(
    declared: &[String],
    name: &str,
    variable: fn(&str) -> Option<String>,
) -> Result<Dynamic> {
    if declared.iter().any(|known| known == name) {
        return Ok(variable(name).map_or(Dynamic::UNIT, Dynamic::from));
    }
    Err(Error::new(
        Kind::Denied,
        format!("expected a variable that META declares, found `{name}`"),
    )
    .hint(format!(
        "export const META = #{{ env: [\"{name}\"] }}; lets the script read it"
    )))
}

/// The exit code that a script ended with by `exit`.
fn asked_exit(error: &EvalAltResult) -> Option<u8> {
    let EvalAltResult::ErrorTerminated(value, _) = error.unwrap_inner() else {
        return None;
    };
    let request = value.clone().try_cast::<ExitRequest>();
    request.map(|ExitRequest(code)| code)
}

/// The error of what somebody stopped.
fn interrupted() -> Error {
    Error::new(Kind::Limit, "interrupted; what was open was dropped").with_exit_code(130)
}

/// The name of a type as people know it: `Selection`.
fn plain_type(name: &str) -> String {
    let name = name.strip_prefix("&mut ").unwrap_or(name);
    let name = name.split('<').next().unwrap_or_default();
    let name = name.rsplit("::").next().unwrap_or_default();
    let name = name.strip_prefix("Script").unwrap_or(name);
    match name {
        "array" | "Vec" => "Array",
        "map" | "BTreeMap" => "Map",
        "string" | "ImmutableString" | "&str" | "str" => "String",
        name => name,
    }
    .to_owned()
}

/// The type of a variable's value, by the name that people know.
fn variable_type(value: &Dynamic) -> String {
    plain_type(value.type_name())
}

fn with_newline(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    }
}

/// A place in a script's text.
pub(crate) fn location(file: &str, text: &str, line: usize, column: usize) -> Location {
    Location {
        file: file.to_owned(),
        line,
        column,
        length: 1,
        text: Some(text.to_owned()),
        label: String::new(),
    }
}
