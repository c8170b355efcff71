//! One snapshot to read, one transaction to write; and the transaction that several calls share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::app::cluster::Slot;
use crate::app::{App, Open, Touched, Verb};
use crate::clock::Timestamp;
use crate::db::{OperationDraft, Transaction, View};
use crate::error::{Error, Kind, Result};
use crate::id::{OpId, UnitId};
use crate::model::Unit;

/// How long the transaction of [`App::atomic`] may stay open: others wait for it.
pub(super) const ATOMIC_LIMIT: Duration = Duration::from_secs(10);

impl App {
    /// Reads: from the open transaction where there is one, else from a fresh snapshot.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&View) -> Result<T>) -> Result<T> {
        if let Some(mut lent) = self.lend_open()? {
            return read(lent.open_mut().slot.transaction()?);
        }
        let reader = self.0.db.read()?;
        read(&reader)
    }

    /// Writes: into the open transaction where there is one, else as one operation of its own.
    ///
    /// An error drops everything that was written. A write that changed nothing makes no
    /// operation.
    pub(crate) fn write<T>(
        &self,
        verb: Verb,
        write: impl FnOnce(&mut Transaction) -> Result<T>,
    ) -> Result<(T, Option<OpId>)> {
        self.write_slot(verb, |slot| write(slot.transaction()?))
    }

    /// As [`Self::write`], with a transaction that a target can be lent.
    pub(crate) fn write_slot<T>(
        &self,
        verb: Verb,
        write: impl FnOnce(&mut Slot) -> Result<T>,
    ) -> Result<(T, Option<OpId>)> {
        self.refuse_staged(&verb.text)?;
        if let Some(mut lent) = self.lend_open()? {
            let open = lent.open_mut();
            open.refuse_overdue(self.0.db.clock().now())?;
            if open.is_stepwise {
                open.slot.transaction()?.next_step();
            }
            let result = write(&mut open.slot);
            match &result {
                Ok(_) => open.calls.push(verb),
                Err(error) => open.broken = Some(error.clone()),
            }
            return result.map(|value| (value, None));
        }
        let mut slot = Slot::new(self.begin_writing()?);
        let value = write(&mut slot)?;
        let op = self.finish(slot.into_transaction()?, verb)?;
        Ok((value, op))
    }

    /// Deploying waits, and what it sends cannot be taken back with a transaction.
    pub(crate) fn refuse_inside_atomic(&self, what: &str) -> Result<()> {
        self.refuse_staged(what)?;
        if !self.is_transaction() {
            return Ok(());
        }
        if self.is_rehearsing() {
            return Err(Error::new(
                Kind::Usage,
                format!("expected {what} after the group, found it inside"),
            )
            .hint("commit the group first; what it wrote can be applied then"));
        }
        Err(Error::new(
            Kind::Usage,
            format!("expected {what} after atomic, found it inside"),
        )
        .hint("write inside atomic, then apply what it returns"))
    }

    pub(crate) fn finish(&self, mut transaction: Transaction, verb: Verb) -> Result<Option<OpId>> {
        if !transaction.is_changed()? {
            return Ok(None);
        }
        let run = self.scope().run;
        let run = match run {
            Some(run) => run,
            None => transaction.new_run_id()?,
        };
        let draft = OperationDraft {
            verb: verb.text,
            args: verb.args.to_string(),
            actor: self.actor(),
            message: self.scope().message.clone(),
            run: Some(run),
        };
        let operation = transaction.finish(draft)?;
        self.scope().run = Some(run);
        Ok(operation.map(|operation| operation.id))
    }

    /// Runs `body` so that everything it writes becomes one operation, or nothing does.
    ///
    /// A call inside another one joins it.
    ///
    /// # Errors
    /// Those of `body`; what was written is dropped then. [`Kind::Limit`] when it takes longer
    /// than ten seconds.
    pub fn atomic<T>(
        &self,
        why: Option<&str>,
        body: impl FnOnce() -> Result<T>,
    ) -> Result<(T, Option<OpId>)> {
        self.as_one(Some(ATOMIC_LIMIT), why, body)
    }

    /// As [`Self::atomic`], for a use case of several steps: how long it takes depends on how much
    /// there is to do, not on what a script does meanwhile.
    pub(crate) fn as_one<T>(
        &self,
        limit: Option<Duration>,
        why: Option<&str>,
        body: impl FnOnce() -> Result<T>,
    ) -> Result<(T, Option<OpId>)> {
        if self.has_open() {
            return self.joined(body).map(|value| (value, None));
        }
        let transaction = self.begin_writing()?;
        let heads = self.scope().own_heads.clone();
        let value = self.with_open(Open::new(transaction, false, limit), body);
        let (result, open) = value;
        let result = result.and_then(|value| {
            let open = open?;
            open.refuse_overdue(self.0.db.clock().now())?;
            let verb = open.verb();
            let message = why.map(ToOwned::to_owned);
            let before = message.and_then(|why| self.scope().message.replace(why));
            let op = self.finish(open.slot.into_transaction()?, verb);
            if why.is_some() {
                self.scope().message = before;
            }
            Ok((value, op?))
        });
        if result.is_err() {
            self.scope().own_heads = heads;
        }
        result
    }

    /// Runs `body` inside the transaction that is open already, as one step of it.
    fn joined<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        let was_stepwise = match self.lend_open()? {
            None => false,
            Some(mut lent) => {
                let open = lent.open_mut();
                if open.is_stepwise {
                    open.slot.transaction()?.next_step();
                }
                std::mem::replace(&mut open.is_stepwise, false)
            }
        };
        let result = body();
        if let Some(open) = &mut self.scope().open {
            open.is_stepwise = was_stepwise;
        }
        result
    }

    /// Runs a whole script on a copy of the store in memory: as [`Self::rehearse`], but each call
    /// makes the revisions that it would make by itself.
    ///
    /// # Errors
    /// Those of `body` and `inspect`.
    pub fn rehearse_script<T, R>(
        &self,
        body: impl FnOnce() -> Result<T>,
        inspect: impl FnOnce(&mut Transaction, T) -> Result<R>,
    ) -> Result<R> {
        let body = || {
            if let Some(open) = &mut self.scope().open {
                open.is_stepwise = true;
            }
            body()
        };
        self.rehearse(body, inspect)
    }

    /// Runs `body` on a copy of the store in memory, in which later calls see what earlier ones
    /// wrote, and hands that copy to `inspect`. The store is not touched.
    ///
    /// # Errors
    /// Those of `body` and `inspect`.
    pub fn rehearse<T, R>(
        &self,
        body: impl FnOnce() -> Result<T>,
        inspect: impl FnOnce(&mut Transaction, T) -> Result<R>,
    ) -> Result<R> {
        if self.is_rehearsing() {
            return self.rehearse_inside(body, inspect);
        }
        if self.has_open() {
            return Err(Error::new(
                Kind::Usage,
                "expected a preview outside atomic, found one inside",
            ));
        }
        let transaction = self.0.db.overlay()?;
        let heads = self.scope().own_heads.clone();
        let (result, open) = self.with_open(Open::new(transaction, true, None), body);
        self.scope().own_heads = heads;
        let value = result?;
        inspect(open?.slot.transaction()?, value)
    }

    /// As [`Self::rehearse`], on a copy of what the rehearsal that goes on has written so far; the
    /// rehearsal sees nothing of it.
    fn rehearse_inside<T, R>(
        &self,
        body: impl FnOnce() -> Result<T>,
        inspect: impl FnOnce(&mut Transaction, T) -> Result<R>,
    ) -> Result<R> {
        let Some(mut outer) = self.scope().open.take() else {
            return Err(Error::new(Kind::Internal, "the rehearsal was lost"));
        };
        let mut below = outer.slot.take()?;
        below.settle()?;
        let below = Arc::new(below);
        let heads = self.scope().own_heads.clone();
        let touched = std::mem::take(&mut self.scope().touched);
        let result = Transaction::over(&below)
            .map_err(Error::from)
            .and_then(|transaction| {
                let (value, open) = self.with_open(Open::new(transaction, true, None), body);
                let value = value?;
                inspect(open?.slot.transaction()?, value)
            });
        if let Some(transaction) = Arc::into_inner(below) {
            outer.slot = Slot::new(transaction);
        }
        let mut scope = self.scope();
        scope.own_heads = heads;
        scope.touched = touched;
        scope.open = Some(outer);
        drop(scope);
        result
    }

    /// Looks at what a dry run needs: through a transaction of which nothing is kept, or through
    /// that of the rehearsal that it is part of.
    pub(crate) fn inspect<T>(&self, look: impl FnOnce(&mut Transaction) -> Result<T>) -> Result<T> {
        if self.is_rehearsing()
            && let Some(mut lent) = self.lend_open()?
        {
            return look(lent.open_mut().slot.transaction()?);
        }
        self.rehearse(|| Ok(()), |transaction, ()| look(transaction))
    }

    /// A transaction of which nothing is kept.
    pub(crate) fn overlay(&self) -> Result<Transaction> {
        Ok(self.0.db.overlay()?)
    }

    /// Whether what is written now stays in memory.
    pub fn is_rehearsing(&self) -> bool {
        self.scope()
            .open
            .as_ref()
            .is_some_and(|open| open.is_preview)
    }

    /// Whether a rehearsal has written anything so far.
    pub(crate) fn has_rehearsed_writes(&self) -> Result<bool> {
        match self.lend_open()? {
            Some(mut lent) => Ok(lent.open_mut().slot.transaction()?.is_changed()?),
            None => Ok(false),
        }
    }

    /// Whether a transaction that other writers wait for has been open for too long.
    pub fn is_overdue(&self) -> bool {
        let now = self.0.db.clock().now();
        self.scope()
            .open
            .as_ref()
            .is_some_and(|open| open.refuse_overdue(now).is_err())
    }

    /// Remembers how a unit was before the open transaction first touched it.
    pub(crate) fn note_touched(&self, unit: &Unit) {
        let before = Touched {
            head: unit.head,
            data: unit.data,
        };
        self.scope().touched.entry(unit.id).or_insert(before);
    }

    /// The units that the open transaction has touched, as they were before.
    pub(crate) fn touched(&self) -> BTreeMap<UnitId, Touched> {
        self.scope().touched.clone()
    }

    /// The present instant, as revisions are dated.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.db.clock().now()
    }

    /// Runs `body` as somebody else: the operations it makes name that actor.
    ///
    /// # Errors
    /// Those of `body`.
    pub fn as_actor<T>(&self, actor: &str, body: impl FnOnce() -> Result<T>) -> Result<T> {
        self.scope().actors.push(actor.to_owned());
        let result = body();
        self.scope().actors.pop();
        result
    }

    /// As [`Self::as_one`], under a name of its own where it is an operation by itself.
    pub(crate) fn as_titled<T>(
        &self,
        title: &str,
        body: impl FnOnce() -> Result<T>,
    ) -> Result<(T, Option<OpId>)> {
        let is_joined = self.has_open();
        self.as_one(None, None, || {
            if !is_joined {
                self.title_open(title);
            }
            body()
        })
    }

    /// Why what is done is done, where somebody said so.
    pub(crate) fn message(&self) -> Option<String> {
        self.scope().message.clone()
    }

    /// Names the operation that the open transaction will be.
    pub(crate) fn title_open(&self, title: &str) {
        if let Some(open) = &mut self.scope().open {
            open.title.get_or_insert_with(|| title.to_owned());
        }
    }

    /// Says why what follows is done; the operations that follow keep it.
    pub fn set_message(&self, why: &str) {
        self.scope().message = Some(why.to_owned());
    }

    pub(super) fn has_open(&self) -> bool {
        let scope = self.scope();
        scope.open.is_some() || scope.is_lent
    }

    fn with_open<T>(
        &self,
        open: Open,
        body: impl FnOnce() -> Result<T>,
    ) -> (Result<T>, Result<Open>) {
        let mut scope = self.scope();
        scope.open = Some(open);
        scope.touched.clear();
        drop(scope);
        let result = body();
        let open = self.scope().open.take();
        let open = match open {
            None => Err(Error::new(Kind::Internal, "the open transaction was lost")),
            Some(Open {
                broken: Some(error),
                ..
            }) => Err(error.context(
                "the transaction was given up at this error, although the script went on",
            )),
            Some(open) => Ok(open),
        };
        (result, open)
    }

    /// Takes the open transaction out of the scope for one call, so that the call may use the
    /// application; it goes back when the loan ends.
    fn lend_open(&self) -> Result<Option<Lent<'_>>> {
        let mut scope = self.scope();
        if scope.is_lent {
            return Err(Error::new(
                Kind::Internal,
                "a use case asked for a second transaction inside its own",
            ));
        }
        let Some(open) = scope.open.take() else {
            return Ok(None);
        };
        if let Some(error) = &open.broken {
            let error = error.clone();
            scope.open = Some(open);
            return Err(error.context("the transaction was given up at this earlier error"));
        }
        scope.is_lent = true;
        Ok(Some(Lent {
            app: self,
            open: Some(open),
        }))
    }
}

struct Lent<'a> {
    app: &'a App,
    open: Option<Open>,
}

impl Lent<'_> {
    fn open_mut(&mut self) -> &mut Open {
        self.open.as_mut().expect("it is taken only by drop")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut scope = self.app.scope();
        scope.open = self.open.take();
        scope.is_lent = false;
    }
}

impl Open {
    pub(super) fn new(transaction: Transaction, is_preview: bool, limit: Option<Duration>) -> Self {
        let since = transaction.at();
        let slot = Slot::new(transaction);
        Self {
            slot,
            is_preview,
            is_stepwise: false,
            since,
            limit,
            calls: Vec::new(),
            title: None,
            layers: None,
            heads_before: BTreeMap::new(),
            broken: None,
        }
    }

    fn refuse_overdue(&self, now: Timestamp) -> Result<()> {
        let open = now.microseconds().saturating_sub(self.since.microseconds());
        let Some(limit) = self.limit else {
            return Ok(());
        };
        if open <= i64::try_from(limit.as_micros()).unwrap_or(i64::MAX) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Limit,
            format!(
                "expected atomic to end within {} s, found it still open",
                limit.as_secs()
            ),
        )
        .hint("other writers wait for it: compute first, write inside atomic"))
    }

    fn verb(&self) -> Verb {
        let texts: Vec<&str> = self.calls.iter().map(|verb| verb.text.as_str()).collect();
        let text = match (&self.title, texts.as_slice()) {
            (Some(title), _) => title.clone(),
            (None, []) => "atomic".to_owned(),
            (None, [one]) => (*one).to_owned(),
            (None, [first, rest @ ..]) => format!("atomic: {first} and {} more", rest.len()),
        };
        Verb::with(text, texts.into())
    }
}
