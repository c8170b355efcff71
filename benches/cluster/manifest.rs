//! The Deployments that are measured, as those of the engine, in the namespace of whoever sends
//! them.

use crate::corpus;

/// The Deployment number `at`, with a value of the one field that is changed. It names no
/// namespace: each side has one of its own.
pub(crate) fn deployment(at: usize, value: u32) -> String {
    corpus::deployment(at)
        .replace("  namespace: bench\n", "")
        .replace(
            "revisionHistoryLimit: 5",
            &format!("revisionHistoryLimit: {value}"),
        )
}

/// The value of the field that all Deployments are created with.
pub(crate) const FIRST: u32 = 5;
/// The value that one Deployment is given.
pub(crate) const ONE: u32 = 6;
/// The value that all Deployments are given then.
pub(crate) const ALL: u32 = 7;

/// All Deployments: with one value, and with another in that of [`changed`] where one is given.
pub(crate) fn all(units: usize, value: u32, one: Option<u32>) -> impl Iterator<Item = String> {
    (0..units).map(move |at| {
        let own = one.filter(|_| at == changed(units));
        deployment(at, own.unwrap_or(value))
    })
}

/// Which Deployment is changed where one is.
pub(crate) fn changed(units: usize) -> usize {
    units / 2
}
