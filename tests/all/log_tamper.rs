//! Whoever changes the store behind the program's back is found out.

use std::ops::ControlFlow;
use std::sync::Arc;

use windlass::clock::Clock;
use windlass::db::{Counter, Db, Key};
use windlass::id::{OpId, UnitId};
use windlass::model::Hash;
use windlass::store::{Batch, Memory, Range, Store as _};

use crate::db::{finish, new_space, new_unit, set_replicas};

/// Five operations on two units.
fn made() -> (Memory, Db, UnitId) {
    let store = Memory::new();
    let db = Db::new(Arc::new(store.clone()), Clock::System);
    let mut writing = db.write("create").unwrap();
    let space = new_space(&mut writing, "base");
    let unit = new_unit(&mut writing, space, "api");
    new_unit(&mut writing, space, "web");
    finish(writing, "create");
    for replicas in 2..6 {
        set_replicas(&db, unit, replicas);
    }
    assert!(db.read().unwrap().verify_log().unwrap().is_sound());
    (store, db, unit)
}

fn change(store: &Memory, make: impl FnOnce(&mut Batch)) {
    let mut writer = store.write("tamper").unwrap();
    let mut batch = Batch::default();
    make(&mut batch);
    writer.apply(batch).unwrap();
    writer.commit().unwrap();
}

fn value(store: &Memory, key: &Key) -> Vec<u8> {
    let found = store.read().unwrap().get(&key.encode()).unwrap();
    found.unwrap_or_else(|| panic!("{key:?} is missing"))
}

fn problems(db: &Db) -> String {
    let found = db.read().unwrap().verify_log().unwrap();
    let lines: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Every byte of every value: none can be another without it being told.
#[test]
fn no_byte_of_any_value_can_be_changed_unnoticed() {
    let (store, db, _) = made();
    let mut all = Vec::new();
    store
        .read()
        .unwrap()
        .scan(&Range::all(), &mut |key, value| {
            all.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
    for (key, good) in all {
        // The other counters only say which numbers are free.
        let decoded = Key::decode(&key).unwrap();
        let is_free = matches!(&decoded, Key::Counter(counter) if *counter != Counter::Operation);
        if is_free || decoded == Key::Format {
            continue;
        }
        for at in (0..good.len())
            .step_by(7)
            .chain([good.len().saturating_sub(1)])
        {
            let mut bad = good.clone();
            if let Some(byte) = bad.get_mut(at) {
                *byte ^= 0x11;
            } else {
                bad.push(0);
            }
            change(&store, |batch| batch.put(key.clone(), bad));
            let told = db.read().unwrap().verify_log();
            let unnoticed = told.is_ok_and(|found| found.is_sound());
            assert!(!unnoticed, "{decoded:?} byte {at}");
        }
        change(&store, |batch| batch.delete(key.clone()));
        let told = db.read().unwrap().verify_log();
        assert!(
            !told.is_ok_and(|found| found.is_sound()),
            "{decoded:?} deleted"
        );
        change(&store, |batch| batch.put(key.clone(), good));
    }
    assert_eq!(problems(&db), "");
}

#[test]
fn an_edited_operation_breaks_its_hash() {
    let (store, db, _) = made();
    let key = Key::Operation(OpId(2));
    let mut stored = value(&store, &key);
    let at = stored.windows(3).position(|w| w == b"ada").unwrap();
    stored[at..at + 3].copy_from_slice(b"bob");
    change(&store, |batch| batch.put(key.encode(), stored.clone()));
    assert_eq!(problems(&db), "op-2: its hash is another: it was edited");

    // Who sets the hash right breaks the chain at the next one.
    let body = stored.len() - Hash::BYTES;
    let hash = Hash::of(&stored[..body]);
    stored.truncate(body);
    stored.extend_from_slice(hash.as_bytes());
    change(&store, |batch| batch.put(key.encode(), stored));
    assert_eq!(
        problems(&db),
        "op-3: the hash of the operation before it is another"
    );
}

#[test]
fn a_dropped_operation_and_a_shortened_log_are_told() {
    let (store, db, unit) = made();
    change(&store, |batch| {
        batch.delete(Key::Operation(OpId(3)).encode());
        batch.delete(Key::Changes(OpId(3), 0).encode());
    });
    let told = problems(&db);
    assert!(
        told.contains("op-4: expected op-3 before it, found none"),
        "{told}"
    );

    let (store, db, _) = made();
    change(&store, |batch| {
        batch.delete(Key::Operation(OpId(5)).encode());
        batch.delete(Key::Changes(OpId(5), 0).encode());
    });
    let told = problems(&db);
    assert!(
        told.contains("expected op-5 to be the last operation"),
        "{told}"
    );

    // Who also turns the counter back is betrayed by the records.
    change(&store, |batch| {
        let key = Key::Counter(Counter::Operation).encode();
        batch.put(key, 4_u64.to_be_bytes());
    });
    let told = problems(&db);
    assert!(
        told.contains("Revision(UnitId(1), 5) is in no operation"),
        "{told}"
    );
    assert!(
        told.contains("Unit(UnitId(1)) is not what was written"),
        "{told}"
    );
    assert_eq!(unit, UnitId(1));
}

#[test]
fn a_record_put_back_to_an_earlier_state_is_told() {
    let (store, db, unit) = made();
    let old = value(&store, &Key::Unit(unit));
    set_replicas(&db, unit, 9);
    change(&store, |batch| batch.put(Key::Unit(unit).encode(), old));
    let told = problems(&db);
    assert!(
        told.contains("Unit(UnitId(1)) is not what was written"),
        "{told}"
    );
}

#[test]
fn a_missing_or_foreign_index_entry_is_told() {
    let (store, db, unit) = made();
    let key = Key::Kind("Deployment".into(), unit).encode();
    change(&store, |batch| batch.delete(key.clone()));
    assert!(
        problems(&db).contains("the index lacks Kind"),
        "{}",
        problems(&db)
    );
    change(&store, |batch| {
        batch.put(key, "");
        batch.put(Key::Kind("Service".into(), unit).encode(), "");
    });
    assert!(problems(&db).contains("index entries"), "{}", problems(&db));
}
