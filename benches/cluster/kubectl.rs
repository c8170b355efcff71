//! The same work by `kubectl`, where there is one.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::bare::Room;
use crate::manifest;

/// A program that can be run.
#[derive(Debug, Clone)]
pub(crate) struct Kubectl {
    program: OsString,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// `kubectl` from `WINDLASS_TEST_KUBECTL`, else from `PATH`; none where it does not run.
    pub(crate) fn find(kubeconfig: &Path) -> Option<Self> {
        let given = std::env::var_os("WINDLASS_TEST_KUBECTL");
        let program = given.unwrap_or_else(|| "kubectl".into());
        let status = Command::new(&program)
            .args(["version", "--client"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success()).then(|| Self {
            program,
            kubeconfig: kubeconfig.to_owned(),
        })
    }
}

/// A namespace and a file with all Deployments.
pub(crate) struct Files {
    kubectl: Kubectl,
    room: Room,
    file: PathBuf,
    units: usize,
}

impl Files {
    pub(crate) fn new(kubectl: Kubectl, room: Room, folder: &Path, units: usize) -> Self {
        let file = folder.join("all.yaml");
        Self {
            kubectl,
            room,
            file,
            units,
        }
    }

    /// Writes the file; not part of the work.
    pub(crate) fn write(&self, value: u32, one: Option<u32>) -> Result<()> {
        let mut text = String::new();
        for deployment in manifest::all(self.units, value, one) {
            write!(text, "---\n{deployment}")?;
        }
        Ok(fs::write(&self.file, text)?)
    }

    pub(crate) fn apply(&self) -> Result<()> {
        self.run(&["apply", "--server-side"], 0)
    }

    /// Compares; the program says by its exit code whether there is a difference.
    pub(crate) fn diff(&self, is_different: bool) -> Result<()> {
        let words = ["diff", "--server-side", "--concurrency=8"];
        self.run(&words, i32::from(is_different))
    }

    fn run(&self, words: &[&str], expected: i32) -> Result<()> {
        let output = Command::new(&self.kubectl.program)
            .args(words)
            .arg("--kubeconfig")
            .arg(&self.kubectl.kubeconfig)
            .args(["--namespace", &self.room.namespace, "--filename"])
            .arg(&self.file)
            .stdout(Stdio::null())
            .output()?;
        if output.status.code() == Some(expected) {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "expected kubectl {} to end with {expected}, found {}: {said}",
            words.join(" "),
            output.status
        )
        .into())
    }
}
