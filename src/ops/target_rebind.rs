//! `target rebind`

use serde::Deserialize;

use crate::app::App;
use crate::app::targets::TargetOptions;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Rebinds a target.
#[derive(Debug)]
pub struct TargetRebind;

/// Arguments of [`TargetRebind`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
    /// Another context of the kubeconfig.
    #[arg(long, value_name = "CONTEXT")]
    pub context: Option<String>,
    /// Another kubeconfig.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<String>,
}

impl Operation for TargetRebind {
    const NAME: &'static str = "target rebind";
    const ABOUT: &'static str =
        "Make a target the cluster that its context now leads to; nothing is live there";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &["target rebind us --context kind-us-2"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let options = TargetOptions {
            context: args.context,
            kubeconfig: args.kubeconfig,
            ..TargetOptions::default()
        };
        let outcome = app.rebind_target(&args.slug.parse()?, &options)?;
        Ok(Output::Outcome(outcome))
    }
}
