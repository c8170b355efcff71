//! Every key of the store, in one table.
//!
//! A key is one letter and then fields, numbers big-endian, so that the order of the bytes is the
//! order of the values. A text that something follows is *terminated*: each zero byte in it becomes
//! `00 ff`, and `00 00` ends it. A *name* is a slug, which holds no zero byte: one zero ends it,
//! and at the end of a key nothing does.
//!
//! | letter | fields | value | kind |
//! |---|---|---|---|
//! | `m` | – | number of the store's format, one byte | settings |
//! | `n` | letter of the counter | the number last given, 8 bytes | settings |
//! | `k` | space, name of a worker | [`Probe`](crate::model::Probe), in no operation | settings |
//! | `s` | space | [`Space`](crate::model::Space) | record |
//! | `u` | unit | [`Unit`](crate::model::Unit) | record |
//! | `r` | unit, number (4 bytes) | [`Revision`](crate::model::Revision) | record |
//! | `c` | conflict | [`Conflict`](crate::model::Conflict) | record |
//! | `a` | name | [`Target`](crate::model::Target) | record |
//! | `w` | space, name | [`Worker`](crate::model::Worker) | record |
//! | `f` | space or 0, name | [`Filter`](crate::model::Filter) | record |
//! | `l` | name | [`InstalledFunction`](crate::model::InstalledFunction) | record |
//! | `h` | name | [`ChangeSet`](crate::model::ChangeSet) | record |
//! | `i` | name of the changeset | [`Intent`](crate::model::Intent) | record |
//! | `d` | apply | [`Apply`](crate::model::Apply) | cluster |
//! | `e` | unit, name of the target | what the unit has there, as JSON | cluster |
//! | `x` | bytes of the sandbox's own | bytes of the sandbox's own | cluster |
//! | `t` | number of a pack (8 bytes) | texts and their trees (see `pack`) | content |
//! | `g` | hash | [`Bookkeeping`](crate::model::Bookkeeping) | content |
//! | `b` | hash (32 bytes) of a text | its place in a pack | index: texts |
//! | `S` | name | number of the space | index: slug of spaces |
//! | `U` | space, name | number of the unit | index: units of a space, slug in it |
//! | `V` | name, 0, unit | – | index: slug of units in any space |
//! | `L` | terminated key, terminated value, unit | – | index: labels of units |
//! | `P` | upstream unit, unit | – | index: variants |
//! | `K` | terminated kind, unit | – | index: kinds of resources |
//! | `C` | unit, conflict | – | index: conflicts of a unit |
//! | `R` | run, operation | – | index: operations of a run |
//! | `O` | apply | – | index: applies that have not ended |
//! | `o` | operation | [`Operation`](crate::model::Operation) | log |
//! | `p` | operation, part (4 bytes) | its changes, packed (see `log`) | log |
//!
//! Numbers of entities have 8 bytes. Records, cluster records and content are in the log with
//! what they were; indexes are made from the records, and the log is checked by its own chain.

use crate::id::{ApplyId, ConflictId, OpId, RunId, Slug, SpaceId, UnitId};
use crate::model::Hash;

/// In the place of the number of a space: spaces are numbered from 1.
const NO_SPACE: u64 = 0;

/// A key, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The number of the store's format.
    Format,
    /// The number that a counter gave last.
    Counter(Counter),
    /// The last sign of life of a worker's process.
    Heartbeat(SpaceId, Slug),
    /// A space.
    Space(SpaceId),
    /// A unit.
    Unit(UnitId),
    /// A revision of a unit.
    Revision(UnitId, u32),
    /// A conflict.
    Conflict(ConflictId),
    /// A target.
    Target(Slug),
    /// A worker of a space.
    Worker(SpaceId, Slug),
    /// A filter of a space, or of the store.
    Filter(Option<SpaceId>, Slug),
    /// A function that is installed.
    Function(Slug),
    /// A changeset.
    ChangeSet(Slug),
    /// What a changeset that is being applied is about to do.
    Intent(Slug),
    /// An apply.
    Apply(ApplyId),
    /// What a unit has on a target.
    Inventory(UnitId, Slug),
    /// A record of the sandbox.
    Cluster(Vec<u8>),
    /// Index: the place of a text.
    Text(Hash),
    /// Some texts and their trees.
    Pack(u64),
    /// Bookkeeping.
    Bookkeeping(Hash),
    /// Index: the space with this slug.
    SpaceSlug(Slug),
    /// Index: the unit with this slug in a space.
    UnitSlug(SpaceId, Slug),
    /// Index: a unit with this slug.
    Slug(Slug, UnitId),
    /// Index: a unit with this label.
    Label(String, String, UnitId),
    /// Index: a variant of a unit.
    Variant(UnitId, UnitId),
    /// Index: a unit with a resource of this kind.
    Kind(String, UnitId),
    /// Index: a conflict of a unit.
    ConflictOf(UnitId, ConflictId),
    /// Index: an operation of a run.
    RunOperation(RunId, OpId),
    /// Index: an apply that has not ended.
    OpenApply(ApplyId),
    /// An operation.
    Operation(OpId),
    /// A part of the changes of an operation.
    Changes(OpId, u32),
}

/// What is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// Calls of apply and destroy.
    Apply,
    /// Conflicts.
    Conflict,
    /// Operations.
    Operation,
    /// Packs of texts.
    Pack,
    /// Runs.
    Run,
    /// Spaces.
    Space,
    /// Units.
    Unit,
}

impl Counter {
    pub(super) const ALL: [Self; 7] = [
        Self::Apply,
        Self::Conflict,
        Self::Operation,
        Self::Pack,
        Self::Run,
        Self::Space,
        Self::Unit,
    ];

    fn letter(self) -> u8 {
        match self {
            Self::Apply => b'a',
            Self::Conflict => b'c',
            Self::Operation => b'o',
            Self::Pack => b'p',
            Self::Run => b'r',
            Self::Space => b's',
            Self::Unit => b'u',
        }
    }
}

impl Key {
    /// The bytes under which the value is stored.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Format => Writing::new(b'm'),
            Self::Counter(counter) => Writing::new(b'n').bytes(&[counter.letter()]),
            Self::Heartbeat(space, worker) => Writing::new(b'k')
                .number(space.0)
                .bytes(worker.as_str().as_bytes()),
            Self::Space(space) => Writing::new(b's').number(space.0),
            Self::Unit(unit) => Writing::new(b'u').number(unit.0),
            Self::Revision(unit, num) => Writing::new(b'r').number(unit.0).short(*num),
            Self::Conflict(conflict) => Writing::new(b'c').number(conflict.0),
            Self::Target(slug) => Writing::new(b'a').bytes(slug.as_str().as_bytes()),
            Self::Worker(space, slug) => Writing::new(b'w')
                .number(space.0)
                .bytes(slug.as_str().as_bytes()),
            Self::Filter(space, slug) => Writing::new(b'f')
                .number(space.map_or(NO_SPACE, |space| space.0))
                .bytes(slug.as_str().as_bytes()),
            Self::Function(name) => Writing::new(b'l').bytes(name.as_str().as_bytes()),
            Self::ChangeSet(slug) => Writing::new(b'h').bytes(slug.as_str().as_bytes()),
            Self::Intent(slug) => Writing::new(b'i').bytes(slug.as_str().as_bytes()),
            Self::Apply(apply) => Writing::new(b'd').number(apply.0),
            Self::Inventory(unit, target) => Writing::new(b'e')
                .number(unit.0)
                .bytes(target.as_str().as_bytes()),
            Self::Cluster(own) => Writing::new(b'x').bytes(own),
            Self::Text(hash) => Writing::new(b'b').bytes(hash.as_bytes()),
            Self::Pack(pack) => Writing::new(b't').number(*pack),
            Self::Bookkeeping(hash) => Writing::new(b'g').bytes(hash.as_bytes()),
            Self::SpaceSlug(slug) => Writing::new(b'S').bytes(slug.as_str().as_bytes()),
            Self::UnitSlug(space, slug) => Writing::new(b'U')
                .number(space.0)
                .bytes(slug.as_str().as_bytes()),
            Self::Slug(slug, unit) => Writing::new(b'V').name(slug).number(unit.0),
            Self::Label(key, value, unit) => {
                Writing::new(b'L').text(key).text(value).number(unit.0)
            }
            Self::Variant(upstream, unit) => Writing::new(b'P').number(upstream.0).number(unit.0),
            Self::Kind(kind, unit) => Writing::new(b'K').text(kind).number(unit.0),
            Self::ConflictOf(unit, conflict) => {
                Writing::new(b'C').number(unit.0).number(conflict.0)
            }
            Self::RunOperation(run, op) => Writing::new(b'R').number(run.0).number(op.0),
            Self::OpenApply(apply) => Writing::new(b'O').number(apply.0),
            Self::Operation(op) => Writing::new(b'o').number(op.0),
            Self::Changes(op, part) => Writing::new(b'p').number(op.0).short(*part),
        }
        .0
    }

    /// Takes bytes apart; none when they are no key of this table.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (letter, fields) = bytes.split_first()?;
        let mut fields = Reading(fields);
        let key = match letter {
            b'm' => Self::Format,
            b'n' => {
                let letter = fields.byte()?;
                Self::Counter(Counter::ALL.into_iter().find(|c| c.letter() == letter)?)
            }
            b'k' => Self::Heartbeat(SpaceId(fields.number()?), fields.last_name()?),
            b's' => Self::Space(SpaceId(fields.number()?)),
            b'u' => Self::Unit(UnitId(fields.number()?)),
            b'r' => Self::Revision(UnitId(fields.number()?), fields.short()?),
            b'c' => Self::Conflict(ConflictId(fields.number()?)),
            b'a' => Self::Target(fields.last_name()?),
            b'w' => Self::Worker(SpaceId(fields.number()?), fields.last_name()?),
            b'f' => {
                let space = Some(fields.number()?).filter(|number| *number != NO_SPACE);
                Self::Filter(space.map(SpaceId), fields.last_name()?)
            }
            b'l' => Self::Function(fields.last_name()?),
            b'h' => Self::ChangeSet(fields.last_name()?),
            b'i' => Self::Intent(fields.last_name()?),
            b'd' => Self::Apply(ApplyId(fields.number()?)),
            b'e' => Self::Inventory(UnitId(fields.number()?), fields.last_name()?),
            b'x' => Self::Cluster(fields.rest().to_vec()),
            b'b' => Self::Text(fields.hash()?),
            b't' => Self::Pack(fields.number()?),
            b'g' => Self::Bookkeeping(fields.hash()?),
            b'S' => Self::SpaceSlug(fields.last_name()?),
            b'U' => Self::UnitSlug(SpaceId(fields.number()?), fields.last_name()?),
            b'V' => Self::Slug(fields.name()?, UnitId(fields.number()?)),
            b'L' => Self::Label(fields.text()?, fields.text()?, UnitId(fields.number()?)),
            b'P' => Self::Variant(UnitId(fields.number()?), UnitId(fields.number()?)),
            b'K' => Self::Kind(fields.text()?, UnitId(fields.number()?)),
            b'C' => Self::ConflictOf(UnitId(fields.number()?), ConflictId(fields.number()?)),
            b'R' => Self::RunOperation(RunId(fields.number()?), OpId(fields.number()?)),
            b'O' => Self::OpenApply(ApplyId(fields.number()?)),
            b'o' => Self::Operation(OpId(fields.number()?)),
            b'p' => Self::Changes(OpId(fields.number()?), fields.short()?),
            _ => return None,
        };
        fields.0.is_empty().then_some(key)
    }
}

/// What belongs to a space beside its units and goes with it: the kind for people, in the
/// singular, and the letter of its records, behind which the number of the space stands.
pub(super) const IN_SPACE: [(&str, u8); 2] = [("worker", b'w'), ("filter", b'f')];

/// Beginnings that keys share, for scans.
pub(super) mod prefix {
    use super::{Slug, SpaceId, UnitId, Writing};
    use crate::id::RunId;

    pub(in crate::db) fn of(letter: u8) -> Vec<u8> {
        vec![letter]
    }

    pub(in crate::db) fn revisions_of(unit: UnitId) -> Vec<u8> {
        Writing::new(b'r').number(unit.0).0
    }

    pub(in crate::db) fn workers_of(space: SpaceId) -> Vec<u8> {
        in_space(b'w', space)
    }

    /// Records of a kind that belong to a space: letter, space, name.
    pub(in crate::db) fn in_space(letter: u8, space: SpaceId) -> Vec<u8> {
        Writing::new(letter).number(space.0).0
    }

    pub(in crate::db) fn filters_of(space: SpaceId) -> Vec<u8> {
        Writing::new(b'f').number(space.0).0
    }

    pub(in crate::db) fn space_slugs(beginning: &str) -> Vec<u8> {
        Writing::new(b'S').bytes(beginning.as_bytes()).0
    }

    pub(in crate::db) fn units_of(space: SpaceId) -> Vec<u8> {
        Writing::new(b'U').number(space.0).0
    }

    pub(in crate::db) fn slug(slug: &Slug) -> Vec<u8> {
        Writing::new(b'V').name(slug).0
    }

    pub(in crate::db) fn label(key: &str, value: &str) -> Vec<u8> {
        Writing::new(b'L').text(key).text(value).0
    }

    pub(in crate::db) fn label_key(key: &str) -> Vec<u8> {
        Writing::new(b'L').text(key).0
    }

    pub(in crate::db) fn variants_of(unit: UnitId) -> Vec<u8> {
        Writing::new(b'P').number(unit.0).0
    }

    pub(in crate::db) fn kind(kind: &str) -> Vec<u8> {
        Writing::new(b'K').text(kind).0
    }

    pub(in crate::db) fn conflicts_of(unit: UnitId) -> Vec<u8> {
        Writing::new(b'C').number(unit.0).0
    }

    pub(in crate::db) fn inventories_of(unit: UnitId) -> Vec<u8> {
        Writing::new(b'e').number(unit.0).0
    }

    pub(in crate::db) fn operations_of(run: RunId) -> Vec<u8> {
        Writing::new(b'R').number(run.0).0
    }
}

struct Writing(Vec<u8>);

impl Writing {
    fn new(letter: u8) -> Self {
        let mut bytes = Vec::with_capacity(40);
        bytes.push(letter);
        Self(bytes)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn short(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn name(self, slug: &Slug) -> Self {
        self.bytes(slug.as_str().as_bytes()).bytes(&[0])
    }

    fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(0xff);
            }
        }
        self.bytes(&[0, 0])
    }
}

struct Reading<'a>(&'a [u8]);

impl<'a> Reading<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn short(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn hash(&mut self) -> Option<Hash> {
        self.take().map(Hash::from_bytes)
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn last_name(&mut self) -> Option<Slug> {
        Slug::new(str::from_utf8(self.rest()).ok()?).ok()
    }

    fn name(&mut self) -> Option<Slug> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let (name, rest) = self.0.split_at(end);
        self.0 = rest.get(1..)?;
        Slug::new(str::from_utf8(name).ok()?).ok()
    }

    fn text(&mut self) -> Option<String> {
        let mut text = Vec::new();
        loop {
            match (self.byte()?, self.0.first()) {
                (0, Some(0)) => {
                    self.byte()?;
                    return String::from_utf8(text).ok();
                }
                (0, Some(0xff)) => {
                    self.byte()?;
                    text.push(0);
                }
                (0, _) => return None,
                (byte, _) => text.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slug() -> impl Strategy<Value = Slug> {
        "[a-c0][a-c0._-]{0,3}".prop_map(|text| Slug::new(text).unwrap())
    }

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![0..4_u64, 254..258_u64, any::<u64>()]
    }

    fn hash() -> impl Strategy<Value = Hash> {
        number().prop_map(|n| Hash::of(&n.to_be_bytes()))
    }

    fn text() -> impl Strategy<Value = String> {
        "[\u{0}\u{1}a\u{ff}é]{0,4}"
    }

    /// Two keys of one kind.
    fn pair() -> impl Strategy<Value = (Key, Key)> {
        fn two<S: Strategy<Value = Key> + 'static>(
            make: impl Fn() -> S,
        ) -> BoxedStrategy<(Key, Key)> {
            (make(), make()).boxed()
        }
        prop_oneof![
            two(|| (number(), slug()).prop_map(|(n, s)| Key::Heartbeat(SpaceId(n), s))),
            two(|| number().prop_map(|n| Key::Space(SpaceId(n)))),
            two(|| number().prop_map(|n| Key::Unit(UnitId(n)))),
            two(|| (number(), any::<u32>()).prop_map(|(n, r)| Key::Revision(UnitId(n), r))),
            two(|| number().prop_map(|n| Key::Conflict(ConflictId(n)))),
            two(|| slug().prop_map(Key::Target)),
            two(|| slug().prop_map(Key::Function)),
            two(|| slug().prop_map(Key::ChangeSet)),
            two(|| slug().prop_map(Key::Intent)),
            two(|| (number(), slug()).prop_map(|(n, s)| Key::Worker(SpaceId(n), s))),
            two(|| (number(), slug())
                .prop_map(|(n, s)| { Key::Filter((n != NO_SPACE).then_some(SpaceId(n)), s) })),
            two(|| number().prop_map(|n| Key::Apply(ApplyId(n)))),
            two(|| (number(), slug()).prop_map(|(n, s)| Key::Inventory(UnitId(n), s))),
            two(|| prop::collection::vec(any::<u8>(), 0..4).prop_map(Key::Cluster)),
            two(|| hash().prop_map(Key::Text)),
            two(|| number().prop_map(Key::Pack)),
            two(|| hash().prop_map(Key::Bookkeeping)),
            two(|| slug().prop_map(Key::SpaceSlug)),
            two(|| (number(), slug()).prop_map(|(n, s)| Key::UnitSlug(SpaceId(n), s))),
            two(|| (slug(), number()).prop_map(|(s, n)| Key::Slug(s, UnitId(n)))),
            two(|| (text(), text(), number()).prop_map(|(k, v, n)| Key::Label(k, v, UnitId(n)))),
            two(|| (number(), number()).prop_map(|(u, n)| Key::Variant(UnitId(u), UnitId(n)))),
            two(|| (text(), number()).prop_map(|(k, n)| Key::Kind(k, UnitId(n)))),
            two(|| (number(), number())
                .prop_map(|(u, c)| Key::ConflictOf(UnitId(u), ConflictId(c)))),
            two(|| (number(), number()).prop_map(|(r, o)| Key::RunOperation(RunId(r), OpId(o)))),
            two(|| number().prop_map(|n| Key::OpenApply(ApplyId(n)))),
            two(|| number().prop_map(|n| Key::Operation(OpId(n)))),
            two(|| (number(), any::<u32>()).prop_map(|(n, part)| Key::Changes(OpId(n), part))),
        ]
    }

    proptest! {
        #[test]
        fn the_order_of_the_bytes_is_the_order_of_the_values((a, b) in pair()) {
            prop_assert_eq!(a.encode().cmp(&b.encode()), a.cmp(&b), "{:?} {:?}", a, b);
        }

        #[test]
        fn a_key_reads_back((a, _) in pair()) {
            prop_assert_eq!(Key::decode(&a.encode()), Some(a));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            if let Some(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), bytes);
            }
        }
    }

    #[test]
    fn every_kind_of_key_has_a_letter_of_its_own() {
        let counters = Counter::ALL.map(|counter| Key::Counter(counter).encode());
        let distinct: std::collections::BTreeSet<_> = counters.iter().collect();
        assert_eq!(distinct.len(), Counter::ALL.len());
        for counter in Counter::ALL {
            let key = Key::Counter(counter);
            assert_eq!(Key::decode(&key.encode()), Some(key));
        }
    }

    #[test]
    fn the_keys_of_an_index_begin_with_what_is_looked_up() {
        let unit = UnitId(7);
        let name = Slug::new("api").unwrap();
        for (key, prefix) in [
            (Key::Slug(name.clone(), unit), prefix::slug(&name)),
            (
                Key::Label("tier".into(), "web".into(), unit),
                prefix::label("tier", "web"),
            ),
            (
                Key::Label("tier".into(), "web".into(), unit),
                prefix::label_key("tier"),
            ),
            (Key::Kind("Service".into(), unit), prefix::kind("Service")),
            (Key::Variant(unit, UnitId(8)), prefix::variants_of(unit)),
            (
                Key::UnitSlug(SpaceId(1), name),
                prefix::units_of(SpaceId(1)),
            ),
        ] {
            assert!(key.encode().starts_with(&prefix), "{key:?}");
        }
        let longer = Slug::new("api-2").unwrap();
        let other = Key::Slug(longer, unit).encode();
        assert!(!other.starts_with(&prefix::slug(&Slug::new("api").unwrap())));
        let other = Key::Label("tier".into(), "web2".into(), unit).encode();
        assert!(!other.starts_with(&prefix::label("tier", "web")));
    }
}
