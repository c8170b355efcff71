//! `unit update`

use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::lateral::MergeOptions;
use crate::app::outcome::Outcome;
use crate::app::select::Selection;
use crate::app::upgrade::UpgradeOptions;
use crate::error::{Error, Kind, Result};
use crate::model::RevisionRef;
use crate::ops::file::NamedFile;
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
    /// The file whose YAML replaces the data; `-` is standard input. With --patch, the patch.
    pub file: Option<NamedFile>,
    /// A merge patch, or an RFC 6902 patch, as JSON. Without a value, --data, --filename or
    /// --from-stdin has it; with --upgrade there is none.
    #[arg(long, value_name = "JSON", num_args = 0..=1, default_missing_value = "")]
    pub patch: Option<String>,
    /// What replaces the data, or with --patch the patch, as text.
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["file", "filename", "from_stdin"])]
    pub data: Option<String>,
    /// The file with the new data, or with --patch the patch.
    #[arg(long, alias = "data-file", value_name = "FILE", conflicts_with_all = ["file", "from_stdin"])]
    pub filename: Option<NamedFile>,
    /// Read the new data, or with --patch the patch, from standard input.
    #[arg(long, conflicts_with = "file")]
    pub from_stdin: bool,
    /// Merge what changed upstream.
    #[arg(long)]
    pub upgrade: bool,
    /// Where both sides changed a path, take the incoming value.
    #[arg(long)]
    pub prefer_incoming: bool,
    /// Refuse, rather than store a conflict, where both sides changed a path.
    #[arg(long)]
    pub strict: bool,
    /// Make the data of this revision the new head: a number, N-1 (one before live), live,
    /// prev-live.
    #[arg(long, value_name = "REVISION", allow_hyphen_values = true)]
    pub restore: Option<RevisionRef>,
    /// Set a label, or remove it with an empty value (can be repeated). Makes no revision; beside a
    /// change of data it is the same operation.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label_change)]
    #[serde(rename = "label")]
    pub labels: Vec<(String, Option<String>)>,
    /// Merge revisions of this unit, a sibling say: space/unit.
    #[arg(long, value_name = "UNIT", alias = "merge-source")]
    #[serde(alias = "merge_source")]
    pub merge_unit: Option<String>,
    /// What was made after this revision of it is merged [default: since the last merge, or since
    /// it last took its upstream].
    #[arg(long, value_name = "REVISION", requires = "merge_unit")]
    pub merge_base: Option<u32>,
    /// Up to and with this revision of it [default: its head].
    #[arg(long, value_name = "REVISION", requires = "merge_unit")]
    pub merge_end: Option<u32>,
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
        "Change units: new data, a patch, an upgrade, a merge, an earlier revision, labels";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "unit update --upgrade --patch --space 'traderx-prod-*'",
        "unit update --upgrade --patch --dry-run --space traderx-prod-us",
        "unit update traderx-prod-asia/trade-service --merge-unit traderx-prod-eu/trade-service --merge-base 46 --merge-end 47",
        "unit update traderx-prod-us/trade-service --patch '{\"spec\":{\"replicas\":3}}'",
        "unit update traderx-base/trade-service k8s/trade-service-v2.yaml",
        "unit update --filter high-volume-trading --label tier=critical",
        "unit update prod/web --patch '{\"spec\":{\"replicas\":3}}' --label tier=critical",
    ];
    type Args = Args;

    fn run(app: &App, mut args: Args) -> Result<Output> {
        args.untangle();
        let app = &args.staging.app(app)?;
        let selection = args.selecting.resolve_for_write(app)?;
        let change = ChangeOptions {
            allow_empty: args.selecting.flags.allow_empty,
            dry_run: args.dry_run,
        };
        let given = args.given(app)?;
        if args.labels.is_empty() {
            return shown(args.change_data(app, &selection, given, change)?);
        }
        let labels = args.labels.iter().cloned().collect();
        if args.changes_data(given.as_ref()) {
            let change_data = || args.change_data(app, &selection, given, change);
            return shown(app.set_labels_with(&selection, &labels, change, change_data)?);
        }
        shown(app.set_labels(&selection, &labels, change)?)
    }
}

/// New data, or a patch.
enum Given {
    Text { text: String, from: String },
    Patch(Value),
}

impl Args {
    /// `--patch` takes no value in the reference product's tool: a word behind it that is no patch
    /// is the unit there.
    fn untangle(&mut self) {
        let has_body = self.data.is_some() || self.filename.is_some() || self.from_stdin;
        let is_unit = |word: &mut String| {
            let is_patch = word.is_empty() || word.trim_start().starts_with(['{', '[']);
            (has_body || self.upgrade) && !is_patch && self.selecting.selector.is_none()
        };
        if let Some(unit) = self.patch.take_if(is_unit) {
            self.selecting.selector = Some(unit);
            self.patch = Some(String::new());
        }
    }

    /// Whether something beside the labels is to be changed.
    fn changes_data(&self, given: Option<&Given>) -> bool {
        given.is_some() || self.restore.is_some() || self.upgrade || self.merge_unit.is_some()
    }

    fn change_data(
        &self,
        app: &App,
        selection: &Selection,
        given: Option<Given>,
        change: ChangeOptions,
    ) -> Result<Outcome> {
        if !self.upgrade && self.merge_unit.is_none() && (self.strict || self.prefer_incoming) {
            return Err(Error::new(
                Kind::Usage,
                "expected --strict and --prefer-incoming with --upgrade or --merge-unit, found \
                 neither",
            ));
        }
        if let Some(source) = &self.merge_unit {
            if given.is_some() {
                return Err(one_of());
            }
            return self.merge(app, source, selection, change);
        }
        match (given, self.restore, self.upgrade) {
            (Some(Given::Text { text, from }), None, false) => app
                .update_text(selection, &text, change)
                .map_err(|error| error.context(format!("file         {from}"))),
            (Some(Given::Patch(patch)), None, false) => app.patch(selection, &patch, change),
            (None, Some(revision), false) => app.restore(selection, revision, change),
            (None, None, true) => app.upgrade(
                selection,
                UpgradeOptions {
                    change,
                    prefer_incoming: self.prefer_incoming,
                    strict: self.strict,
                    hops: None,
                },
            ),
            _ => Err(one_of()),
        }
    }

    fn merge(
        &self,
        app: &App,
        source: &str,
        selection: &Selection,
        change: ChangeOptions,
    ) -> Result<Outcome> {
        if self.restore.is_some() || self.upgrade {
            return Err(Error::new(
                Kind::Usage,
                "expected --merge-unit without a file, a patch, --upgrade and --restore",
            ));
        }
        let options = MergeOptions {
            change,
            base: self.merge_base,
            end: self.merge_end,
            prefer_incoming: self.prefer_incoming,
            strict: self.strict,
        };
        app.merge_from(selection, app.unit_named(source)?, options)
    }

    /// The new data or the patch, from wherever it comes.
    fn given(&self, app: &App) -> Result<Option<Given>> {
        let body = self.patch.as_deref().filter(|body| !body.is_empty());
        let stdin = NamedFile::CommandLine("-".to_owned());
        let file = match (&self.file, &self.filename, self.from_stdin) {
            (Some(file), ..) | (None, Some(file), _) => Some(file),
            (None, None, true) => Some(&stdin),
            (None, None, false) => None,
        };
        let (text, from) = match (body, &self.data, file) {
            (None, None, None) => return Ok(None),
            (Some(body), None, None) => return Ok(Some(Given::Patch(json(body)?))),
            (None, Some(data), None) => (data.clone(), "--data".to_owned()),
            (None, None, Some(file)) => (file.read(app)?, file.name().to_owned()),
            _ => return Err(one_of()),
        };
        Ok(Some(if self.patch.is_some() {
            Given::Patch(json(&text)?)
        } else {
            Given::Text { text, from }
        }))
    }
}

fn one_of() -> Error {
    Error::new(
        Kind::Usage,
        "expected one of a file, --patch JSON, --upgrade, --merge-unit UNIT, \
         --restore REVISION, and --label KEY=VALUE alone or beside one of them",
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
