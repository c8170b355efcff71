//! The table of operations: one file each, from which the command line and the script functions
//! are made.
//!
//! An operation is a name, an effect, typed arguments whose doc comments are the help, and a
//! function over [`App`]. It returns data ([`Output`]), never text for one face.

use serde::de::DeserializeOwned;

use crate::app::App;
use crate::error::{Error, Kind, Result};

pub mod backup_create;
pub mod backup_restore;
pub mod backup_verify;
pub mod blame;
pub mod changeset_apply;
pub mod changeset_create;
pub mod changeset_delete;
pub mod changeset_discard;
pub mod changeset_get;
pub mod changeset_list;
pub mod changeset_remove;
pub mod conflict_edit;
pub mod conflict_keep;
pub mod conflict_list;
pub mod conflict_show;
pub mod conflict_take;
pub mod doctor;
pub mod drift_accept;
pub mod drift_list;
pub mod drift_revert;
pub mod drift_show;
pub mod drift_tolerate;
pub mod export;
pub mod file;
pub mod filter_create;
pub mod filter_delete;
pub mod filter_get;
pub mod filter_list;
pub mod filter_update;
pub mod function_coverage;
pub mod function_do;
pub mod function_explain;
pub mod function_install;
pub mod function_list;
pub mod function_new;
pub mod function_test;
pub mod function_uninstall;
pub mod hold;
pub mod hold_list;
pub mod import;
pub mod log;
pub mod log_show;
pub mod log_verify;
pub mod output;
pub mod protect;
pub mod redo;
pub mod release;
pub mod revision_list;
pub mod rollback;
pub mod selecting;
pub mod space_create;
pub mod space_delete;
pub mod space_get;
pub mod space_list;
pub mod space_new_prefix;
pub mod space_update;
pub mod status;
pub mod takeover;
pub mod target_create;
pub mod target_delete;
pub mod target_list;
pub mod target_rebind;
pub mod undo;
pub mod unhold;
pub mod unit_apply;
pub mod unit_create;
pub mod unit_data;
pub mod unit_delete;
pub mod unit_destroy;
pub mod unit_diff;
pub mod unit_export;
pub mod unit_get;
pub mod unit_list;
pub mod unit_live_state;
pub mod unit_set_target;
pub mod unit_tree;
pub mod unit_update;
pub mod upgrade;
pub mod version;
pub mod wait;
pub mod whoami;
pub mod why;
pub mod worker_create;
pub mod worker_delete;
pub mod worker_get;
pub mod worker_install;
pub mod worker_list;
pub mod worker_run;

pub use output::Output;

/// Every operation. A test compares this table with the folder.
pub static OPS: &[OpDef] = &[
    OpDef::of::<backup_create::BackupCreate>(),
    OpDef::of::<backup_restore::BackupRestore>(),
    OpDef::of::<backup_verify::BackupVerify>(),
    OpDef::of::<blame::Blame>(),
    OpDef::of::<changeset_apply::ChangesetApply>(),
    OpDef::of::<changeset_create::ChangesetCreate>(),
    OpDef::of::<changeset_delete::ChangesetDelete>(),
    OpDef::of::<changeset_discard::ChangesetDiscard>(),
    OpDef::of::<changeset_get::ChangesetGet>(),
    OpDef::of::<changeset_list::ChangesetList>(),
    OpDef::of::<changeset_remove::ChangesetRemove>(),
    OpDef::of::<conflict_edit::ConflictEdit>(),
    OpDef::of::<conflict_keep::ConflictKeep>(),
    OpDef::of::<conflict_list::ConflictList>(),
    OpDef::of::<conflict_show::ConflictShow>(),
    OpDef::of::<conflict_take::ConflictTake>(),
    OpDef::of::<doctor::Doctor>(),
    OpDef::of::<drift_accept::DriftAccept>(),
    OpDef::of::<drift_list::DriftList>(),
    OpDef::of::<drift_revert::DriftRevert>(),
    OpDef::of::<drift_show::DriftShow>(),
    OpDef::of::<drift_tolerate::DriftTolerate>(),
    OpDef::of::<export::Export>(),
    OpDef::of::<filter_create::FilterCreate>(),
    OpDef::of::<filter_delete::FilterDelete>(),
    OpDef::of::<filter_get::FilterGet>(),
    OpDef::of::<filter_list::FilterList>(),
    OpDef::of::<filter_update::FilterUpdate>(),
    OpDef::of::<function_coverage::FunctionCoverage>(),
    OpDef::of::<function_do::FunctionDo>(),
    OpDef::of::<function_explain::FunctionExplain>(),
    OpDef::of::<function_install::FunctionInstall>(),
    OpDef::of::<function_list::FunctionList>(),
    OpDef::of::<function_new::FunctionNew>(),
    OpDef::of::<function_test::FunctionTest>(),
    OpDef::of::<function_uninstall::FunctionUninstall>(),
    OpDef::of::<hold::Hold>(),
    OpDef::of::<hold_list::HoldList>(),
    OpDef::of::<import::Import>(),
    OpDef::of::<log::Log>(),
    OpDef::of::<log_show::LogShow>(),
    OpDef::of::<log_verify::LogVerify>(),
    OpDef::of::<protect::Protect>(),
    OpDef::of::<redo::Redo>(),
    OpDef::of::<release::Release>(),
    OpDef::of::<revision_list::RevisionList>(),
    OpDef::of::<rollback::Rollback>(),
    OpDef::of::<space_create::SpaceCreate>(),
    OpDef::of::<space_delete::SpaceDelete>(),
    OpDef::of::<space_get::SpaceGet>(),
    OpDef::of::<space_list::SpaceList>(),
    OpDef::of::<space_new_prefix::SpaceNewPrefix>(),
    OpDef::of::<space_update::SpaceUpdate>(),
    OpDef::of::<status::Status>(),
    OpDef::of::<takeover::Takeover>(),
    OpDef::of::<target_create::TargetCreate>(),
    OpDef::of::<target_delete::TargetDelete>(),
    OpDef::of::<target_list::TargetList>(),
    OpDef::of::<target_rebind::TargetRebind>(),
    OpDef::of::<undo::Undo>(),
    OpDef::of::<unhold::Unhold>(),
    OpDef::of::<unit_apply::UnitApply>(),
    OpDef::of::<unit_create::UnitCreate>(),
    OpDef::of::<unit_data::UnitData>(),
    OpDef::of::<unit_delete::UnitDelete>(),
    OpDef::of::<unit_destroy::UnitDestroy>(),
    OpDef::of::<unit_diff::UnitDiff>(),
    OpDef::of::<unit_export::UnitExport>(),
    OpDef::of::<unit_get::UnitGet>(),
    OpDef::of::<unit_list::UnitList>(),
    OpDef::of::<unit_live_state::UnitLiveState>(),
    OpDef::of::<unit_set_target::UnitSetTarget>(),
    OpDef::of::<unit_tree::UnitTree>(),
    OpDef::of::<unit_update::UnitUpdate>(),
    OpDef::of::<upgrade::Upgrade>(),
    OpDef::of::<version::Version>(),
    OpDef::of::<wait::Wait>(),
    OpDef::of::<whoami::WhoAmI>(),
    OpDef::of::<why::Why>(),
    OpDef::of::<worker_create::WorkerCreate>(),
    OpDef::of::<worker_delete::WorkerDelete>(),
    OpDef::of::<worker_get::WorkerGet>(),
    OpDef::of::<worker_install::WorkerInstall>(),
    OpDef::of::<worker_list::WorkerList>(),
    OpDef::of::<worker_run::WorkerRun>(),
];

/// What the commands of a noun are about.
pub fn about_noun(noun: &str) -> &'static str {
    match noun {
        "space" => "Spaces: named containers of units",
        "unit" => "Units: configuration as data",
        "filter" => "Filters: named WHERE clauses",
        "function" => "Functions: one .rhai file each",
        "changeset" => "Changes of several units that become true together",
        "conflict" => "Merge conflicts that wait for a decision",
        "revision" => "The history of a unit",
        "target" => "Where units deploy",
        "auth" => "Who you are; there is no server to log in to",
        "worker" => "Who deploys the units of a space",
        "log" => "The operation log",
        "drift" => "What was changed on targets and not in the store",
        "backup" => "The whole store in one file",
        "hold" => "Units that are not to be deployed for now",
        _ => "",
    }
}

/// What an operation may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Read,
    /// Desired state in the store.
    Write,
    /// What a target runs.
    Deploy,
    /// The whole store, its log included; no operation tells of it.
    Replace,
}

/// One operation, as its file declares it.
pub trait Operation {
    /// Noun and verb, as on the command line: `unit apply`.
    const NAME: &'static str;
    /// Its other names on the command line, short ones or those of `cub`.
    const ALSO: &'static [&'static str] = &[];
    /// One line: what it does.
    const ABOUT: &'static str;
    /// What it may change.
    const EFFECT: Effect;
    /// Whether a person is asked before it changes what a real cluster runs.
    const ASKS: bool = matches!(Self::EFFECT, Effect::Deploy);
    /// Commands that show its use, without the program's name; the first is the usual one.
    const EXAMPLES: &'static [&'static str];
    /// What only scripts give beside the arguments of the command, with what it means.
    const SCRIPT_KEYS: &'static [(&'static str, &'static str)] = &[];
    /// Its arguments; their doc comments are the help.
    type Args: clap::Args + DeserializeOwned;

    /// Does it.
    ///
    /// # Errors
    /// Whatever went wrong; nothing is written then.
    fn run(app: &App, args: Self::Args) -> Result<Output>;
}

/// An [`Operation`] with its argument type erased: a row of [`OPS`].
#[derive(Debug, Clone, Copy)]
pub struct OpDef {
    /// Noun and verb: `unit apply`.
    pub name: &'static str,
    /// Its other names on the command line.
    pub also: &'static [&'static str],
    /// One line: what it does.
    pub about: &'static str,
    /// What it may change.
    pub effect: Effect,
    /// Whether a person is asked before it changes what a real cluster runs.
    pub asks: bool,
    /// Commands that show its use.
    pub examples: &'static [&'static str],
    /// What only scripts give beside the arguments of the command, with what it means.
    pub script_keys: &'static [(&'static str, &'static str)],
    command: fn(clap::Command) -> clap::Command,
    from_matches: fn(&App, &clap::ArgMatches) -> Result<Output>,
    from_json: fn(&App, serde_json::Value) -> Result<Output>,
}

impl OpDef {
    /// The row for `O`.
    pub const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            also: O::ALSO,
            about: O::ABOUT,
            effect: O::EFFECT,
            asks: O::ASKS,
            examples: O::EXAMPLES,
            script_keys: O::SCRIPT_KEYS,
            command: <O::Args as clap::Args>::augment_args,
            from_matches: run_matches::<O>,
            from_json: run_json::<O>,
        }
    }

    /// Its name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.also.iter().copied())
    }

    /// The name of its script function: `unit_apply`.
    pub fn function_name(&self) -> String {
        self.name.replace([' ', '-'], "_")
    }

    /// Its command, under the last word of one of its names.
    pub fn command(&self, word: &'static str) -> clap::Command {
        let mut examples = String::from("Examples:\n");
        for example in self.examples {
            examples.push_str("  windlass ");
            examples.push_str(example);
            examples.push('\n');
        }
        // The arguments bring the comment of their struct along as a text about the command.
        (self.command)(clap::Command::new(word))
            .about(self.about)
            .long_about(None)
            .after_help(examples)
    }

    /// Runs it with what the command line read.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn run_matches(&self, app: &App, matches: &clap::ArgMatches) -> Result<Output> {
        (self.from_matches)(app, matches)
    }

    /// Runs it with arguments given as an object, as scripts do.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the object does not fit the arguments, or has a key that is none of
    /// them; else those of the operation.
    pub fn run_json(&self, app: &App, args: serde_json::Value) -> Result<Output> {
        self.refuse_unknown(&args)?;
        app.recheck_functions();
        (self.from_json)(app, args)
    }

    fn refuse_unknown(&self, args: &serde_json::Value) -> Result<()> {
        let command = self.command(self.name);
        let mut known: Vec<String> = self
            .script_keys
            .iter()
            .map(|(key, _)| (*key).to_owned())
            .collect();
        for argument in command.get_arguments() {
            known.push(script_key(argument));
            let aliases = argument.get_all_aliases().unwrap_or_default();
            known.extend(aliases.iter().map(|alias| alias.replace('-', "_")));
        }
        let found = args.as_object().into_iter().flat_map(|map| map.keys());
        for key in found {
            if !known.contains(key) {
                return Err(Error::new(
                    Kind::Usage,
                    format!(
                        "expected one of the keys {} of {}, found `{key}`",
                        known.join(", "),
                        self.name
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// The key by which scripts give an argument of a command.
pub fn script_key(argument: &clap::Arg) -> String {
    argument.get_long().map_or_else(
        || argument.get_id().as_str().to_owned(),
        |long| long.replace('-', "_"),
    )
}

fn run_matches<O: Operation>(app: &App, matches: &clap::ArgMatches) -> Result<Output> {
    let args = <O::Args as clap::FromArgMatches>::from_arg_matches(matches)
        .map_err(|error| Error::new(Kind::Usage, error.to_string()))?;
    O::run(app, args)
}

fn run_json<O: Operation>(app: &App, args: serde_json::Value) -> Result<Output> {
    let args = serde_json::from_value(args).map_err(|error| {
        Error::new(
            Kind::Usage,
            format!("expected the arguments of {}: {error}", O::NAME),
        )
        .hint(format!("windlass {} --help lists them", O::NAME))
    })?;
    O::run(app, args)
}
