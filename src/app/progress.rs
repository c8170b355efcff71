//! How far long work is, for whoever wants to show it.

use crate::app::App;

/// How far one call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is done: `upgrade`.
    pub what: &'a str,
    /// How many units are done; all of them when the work ends, whether it went well or not.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

/// Where progress goes.
pub type Observer = dyn Fn(Progress<'_>) + Send + Sync;

impl App {
    /// Counts the units of a call from here on.
    pub(crate) fn counting<'a>(&'a self, what: &'a str, total: usize) -> Counting<'a> {
        Counting {
            observe: &*self.0.settings.progress,
            now: Progress {
                what,
                done: 0,
                total,
            },
        }
    }
}

/// A count that is told to the observer, and ends when it is dropped.
pub(crate) struct Counting<'a> {
    observe: &'a Observer,
    now: Progress<'a>,
}

impl Counting<'_> {
    /// So many more are done.
    pub(crate) fn step(&mut self, count: usize) {
        // The end is told once, by drop.
        let most = self.now.total.saturating_sub(1);
        self.now.done = (self.now.done + count).min(most);
        (self.observe)(self.now);
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        (self.observe)(Progress {
            done: self.now.total,
            ..self.now
        });
    }
}
