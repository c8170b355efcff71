//! The state of a session, and what each line does to it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::command::{self, Input};
use super::group::Group;
use super::saved::{self, Saved, SavedLine};
use super::{Surroundings, help};
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::ops::Output;
use crate::session::{Answer, Line, LineSession, Vocabulary};

/// What a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Itself, with the exit code that its result stands for.
    Line(u8),
    /// The session, with this exit code.
    Session(u8),
}

/// A session: what was typed so far, and how the next line is to be taken.
pub(super) struct Repl {
    pub(super) app: App,
    pub(super) lines: LineSession,
    pub(super) to: Rc<Surroundings>,
    /// Whether what lines print is dropped just now.
    pub(super) is_muted: Arc<AtomicBool>,
    pub(super) is_dry: bool,
    is_timed: bool,
    pub(super) group: Option<Group>,
    pub(super) saved: Vec<Saved>,
    /// The names that a line may use, of these functions.
    vocabulary: Option<(u64, Vocabulary)>,
    /// The columns of the terminal, where there is one.
    pub(super) width: Option<usize>,
}

impl Repl {
    pub(super) fn new(
        app: App,
        lines: LineSession,
        to: Rc<Surroundings>,
        is_muted: Arc<AtomicBool>,
    ) -> Self {
        Self {
            app,
            lines,
            to,
            is_muted,
            is_dry: false,
            is_timed: false,
            group: None,
            saved: Vec::new(),
            vocabulary: None,
            width: None,
        }
    }

    pub(super) fn app(&self) -> &App {
        &self.app
    }

    pub(super) fn typed_variables(&self) -> Vec<(String, String)> {
        self.lines.typed_variables()
    }

    /// Every name that a line may use; made when it is first asked for, and when functions are
    /// others than before.
    pub(super) fn vocabulary(&mut self) -> Result<Vocabulary> {
        let generation = self.lines.refresh()?;
        let mut words = match self.vocabulary.take() {
            Some((known, words)) if known == generation => words,
            _ => self.lines.vocabulary()?,
        };
        self.vocabulary = Some((generation, words.clone()));
        words
            .functions
            .extend(self.lines.functions().iter().cloned());
        Ok(words)
    }

    /// Goes where the session begins.
    pub(super) fn begin(&mut self, start: &super::Start) -> Result<()> {
        let space = self.app.enter_space(start.space.as_deref())?;
        self.is_dry = start.is_dry || self.app.is_real(space.as_ref())?;
        Ok(())
    }

    pub(super) fn greet(&self) {
        let mut text = format!(
            "windlass {}   :help shows what you can type, Ctrl-D leaves\n",
            env!("CARGO_PKG_VERSION")
        );
        if self.is_dry {
            text.push_str(DRY_NOTE);
        }
        (self.to.print)(&text);
    }

    /// Says what is lost at the end.
    pub(super) fn farewell(&mut self) {
        if self.to.is_interactive {
            (self.to.print)("\n");
        }
        if let Some(group) = self.group.take() {
            self.app.end_group();
            if !group.lines.is_empty() {
                let count = group.lines.len();
                (self.to.notice)(&format!(
                    "dropped the group of {}, which was not committed",
                    counted(count)
                ));
            }
        }
    }

    /// `prod-eu-1 [kubernetes, dry]> `.
    pub(super) fn prompt(&mut self) -> String {
        let space = self.app.current_space();
        let record = space
            .as_ref()
            .and_then(|slug| self.app.space_named(slug.as_str()).ok());
        let mut notes = Vec::new();
        let name = match (&space, &record) {
            (None, _) => "windlass".to_owned(),
            (Some(slug), Some(_)) => slug.to_string(),
            (Some(slug), None) => {
                notes.push("not there".to_owned());
                slug.to_string()
            }
        };
        let kind = record.and_then(|space| self.app.target_kind(&space).ok().flatten());
        notes.extend(kind);
        if self.is_dry {
            notes.push("dry".to_owned());
        }
        if let Some(group) = &self.group {
            notes.push(format!("group of {}", group.lines.len()));
        }
        if notes.is_empty() {
            format!("{name}> ")
        } else {
            format!("{name} [{}]> ", notes.join(", "))
        }
    }

    /// Takes a line.
    pub(super) fn enter(&mut self, line: &str, width: Option<usize>) -> Result<Ended> {
        self.width = width;
        self.lines.fit(width);
        let variables = self.typed_variables();
        let is_variable = |name: &str| variables.iter().any(|(known, _)| known == name);
        match command::read(line, is_variable)? {
            Input::Nothing => Ok(Ended::Line(0)),
            Input::Script => self.script(line),
            Input::Exit(code) => {
                if self.group.is_some() {
                    self.farewell();
                }
                Ok(Ended::Session(code))
            }
            Input::Time(Some(code)) => {
                let was_timed = std::mem::replace(&mut self.is_timed, true);
                let ended = self.script(&code);
                self.is_timed = was_timed;
                ended
            }
            Input::Edit(text) => self.edit(&text),
            Input::Load(words) => self.load(&words),
            Input::Undo(what) => {
                let what = what.map(|what| serde_json::Value::from(what).to_string());
                self.script(&format!("undo({})", what.unwrap_or_default()))
            }
            Input::Commit(why) => self.commit(why.as_deref()).map(Ended::Line),
            input => self.look(input).map(Ended::Line),
        }
    }

    /// Runs script, shows what it gives, and keeps it for `:save`.
    fn script(&mut self, text: &str) -> Result<Ended> {
        let line = self.lines.read(text)?;
        self.run(&Rc::new(line))
    }

    fn run(&mut self, line: &Rc<Line>) -> Result<Ended> {
        let before = self.app.current_space();
        let began = Instant::now();
        let variable = self.to.variable;
        let app = self.app.clone();
        let ended = if self.group.is_some() {
            app.in_group(|| self.lines.run(line, variable))
                .and_then(|answer| self.shown(line, &answer))
        } else if self.is_dry {
            app.rehearsed(|| self.lines.run(line, variable))
                .and_then(|rehearsed| {
                    self.keep(line, &rehearsed.value);
                    let code = self.show_rehearsed(&rehearsed)?;
                    Ok(self.end_of(&rehearsed.value, code))
                })
        } else {
            let answer = self.lines.run(line, variable);
            answer.and_then(|answer| self.shown(line, &answer))
        };
        let took = began.elapsed();
        if self.is_timed {
            (self.to.notice)(&format!("took {}", shown_duration(took)));
        }
        if self.app.current_space() != before {
            self.arrived()?;
        }
        ended
    }

    fn shown(&mut self, line: &Rc<Line>, answer: &Answer) -> Result<Ended> {
        self.keep(line, answer);
        let code = if answer.is_kept {
            self.show(&answer.output)?
        } else {
            0
        };
        Ok(self.end_of(answer, code))
    }

    /// What a line ends that has been shown.
    fn end_of(&mut self, answer: &Answer, code: u8) -> Ended {
        let Some(asked) = answer.exit else {
            return Ended::Line(code);
        };
        if self.group.is_some() {
            self.farewell();
        }
        Ended::Session(asked)
    }

    fn keep(&mut self, line: &Rc<Line>, answer: &Answer) {
        for statement in saved::imports(line.text()) {
            self.lines.keep_import(statement);
        }
        if answer.exit.is_some() {
            return;
        }
        let mut text = line.text().trim().to_owned();
        if let Some(arguments) = line.arguments() {
            text = format!("let args = {arguments};\n{text}");
        }
        let kept = SavedLine {
            text,
            is_kept: answer.is_kept,
            is_dry: self.is_dry,
        };
        match &mut self.group {
            Some(group) => group.lines.push((kept, Rc::clone(line))),
            None => self.saved.push(Saved::Line(kept)),
        }
    }

    /// The commands that change nothing in the store.
    fn look(&mut self, input: Input) -> Result<u8> {
        let output = match input {
            Input::Help(None) => Output::Text(help::overview()),
            Input::Help(Some(topic)) => Output::Text(help::topic(&topic)?),
            Input::Doc(name) => Output::Text(self.lines.describe(&name)?),
            Input::List(selector) => self.list(selector)?,
            Input::Space(slug) => {
                self.go(slug.as_deref())?;
                return Ok(0);
            }
            Input::Tree(selector) => {
                let selector = selector.unwrap_or_else(|| self.everything_here());
                Output::Table(self.app.tree(&selector, &[])?)
            }
            Input::Diff(selector) => self.diff(selector)?,
            Input::Explain(clause) => self.explain(&clause)?,
            Input::Save(file) => self.save(&file)?,
            Input::Dry(wanted) => self.set_dry(wanted),
            Input::Time(_) => {
                self.is_timed = !self.is_timed;
                let word = if self.is_timed { "on" } else { "off" };
                Output::Text(format!("time is {word}\n"))
            }
            Input::Begin => self.begin_group()?,
            Input::Rollback => self.roll_back()?,
            _ => Output::Text(String::new()),
        };
        self.show(&output)
    }

    fn go(&mut self, slug: Option<&str>) -> Result<()> {
        if self.app.current_space().as_ref().map(Slug::as_str) == slug {
            return Ok(());
        }
        self.app.enter_space(slug)?;
        let text = match slug {
            Some(slug) => format!("use_space({})", serde_json::Value::from(slug)),
            None => "use_space()".to_owned(),
        };
        let line = Rc::new(self.lines.read(&text)?);
        let saved = SavedLine {
            text,
            is_kept: false,
            is_dry: false,
        };
        match &mut self.group {
            Some(group) => group.lines.push((saved, line)),
            None => self.saved.push(Saved::Line(saved)),
        }
        self.arrived()
    }

    /// Dry mode goes on where a real cluster is near.
    fn arrived(&mut self) -> Result<()> {
        let Some(slug) = self.app.current_space() else {
            return Ok(());
        };
        let space = self.app.space_named(slug.as_str())?;
        if !self.is_dry && self.app.is_real(Some(&space))? {
            self.is_dry = true;
            (self.to.notice)(DRY_NOTE.trim_end());
        }
        Ok(())
    }

    fn set_dry(&mut self, wanted: Option<bool>) -> Output {
        self.is_dry = wanted.unwrap_or(self.is_dry);
        let word = if self.is_dry { "on" } else { "off" };
        Output::Text(format!("dry is {word}\n"))
    }

    fn edit(&mut self, text: &str) -> Result<Ended> {
        if !self.to.is_interactive {
            return Err(Error::new(
                Kind::Usage,
                "expected a terminal for :edit, found a pipe",
            ));
        }
        let draft = if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        };
        let text = (self.to.edit)(&draft)?;
        if text.trim().is_empty() {
            (self.to.notice)("nothing was run: the text is empty");
            return Ok(Ended::Line(0));
        }
        (self.to.print)(&text);
        if !text.ends_with('\n') {
            (self.to.print)("\n");
        }
        self.script(&text)
    }

    fn load(&mut self, words: &[String]) -> Result<Ended> {
        let (file, words) = words
            .split_first()
            .ok_or_else(|| Error::new(Kind::Usage, "expected a file behind :load"))?;
        let text = self.app.project().read_file(file)?;
        let line = self.lines.read_file(file, &text, words)?;
        self.run(&Rc::new(line))
    }

    fn save(&mut self, file: &str) -> Result<Output> {
        if let Some(group) = self.group.as_ref().filter(|group| !group.lines.is_empty()) {
            (self.to.notice)(&format!(
                "left out {} of the group, which is not committed",
                counted(group.lines.len())
            ));
        }
        let has_ending = Path::new(file).extension().is_some();
        let file = if has_ending {
            file.to_owned()
        } else {
            format!("{file}.rhai")
        };
        self.app.save_script(&file, &saved::script(&self.saved))?;
        let count: usize = self.saved.iter().map(Saved::len).sum();
        Ok(Output::Text(format!(
            "wrote {} to {file}: windlass run {file} does them again\n",
            counted(count)
        )))
    }
}

const DRY_NOTE: &str = "dry is on: lines show what they would do, and :dry off ends that\n";

pub(super) fn counted(lines: usize) -> String {
    match lines {
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    }
}

fn shown_duration(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{:.1} ms", took.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2} s", took.as_secs_f64())
    }
}
