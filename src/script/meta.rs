//! Reading META and the signature out of a function's file, without running it.

use std::sync::Arc;

use rhai::{AST, Dynamic, FnAccess, Map};

use super::error::{Error, Fault, Location, Result, nearest};
use super::function::{Kind, Param, ParamType, Scope, kebab};
use super::value;

/// A function's file while it is read.
pub(super) struct File<'a> {
    /// The file as it is shown.
    pub path: &'a str,
    /// Its text.
    pub text: &'a Arc<str>,
}

/// What a file declares in META.
pub(super) struct Meta {
    pub kind: Kind,
    pub scope: Scope,
    pub resources: Vec<String>,
    pub params: Option<Vec<Param>>,
    pub forms: Vec<Vec<String>>,
    pub flags: Vec<String>,
    pub env: Vec<String>,
}

/// What a file's code declares: the parameters of its function without the first, the lines of
/// its doc comment, and the names of its tests.
pub(super) struct Signature {
    pub params: Vec<String>,
    pub comments: Vec<String>,
    pub tests: Vec<String>,
}

impl File<'_> {
    fn error(&self, problem: impl Into<String>, word: &str) -> Error {
        let (line, column) = position_of(self.text, word).unwrap_or((1, 1));
        let end = column + word.chars().count().max(1);
        Error::new(Fault::File {
            path: self.path.to_owned(),
            problem: problem.into(),
        })
        .at(
            Location {
                file: self.path.to_owned(),
                line,
                column,
                end,
            },
            Some(Arc::clone(self.text)),
        )
    }

    pub(super) fn line_of_fn(&self, ident: &str) -> usize {
        position_of(self.text, &format!("fn {ident}")).map_or(1, |(line, _)| line)
    }

    pub(super) fn signature(&self, ast: &AST, ident: &str) -> Result<Signature> {
        let mut found = None;
        let mut tests = Vec::new();
        let mut public = Vec::new();
        for function in ast
            .iter_functions()
            .filter(|f| f.access == FnAccess::Public)
        {
            if function.name == ident && found.is_none() {
                let params = function
                    .params
                    .iter()
                    .map(|p| (*p).to_owned())
                    .collect::<Vec<_>>();
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
                .error(
                    format!("expected a public function named `{ident}`, like the file"),
                    &word,
                )
                .nearest(nearest.as_deref()));
        };
        if params.is_empty() {
            return Err(self.error(
                format!("`{ident}` has no parameter; the first one is the resource or the unit"),
                &format!("fn {ident}"),
            ));
        }
        params.remove(0);
        Ok(Signature {
            params,
            comments,
            tests,
        })
    }

    pub(super) fn meta(&self, ast: &AST) -> Result<Meta> {
        let mut meta = Meta {
            kind: Kind::Mutate,
            scope: Scope::Resource,
            resources: Vec::new(),
            params: None,
            forms: Vec::new(),
            flags: Vec::new(),
            env: Vec::new(),
        };
        let literal = ast
            .iter_literal_variables(true, false)
            .find(|(name, ..)| *name == "META");
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
                    let known = [
                        "kind",
                        "scope",
                        "resources",
                        "params",
                        "forms",
                        "flags",
                        "env",
                    ];
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
            other => Err(self.error(
                format!("scope must be resource or unit, found `{other}`"),
                other,
            )),
        }
    }

    fn array(&self, entry: Dynamic, what: &str) -> Result<Vec<Dynamic>> {
        entry.into_array().map_err(|found| {
            self.error(
                format!("{what} must be an array, found {}", value::type_word(found)),
                what,
            )
        })
    }

    fn words(&self, entry: &Dynamic, what: &str) -> Result<Vec<String>> {
        self.array(entry.clone(), what)?
            .into_iter()
            .map(|word| {
                word.into_string()
                    .map_err(|_| self.error(format!("{what} must be an array of strings"), what))
            })
            .collect()
    }

    fn params(&self, entry: Dynamic) -> Result<Vec<Param>> {
        self.array(entry, "params")?
            .into_iter()
            .map(|param| self.param(param))
            .collect()
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
                    param.aliases = self
                        .words(&entry, "aliases")?
                        .iter()
                        .map(|alias| kebab(alias))
                        .collect();
                }
                "default_value" => {
                    param.default = Some(value::to_json(&entry).map_err(|_| {
                        self.error("a default must be a plain value", "default_value")
                    })?);
                }
                "about" => param.about = entry.to_string(),
                "required" => required = entry.as_bool().ok(),
                "named" => param.named = entry.as_bool().unwrap_or_default(),
                other => {
                    let known = [
                        "type",
                        "min",
                        "max",
                        "choices",
                        "aliases",
                        "default_value",
                        "about",
                        "required",
                        "named",
                        "name",
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
        entry
            .as_int()
            .map(|int| int as f64)
            .or_else(|_| entry.as_float())
            .map_err(|found| {
                let found = value::type_word(found);
                self.error(
                    format!("min and max of `{name}` must be numbers, found {found}"),
                    name,
                )
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
                let known = [
                    "int", "float", "bool", "string", "quantity", "enum", "list", "any",
                ];
                Err(self
                    .error(
                        format!("parameter `{name}` has an unknown type `{other}`"),
                        other,
                    )
                    .hint(format!("types      {}", known.join(", ")))
                    .nearest(nearest(other, known)))
            }
        }
    }

    pub(super) fn checked_params(
        &self,
        params: Vec<Param>,
        signature: &[String],
    ) -> Result<Vec<Param>> {
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

    pub(super) fn forms(&self, forms: &[Vec<String>], params: &[Param]) -> Result<Vec<Vec<usize>>> {
        let index = |word: &String| {
            let word = kebab(word);
            params
                .iter()
                .position(|param| param.name == word)
                .ok_or_else(|| {
                    self.error(
                        format!("a form names `{word}`, which is no parameter"),
                        "forms",
                    )
                })
        };
        forms
            .iter()
            .map(|form| form.iter().map(index).collect())
            .collect()
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
