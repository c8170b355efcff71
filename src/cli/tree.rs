//! The words of the command line: a command for every name that an operation has.

use clap::{ArgMatches, Command};

use crate::cli::confirm;
use crate::ops::{self, OPS, OpDef};

/// A word of the command line, with the words that may follow it.
#[derive(Default)]
struct Word {
    /// The operation that the words up to here are.
    op: Option<&'static OpDef>,
    below: Vec<(&'static str, Self)>,
}

impl Word {
    fn all() -> Self {
        let mut root = Self::default();
        for op in OPS {
            for name in op.names() {
                root.add(name, op);
            }
        }
        root
    }

    fn add(&mut self, name: &'static str, op: &'static OpDef) {
        let mut word = self;
        for part in name.split(' ') {
            word = word.next_or_new(part);
        }
        word.op = Some(op);
    }

    fn next_or_new(&mut self, part: &'static str) -> &mut Self {
        let at = self.below.iter().position(|(word, _)| *word == part);
        let at = at.unwrap_or_else(|| {
            self.below.push((part, Self::default()));
            self.below.len() - 1
        });
        &mut self.below[at].1
    }

    fn next(&self, part: &str) -> Option<&Self> {
        let below = self.below.iter().find(|(word, _)| *word == part);
        below.map(|(_, word)| word)
    }

    /// The command of this word. One that is an operation by itself (`log`) may have words behind
    /// it as well (`log verify`).
    fn command(&self, name: &'static str) -> Command {
        let command = match self.op {
            Some(op) if self.below.is_empty() => return command_of(op, name),
            Some(op) => command_of(op, name).args_conflicts_with_subcommands(true),
            None => Command::new(name)
                .about(ops::about_noun(name))
                .subcommand_required(true)
                .arg_required_else_help(true),
        };
        command.subcommands(self.commands())
    }

    fn commands(&self) -> impl Iterator<Item = Command> {
        self.below.iter().map(|(name, word)| word.command(name))
    }
}

/// The command of an operation, which can be told not to ask.
fn command_of(op: &OpDef, name: &'static str) -> Command {
    let command = op.command(name);
    if op.asks {
        command.arg(confirm::yes())
    } else {
        command
    }
}

/// The commands of all operations.
pub(super) fn commands() -> Vec<Command> {
    let mut commands: Vec<Command> = Word::all().commands().collect();
    // Words by themselves first, then those with words behind them.
    commands.sort_by_key(Command::has_subcommands);
    commands
}

/// The operation that a command line names, with what it says behind the name.
pub(super) fn find<'a>(
    name: &str,
    matches: &'a ArgMatches,
) -> Option<(&'static OpDef, &'a ArgMatches)> {
    let root = Word::all();
    let mut word = root.next(name)?;
    let mut matches = matches;
    while let Some((name, inner)) = matches.subcommand() {
        word = word.next(name)?;
        matches = inner;
    }
    word.op.map(|op| (op, matches))
}
