//! Which operation took back which: read from the log, where an undo names what it undid.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::{Value, json};

use crate::app::Verb;
use crate::db::View;
use crate::error::Result;
use crate::id::{OpId, RunId};
use crate::model::Operation;

/// The argument under which an undo names the operations that it undid.
const UNDOES: &str = "Undoes";

/// The two words an operation begins with that takes others back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Undo,
    Redo,
}

impl Word {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Undo => "undo",
            Self::Redo => "redo",
        }
    }

    /// What the log says of an operation that takes `undoes` back; `what` is how it was called.
    pub(crate) fn verb(self, what: &str, undoes: &[OpId]) -> Verb {
        let ids: Vec<String> = undoes.iter().map(ToString::to_string).collect();
        Verb::with(format!("{} {what}", self.as_str()), json!({ UNDOES: ids }))
    }

    /// Whether an operation is an undo or a redo, and of what.
    pub(crate) fn of(operation: &Operation) -> Option<(Self, Vec<OpId>)> {
        let (word, what) = operation.verb.split_once(' ')?;
        // A function of that name would go on with its arguments.
        if !what.starts_with(OpId::PREFIX) && !what.starts_with(RunId::PREFIX) {
            return None;
        }
        let word = [Self::Undo, Self::Redo]
            .into_iter()
            .find(|known| known.as_str() == word)?;
        let args: Value = serde_json::from_str(&operation.args).ok()?;
        let ids = args.get(UNDOES)?.as_array()?;
        let ids = ids.iter().map(|id| id.as_str()?.parse().ok());
        Some((word, ids.collect::<Option<_>>()?))
    }
}

/// What is undone, as far back as it was read.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    undone: BTreeMap<OpId, OpId>,
}

impl Ledger {
    /// Reads the log from its end down to an operation.
    ///
    /// An undo that was undone itself counts no more: the newest word on an operation holds.
    pub(crate) fn read(view: &View, down_to: OpId) -> Result<Self> {
        let mut ledger = Self::default();
        view.scan_operations(|operation| {
            if operation.id <= down_to {
                return Ok::<_, crate::error::Error>(ControlFlow::Break(()));
            }
            ledger.enter(&operation);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(ledger)
    }

    /// Takes note of an operation that is older than all those before.
    pub(crate) fn enter(&mut self, operation: &Operation) {
        if self.undone.contains_key(&operation.id) {
            return;
        }
        if let Some((_, undoes)) = Word::of(operation) {
            for id in undoes {
                self.undone.entry(id).or_insert(operation.id);
            }
        }
    }

    /// The operation by which another one is undone at present.
    pub(crate) fn undone_by(&self, op: OpId) -> Option<OpId> {
        self.undone.get(&op).copied()
    }
}
