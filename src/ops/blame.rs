//! `blame`

use serde::Deserialize;

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::ops::selecting::{Selecting, SelectingFlags, object};
use crate::ops::{Effect, Operation, Output};

/// Says why a value is as it is.
#[derive(Debug)]
pub struct Blame;

/// Arguments of [`Blame`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// A unit, a glob (`prod-*/ledger`) or a WHERE clause; may be left out where a flag says which
    /// units.
    #[arg(value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// The path: `spec.replicas`.
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub flags: SelectingFlags,
    /// Only in this resource: `Deployment/api`.
    #[arg(long, value_name = "KIND/NAME")]
    pub resource: Option<String>,
}

impl Operation for Blame {
    const NAME: &'static str = "blame";
    const ABOUT: &'static str =
        "Say why a value is as it is: revision, who, and where it came from";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "blame traderx-prod-eu/trade-service spec.replicas",
        "blame spec.replicas --space 'traderx-prod-*'",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let (selector, path) = match (args.selector, args.path) {
            (selector, Some(path)) => (selector, path),
            // One word alone is the path: flags say which units.
            (Some(path), None) => (None, path),
            (None, None) => {
                return Err(Error::new(
                    Kind::Usage,
                    "expected a path such as spec.replicas, found none",
                ));
            }
        };
        let selecting = Selecting {
            selector,
            flags: args.flags,
        };
        let selection = selecting.resolve_for_write(app)?;
        let blame = app.blame(&selection, &path, args.resource.as_deref())?;
        Ok(object(blame.to_string(), blame.to_json()))
    }
}
