//! A function as the catalogue shows it: read from its file, never by running it.

use std::fmt;
use std::sync::Arc;

use rhai::{AST, Dynamic, FnAccess, Map};

use super::error::{Error, Fault, Location, Result, nearest};
use super::{engine, translate, value};

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
}

impl Param {
    fn untyped(name: &str) -> Self {
        Self {
            name: kebab(name),
            aliases: Vec::new(),
            kind: ParamType::Any,
            min: None,
            max: None,
            default: None,
            about: String::new(),
            required: true,
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
            usage.push_str(&if param.required { word } else { format!("[{word}]") });
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
        let file = File { path, text: &source };
        let mut ast = engine::function_engine()
            .compile(text)
            .map_err(|error| translate::parse_error(&error, path, &source))?;
        ast.set_source(path);

        let ident = name.replace('-', "_");
        let (signature, comments, tests) = file.signature(&ast, &ident)?;
        let meta = file.meta(&ast)?;
        let params = match meta.params {
            Some(params) => file.checked_params(params, &signature)?,
            None => signature.iter().map(|param| Param::untyped(param)).collect(),
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

/// What a script says of itself in its META: parameters, flags, variables of the environment.
pub(super) struct ScriptMeta {
    /// The parameters as those of a function, so that arguments are checked the same way; `None`
    /// where the script has no META.
    pub(super) function: Option<Function>,
    /// Words that are there or not: `--yes`.
    pub(super) flags: Vec<String>,
    /// Variables of the environment that the script may read.
    pub(super) env: Vec<String>,
}

impl ScriptMeta {
    /// Reads the META of a script that has been parsed.
    ///
    /// # Errors
    /// With line and column: a META that is not understood.
    pub(super) fn read(path: &str, text: &Arc<str>, ast: &AST) -> Result<Self> {
        let file = File { path, text };
        let meta = file.meta(ast)?;
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
        let function = meta.params.map(|params| Function {
            name,
            kind: Kind::Mutate,
            scope: Scope::Unit,
            resources: Vec::new(),
            params,
            forms: Vec::new(),
            theme: String::new(),
            summary: theme(ast.doc()),
            examples: Vec::new(),
            doc: undecorated(&[ast.doc().to_owned()]),
            tests: Vec::new(),
            origin: "script".to_owned(),
            path: path.to_owned(),
            shadows: None,
            needs_globals: false,
            source: Arc::clone(text),
            ast: AST::empty(),
            ident: String::new(),
        });
        Ok(Self { function, flags: meta.flags, env: meta.env })
    }
}

/// Whether a resource is of the type written `Kind`, `group/Kind`, `version/Kind` or
/// `group/version/Kind`; `*` is any kind.
pub(super) fn fits_type(wanted: &str, api_version: &str, kind: &str) -> bool {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let mut parts = wanted.rsplit('/');
    let kind_fits = parts.next().is_some_and(|wanted| wanted == "*" || wanted == kind);
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

struct File<'a> {
    path: &'a str,
    text: &'a Arc<str>,
}

struct Meta {
    kind: Kind,
    scope: Scope,
    resources: Vec<String>,
    params: Option<Vec<Param>>,
    forms: Vec<Vec<String>>,
    flags: Vec<String>,
    env: Vec<String>,
}

impl File<'_> {
    fn error(&self, problem: impl Into<String>, word: &str) -> Error {
        let (line, column) = position_of(self.text, word).unwrap_or((1, 1));
        let end = column + word.chars().count().max(1);
        Error::new(Fault::File { path: self.path.to_owned(), problem: problem.into() }).at(
            Location { file: self.path.to_owned(), line, column, end },
            Some(Arc::clone(self.text)),
        )
    }

    fn line_of_fn(&self, ident: &str) -> usize {
        position_of(self.text, &format!("fn {ident}")).map_or(1, |(line, _)| line)
    }

    #[expect(clippy::type_complexity, reason = "used once, by the constructor")]
    fn signature(&self, ast: &AST, ident: &str) -> Result<(Vec<String>, Vec<String>, Vec<String>)> {
        let mut found = None;
        let mut tests = Vec::new();
        let mut public = Vec::new();
        for function in ast.iter_functions().filter(|f| f.access == FnAccess::Public) {
            if function.name == ident && found.is_none() {
                let params = function.params.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
                let comments = function.comments.iter().map(|c| (*c).to_owned()).collect();
                found = Some((params, comments));
            } else if function.name == ident {
                return Err(self.error(
                    format!("`{ident}` is defined twice; a function has one signature"),
                    &format!("fn {ident}"),
                ));
            } else if function.name.starts_with("test_") {
                tests.push(function.name.to_owned());
            } else {
                public.push(function.name.to_owned());
            }
        }
        tests.sort_by_key(|test| self.line_of_fn(test));
        let Some((mut params, comments)) = found else {
            let nearest = nearest(ident, public.iter().map(String::as_str)).map(str::to_owned);
            let word = nearest.clone().unwrap_or_default();
            return Err(self
                .error(format!("expected a public function named `{ident}`, like the file"), &word)
                .nearest(nearest.as_deref()));
        };
        if params.is_empty() {
            return Err(self.error(
                format!("`{ident}` has no parameter; the first one is the resource or the unit"),
                &format!("fn {ident}"),
            ));
        }
        params.remove(0);
        Ok((params, comments, tests))
    }

    fn meta(&self, ast: &AST) -> Result<Meta> {
        let mut meta = Meta {
            kind: Kind::Mutate,
            scope: Scope::Resource,
            resources: Vec::new(),
            params: None,
            forms: Vec::new(),
            flags: Vec::new(),
            env: Vec::new(),
        };
        let literal = ast.iter_literal_variables(true, false).find(|(name, ..)| *name == "META");
        let Some((_, _, literal)) = literal else {
            if self.text.lines().any(|line| line.contains("const META")) {
                return Err(self.error("META must be a literal: no calls and no names", "META"));
            }
            return Ok(meta);
        };
        let Some(map) = literal.try_cast::<Map>() else {
            return Err(self.error("META must be a map: #{ kind: \"mutate\", … }", "META"));
        };
        for (key, entry) in map {
            match key.as_str() {
                "kind" => meta.kind = self.kind(&entry)?,
                "scope" => meta.scope = self.scope(&entry)?,
                "resources" => meta.resources = self.words(&entry, "resources")?,
                "params" => meta.params = Some(self.params(entry)?),
                "forms" => {
                    let forms = self.array(entry, "forms")?;
                    for form in forms {
                        meta.forms.push(self.words(&form, "forms")?);
                    }
                }
                "flags" => meta.flags = self.words(&entry, "flags")?,
                "env" => meta.env = self.words(&entry, "env")?,
                other => {
                    let known = ["kind", "scope", "resources", "params", "forms", "flags", "env"];
                    return Err(self
                        .error(format!("META has no entry `{other}`"), other)
                        .nearest(nearest(other, known)));
                }
            }
        }
        Ok(meta)
    }

    fn kind(&self, entry: &Dynamic) -> Result<Kind> {
        match entry.to_string().as_str() {
            "mutate" => Ok(Kind::Mutate),
            "query" => Ok(Kind::Query),
            "validate" => Ok(Kind::Validate),
            other => Err(self.error(
                format!("kind must be mutate, query or validate, found `{other}`"),
                other,
            )),
        }
    }

    fn scope(&self, entry: &Dynamic) -> Result<Scope> {
        match entry.to_string().as_str() {
            "resource" => Ok(Scope::Resource),
            "unit" => Ok(Scope::Unit),
            other => {
                Err(self.error(format!("scope must be resource or unit, found `{other}`"), other))
            }
        }
    }

    fn array(&self, entry: Dynamic, what: &str) -> Result<Vec<Dynamic>> {
        entry.into_array().map_err(|found| {
            self.error(format!("{what} must be an array, found {}", value::type_word(found)), what)
        })
    }

    fn words(&self, entry: &Dynamic, what: &str) -> Result<Vec<String>> {
        self.array(entry.clone(), what)?
            .into_iter()
            .map(|word| {
                word.into_string().map_err(|_| {
                    self.error(format!("{what} must be an array of strings"), what)
                })
            })
            .collect()
    }

    fn params(&self, entry: Dynamic) -> Result<Vec<Param>> {
        self.array(entry, "params")?.into_iter().map(|param| self.param(param)).collect()
    }

    fn param(&self, entry: Dynamic) -> Result<Param> {
        if entry.is_string() {
            return Ok(Param::untyped(&entry.to_string()));
        }
        let Some(mut map) = entry.try_cast::<Map>() else {
            return Err(self.error("a parameter must be #{ name: …, type: … }", "params"));
        };
        let Some(name) = map.remove("name").and_then(|name| name.into_string().ok()) else {
            return Err(self.error("a parameter has no name", "params"));
        };
        let mut param = Param::untyped(&name);
        let mut required = None;
        let mut choices = None;
        let mut type_name = None;
        for (key, entry) in map {
            match key.as_str() {
                "type" => type_name = Some(entry.to_string()),
                "min" => param.min = Some(self.number(&entry, &name)?),
                "max" => param.max = Some(self.number(&entry, &name)?),
                "choices" => choices = Some(self.words(&entry, "choices")?),
                "aliases" => {
                    param.aliases =
                        self.words(&entry, "aliases")?.iter().map(|alias| kebab(alias)).collect();
                }
                "default_value" => {
                    param.default = Some(value::to_json(&entry).map_err(|_| {
                        self.error("a default must be a plain value", "default_value")
                    })?);
                }
                "about" => param.about = entry.to_string(),
                "required" => required = entry.as_bool().ok(),
                other => {
                    let known = [
                        "type", "min", "max", "choices", "aliases", "default_value", "about",
                        "required", "name",
                    ];
                    return Err(self
                        .error(format!("parameter `{name}` has no entry `{other}`"), other)
                        .nearest(nearest(other, known)));
                }
            }
        }
        param.kind = self.param_type(&name, type_name.as_deref(), choices)?;
        param.required = required.unwrap_or(param.default.is_none());
        Ok(param)
    }

    fn number(&self, entry: &Dynamic, name: &str) -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "bounds of arguments are small")]
        entry.as_int().map(|int| int as f64).or_else(|_| entry.as_float()).map_err(|found| {
            let found = value::type_word(found);
            self.error(format!("min and max of `{name}` must be numbers, found {found}"), name)
        })
    }

    fn param_type(
        &self,
        name: &str,
        type_name: Option<&str>,
        choices: Option<Vec<String>>,
    ) -> Result<ParamType> {
        match (type_name, choices) {
            (None | Some("enum"), Some(choices)) if !choices.is_empty() => {
                Ok(ParamType::Enum(choices))
            }
            (Some("enum"), _) => Err(self.error(format!("enum `{name}` needs choices"), name)),
            (None | Some("any"), _) => Ok(ParamType::Any),
            (Some("int"), _) => Ok(ParamType::Int),
            (Some("float"), _) => Ok(ParamType::Float),
            (Some("bool"), _) => Ok(ParamType::Bool),
            (Some("string"), _) => Ok(ParamType::String),
            (Some("quantity"), _) => Ok(ParamType::Quantity),
            (Some("list"), _) => Ok(ParamType::List),
            (Some(other), _) => {
                let known =
                    ["int", "float", "bool", "string", "quantity", "enum", "list", "any"];
                Err(self
                    .error(format!("parameter `{name}` has an unknown type `{other}`"), other)
                    .hint(format!("types      {}", known.join(", ")))
                    .nearest(nearest(other, known)))
            }
        }
    }

    fn checked_params(&self, params: Vec<Param>, signature: &[String]) -> Result<Vec<Param>> {
        let declared: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        let written: Vec<String> = signature.iter().map(|param| kebab(param)).collect();
        if declared != written {
            return Err(self.error(
                format!(
                    "META declares the parameters ({}), the code takes ({})",
                    declared.join(", "),
                    written.join(", ")
                ),
                "params",
            ));
        }
        Ok(params)
    }

    fn forms(&self, forms: &[Vec<String>], params: &[Param]) -> Result<Vec<Vec<usize>>> {
        let index = |word: &String| {
            let word = kebab(word);
            params.iter().position(|param| param.name == word).ok_or_else(|| {
                self.error(format!("a form names `{word}`, which is no parameter"), "forms")
            })
        };
        forms.iter().map(|form| form.iter().map(index).collect()).collect()
    }
}

/// Line and column, from 1, of the first place of `word` in code; comments do not count.
fn position_of(text: &str, word: &str) -> Option<(usize, usize)> {
    if word.is_empty() {
        return None;
    }
    text.lines().enumerate().find_map(|(line, content)| {
        if content.trim_start().starts_with("//") {
            return None;
        }
        let at = content.find(word)?;
        Some((line + 1, content[..at].chars().count() + 1))
    })
}

fn theme(doc: &str) -> String {
    let line = doc.lines().map(|line| line.trim_start_matches("//!").trim());
    line.filter(|line| !line.is_empty()).next().unwrap_or("Other").to_owned()
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
                    open = Some(Example { code: String::new(), line: lines_before + index + 1 });
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
