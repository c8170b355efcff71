//! `target create`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Makes sure of a target.
#[derive(Debug)]
pub struct TargetCreate;

/// Arguments of [`TargetCreate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
    /// What it is.
    #[arg(long, value_name = "KIND", value_parser = ["sandbox"], default_value = "sandbox")]
    pub kind: Option<String>,
    /// The namespace of objects that name none; the space's name where it is left out.
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
}

impl Operation for TargetCreate {
    const NAME: &'static str = "target create";
    const ABOUT: &'static str = "Make sure of a target";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["target create sandbox --kind sandbox"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let kind = args.kind.as_deref().unwrap_or("sandbox");
        let target = app.ensure_target(&args.slug.parse()?, kind, args.namespace.as_deref())?;
        Ok(object(format!("target {} is there\n", args.slug), target))
    }
}
