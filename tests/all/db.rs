//! Entities through a store: what is written is read, indexes follow, errors poison.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use windlass::clock::Clock;
use windlass::db::{Change, Db, Error, Key, NewRevision, OperationDraft, Reader, Transaction};
use windlass::id::{SpaceId, UnitId};
use windlass::model::{
    Bookkeeping, Conflict, Labels, Operation, RevisionSource, Space, Target, Unit, Upstream,
    Worker, WorkerMode,
};
use windlass::store::{Embedded, Memory};
use windlass::yaml::merge::{ConflictRow, Reason, RowState};
use windlass::yaml::{ResourceId, Stream};

/// A database of each backend in turn.
fn for_each_backend(case: impl Fn(&Db)) {
    case(&Db::new(Arc::new(Memory::new()), Clock::System));
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::new(folder.path().join("store.redb"));
    case(&Db::new(Arc::new(store), Clock::System));
}

pub(crate) fn memory() -> Db {
    Db::new(Arc::new(Memory::new()), Clock::System)
}

pub(crate) fn stream(text: &str) -> Stream {
    Stream::parse(text).unwrap()
}

pub(crate) fn deployment(name: &str, replicas: u32) -> Stream {
    stream(&format!(
        "kind: Deployment # kept\nmetadata:\n  name: {name}\nspec:\n  replicas: {replicas}\n"
    ))
}

pub(crate) fn new_space(writing: &mut Transaction, slug: &str) -> SpaceId {
    let space = Space {
        id: writing.new_space_id().unwrap(),
        slug: slug.parse().unwrap(),
        labels: Labels::new(),
        target: None,
        created: writing.at(),
        gates: std::collections::BTreeSet::new(),
    };
    writing.put_space(&space).unwrap();
    space.id
}

pub(crate) fn new_unit(writing: &mut Transaction, space: SpaceId, slug: &str) -> UnitId {
    let id = writing.new_unit_id().unwrap();
    let unit = Unit::new(id, space, slug.parse().unwrap(), writing.at());
    writing.put_unit(&unit).unwrap();
    let stream = deployment(slug, 1);
    let created = NewRevision::of(&stream, RevisionSource::Create, "ada");
    writing.write_revision(id, created).unwrap();
    id
}

pub(crate) fn finish(writing: Transaction, verb: &str) -> Operation {
    let draft = OperationDraft::new(verb, "ada");
    writing.finish(draft).unwrap().unwrap()
}

pub(crate) fn set_replicas(db: &Db, unit: UnitId, replicas: u32) -> Operation {
    let mut writing = db.write("set-replicas").unwrap();
    let slug = writing.unit(unit).unwrap().slug;
    let data = deployment(slug.as_str(), replicas);
    let patch = NewRevision::of(&data, RevisionSource::Patch, "ada");
    writing.write_revision(unit, patch).unwrap();
    finish(writing, "set-replicas")
}

pub(crate) fn conflict(writing: &mut Transaction, unit: UnitId, state: RowState) -> Conflict {
    Conflict {
        id: writing.new_conflict_id().unwrap(),
        unit,
        op: writing.op(),
        row: ConflictRow {
            resource: ResourceId::default(),
            path: "spec.replicas".parse().unwrap(),
            base: Some("1".into()),
            local: Some("2".into()),
            incoming: None,
            reason: Reason::BothChanged,
            state,
        },
        at: writing.at(),
        actor: "ada".into(),
        incoming_by: None,
        local_by: None,
    }
}

fn assert_sound(reading: &Reader) {
    let found = reading.verify_log().unwrap();
    assert!(found.is_sound(), "{:#?}", found.problems);
}

#[test]
fn a_unit_is_found_by_every_index_and_by_none_after_it_moved_on() {
    for_each_backend(|db| {
        let mut writing = db.write("create").unwrap();
        let base = new_space(&mut writing, "base");
        let prod = new_space(&mut writing, "prod-us");
        let upstream = new_unit(&mut writing, base, "api");
        let unit = new_unit(&mut writing, prod, "api");
        let mut record = writing.unit(unit).unwrap();
        record.labels.insert("tier".into(), "web".into());
        record.upstream = Some(Upstream {
            unit: upstream,
            revision: 1,
        });
        writing.put_unit(&record).unwrap();
        let slug = "api".parse().unwrap();
        // An open transaction finds what it wrote by the same indexes.
        assert_eq!(writing.by_label("tier", "web").unwrap(), [unit]);
        finish(writing, "create");

        let reading = db.read().unwrap();
        assert_eq!(reading.by_slug(&slug).unwrap(), [upstream, unit]);
        assert_eq!(reading.by_label("tier", "web").unwrap(), [unit]);
        assert_eq!(reading.by_label_key("tier").unwrap(), [unit]);
        assert_eq!(reading.by_label("tier", "we").unwrap(), []);
        assert_eq!(reading.by_upstream(upstream).unwrap(), [unit]);
        assert_eq!(reading.by_kind("Deployment").unwrap(), [upstream, unit]);
        assert_eq!(reading.find_unit(prod, &slug).unwrap().unwrap().id, unit);
        assert_eq!(reading.unit_ids_in(prod).unwrap(), [unit]);
        let found = reading.spaces_beginning("prod").unwrap();
        assert_eq!(found.len(), 1);
        assert_sound(&reading);

        let mut writing = db.write("move").unwrap();
        let mut record = writing.unit(unit).unwrap();
        record.slug = "web".parse().unwrap();
        record.space = base;
        record.labels = Labels::from([("tier".into(), "db".into())]);
        record.upstream = None;
        writing.put_unit(&record).unwrap();
        let data = stream("kind: Service\n---\nkind: Service\n---\nkind: ConfigMap\n");
        let update = NewRevision::of(&data, RevisionSource::Update, "ada");
        writing.write_revision(unit, update).unwrap();
        finish(writing, "move");
        let reading = db.read().unwrap();
        assert_eq!(reading.by_slug(&slug).unwrap(), [upstream]);
        assert_eq!(reading.by_label("tier", "web").unwrap(), []);
        assert_eq!(reading.by_label("tier", "db").unwrap(), [unit]);
        assert_eq!(reading.by_upstream(upstream).unwrap(), []);
        assert_eq!(reading.by_kind("Deployment").unwrap(), [upstream]);
        assert_eq!(reading.by_kind("Service").unwrap(), [unit]);
        assert_eq!(reading.unit_ids_in(prod).unwrap(), []);
        assert_eq!(reading.unit_ids_in(base).unwrap(), [upstream, unit]);
        assert_eq!(reading.unit(unit).unwrap().kinds, ["ConfigMap", "Service"]);
        assert_sound(&reading);

        let mut writing = db.write("delete").unwrap();
        assert!(matches!(
            db_error(writing.delete_space(base)),
            Error::InUse { .. }
        ));
        drop(writing);
        let mut writing = db.write("delete").unwrap();
        writing.delete_unit(unit).unwrap();
        writing.delete_space(prod).unwrap();
        finish(writing, "delete");
        let reading = db.read().unwrap();
        assert_eq!(reading.by_kind("Service").unwrap(), []);
        assert!(
            reading
                .find_space(&"prod-us".parse().unwrap())
                .unwrap()
                .is_none()
        );
        assert_eq!(reading.revision(unit, 2).unwrap().num, 2, "history stays");
        assert_sound(&reading);
    });
}

fn db_error<T>(result: Result<T, Error>) -> Error {
    result.err().expect("an error")
}

#[test]
fn data_that_is_equal_makes_no_revision_and_bookkeeping_alone_is_an_operation() {
    for_each_backend(|db| {
        let mut writing = db.write("create").unwrap();
        let space = new_space(&mut writing, "base");
        let unit = new_unit(&mut writing, space, "api");
        finish(writing, "create");

        let mut writing = db.write("patch").unwrap();
        let same = deployment("api", 1);
        let again = NewRevision::of(&same, RevisionSource::Patch, "ada");
        let written = writing.write_revision(unit, again.clone()).unwrap();
        assert!(!written.is_changed());
        let draft = OperationDraft::new("patch", "ada");
        assert_eq!(writing.finish(draft).unwrap(), None, "nothing changed");

        let mut bookkeeping = Bookkeeping::default();
        bookkeeping
            .protected
            .insert(None, "spec.replicas".parse().unwrap());
        let mut writing = db.write("protect").unwrap();
        let protect = NewRevision {
            bookkeeping: Some(bookkeeping.clone()),
            ..again
        };
        let written = writing.write_revision(unit, protect).unwrap();
        assert_eq!(written.revision, None);
        assert!(written.bookkeeping_changed);
        assert_eq!(finish(writing, "protect").units, [unit]);

        set_replicas(db, unit, 5);
        let reading = db.read().unwrap();
        let record = reading.unit(unit).unwrap();
        assert_eq!(record.head, 2);
        let revision = reading.revision(unit, 2).unwrap();
        let before = reading.bookkeeping(&revision.bookkeeping_before).unwrap();
        assert_eq!(before, bookkeeping);
        assert_eq!(revision.bookkeeping_after, record.bookkeeping);
        let first = reading.revision(unit, 1).unwrap();
        let found = reading.bookkeeping(&first.bookkeeping_after).unwrap();
        assert_eq!(found, Bookkeeping::default());
        assert_eq!(reading.last_operation().unwrap().unwrap().0, 3);
        assert_sound(&reading);
    });
}

#[test]
fn text_and_tree_come_back_without_parsing() {
    for_each_backend(|db| {
        let mut writing = db.write("create").unwrap();
        let space = new_space(&mut writing, "base");
        let unit = new_unit(&mut writing, space, "api");
        let twin = new_unit(&mut writing, space, "twin");
        let data = deployment("api", 1);
        let copy = NewRevision::of(&data, RevisionSource::Update, "ada");
        writing.write_revision(twin, copy).unwrap();
        finish(writing, "create");
        let reading = db.read().unwrap();
        let record = reading.unit(unit).unwrap();
        assert_eq!(reading.unit(twin).unwrap().data, record.data);
        let found = reading.stream(&record.data).unwrap();
        assert_eq!(found.text(), data.text());
        assert_eq!(found.tree().as_bytes(), data.tree().as_bytes());
        let replicas = reading
            .tree(&record.data, |tree| {
                let root = tree.document(0).unwrap();
                root.get("spec")
                    .unwrap()
                    .get("replicas")
                    .unwrap()
                    .to_value()
            })
            .unwrap();
        assert_eq!(replicas, 1);
    });
}

#[test]
fn open_conflicts_are_counted_whatever_the_record_says() {
    for_each_backend(|db| {
        let mut writing = db.write("create").unwrap();
        let space = new_space(&mut writing, "base");
        let unit = new_unit(&mut writing, space, "api");
        let mut open = conflict(&mut writing, unit, RowState::Open);
        let kept = conflict(&mut writing, unit, RowState::Kept);
        let gone = conflict(&mut writing, unit, RowState::Open);
        for row in [&open, &kept, &gone] {
            writing.put_conflict(row).unwrap();
        }
        let mut record = writing.unit(unit).unwrap();
        assert_eq!(record.open_conflicts, 2);
        record.open_conflicts = 40;
        record.labels.insert("a".into(), "b".into());
        writing.put_unit(&record).unwrap();
        writing.delete_conflict(gone.id).unwrap();
        finish(writing, "create");
        assert_eq!(db.read().unwrap().unit(unit).unwrap().open_conflicts, 1);

        let mut writing = db.write("take").unwrap();
        open.row.state = RowState::Taken;
        writing.put_conflict(&open).unwrap();
        assert_eq!(finish(writing, "take").units, [unit]);
        let reading = db.read().unwrap();
        assert_eq!(reading.unit(unit).unwrap().open_conflicts, 0);
        assert_eq!(reading.conflicts_of(unit).unwrap(), [open, kept]);
        assert_sound(&reading);
    });
}

#[test]
fn targets_workers_and_cluster_records_are_kept_and_logged() {
    for_each_backend(|db| {
        let mut writing = db.write("worker install").unwrap();
        let space = new_space(&mut writing, "base");
        let target = Target {
            slug: "sandbox".parse().unwrap(),
            kind: "sandbox".into(),
            parameters: BTreeMap::new(),
        };
        let worker = Worker {
            slug: "w".parse().unwrap(),
            space,
            mode: WorkerMode::Embedded,
            last_probe: None,
            poll: None,
            auto_apply: false,
        };
        writing.put_target(&target).unwrap();
        writing.put_worker(&worker).unwrap();
        writing.put_cluster(b"pods/a", b"1".to_vec()).unwrap();
        writing.put_cluster(b"pods/b", b"2".to_vec()).unwrap();
        finish(writing, "worker install");
        let mut writing = db.write("apply").unwrap();
        writing.put_cluster(b"pods/a", b"3".to_vec()).unwrap();
        writing.delete_cluster(b"pods/b").unwrap();
        finish(writing, "apply");
        let reading = db.read().unwrap();
        assert_eq!(reading.targets().unwrap(), [target]);
        assert_eq!(reading.workers_in(space).unwrap(), [worker]);
        let mut found = Vec::new();
        reading
            .scan_cluster(b"pods/", &mut |key, value| {
                found.push((key.to_vec(), value.to_vec()));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(found, [(b"pods/a".to_vec(), b"3".to_vec())]);
        assert_sound(&reading);
    });
}

#[test]
fn an_error_in_a_transaction_ends_it_and_nothing_is_written() {
    for_each_backend(|db| {
        let mut writing = db.write("create").unwrap();
        let space = new_space(&mut writing, "base");
        let twice = Space {
            id: writing.new_space_id().unwrap(),
            ..writing.space(space).unwrap()
        };
        let error = db_error(writing.put_space(&twice));
        assert!(matches!(error, Error::Exists { .. }), "{error}");
        let error = db_error(writing.put_text("more"));
        assert!(matches!(error, Error::Poisoned { .. }), "{error}");
        let error = db_error(writing.finish(OperationDraft::new("create", "ada")));
        assert!(error.to_string().contains("found space `base`"), "{error}");
        assert_eq!(db.read().unwrap().spaces().unwrap(), []);
        assert_eq!(db.read().unwrap().last_operation().unwrap(), None);
    });
}

#[test]
fn an_overlay_sees_its_writes_and_can_never_be_committed() {
    for_each_backend(|db| {
        let mut writing = db.write("create").unwrap();
        let space = new_space(&mut writing, "base");
        finish(writing, "create");
        let mut preview = db.overlay().unwrap();
        let unit = new_unit(&mut preview, space, "api");
        assert_eq!(preview.unit(unit).unwrap().head, 1);
        // An open preview does not keep anybody from writing.
        let mut writing = db.write("create").unwrap();
        new_unit(&mut writing, space, "other");
        finish(writing, "create");
        let error = db_error(preview.finish(OperationDraft::new("create", "ada")));
        assert!(error.to_string().contains("preview"), "{error}");
        assert_eq!(db.read().unwrap().unit_ids_in(space).unwrap().len(), 1);
    });
}

#[test]
fn before_images_bring_every_record_back() {
    for_each_backend(|db| {
        let mut writing = db.write("create").unwrap();
        let space = new_space(&mut writing, "base");
        let unit = new_unit(&mut writing, space, "api");
        let row = conflict(&mut writing, unit, RowState::Open);
        writing.put_conflict(&row).unwrap();
        let created = finish(writing, "create");
        let before = db.read().unwrap().unit(unit).unwrap();

        let mut writing = db.write("delete").unwrap();
        writing.delete_unit(unit).unwrap();
        let deleted = finish(writing, "delete");
        let reading = db.read().unwrap();
        let mut writing = db.write("undo").unwrap();
        let mut rows: Vec<Conflict> = Vec::new();
        reading
            .changes(deleted.id, |change: Change| {
                assert_eq!(change.after, None);
                match change.key {
                    Key::Unit(_) => writing.put_unit(&change.before.record()?.unwrap())?,
                    Key::Conflict(_) => rows.extend(change.before.record()?),
                    other => panic!("{other:?}"),
                }
                Ok::<_, Error>(())
            })
            .unwrap();
        for row in &rows {
            writing.put_conflict(row).unwrap();
        }
        finish(writing, "undo");
        let reading = db.read().unwrap();
        assert_eq!(reading.unit(unit).unwrap(), before);
        assert_eq!(reading.conflicts_of(unit).unwrap(), [row]);
        assert_sound(&reading);
        let mut made = 0;
        reading
            .changes(created.id, |change| {
                assert_eq!(change.before.hash(), None, "{:?}", change.key);
                made += 1;
                Ok::<_, Error>(())
            })
            .unwrap();
        assert_eq!(made, 5, "space, unit, revision, pack of texts, conflict");
    });
}

#[test]
fn operations_of_a_run_are_listed_newest_first_and_by_run() {
    let db = memory();
    let mut writing = db.write("create").unwrap();
    let space = new_space(&mut writing, "base");
    let unit = new_unit(&mut writing, space, "api");
    let run = writing.new_run_id().unwrap();
    let draft = OperationDraft {
        run: Some(run),
        ..OperationDraft::new("create", "ada")
    };
    let first = writing.finish(draft).unwrap().unwrap();
    let second = set_replicas(&db, unit, 2);
    let third = set_replicas(&db, unit, 3);
    let reading = db.read().unwrap();
    assert_eq!(reading.operations_of(run).unwrap(), [first.id]);
    let newest = reading.operations(None, 2).unwrap();
    assert_eq!(newest, [third.clone(), second.clone()]);
    assert_eq!(
        reading.operations(Some(third.id), 9).unwrap(),
        [second, first]
    );
    assert_eq!(reading.revisions(unit, 2).unwrap()[0].num, 3);
}

/// More than the buffers hold: parts of the log are cut, and every record is still told of.
#[test]
fn a_bulk_write_larger_than_the_buffers_is_one_operation() {
    for_each_backend(|db| {
        let mut writing = db.write("import").unwrap();
        let space = new_space(&mut writing, "bulk");
        let mut units = Vec::new();
        for number in 0..900 {
            units.push(new_unit(&mut writing, space, &format!("u{number}")));
            // A text that cannot be packed well fills the buffers fast.
            let noise: String = (0_u32..700)
                .map(|n| windlass::model::Hash::of(&(n + number).to_be_bytes()).short())
                .collect();
            let data = stream(&format!(
                "kind: ConfigMap\nnumber: {number}\ndata: {noise}\n"
            ));
            let update = NewRevision::of(&data, RevisionSource::Update, "ada");
            writing
                .write_revision(*units.last().unwrap(), update)
                .unwrap();
        }
        // Records of the first part change once more in the last.
        for unit in &units {
            let mut record = writing.unit(*unit).unwrap();
            record.labels.insert("bulk".into(), "yes".into());
            writing.put_unit(&record).unwrap();
        }
        let operation = finish(writing, "import");
        assert!(operation.parts > 1, "{} parts", operation.parts);
        assert_eq!(operation.units, units);
        let reading = db.read().unwrap();
        assert_eq!(reading.by_label("bulk", "yes").unwrap(), units);
        assert_sound(&reading);
    });
}
