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
    /// What `cub` calls its parameters, as JSON: `KubeContext`, `KubeNamespace`.
    #[arg(value_name = "PARAMETERS", value_parser = parameters)]
    pub parameters: Option<CubParameters>,
    /// The worker of --space that serves it. Here each worker serves its space's targets.
    #[arg(requires = "space")]
    pub worker: Option<String>,
    /// The space of the worker. Targets are the store's: each space can use each.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
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

/// The parameters of a target as `cub` has them; those that mean nothing here are taken as well.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CubParameters {
    /// The context of the kubeconfig.
    #[serde(rename = "KubeContext")]
    context: Option<String>,
    /// The namespace of objects that name none.
    #[serde(rename = "KubeNamespace")]
    namespace: Option<String>,
    /// How long an apply waits; here each apply says so.
    #[serde(rename = "WaitTimeout")]
    _timeout: Option<String>,
}

fn parameters(text: &str) -> std::result::Result<CubParameters, String> {
    serde_json::from_str(text).map_err(|error| {
        format!("expected a JSON object with KubeContext, KubeNamespace or nothing: {error}")
    })
}

impl Operation for TargetCreate {
    const NAME: &'static str = "target create";
    const ABOUT: &'static str = "Make sure of a target";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "target create sandbox --kind sandbox",
        "target create worker '{}' worker --space traderx",
        "target create us --kind kubernetes --context kind-us --namespace traderx-prod-us",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let space = args
            .space
            .map(|space| app.space_named(&space))
            .transpose()?;
        if let (Some(worker), Some(space)) = (&args.worker, &space) {
            drop(app.worker_named(&worker.parse()?, space)?);
        }
        let cub = args.parameters.unwrap_or_default();
        let options = TargetOptions {
            kind: args.kind,
            namespace: args.namespace.or(cub.namespace),
            context: args.context.or(cub.context),
            kubeconfig: args.kubeconfig,
        };
        let target = app.ensure_target(&args.slug.parse()?, &options)?;
        Ok(object(format!("target {} is there\n", args.slug), target))
    }
}
