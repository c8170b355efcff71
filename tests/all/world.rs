//! A hermetic place to run the program in: its own folder, clock, actor and home.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A deployment of one container, two replicas.
pub(crate) const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: web
        image: web:v1
";

/// The instant that every run in a [`World`] takes for now.
pub(crate) const NOW: &str = "2026-01-16T09:15:00Z";

/// A project folder with the tutorial's scripts and manifests in it.
pub(crate) struct World {
    folder: TempDir,
}

/// What a run of the program left behind.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A run of the program that goes on beside the test.
pub struct Background {
    child: Child,
}

impl Background {
    /// Runs a script that is given as text.
    pub fn start(world: &World, script: &str) -> Self {
        world.write("background.rhai", script);
        world.start(&["run", "background.rhai"])
    }

    /// Waits until it prints a line with `part`, and returns that line.
    pub fn wait_for(&mut self, part: &str) -> String {
        line_with(self.child.stdout.as_mut().expect("a pipe"), part)
    }

    /// Waits until it tells the person at the terminal a line with `part`.
    pub fn wait_for_notice(&mut self, part: &str) -> String {
        line_with(self.child.stderr.as_mut().expect("a pipe"), part)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input, which must be a pipe.
    pub fn say(&mut self, text: &str) {
        use std::io::Write as _;
        let input = self.child.stdin.as_mut().expect("a pipe");
        input.write_all(text.as_bytes()).expect("the input is read");
    }

    /// Kills it where it is.
    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
    }

    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        let _ = self.child.wait().expect("it ends");
    }

    /// Waits for its end.
    pub fn finish(self) -> Ran {
        let output = self.child.wait_with_output().expect("the program ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Reads byte by byte, so that nothing behind the line is taken from the pipe.
fn line_with(pipe: &mut impl std::io::Read, part: &str) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while pipe.read(&mut byte).expect("the pipe is read") == 1 {
        if byte[0] != b'\n' {
            line.push(byte[0]);
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        if text.contains(part) {
            return text;
        }
        line.clear();
    }
    panic!("it ended without a line with `{part}`");
}

impl World {
    /// An empty project.
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A project with this repository's scripts and manifests.
    pub(crate) fn tutorial() -> Self {
        let world = Self::empty();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["scripts", "k8s"] {
            std::fs::create_dir(world.path().join(folder)).expect("a folder");
            for entry in std::fs::read_dir(root.join(folder)).expect("the folder is there") {
                let entry = entry.expect("an entry");
                let to = world.path().join(folder).join(entry.file_name());
                std::fs::copy(entry.path(), to).expect("a copy");
            }
        }
        world
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("the file is written");
    }

    /// The command, ready to run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("WINDLASS_CLOCK", NOW)
            .env("WINDLASS_ACTOR", "alice@trading.com")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.finish(self.command(args))
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        use std::io::Write as _;
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin
            .write_all(input.as_bytes())
            .expect("the input is read");
        drop(stdin);
        self.ran(child.wait_with_output().expect("the program ends"))
    }

    pub(crate) fn finish(&self, mut command: Command) -> Ran {
        self.ran(command.output().expect("the program runs"))
    }

    fn ran(&self, output: std::process::Output) -> Ran {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("output is UTF-8");
            text.replace(&self.path().display().to_string(), "PROJECT")
        };
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs a command that must succeed, and returns what it printed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(
            ran.code, 0,
            "windlass {args:?}: {}{}",
            ran.stdout, ran.stderr
        );
        ran.stdout
    }

    /// Runs a script that is given as text.
    pub fn script(&self, text: &str) -> Ran {
        self.write("script.rhai", text);
        self.run(&["run", "script.rhai"])
    }

    /// Runs a script that must succeed, and returns what it printed.
    pub fn printed(&self, text: &str) -> String {
        let ran = self.script(text);
        assert_eq!(ran.code, 0, "{text}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// A command that runs while the test goes on.
    pub fn start(&self, args: &[&str]) -> Background {
        Self::start_command(self.command(args))
    }

    /// As [`Self::start`], with a command that was made ready before.
    pub fn start_command(mut command: Command) -> Background {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        Background { child }
    }

    /// The bytes of the store.
    pub fn store(&self) -> Vec<u8> {
        std::fs::read(self.path().join(".windlass/store.redb")).expect("the store")
    }

    /// The result of a command as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut args = args.to_vec();
        args.push("--json");
        serde_json::from_str(&self.ok(&args)).expect("JSON")
    }
}
