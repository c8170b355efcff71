//! A writing process is killed at any instant: nothing acknowledged is lost, nothing is half done.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use windlass::clock::Clock;
use windlass::db::{Db, NewRevision, OperationDraft};
use windlass::id::{OpId, UnitId};
use windlass::model::{Labels, RevisionSource};
use windlass::store::Embedded;

use crate::db::{new_space, new_unit, stream};
use crate::processes::{said, start};

const KILLS: u32 = 220;

/// A store that has grown is no better a test than a young one, and slower to verify.
const KILLS_A_STORE: u32 = 11;

const UNITS: u64 = 3;

/// The child: operations without end, each told once it is committed.
pub(crate) fn write_until_killed(db: &Db, say: impl Fn(OpId)) {
    loop {
        let mut writing = db.write("number").unwrap();
        let number = writing.op().0;
        if number == 1 {
            let space = new_space(&mut writing, "base");
            for unit in 0..UNITS {
                new_unit(&mut writing, space, &format!("u{unit}"));
            }
        }
        for unit in (1..=UNITS).map(UnitId) {
            let mut record = writing.unit(unit).unwrap();
            record.labels = Labels::from([("number".into(), number.to_string())]);
            writing.put_unit(&record).unwrap();
            let data = stream(&format!("kind: ConfigMap\ndata: {{ number: {number} }}\n"));
            let update = NewRevision::of(&data, RevisionSource::Update, "child");
            writing.write_revision(unit, update).unwrap();
        }
        let draft = OperationDraft::new("number", "child");
        say(writing.finish(draft).unwrap().unwrap().id);
    }
}

/// Pseudo-random numbers (xorshift), the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn a_kill_at_any_instant_loses_nothing_acknowledged_and_leaves_nothing_half_done() {
    let mut dice = Dice(0x5eed_0001);
    let mut acknowledged_at_all = 0;
    for store in 0..KILLS / KILLS_A_STORE {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let mut acknowledged = 0;
        for kill in 0..KILLS_A_STORE {
            let last = run_and_kill(&path, &mut dice);
            acknowledged = acknowledged.max(last);
            acknowledged_at_all += u64::from(last > 0);
            check(&path, acknowledged, &format!("store {store} kill {kill}"));
        }
    }
    // Children that were all killed before they wrote would prove nothing.
    assert!(acknowledged_at_all > u64::from(KILLS) / 2);
}

/// Starts a child, kills it, and returns the number of the last operation it told of.
fn run_and_kill(path: &Path, dice: &mut Dice) -> u64 {
    let mut child = start("write", path);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut last = 0;
    let mut listen = |until: &mut dyn FnMut(u64) -> bool| {
        let mut line = String::new();
        while out.read_line(&mut line).unwrap() > 0 {
            // A line cut short by the kill was not told.
            if let Some(told) = said(&line).filter(|_| line.ends_with('\n')) {
                let op: OpId = told.parse().unwrap();
                last = op.0;
                if until(op.0) {
                    return;
                }
            }
            line.clear();
        }
    };
    // One in four is killed while it starts, or makes the store; the others while they write.
    if dice.below(4) > 0 {
        let mut more = dice.below(3);
        listen(&mut |_| {
            more = more.saturating_sub(1);
            more == 0
        });
        thread::sleep(Duration::from_micros(dice.below(12_000)));
    } else {
        thread::sleep(Duration::from_micros(dice.below(40_000)));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    listen(&mut |_| false);
    last
}

/// Everything acknowledged is there, at most one more, and all of it agrees.
fn check(path: &Path, acknowledged: u64, which: &str) {
    let db = Db::new(Arc::new(Embedded::new(path)), Clock::System);
    let reading = db.read().unwrap();
    let last = reading.last_operation().unwrap().map_or(0, |op| op.0);
    assert!(last >= acknowledged, "{which}: {last} < {acknowledged}");
    let found = reading.verify_log().unwrap();
    assert!(found.is_sound(), "{which}: {:#?}", found.problems);
    assert_eq!(found.operations, last, "{which}");
    if last == 0 {
        return;
    }
    let number = last.to_string();
    let units: Vec<UnitId> = (1..=UNITS).map(UnitId).collect();
    assert_eq!(
        reading.operation(OpId(last)).unwrap().units,
        units,
        "{which}"
    );
    assert_eq!(
        reading.by_label("number", &number).unwrap(),
        units,
        "{which}"
    );
    for unit in units {
        let record = reading.unit(unit).unwrap();
        // The first operation makes two revisions, every other one.
        assert_eq!(u64::from(record.head), last + 1, "{which}");
        let revision = reading.revision(unit, record.head).unwrap();
        assert_eq!(revision.op, OpId(last), "{which}");
        let text = reading.stream(&record.data).unwrap().text().to_owned();
        assert!(
            text.contains(&format!("number: {number} ")),
            "{which}: {text}"
        );
    }
}
