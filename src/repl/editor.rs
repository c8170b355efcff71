//! Reading lines: from a terminal with rustyline, from a pipe or a dumb terminal as they come.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{FileHistory, History as _};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Helper};

use super::bracket::{Shape, pair_at, shape};
use super::complete::Offer;
use super::highlight::highlight;
use crate::app::style::{HEADING, styled};
use crate::error::{Error, Kind, Result};

/// How many lines the history keeps.
const HISTORY_LINES: usize = 5_000;

/// Works out what may stand at a place of a line.
pub(super) type Completion = Rc<dyn Fn(&str, usize) -> Offer>;

/// What came of asking for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// A line, or several that belong together.
    Line(String),
    /// The line was given up.
    Cleared,
    /// There is no more.
    End,
}

/// Where lines come from.
pub(super) enum Reader {
    /// Somebody at a terminal.
    Terminal(Box<Terminal>),
    /// Whatever is written to standard input.
    Pipe,
}

/// An editor for lines, with their history.
pub(super) struct Terminal {
    editor: Editor<Aid, FileHistory>,
    history: PathBuf,
    /// The lines are kept on disk once this file is there.
    store: PathBuf,
}

impl Reader {
    /// An editor on the terminal, with the history of the project in `history`, which is written
    /// once `store` is there.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the terminal cannot be used.
    pub(super) fn on_terminal(
        has_colour: bool,
        history: PathBuf,
        store: PathBuf,
        completion: Completion,
    ) -> Result<Self> {
        let colour = if has_colour {
            ColorMode::Forced
        } else {
            ColorMode::Disabled
        };
        let config = Config::builder()
            .max_history_size(HISTORY_LINES)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(|error| unusable(&error))?
            .history_ignore_space(true)
            .auto_add_history(false)
            .completion_type(CompletionType::List)
            .color_mode(colour)
            .build();
        let mut editor = Editor::with_config(config).map_err(|error| unusable(&error))?;
        editor.set_helper(Some(Aid {
            completion,
            has_colour,
            pair: Cell::new(false),
        }));
        // A history that is not there yet, or cannot be read, is an empty one.
        editor.load_history(&history).unwrap_or_default();
        Ok(Self::Terminal(Box::new(Terminal {
            editor,
            history,
            store,
        })))
    }

    /// How many columns the terminal has; none where there is none.
    pub(super) fn width(&mut self) -> Option<usize> {
        match self {
            Self::Terminal(terminal) => {
                let size = terminal.editor.dimensions()?;
                Some(usize::from(size.0))
            }
            Self::Pipe => None,
        }
    }

    /// Asks for a line; lines with something open are one.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for input that is no text, [`Kind::Unavailable`] when it cannot be read.
    pub(super) fn read(&mut self, prompt: &str) -> Result<Read> {
        match self {
            Self::Terminal(terminal) => terminal.read(prompt),
            Self::Pipe => from_pipe(),
        }
    }

    /// Keeps a line in the history.
    pub(super) fn remember(&mut self, line: &str) {
        if let Self::Terminal(terminal) = self {
            terminal.remember(line);
        }
    }
}

impl Terminal {
    fn read(&mut self, prompt: &str) -> Result<Read> {
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Read::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Read::Cleared),
            Err(ReadlineError::Eof) => Ok(Read::End),
            Err(error) => Err(unusable(&error)),
        }
    }

    fn remember(&mut self, line: &str) {
        let is_new = self.editor.add_history_entry(line).unwrap_or(false);
        // A history that cannot be written is no reason to stop.
        if is_new && self.store.exists() && has_folder(&self.history) {
            let history = self.editor.history_mut();
            history.append(&self.history).unwrap_or_default();
        }
    }
}

fn has_folder(file: &Path) -> bool {
    file.parent().is_some_and(Path::is_dir)
}

fn unusable(error: &ReadlineError) -> Error {
    Error::new(
        Kind::Unavailable,
        format!("cannot read from the terminal: {error}"),
    )
    .hint("windlass repl < FILE reads lines from a file")
}

/// The next lines of standard input that belong together.
fn from_pipe() -> Result<Read> {
    let mut text = String::new();
    loop {
        let before = text.len();
        let count = std::io::stdin()
            .lock()
            .read_line(&mut text)
            .map_err(|error| {
                Error::new(
                    Kind::Invalid,
                    format!("cannot read standard input as text: {error}"),
                )
            })?;
        let line = text[before..].trim_start();
        let is_command = before == 0 && line.starts_with(':');
        if count == 0 {
            return Ok(if text.is_empty() {
                Read::End
            } else {
                Read::Line(text)
            });
        }
        if is_command || shape(&text) != Shape::Open {
            let text = text.trim_end_matches(['\n', '\r']).to_owned();
            return Ok(Read::Line(text));
        }
    }
}

/// What helps somebody who types.
struct Aid {
    completion: Completion,
    has_colour: bool,
    /// Whether a pair of brackets stands out on the screen.
    pair: Cell<bool>,
}

impl Helper for Aid {}

impl Hinter for Aid {
    type Hint = String;
}

impl Completer for Aid {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let offer = (self.completion)(line, at);
        let pairs = offer.words.into_iter().map(|word| Pair {
            display: word.clone(),
            replacement: word,
        });
        Ok((offer.start, pairs.collect()))
    }
}

impl Highlighter for Aid {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        if !self.has_colour {
            return Cow::Borrowed(line);
        }
        let pair = pair_at(line, at).filter(|_| self.pair.get());
        Cow::Owned(highlight(line, pair))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        if self.has_colour {
            Cow::Owned(styled(HEADING, prompt))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        // Before the line is left for good, brackets no longer stand out.
        self.pair.set(kind != CmdKind::ForcedRefresh);
        self.has_colour
    }
}

impl Validator for Aid {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let line = context.input();
        let code = match line.trim_start().strip_prefix(':') {
            Some(command) => command.strip_prefix("time ").unwrap_or_default(),
            None => line,
        };
        Ok(match shape(code) {
            Shape::Open => ValidationResult::Incomplete,
            Shape::Whole | Shape::Wrong => ValidationResult::Valid(None),
        })
    }
}
