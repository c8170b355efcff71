//! `unit update`

use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::upgrade::UpgradeOptions;
use crate::error::{Error, Kind, Result};
use crate::model::RevisionRef;
use crate::ops::selecting::{Selecting, StagingFlags, label_change, shown};
use crate::ops::{Effect, Operation, Output};

/// Changes units: new data, a patch, an upgrade, an earlier revision, or labels.
#[derive(Debug)]
pub struct UnitUpdate;

/// Arguments of [`UnitUpdate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// The file whose YAML replaces the data.
    pub file: Option<String>,
    /// A merge patch, or an RFC 6902 patch, as JSON. Without a value it goes with --upgrade.
    #[arg(long, value_name = "JSON", num_args = 0..=1, default_missing_value = "")]
    pub patch: Option<String>,
    /// Merge what changed upstream.
    #[arg(long)]
    pub upgrade: bool,
    /// Where both sides changed a path, take the incoming value.
    #[arg(long, requires = "upgrade")]
    pub prefer_incoming: bool,
    /// Refuse, rather than store a conflict, where both sides changed a path.
    #[arg(long, requires = "upgrade")]
    pub strict: bool,
    /// Make the data of this revision the new head: a number, N-1 (one before live), live,
    /// prev-live.
    #[arg(long, value_name = "REVISION", allow_hyphen_values = true)]
    pub restore: Option<RevisionRef>,
    /// Set a label, or remove it with an empty value (can be repeated). Makes no revision.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label_change)]
    #[serde(rename = "label")]
    pub labels: Vec<(String, Option<String>)>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Where the change is kept.
    #[command(flatten)]
    #[serde(flatten)]
    pub staging: StagingFlags,
}

impl Operation for UnitUpdate {
    const NAME: &'static str = "unit update";
    const ABOUT: &'static str =
        "Change units: new data, a patch, an upgrade, an earlier revision, labels";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "unit update --upgrade --patch --space 'traderx-prod-*'",
        "unit update --upgrade --patch --dry-run --space traderx-prod-us",
        "unit update traderx-prod-us/trade-service --patch '{\"spec\":{\"replicas\":3}}'",
        "unit update traderx-base/trade-service k8s/trade-service-v2.yaml",
        "unit update --filter high-volume-trading --label tier=critical",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let app = &args.staging.app(app)?;
        let selection = args.selecting.resolve_for_write(app)?;
        let change = ChangeOptions {
            allow_empty: args.selecting.flags.allow_empty,
            dry_run: args.dry_run,
        };
        let body = args.patch.as_deref().filter(|body| !body.is_empty());
        if !args.labels.is_empty() {
            let is_alone =
                args.file.is_none() && body.is_none() && args.restore.is_none() && !args.upgrade;
            if !is_alone {
                return Err(one_of());
            }
            let labels = args.labels.into_iter().collect();
            return shown(app.set_labels(&selection, &labels, change)?);
        }
        let outcome = match (args.file, body, args.restore, args.upgrade) {
            (Some(file), None, None, false) => {
                let text = app.project().read_file(&file)?;
                app.update_text(&selection, &text, change)
                    .map_err(|error| error.context(format!("file         {file}")))
            }
            (None, Some(body), None, false) => app.patch(&selection, &json(body)?, change),
            (None, None, Some(revision), false) => app.restore(&selection, revision, change),
            (None, None, None, true) => app.upgrade(
                &selection,
                UpgradeOptions {
                    change,
                    prefer_incoming: args.prefer_incoming,
                    strict: args.strict,
                    hops: None,
                },
            ),
            _ => Err(one_of()),
        }?;
        shown(outcome)
    }
}

fn one_of() -> Error {
    Error::new(
        Kind::Usage,
        "expected one of a file, --patch JSON, --upgrade, --restore REVISION and --label KEY=VALUE",
    )
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(
            Kind::Usage,
            format!("expected JSON for --patch, found `{text:.60}`: {error}"),
        )
    })
}
