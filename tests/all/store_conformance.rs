//! One suite for every backend of the store.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use windlass::store::{Batch, Embedded, Error, Memory, OnWait, Overlay, Range, Snapshot, Store};

/// Makes an empty store of each backend and runs a case on it.
fn for_each_backend(case: impl Fn(&str, &dyn Fn(Duration, OnWait) -> Arc<dyn Store>)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    case("embedded", &|timeout, on_wait| {
        Arc::new(
            Embedded::new(&path)
                .with_lock_timeout(timeout)
                .with_on_wait(on_wait),
        )
    });
    let memory = Memory::new();
    case("memory", &|timeout, on_wait| {
        Arc::new(
            memory
                .clone()
                .with_lock_timeout(timeout)
                .with_on_wait(on_wait),
        )
    });
}

fn plain(open: &dyn Fn(Duration, OnWait) -> Arc<dyn Store>) -> Arc<dyn Store> {
    open(Duration::from_secs(10), Arc::new(|_| ()))
}

fn batch(changes: &[(&str, Option<&str>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in changes {
        match value {
            Some(value) => batch.put(*key, *value),
            None => batch.delete(*key),
        }
    }
    batch
}

fn write(store: &dyn Store, changes: &[(&str, Option<&str>)]) {
    let mut writer = store.write("test").unwrap();
    writer.apply(batch(changes)).unwrap();
    writer.commit().unwrap();
}

fn all(snapshot: &dyn Snapshot, range: &Range) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    snapshot
        .scan(range, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn text(snapshot: &dyn Snapshot, key: &str) -> Option<String> {
    let value = snapshot.get(key.as_bytes()).unwrap()?;
    Some(String::from_utf8(value).unwrap())
}

#[test]
fn a_store_that_was_never_written_reads_as_empty() {
    for_each_backend(|name, open| {
        let snapshot = plain(open).read().unwrap();
        assert_eq!(all(&*snapshot, &Range::all()), [], "{name}");
        assert_eq!(text(&*snapshot, "a"), None, "{name}");
        assert_eq!(snapshot.get_many(&[b"a".to_vec()]).unwrap(), [None]);
    });
}

#[test]
fn a_snapshot_stays_as_it_was_and_the_next_sees_the_commit() {
    for_each_backend(|name, open| {
        let store = plain(open);
        write(&*store, &[("a", Some("1")), ("b", Some("1"))]);
        let before = store.read().unwrap();
        write(&*store, &[("a", Some("2")), ("b", None), ("c", Some("2"))]);
        let after = store.read().unwrap();
        assert_eq!(text(&*before, "a").as_deref(), Some("1"), "{name}");
        assert_eq!(text(&*before, "b").as_deref(), Some("1"), "{name}");
        assert_eq!(text(&*before, "c"), None, "{name}");
        assert_eq!(text(&*after, "a").as_deref(), Some("2"), "{name}");
        assert_eq!(text(&*after, "b"), None, "{name}");
        assert_eq!(text(&*after, "c").as_deref(), Some("2"), "{name}");
    });
}

#[test]
fn a_writer_reads_its_own_writes_and_nobody_else_does_before_the_commit() {
    for_each_backend(|name, open| {
        let store = plain(open);
        write(&*store, &[("a", Some("1"))]);
        let mut writer = store.write("test").unwrap();
        writer
            .apply(batch(&[("a", None), ("b", Some("2"))]))
            .unwrap();
        assert_eq!(text(&*writer, "a"), None, "{name}");
        assert_eq!(text(&*writer, "b").as_deref(), Some("2"), "{name}");
        let outside = store.read().unwrap();
        assert_eq!(text(&*outside, "a").as_deref(), Some("1"), "{name}");
        assert_eq!(text(&*outside, "b"), None, "{name}");
        drop(writer);
        let after = store.read().unwrap();
        assert_eq!(text(&*after, "a").as_deref(), Some("1"), "{name}");
        assert_eq!(text(&*after, "b"), None, "{name}: a dropped writer wrote");
    });
}

#[test]
fn other_keys_can_be_read_in_the_middle_of_a_scan() {
    for_each_backend(|name, open| {
        let store = plain(open);
        let mut writer = store.write("test").unwrap();
        let mut many = Batch::default();
        for number in 0..2_000_u32 {
            many.put(number.to_be_bytes(), number.to_string());
        }
        writer.apply(many).unwrap();
        let twice = |snapshot: &dyn Snapshot| {
            let mut seen = 0;
            snapshot
                .scan(&Range::all(), &mut |key, value| {
                    assert_eq!(snapshot.get(key).unwrap().as_deref(), Some(value));
                    snapshot
                        .get_with(key, &mut |found| assert_eq!(found, Some(value)))
                        .unwrap();
                    seen += 1;
                    ControlFlow::Continue(())
                })
                .unwrap();
            seen
        };
        assert_eq!(twice(&*writer), 2_000, "{name}");
        writer.commit().unwrap();
        assert_eq!(twice(&*store.read().unwrap()), 2_000, "{name}");
    });
}

#[test]
fn the_second_writer_waits_and_is_told_for_whom() {
    for_each_backend(|name, open| {
        let first = plain(open).write("long import").unwrap();
        let (told, heard) = mpsc::channel();
        let told = Mutex::new(told);
        let second = open(
            Duration::from_secs(30),
            Arc::new(move |waiting| told.lock().unwrap().send(waiting.clone()).unwrap()),
        );
        thread::scope(|scope| {
            let writing = scope.spawn(move || {
                let mut writer = second.write("patch").unwrap();
                writer.apply(batch(&[("a", Some("second"))])).unwrap();
                writer.commit().unwrap();
            });
            let waiting = heard.recv_timeout(Duration::from_secs(20)).unwrap();
            let holder = waiting.holder.unwrap();
            assert_eq!(holder.command, "long import", "{name}");
            assert_eq!(holder.pid, std::process::id(), "{name}");
            first.commit().unwrap();
            writing.join().unwrap();
        });
        let found = text(&*plain(open).read().unwrap(), "a");
        assert_eq!(found.as_deref(), Some("second"), "{name}");
    });
}

#[test]
fn a_writer_gives_up_after_the_lock_timeout_and_names_the_other() {
    for_each_backend(|name, open| {
        let _first = plain(open).write("long import").unwrap();
        let hurried = open(Duration::from_millis(30), Arc::new(|_| ()));
        let error = hurried.write("patch").err().unwrap();
        assert!(
            error.to_string().contains("long import"),
            "{name}: {error}"
        );
        assert!(matches!(error, Error::Locked { .. }), "{name}: {error}");
    });
}

#[test]
fn many_threads_lose_no_write() {
    for_each_backend(|name, open| {
        let store = plain(open);
        thread::scope(|scope| {
            for _ in 0..4 {
                // Two values for one file must keep apart as two clones of one value do.
                let store = plain(open);
                scope.spawn(move || {
                    for _ in 0..10 {
                        let mut writer = store.write("count").unwrap();
                        let count: u32 = text(&*writer, "n").map_or(0, |n| n.parse().unwrap());
                        let next = (count + 1).to_string();
                        writer.apply(batch(&[("n", Some(&next))])).unwrap();
                        writer.commit().unwrap();
                    }
                });
            }
        });
        let count = text(&*store.read().unwrap(), "n");
        assert_eq!(count.as_deref(), Some("40"), "{name}");
    });
}

#[test]
fn an_overlay_shows_its_changes_and_leaves_the_store_alone() {
    for_each_backend(|name, open| {
        let store = plain(open);
        write(&*store, &[("a", Some("1")), ("b", Some("1"))]);
        let mut overlay = Overlay::new(store.read().unwrap());
        windlass::store::Writer::apply(&mut overlay, batch(&[("a", None), ("c", Some("2"))]))
            .unwrap();
        let keys: Vec<_> = all(&overlay, &Range::all())
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(keys, [b"b", b"c"], "{name}");
        let refused = windlass::store::Writer::commit(Box::new(overlay));
        assert!(matches!(refused, Err(Error::Preview)), "{name}");
        assert_eq!(all(&*store.read().unwrap(), &Range::all()).len(), 2);
    });
}

type Changes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn keys() -> impl Strategy<Value = Vec<u8>> {
    vec(
        prop_oneof![Just(0_u8), Just(1), Just(0x61), Just(0xff)],
        1..4,
    )
}

fn changes() -> impl Strategy<Value = Changes> {
    vec(
        (keys(), proptest::option::of(vec(any::<u8>(), 0..3))),
        0..12,
    )
}

/// Whatever is written, in whatever transactions, a scan equals the same scan of a sorted map.
#[test]
fn scans_agree_with_a_sorted_map() {
    for_each_backend(|name, open| {
        let store = plain(open);
        let mut runner = TestRunner::new(Config::with_cases(40));
        let cases = (changes(), changes(), changes(), vec((keys(), keys()), 8));
        runner
            .run(&cases, |(committed, open_changes, overlaid, ranges)| {
                let mut writer = store.write("test").unwrap();
                let mut clear = Batch::default();
                for (key, _) in all(&*writer, &Range::all()) {
                    clear.delete(key);
                }
                writer.apply(clear).unwrap();
                let mut map = BTreeMap::new();
                writer.apply(to_batch(&committed, &mut map)).unwrap();
                writer.commit().unwrap();
                agree(&*store.read().unwrap(), &map, &ranges, name);

                let mut writer = store.write("test").unwrap();
                let mut written = map.clone();
                writer.apply(to_batch(&open_changes, &mut written)).unwrap();
                agree(&*writer, &written, &ranges, name);
                drop(writer);

                let mut overlay = Overlay::new(store.read().unwrap());
                let laid = to_batch(&overlaid, &mut map);
                windlass::store::Writer::apply(&mut overlay, laid).unwrap();
                agree(&overlay, &map, &ranges, "overlay");
                Ok(())
            })
            .unwrap();
    });
}

fn to_batch(changes: &Changes, map: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in changes {
        if let Some(value) = value {
            map.insert(key.clone(), value.clone());
            batch.put(key.clone(), value.clone());
        } else {
            map.remove(key);
            batch.delete(key.clone());
        }
    }
    batch
}

fn agree(
    snapshot: &dyn Snapshot,
    map: &BTreeMap<Vec<u8>, Vec<u8>>,
    ranges: &[(Vec<u8>, Vec<u8>)],
    name: &str,
) {
    for (a, b) in ranges {
        for range in [
            Range::all(),
            Range::prefix(a),
            Range::between(a.clone(), b.clone()),
            Range::all().after(a),
        ] {
            let mut expected: Vec<(Vec<u8>, Vec<u8>)> = map
                .iter()
                .filter(|(key, _)| range.contains(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            assert_eq!(all(snapshot, &range), expected, "{name} {range:?}");
            expected.reverse();
            let range = range.descending();
            assert_eq!(all(snapshot, &range), expected, "{name} {range:?}");
        }
        let wanted = [a.clone(), b.clone()];
        let expected: Vec<_> = wanted.iter().map(|key| map.get(key).cloned()).collect();
        assert_eq!(snapshot.get_many(&wanted).unwrap(), expected, "{name}");
    }
}
