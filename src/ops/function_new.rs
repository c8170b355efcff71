//! `function new`

use serde::Deserialize;

use crate::app::App;
use crate::app::function_template::NewFunction;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};
use crate::script::{Kind, Scope};

/// Writes a new function.
#[derive(Debug)]
pub struct FunctionNew;

/// Arguments of [`FunctionNew`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name: small letters, digits and dashes.
    pub name: String,
    /// What it does: mutate, query or validate.
    #[arg(long, value_name = "KIND", default_value = "mutate", value_parser = ["mutate", "query", "validate"])]
    pub kind: Option<String>,
    /// What it is called with: each resource, or the whole unit.
    #[arg(long, value_name = "SCOPE", default_value = "resource", value_parser = ["resource", "unit"])]
    pub scope: Option<String>,
    /// A parameter and its type, such as `team:string` (can be repeated).
    #[arg(long = "param", value_name = "NAME:TYPE")]
    #[serde(rename = "param")]
    pub params: Vec<String>,
}

impl Operation for FunctionNew {
    const NAME: &'static str = "function new";
    const ABOUT: &'static str = "Write a function that works, with an example and a test";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "function new pin-node-pool --param pool:string",
        "function new owners --kind query",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let params = args.params.iter().map(|param| {
            let (name, kind) = param.split_once(':').unwrap_or((param, "string"));
            (name.to_owned(), kind.to_owned())
        });
        let new = NewFunction {
            kind: match args.kind.as_deref() {
                Some("query") => Kind::Query,
                Some("validate") => Kind::Validate,
                _ => Kind::Mutate,
            },
            scope: match args.scope.as_deref() {
                Some("unit") => Scope::Unit,
                _ => Scope::Resource,
            },
            params: params.collect(),
            name: args.name,
        };
        let file = app.new_function(&new)?;
        let name = new.name;
        Ok(object(
            format!(
                "{file} written\n  windlass function test {name}    its example and its test\n"
            ),
            serde_json::json!({ "Name": name, "File": file }),
        ))
    }
}
