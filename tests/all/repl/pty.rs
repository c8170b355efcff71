//! A terminal for tests: what is typed goes to the program, what it draws is on a screen.

use std::io::{Read as _, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::world::{NOW, World};

/// How long something that must come may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) const CTRL_C: &str = "\u{3}";
pub(super) const CTRL_D: &str = "\u{4}";
pub(super) const ENTER: &str = "\r";
pub(super) const TAB: &str = "\t";
pub(super) const UP: &str = "\u{1b}[A";

/// A session at a terminal.
pub(super) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    drawn: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that was drawn, as bytes.
    raw: Vec<u8>,
}

impl Terminal {
    /// `windlass repl` on a terminal of this kind and width, with its first prompt.
    pub(super) fn start(world: &World, kind: &str, columns: u16, more: &[(&str, &str)]) -> Self {
        Self::start_with(world, &[], kind, columns, more)
    }

    pub(super) fn start_with(
        world: &World,
        arguments: &[&str],
        kind: &str,
        columns: u16,
        more: &[(&str, &str)],
    ) -> Self {
        let rows = 60;
        let pair = native_pty_system()
            .openpty(PtySize {
                rows,
                cols: columns,
                pixel_width: 0,
                pixel_height: 0,
            })
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_windlass"));
        command.arg("repl");
        command.args(arguments);
        command.cwd(world.path());
        command.env_clear();
        for (name, value) in [
            ("HOME", world.path().to_str().expect("a path")),
            ("PATH", "/usr/bin:/bin"),
            ("TERM", kind),
            ("WINDLASS_CLOCK", NOW),
            ("WINDLASS_ACTOR", "alice@trading.com"),
        ]
        .iter()
        .chain(more)
        {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("it starts");
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().expect("its output");
        let (send, drawn) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().expect("its keyboard");
        let mut terminal = Self {
            child,
            _master: pair.master,
            keys,
            drawn,
            screen: vt100::Parser::new(
                rows.try_into().expect("some rows"),
                columns.try_into().expect("some columns"),
                0,
            ),
            raw: Vec::new(),
        };
        terminal.prompted();
        terminal
    }

    /// What is on the screen, without blanks at the ends of lines.
    pub(super) fn shown(&self) -> String {
        let contents = self.screen.screen().contents();
        let lines: Vec<&str> = contents.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// Everything that was drawn, with its escapes.
    pub(super) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// Waits until the screen is as wanted.
    pub(super) fn wait(&mut self, what: &str, is_there: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_there(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.drawn.recv_timeout(left) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.raw.extend(bytes);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("never saw {what}:\n{}", self.shown());
                }
            }
        }
    }

    /// Waits until a text is on the screen.
    pub(super) fn see(&mut self, text: &str) {
        self.wait(text, |terminal| terminal.shown().contains(text));
    }

    /// Waits for an empty prompt at the end of the screen.
    pub(super) fn prompted(&mut self) {
        self.wait("a prompt", |terminal| {
            let shown = terminal.shown();
            shown.lines().last().is_some_and(|line| line.ends_with('>'))
        });
    }

    /// Presses keys.
    pub(super) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it listens");
        self.keys.flush().expect("it listens");
    }

    /// Types a line, or several with [`ENTER`] between them that belong together; waits for the
    /// next prompt and returns what was drawn between them.
    pub(super) fn line(&mut self, line: &str) -> String {
        let typed = 1 + line.matches(ENTER).count();
        let new = self.answered(&format!("{line}{ENTER}"), typed);
        let lines: Vec<&str> = new.lines().collect();
        let inner = lines.get(typed..lines.len() - 1).unwrap_or_default();
        inner.join("\n")
    }

    /// Types something that is not meant, and clears it.
    pub(super) fn clear(&mut self, typed: &str) {
        self.press(typed);
        self.see(typed);
        let _ = self.answered(CTRL_C, 1);
    }

    /// Presses keys, and waits for a prompt at least so many lines further down; returns what was
    /// drawn since.
    pub(super) fn answered(&mut self, keys: &str, lines: usize) -> String {
        let before = self.raw.len();
        self.press(keys);
        self.wait("the next prompt", |terminal| {
            let new = vt100_text(&terminal.raw[before..]);
            let last = new.lines().last().unwrap_or_default().trim_end();
            new.matches('\n').count() >= lines && last.ends_with('>')
        });
        vt100_text(&self.raw[before..])
    }

    /// Waits for the end, and returns the exit code.
    pub(super) fn ended(mut self) -> u32 {
        while let Ok(bytes) = self.drawn.recv_timeout(PATIENCE) {
            self.screen.process(&bytes);
            self.raw.extend(bytes);
        }
        self.child.wait().expect("it ends").exit_code()
    }
}

/// Bytes as the text of a large screen.
fn vt100_text(bytes: &[u8]) -> String {
    let mut parser = vt100::Parser::new(
        500.try_into().expect("some rows"),
        400.try_into().expect("some columns"),
        0,
    );
    parser.process(bytes);
    let contents = parser.screen().contents();
    contents.trim_end_matches('\n').to_owned()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().unwrap_or_default();
    }
}
