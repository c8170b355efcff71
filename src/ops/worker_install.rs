//! `worker install`

use serde::Deserialize;

use crate::app::App;
use crate::app::rollout::duration;
use crate::app::targets::InstallOptions;
use crate::app::worker::WorkerOptions;
use crate::app::worker::export::ExportOptions;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// The image of a worker where none is named: of this version, by the name under which one builds
/// and loads it.
const IMAGE: &str = concat!("windlass:", env!("CARGO_PKG_VERSION"));

/// Makes sure of a worker.
#[derive(Debug)]
pub struct WorkerInstall;

/// Arguments of [`WorkerInstall`].
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    #[arg(default_value = "worker")]
    pub slug: String,
    /// The space whose units it deploys; a glob of spaces with --export.
    #[arg(long, value_name = "SPACE", required = true)]
    pub space: String,
    /// Wait for one answer of the target.
    #[arg(long)]
    pub wait: bool,
    /// Deploy the space to the cluster of this context of the kubeconfig from now on.
    #[arg(long, value_name = "CONTEXT", conflicts_with = "export")]
    pub kubernetes: Option<String>,
    /// Print the manifests that run it as a process in a cluster, and change nothing.
    #[arg(long)]
    pub export: bool,
    /// The image to run, with windlass as its entry point.
    #[arg(
        long,
        value_name = "IMAGE",
        default_value = IMAGE,
        requires = "export"
    )]
    pub image: Option<String>,
    /// Taken for the sake of `cub`: the manifests need no secret.
    #[arg(long)]
    pub include_secret: bool,
    /// The namespace to run in, of the manifests that --export prints.
    #[arg(long, value_name = "NAMESPACE", default_value = "windlass")]
    pub namespace: Option<String>,
    /// How long between two of its looks.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "10s",
        requires = "export"
    )]
    pub poll: Option<String>,
    /// Let it apply every new head.
    #[arg(long, requires = "export")]
    pub auto_apply: bool,
    /// How much room its store gets.
    #[arg(long, value_name = "SIZE", default_value = "1Gi", requires = "export")]
    pub storage: Option<String>,
}

impl Operation for WorkerInstall {
    const NAME: &'static str = "worker install";
    const ABOUT: &'static str = "Make sure of a space's worker, and of a target for its units";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "worker install worker --space traderx --wait",
        "worker install worker --space 'traderx-prod-*' --export --image registry/windlass:0.1.0",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        if args.export {
            return export(app, args);
        }
        let space = app.space_named(&args.space)?.id;
        let options = InstallOptions {
            wait: args.wait,
            kubernetes: args.kubernetes,
        };
        let worker = app.install_worker(&args.slug.parse()?, space, &options)?;
        Ok(object(format!("{worker}\n"), worker.to_json()))
    }
}

fn export(app: &App, args: Args) -> Result<Output> {
    let options = WorkerOptions {
        slug: args.slug.parse()?,
        spaces: args.space,
        poll: duration(args.poll.as_deref().unwrap_or("10s"))?,
        auto_apply: args.auto_apply,
        once: false,
    };
    let export = ExportOptions {
        namespace: args.namespace.unwrap_or_else(|| "windlass".to_owned()),
        image: args.image.unwrap_or_else(|| IMAGE.to_owned()),
        storage: args.storage.unwrap_or_else(|| "1Gi".to_owned()),
    };
    let (text, value) = app.export_worker(&options, &export)?;
    Ok(Output::Report {
        text,
        value,
        exit_code: 0,
    })
}
