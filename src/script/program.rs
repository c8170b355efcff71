//! Scripts: programs that drive a session, with parameters as functions have them.

use std::fmt::Write as _;
use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, EvalAltResult, Map};
use serde_json::Value;

use super::arguments::Arguments;
use super::error::{Error, Fault, Result, nearest};
use super::function::{Function, ParamType};
use super::meta::File;
use super::{translate, value};

/// A script that has been parsed, with what it says of its arguments.
///
/// ```
/// use windlass::script::Program;
/// use windlass::script::engine::{SessionOptions, session_engine};
///
/// let engine = session_engine(SessionOptions::default());
/// let text = "export const META = #{ params: [ #{ name: \"stage\", type: \"int\" } ] };\nargs.stage + 1";
/// let program = Program::parse("next.rhai", text, &engine)?;
/// let args = program.arguments(&["3".to_owned()])?;
/// assert_eq!(args.to_string(), "#{\"stage\": 3}");
/// # Ok::<(), windlass::script::Error>(())
/// ```
#[derive(Debug)]
pub struct Program {
    path: String,
    text: Arc<str>,
    ast: AST,
    parameters: Option<Function>,
    flags: Vec<String>,
    env: Vec<String>,
}

impl Program {
    /// Parses a script for an engine.
    ///
    /// # Errors
    /// With line and column: a syntax error, or a META that is not understood.
    pub fn parse(path: &str, text: &str, engine: &Engine) -> Result<Self> {
        let text: Arc<str> = Arc::from(text);
        let mut ast = engine
            .compile(&*text)
            .map_err(|error| translate::parse_error(&error, path, &text))?;
        ast.set_source(path);
        let meta = File { path, text: &text }.meta(&ast)?;
        let parameters = meta
            .params
            .map(|params| Function::of_script(path, &text, params));
        Ok(Self {
            path: path.to_owned(),
            text,
            ast,
            parameters,
            flags: meta.flags,
            env: meta.env,
        })
    }

    /// The parsed script.
    pub fn ast(&self) -> &AST {
        &self.ast
    }

    /// The variables of the environment that the script declares; it may read no other.
    pub fn environment(&self) -> &[String] {
        &self.env
    }

    /// What the script sees as `args`: a map by parameter and flag where it has a META, else the
    /// words as they are.
    ///
    /// # Errors
    /// An unknown flag, a parameter given twice or missing, a value of the wrong type; each says
    /// how the script is called.
    pub fn arguments(&self, words: &[String]) -> Result<Dynamic> {
        self.read_words(words)
            .map_err(|error| error.usage(self.usage()))
    }

    fn read_words(&self, words: &[String]) -> Result<Dynamic> {
        let Some(function) = &self.parameters else {
            return Ok(words
                .iter()
                .cloned()
                .map(Dynamic::from)
                .collect::<Vec<_>>()
                .into());
        };
        let mut positional = Vec::new();
        let mut named = serde_json::Map::new();
        let mut given_flags = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix("--") else {
                positional.push(Value::String(word.clone()));
                continue;
            };
            let (name, inline) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            if inline.is_none() && self.flags.iter().any(|known| known == name) {
                given_flags.push(name);
                continue;
            }
            if !function.params.iter().any(|param| param.name == name) {
                return Err(self.unknown_flag(function, name));
            }
            let value = inline.or_else(|| words.next().cloned()).ok_or_else(|| {
                Error::new(Fault::MissingParameter {
                    function: function.name.clone(),
                    parameter: name.to_owned(),
                    expected: "a value behind the flag".to_owned(),
                })
            })?;
            named.insert(name.to_owned(), Value::String(value));
        }
        let resolved = Arguments::resolve(function, positional, named)?;
        let mut args = Map::new();
        for (param, given) in function.params.iter().zip(resolved.values()) {
            let given = given.as_ref().map_or(Dynamic::UNIT, value::from_json);
            args.insert(param.name.replace('-', "_").into(), given);
        }
        for flag in &self.flags {
            let is_given = given_flags.contains(&flag.as_str());
            args.insert(flag.replace('-', "_").into(), is_given.into());
        }
        Ok(args.into())
    }

    fn unknown_flag(&self, function: &Function, name: &str) -> Error {
        let known = function.params.iter().map(|param| param.name.as_str());
        let known: Vec<&str> = known.chain(self.flags.iter().map(String::as_str)).collect();
        Error::new(Fault::UnknownParameter {
            function: function.name.clone(),
            parameter: format!("--{name}"),
        })
        .nearest(nearest(name, known))
    }

    /// How it is called, on one line: `usage: windlass run scripts/deploy.rhai [STAGE]`.
    pub fn usage(&self) -> String {
        let mut text = format!("usage: windlass run {}", self.path);
        let Some(function) = &self.parameters else {
            text.push_str(" [WORDS]…");
            return text;
        };
        for param in &function.params {
            let name = match &param.kind {
                ParamType::Enum(choices) => choices.join("|"),
                _ => param.name.to_uppercase(),
            };
            let _ = if param.named {
                write!(text, " [--{} {name}]", param.name)
            } else if param.required {
                write!(text, " {name}")
            } else {
                write!(text, " [{name}]")
            };
        }
        for flag in &self.flags {
            let _ = write!(text, " [--{flag}]");
        }
        text
    }

    /// Whether the words ask for help instead of a run: `--help` or `-h` anywhere, and, where the
    /// script has a META, the word `help` by itself. As a value, that word is given behind its
    /// parameter's flag: `--name=help`.
    pub fn asks_for_help(&self, words: &[String]) -> bool {
        words.iter().any(|word| match word.as_str() {
            "--help" | "-h" => true,
            "help" => self.parameters.is_some(),
            _ => false,
        })
    }

    /// What `--help` shows: what the script does, its parameters and flags.
    pub fn help(&self) -> String {
        let mut text = String::new();
        let doc = self.ast.doc();
        for line in doc.lines() {
            let line = line.trim_start_matches("//!");
            let line = line.strip_prefix(' ').unwrap_or(line);
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let Some(function) = &self.parameters else {
            let _ = writeln!(text, "\nU{}", &self.usage()[1..]);
            return text;
        };
        let _ = write!(text, "\nU{}", &self.usage()[1..]);
        text.push('\n');
        for param in &function.params {
            let default = match &param.default {
                Some(value) => format!(" [default: {value}]"),
                None => String::new(),
            };
            let _ = writeln!(
                text,
                "  {:<12} {}: {}{default}",
                param.name,
                param.about,
                param.accepted()
            );
        }
        text
    }

    /// An error that the script let through, in plain words with its place.
    pub fn explain(&self, engine: &Engine, error: &EvalAltResult) -> Error {
        let translated = translate::script_error(&self.path, &self.text, error);
        translate::with_nearest(translated, engine, error)
    }

    /// Puts an error of somebody else at the place where the script met it.
    pub fn place(&self, error: &EvalAltResult) -> Option<super::error::Location> {
        translate::script_error(&self.path, &self.text, error)
            .location()
            .cloned()
    }

    /// The script's path, as it was given.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The script's text.
    pub fn text(&self) -> &str {
        &self.text
    }
}
