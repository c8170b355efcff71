//! Prefixes: two words that begin the names of one installation's spaces.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use crate::app::App;
use crate::error::{Error, Kind, Result};

/// How a thing is.
const FIRST: &[&str] = &[
    "amber", "ample", "balmy", "bold", "brave", "breezy", "brisk", "calm", "candid", "cheery",
    "civil", "clear", "copper", "cosy", "crisp", "daring", "deft", "eager", "early", "fabled",
    "fair", "fleet", "frank", "fresh", "gentle", "glad", "golden", "hardy", "hearty", "honest",
    "ivory", "jolly", "keen", "kindly", "lively", "lofty", "loyal", "lucid", "mellow", "merry",
    "mild", "modest", "noble", "nimble", "opal", "patient", "placid", "plucky", "proud", "quick",
    "quiet", "ready", "royal", "ruddy", "sandy", "silver", "snug", "steady", "sunny", "supple",
    "tidy", "tranquil", "vivid", "warm", "witty",
];

/// What it is: things of ships, coasts and shores.
const SECOND: &[&str] = &[
    "anchor", "auk", "barge", "bay", "beacon", "bight", "binnacle", "bollard", "bosun", "brig",
    "buoy", "capstan", "clipper", "compass", "cove", "creek", "cutter", "derrick", "dinghy",
    "dory", "dune", "estuary", "fathom", "ferry", "fjord", "galley", "gannet", "haven", "hawser",
    "helm", "heron", "islet", "jetty", "keel", "ketch", "lagoon", "lantern", "ledge", "lugger",
    "marina", "mast", "mooring", "oar", "osprey", "otter", "petrel", "pier", "pilot", "pontoon",
    "puffin", "quay", "reef", "rudder", "schooner", "seal", "sextant", "shoal", "skiff", "sloop",
    "spar", "strand", "tern", "tide", "tiller", "wharf",
];

impl App {
    /// Two words, `fleet-osprey`, with which no space's name begins. Nothing is written: it is
    /// taken when a space of that name is made.
    ///
    /// The same seed gives the same words in a store with the same spaces; without one, and
    /// without [`Settings::seed`](crate::app::Settings::seed), chance decides.
    ///
    /// # Errors
    /// [`Kind::Limit`] when every pair of words is taken.
    pub fn new_prefix(&self, seed: Option<u64>) -> Result<String> {
        let seed = seed.or(self.0.settings.seed);
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        self.read(|view| {
            for prefix in pairs(seed) {
                if view.spaces_beginning(&prefix)?.is_empty() {
                    return Ok(prefix);
                }
            }
            Err(Error::new(
                Kind::Limit,
                format!(
                    "expected a pair of words that no space begins with, found all {} taken",
                    FIRST.len() * SECOND.len()
                ),
            ))
        })
    }
}

/// Every pair once, from where the seed says.
fn pairs(seed: u64) -> impl Iterator<Item = String> {
    let count = FIRST.len() * SECOND.len();
    let start = usize::try_from(scattered(seed) % (count as u64)).unwrap_or(0);
    (0..count).map(move |step| {
        let at = (start + step * STRIDE) % count;
        format!("{}-{}", FIRST[at % FIRST.len()], SECOND[at / FIRST.len()])
    })
}

/// Has no divisor in common with the number of pairs, so each is met once.
const STRIDE: usize = 1_597;

/// Neighbouring seeds far apart (the finaliser of `SplitMix64`).
fn scattered(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pair_is_met_once_and_is_two_lower_case_words() {
        let all: BTreeSet<String> = pairs(7).collect();
        assert_eq!(all.len(), FIRST.len() * SECOND.len());
        for prefix in all {
            let (first, second) = prefix.split_once('-').unwrap();
            for word in [first, second] {
                assert!(
                    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()),
                    "{prefix}"
                );
            }
        }
    }

    #[test]
    fn seeds_that_are_neighbours_give_different_words() {
        let first = |seed| pairs(seed).next().unwrap();
        let found: BTreeSet<String> = (0..100).map(first).collect();
        assert!(found.len() > 95, "{}", found.len());
        assert_eq!(first(1), first(1));
    }
}
