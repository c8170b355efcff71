//! A function as the catalogue shows it: read from its file, never by running it.

use std::fmt;
use std::sync::Arc;

use rhai::AST;

use super::error::Result;
use super::meta::{File, Signature};
use super::{engine, translate};

/// What a function does with the resources it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Changes them.
    Mutate,
    /// Reads a value out of each.
    Query,
    /// Lists what is wrong with each.
    Validate,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mutate => "mutate",
            Self::Query => "query",
            Self::Validate => "validate",
        })
    }
}

/// What a function gets as its first parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One resource after the other.
    Resource,
    /// The whole unit, once.
    Unit,
}

/// Type of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamType {
    /// Whatever is given, unconverted: a function without META.
    Any,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// Text; numbers and booleans become text.
    String,
    /// A Kubernetes quantity such as `250m` or `2Gi`, kept as written.
    Quantity,
    /// One of these words.
    Enum(Vec<String>),
    /// Several values; text is split at commas.
    List,
}

impl ParamType {
    /// The word that META uses.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Quantity => "quantity",
            Self::Enum(_) => "enum",
            Self::List => "list",
        }
    }
}

/// One parameter of a function, without the resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Name with dashes, as the command line takes it.
    pub name: String,
    /// Other names that are accepted.
    pub aliases: Vec<String>,
    /// What it holds.
    pub kind: ParamType,
    /// Smallest number.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Taken when nothing is given.
    pub default: Option<serde_json::Value>,
    /// What it means, for people.
    pub about: String,
    /// Whether a call must give it.
    pub required: bool,
    /// Whether it is given by name alone: `--kubernetes CONTEXT`. Such parameters come last.
    pub named: bool,
}

impl Param {
    pub(super) fn untyped(name: &str) -> Self {
        Self {
            name: kebab(name),
            aliases: Vec::new(),
            kind: ParamType::Any,
            min: None,
            max: None,
            default: None,
            about: String::new(),
            required: true,
            named: false,
        }
    }

    /// The accepted form in words, for example `an integer of at least 0`.
    pub fn accepted(&self) -> String {
        let form = match &self.kind {
            ParamType::Any => "a value".to_owned(),
            ParamType::Int => "an integer".to_owned(),
            ParamType::Float => "a number".to_owned(),
            ParamType::Bool => "true or false".to_owned(),
            ParamType::String => "text".to_owned(),
            ParamType::Quantity => "a quantity such as 250m or 2Gi".to_owned(),
            ParamType::Enum(choices) => format!("one of {}", choices.join(", ")),
            ParamType::List => "a list such as a,b,c".to_owned(),
        };
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{form} from {min} to {max}"),
            (Some(min), None) => format!("{form} of at least {min}"),
            (None, Some(max)) => format!("{form} of at most {max}"),
            (None, None) => form,
        }
    }
}

/// An example in a doc comment, which runs as a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The code between the fences.
    pub code: String,
    /// Line of its first line in the file.
    pub line: usize,
}

/// A function of the catalogue.
pub struct Function {
    /// Name with dashes, like its file.
    pub name: String,
    /// What it does with resources.
    pub kind: Kind,
    /// What it gets.
    pub scope: Scope,
    /// Kinds it applies to: `Deployment`, `apps/Deployment`, `apps/v1/Deployment`; empty is all.
    pub resources: Vec<String>,
    /// Parameters in the order of the signature, without the first.
    pub params: Vec<Param>,
    /// Other orders of positional arguments, chosen by how many are given; indexes of `params`.
    pub forms: Vec<Vec<usize>>,
    /// The file's `//!` line; `Other` where there is none.
    pub theme: String,
    /// First paragraph of the doc comment on one line.
    pub summary: String,
    /// The whole doc comment, as Markdown.
    pub doc: String,
    /// Its examples.
    pub examples: Vec<Example>,
    /// Names of its `test_…` functions, in order.
    pub tests: Vec<String>,
    /// The source it comes from: `project`, `store`, `stdlib`.
    pub origin: String,
    /// The file as it is shown, for example `functions/pin-node-pool.rhai`.
    pub path: String,
    /// The origin whose function of the same name this one hides.
    pub shadows: Option<String>,
    /// The file's text.
    pub source: Arc<str>,
    pub(super) ast: AST,
    /// The name in the code.
    pub(super) ident: String,
    /// Whether constants have to be evaluated before a call.
    pub(super) needs_globals: bool,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Function {
    /// Digest of the file, which a preview keeps to notice that the function changed.
    pub fn digest(&self) -> [u8; 32] {
        *blake3::hash(self.source.as_bytes()).as_bytes()
    }

    /// How a call looks: `set-env-var CONTAINER-NAME ENV-VAR [ENV-VALUE]`.
    pub fn usage(&self) -> String {
        let mut usage = self.name.clone();
        for param in &self.params {
            let word = param.name.to_uppercase();
            usage.push(' ');
            if param.required {
                usage.push_str(&word);
            } else {
                usage.extend(["[", word.as_str(), "]"]);
            }
        }
        usage
    }

    /// Whether the function applies to a resource of this API version and kind.
    pub fn applies_to(&self, api_version: &str, kind: &str) -> bool {
        let mut wanted = self.resources.iter();
        self.resources.is_empty() || wanted.any(|wanted| fits_type(wanted, api_version, kind))
    }

    /// Reads a function from the text of its file.
    ///
    /// # Errors
    ///
    /// With line and column: a syntax error, a META that is not understood, or no public function
    /// named like the file.
    pub(super) fn read(name: &str, path: &str, origin: &str, text: &str) -> Result<Self> {
        let source: Arc<str> = Arc::from(text);
        let file = File {
            path,
            text: &source,
        };
        let mut ast = engine::function_engine()
            .compile(text)
            .map_err(|error| translate::parse_error(&error, path, &source))?;
        ast.set_source(path);

        let ident = name.replace('-', "_");
        let Signature {
            params,
            comments,
            tests,
        } = file.signature(&ast, &ident)?;
        let meta = file.meta(&ast)?;
        let params = match meta.params {
            Some(declared) => file.checked_params(declared, &params)?,
            None => params.iter().map(|param| Param::untyped(param)).collect(),
        };
        let forms = file.forms(&meta.forms, &params)?;
        let doc = undecorated(&comments);
        let fn_line = file.line_of_fn(&ident);
        Ok(Self {
            name: name.to_owned(),
            kind: meta.kind,
            scope: meta.scope,
            resources: meta.resources,
            params,
            forms,
            theme: theme(ast.doc()),
            summary: summary(&doc),
            examples: examples(&doc, fn_line.saturating_sub(doc.lines().count())),
            doc,
            tests,
            origin: origin.to_owned(),
            path: path.to_owned(),
            shadows: None,
            needs_globals: text.contains("global::"),
            source: Arc::clone(&source),
            ast,
            ident,
        })
    }
}

impl Function {
    /// The parameters of a script, which are checked as those of a function are.
    pub(super) fn of_script(path: &str, text: &Arc<str>, params: Vec<Param>) -> Self {
        Self {
            name: path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned(),
            kind: Kind::Mutate,
            scope: Scope::Unit,
            resources: Vec::new(),
            params,
            forms: Vec::new(),
            theme: String::new(),
            summary: String::new(),
            doc: String::new(),
            examples: Vec::new(),
            tests: Vec::new(),
            origin: "script".to_owned(),
            path: path.to_owned(),
            shadows: None,
            source: Arc::clone(text),
            ast: AST::empty(),
            ident: String::new(),
            needs_globals: false,
        }
    }
}

/// Whether a resource is of the type written `Kind`, `group/Kind`, `version/Kind` or
/// `group/version/Kind`; `*` is any kind.
pub(super) fn fits_type(wanted: &str, api_version: &str, kind: &str) -> bool {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let mut parts = wanted.rsplit('/');
    let kind_fits = parts
        .next()
        .is_some_and(|wanted| wanted == "*" || wanted == kind);
    let rest: Vec<&str> = parts.collect();
    kind_fits
        && match rest.as_slice() {
            [] => true,
            [only] => *only == group || *only == api_version,
            [wanted_version, wanted_group] => *wanted_version == version && *wanted_group == group,
            _ => false,
        }
}

/// Dashes for people.
pub(super) fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

fn theme(doc: &str) -> String {
    let line = doc
        .lines()
        .map(|line| line.trim_start_matches("//!").trim());
    let mut line = line.filter(|line| !line.is_empty());
    line.next().unwrap_or("Other").to_owned()
}

/// The doc comment without its comment marks.
fn undecorated(comments: &[String]) -> String {
    let mut doc = String::new();
    for line in comments.iter().flat_map(|comment| comment.lines()) {
        let line = line.trim_start();
        let bare = line.strip_prefix("///").unwrap_or(line);
        let bare = bare.strip_prefix("/**").unwrap_or(bare);
        let bare = bare.strip_suffix("*/").unwrap_or(bare);
        doc.push_str(bare.strip_prefix(' ').unwrap_or(bare).trim_end());
        doc.push('\n');
    }
    doc
}

fn summary(doc: &str) -> String {
    let lines = doc.lines().skip_while(|line| line.trim().is_empty());
    let first: Vec<&str> = lines.take_while(|line| !line.trim().is_empty()).collect();
    first.join(" ")
}

/// The fenced blocks of a doc comment whose first line is line `first + 1`... of the file.
fn examples(doc: &str, lines_before: usize) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut open: Option<Example> = None;
    for (index, line) in doc.lines().enumerate() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            match open.take() {
                Some(example) => examples.push(example),
                None if matches!(info.trim(), "" | "rhai") => {
                    open = Some(Example {
                        code: String::new(),
                        line: lines_before + index + 1,
                    });
                }
                None => {}
            }
        } else if let Some(example) = &mut open {
            example.code.push_str(line);
            example.code.push('\n');
        }
    }
    examples
}
