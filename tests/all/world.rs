//! A hermetic place to run the program in: its own folder, clock, actor and home.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

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
