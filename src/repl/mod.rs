//! The REPL: script and a few commands, line by line, on a terminal or from a pipe.
//!
//! It owns the terminal while a line is typed; everything that is printed goes through the
//! [`Surroundings`] that it is given.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::App;
use crate::error::{Error, Result};
use crate::ops::Output;
use crate::runtime::{Interrupt, Runtime};
use crate::session::LineSession;

mod bracket;
mod clause;
mod command;
mod complete;
mod editor;
mod group;
mod help;
mod highlight;
mod saved;
mod show;
mod state;
mod token;

use complete::{Known, Offer};
use editor::{Read, Reader};
use state::{Ended, Repl};

/// Shows a result, and returns the exit code that it stands for.
pub type Show = dyn Fn(&Output) -> Result<u8>;

/// What the REPL reaches the world through.
pub struct Surroundings {
    /// Prints text.
    pub print: fn(&str),
    /// Tells the person at the terminal a line.
    pub notice: fn(&str),
    /// Shows an error.
    pub fail: Box<dyn Fn(&Error)>,
    /// Shows a result; returns the exit code that it stands for.
    pub show: Box<Show>,
    /// Opens an editor on a text, and returns what was saved.
    pub edit: fn(&str) -> Result<String>,
    /// Reads a variable of the environment.
    pub variable: fn(&str) -> Option<String>,
    /// Whether somebody sits at a terminal.
    pub is_interactive: bool,
    /// Whether the terminal understands more than lines.
    pub is_smart: bool,
    /// Whether it wants colours.
    pub has_colour: bool,
}

/// What a session begins with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The space to go into.
    pub space: Option<String>,
    /// Whether dry mode is on whatever the target is.
    pub is_dry: bool,
}

/// Runs a session to its end; returns the exit code.
///
/// On a terminal that is 0, or what `exit` said. From a pipe the first error ends the session with
/// its code; otherwise it is that of the last result, as in a script.
///
/// # Errors
/// When the session cannot begin, and the first error of lines from a pipe.
pub fn run(app: &App, start: &Start, to: Surroundings, runtime: &Runtime) -> Result<u8> {
    let to = Rc::new(to);
    let running = Running::default();
    running.listen(runtime, &to);
    let is_muted = Arc::new(AtomicBool::new(false));
    let muted = Arc::clone(&is_muted);
    let print = to.print;
    let printed = move |text: &str| {
        if !muted.load(Ordering::Relaxed) {
            print(text);
        }
    };
    let lines = LineSession::new(app, printed, running.interrupt.clone())?;
    let repl = Repl::new(app.clone(), lines, Rc::clone(&to), is_muted);
    let repl = Rc::new(RefCell::new(repl));
    repl.borrow_mut().begin(start)?;
    let mut reader = reader(app, &repl, &to)?;
    if to.is_interactive {
        repl.borrow().greet();
    }
    converse(&repl, &mut reader, &running, &to)
}

/// Whether a line runs just now, and whether it is to stop.
#[derive(Default)]
struct Running {
    interrupt: Interrupt,
    now: Arc<AtomicBool>,
    /// What is asked again where the terminal itself has cleared the line.
    prompt: Arc<Mutex<String>>,
}

impl Running {
    /// Ctrl-C stops what runs; a second one ends the process. Between lines it ends a session that
    /// reads from a pipe, while on a terminal the line is the editor's, or the terminal's own.
    fn listen(&self, runtime: &Runtime, to: &Surroundings) {
        let interrupt = self.interrupt.clone();
        let is_running = Arc::clone(&self.now);
        let prompt = Arc::clone(&self.prompt);
        let (print, is_interactive, is_smart) = (to.print, to.is_interactive, to.is_smart);
        runtime.on_ctrl_c(move || {
            if is_running.load(Ordering::Relaxed) {
                return !interrupt.set();
            }
            if is_interactive && !is_smart {
                let prompt = prompt.lock().unwrap_or_else(PoisonError::into_inner);
                print(&format!("\n{prompt}"));
            }
            is_interactive
        });
    }

    fn ask(&self, prompt: &str) {
        let mut last = self.prompt.lock().unwrap_or_else(PoisonError::into_inner);
        prompt.clone_into(&mut last);
    }
}

fn reader(app: &App, repl: &Rc<RefCell<Repl>>, to: &Surroundings) -> Result<Reader> {
    if !to.is_interactive {
        return Ok(Reader::Pipe);
    }
    let history = app.project().root().join(crate::app::project::FOLDER);
    let here = Rc::clone(repl);
    let completion = Rc::new(move |line: &str, at: usize| offer(&here, line, at));
    Reader::on_terminal(
        to.has_colour && to.is_smart,
        history.join("history"),
        app.store_path().to_path_buf(),
        completion,
    )
}

fn offer(repl: &Rc<RefCell<Repl>>, line: &str, at: usize) -> Offer {
    let mut repl = repl.borrow_mut();
    let variables = repl.typed_variables();
    let topics = help::topics();
    let Ok(words) = repl.vocabulary() else {
        return Offer::default();
    };
    let known = Known {
        app: repl.app(),
        words: &words,
        variables: &variables,
        topics: &topics,
    };
    complete::complete(&known, line, at)
}

fn converse(
    repl: &Rc<RefCell<Repl>>,
    reader: &mut Reader,
    running: &Running,
    to: &Surroundings,
) -> Result<u8> {
    let mut code = 0;
    loop {
        let prompt = repl.borrow_mut().prompt();
        let width = reader.width();
        running.ask(&prompt);
        let line = match reader.read(&prompt)? {
            Read::Line(line) => line,
            Read::Cleared => continue,
            Read::End => break,
        };
        reader.remember(&line);
        running.interrupt.clear();
        running.now.store(true, Ordering::Relaxed);
        let result = enter_all(&mut repl.borrow_mut(), &line, width);
        running.now.store(false, Ordering::Relaxed);
        match result {
            Ok(Ended::Line(found)) => code = found,
            Ok(Ended::Session(found)) => return Ok(found),
            Err(error) if to.is_interactive => (to.fail)(&error),
            Err(error) => {
                repl.borrow_mut().farewell();
                return Err(error);
            }
        }
    }
    repl.borrow_mut().farewell();
    Ok(if to.is_interactive { 0 } else { code })
}

/// Takes the inputs of a text one after another, up to the first that fails or ends the session.
fn enter_all(repl: &mut Repl, text: &str, width: Option<usize>) -> Result<Ended> {
    let mut ended = Ended::Line(0);
    for input in command::inputs(text) {
        ended = repl.enter(input, width)?;
        if matches!(ended, Ended::Session(_)) {
            break;
        }
    }
    Ok(ended)
}
