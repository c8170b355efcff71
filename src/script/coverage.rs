//! Which lines of a function its examples, tests and fixtures run.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::debugger::DebuggerCommand;
use rhai::{ASTNode, Engine};

use super::catalogue::Fixture;
use super::doctest::{TestReport, run_fixtures, run_tests};
use super::engine;
use super::function::Function;

/// The lines of a function's file with statements, and those of them that were run. Its tests do
/// not count. Lines count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The lines with statements.
    pub lines: BTreeSet<usize>,
    /// Those that a test ran.
    pub run: BTreeSet<usize>,
}

impl Coverage {
    /// The lines that no test ran.
    pub fn missed(&self) -> impl Iterator<Item = usize> {
        self.lines.difference(&self.run).copied()
    }
}

/// The lines of one file that are run on this thread.
struct Recording {
    file: String,
    lines: BTreeSet<usize>,
}

thread_local! {
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

/// Runs the examples, tests and fixtures of a function, and says what of it they ran.
///
/// ```
/// use windlass::script::{Catalogue, Stdlib, coverage_of};
///
/// let (catalogue, _) = Catalogue::load(&[&Stdlib], &|_| false);
/// let (reports, coverage) = coverage_of(&catalogue.get("set-replicas")?, &[]);
/// assert!(!reports.is_empty());
/// assert_eq!(coverage.missed().count(), 0, "all of it is run");
/// # Ok::<(), windlass::script::Error>(())
/// ```
pub fn coverage_of(function: &Arc<Function>, fixtures: &[Fixture]) -> (Vec<TestReport>, Coverage) {
    // One thread for all: what is called from one of these threads stays on it.
    engine::on_large_stack(|| {
        let file = function.path.clone();
        let lines = BTreeSet::new();
        RECORDING.set(Some(Recording { file, lines }));
        let mut reports = run_tests(function);
        reports.extend(run_fixtures(function, fixtures));
        let ran = RECORDING.take().map(|recording| recording.lines);
        let lines = statements(function);
        let run = ran.unwrap_or_default();
        let run = run.intersection(&lines).copied().collect();
        (reports, Coverage { lines, run })
    })
}

/// Whether what runs on this thread is recorded.
pub(super) fn is_recording() -> bool {
    RECORDING.with_borrow(Option::is_some)
}

/// Makes an engine tell of each statement that it runs. It is slower for it.
#[expect(
    deprecated,
    reason = "how Rhai marks what may change from version to version; tests would tell"
)]
pub(super) fn watch(engine: &mut Engine) {
    engine.register_debugger(
        |_, debugger| debugger,
        |_, _, _, source, position| {
            // The value of a block is an expression here, and a statement in the tree.
            if let Some(line) = position.line() {
                record(source, line);
            }
            Ok(DebuggerCommand::StepInto)
        },
    );
}

fn record(source: Option<&str>, line: usize) {
    RECORDING.with_borrow_mut(|recording| {
        if let Some(recording) = recording
            .as_mut()
            .filter(|on| source == Some(on.file.as_str()))
        {
            recording.lines.insert(line);
        }
    });
}

/// The lines with statements of everything but tests.
fn statements(function: &Function) -> BTreeSet<usize> {
    let mut own = function.ast.clone_functions_only();
    own.retain_functions(|_, _, name, _| !name.starts_with("test_"));
    let mut lines = BTreeSet::new();
    own.walk(&mut |path| {
        if let Some(ASTNode::Stmt(statement)) = path.last()
            && !matches!(statement, rhai::Stmt::Noop(_))
        {
            lines.extend(statement.position().line());
        }
        true
    });
    lines
}
