//! `target create`

use serde::Deserialize;

use crate::app::App;
use crate::app::targets::{KINDS, TargetOptions};
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
    /// What it is; `kubernetes` where a context is given, else `sandbox`.
    #[arg(long, value_name = "KIND", value_parser = KINDS)]
    pub kind: Option<String>,
    /// The context of the kubeconfig; its current one where it is left out.
    #[arg(long, value_name = "CONTEXT")]
    pub context: Option<String>,
    /// The kubeconfig; that of kubectl where it is left out.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<String>,
    /// The namespace of objects that name none; the space's name where it is left out.
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
}

impl Operation for TargetCreate {
    const NAME: &'static str = "target create";
    const ABOUT: &'static str = "Make sure of a target";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "target create sandbox --kind sandbox",
        "target create us --kind kubernetes --context kind-us --namespace traderx-prod-us",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let options = TargetOptions {
            kind: args.kind,
            namespace: args.namespace,
            context: args.context,
            kubeconfig: args.kubeconfig,
        };
        let target = app.ensure_target(&args.slug.parse()?, &options)?;
        Ok(object(format!("target {} is there\n", args.slug), target))
    }
}
