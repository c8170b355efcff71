//! Undo and redo: whatever an operation did to desired state is taken back, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use windlass::app::project::Project;
use windlass::app::{App, Settings};
use windlass::clock::Clock;
use windlass::db::{Db, Key};
use windlass::error::{Error, Kind};
use windlass::id::{OpId, UnitId};
use windlass::model::Unit;
use windlass::ops::{Effect, OPS, Output};
use windlass::session::Session;
use windlass::store::Memory;
use windlass::yaml::{Stream, diff};

use crate::world::World;

mod histories;
mod operations;

const WEB: &str = "\
# what everybody sees
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {note: \"first\"}
spec:
  replicas: 1 # small
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: web:v1 # pinned
        env:
        - name: MODE
          value: plain
        - name: COLOUR
          value: \"blue\"
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
  - port: 80
";

/// A store in memory with the program's operations over it.
struct Place {
    folder: TempDir,
    db: Db,
    app: App,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::new(Arc::new(Memory::new()), Clock::System);
        let app = App::over(
            db.clone(),
            Settings {
                project: Project::find(folder.path()),
                store: folder.path().join("unused.redb"),
                actor: Arc::new(|| "ada".to_owned()),
                clock: Clock::System,
                lock_timeout: Duration::from_secs(1),
                message: None,
                command: "test".to_owned(),
                notify: Arc::new(|_| {}),
                progress: Arc::new(|_| {}),
                seed: None,
                process: windlass::app::lease::here(),
            },
        );
        let place = Self { folder, db, app };
        place.write("web.yaml", WEB);
        place
    }

    /// A base, a variant with a path of its own and one that is protected, and a unit that stands
    /// alone; upstream has moved on, so that an upgrade meets a conflict.
    fn fleet() -> Self {
        let place = Self::new();
        place.script(
            r#"
            let base = ensure_space("base", #{ labels: #{ team: "core" } });
            let web = base.ensure_unit("web", read_file("web.yaml"));
            base.ensure_unit("lone", read_file("web.yaml"));
            for region in ["us", "eu"] {
                ensure_space(`prod-${region}`).ensure_clone(web, |unit| {
                    unit.set_replicas(3);
                    unit.set_image("web", "web:hotfix");
                    unit.protect("spec.replicas");
                });
            }
            web.set_image("web", "web:v2");
            web.set_replicas(2);
            web.set_env_var("web", "NEW", "1");
            "#,
        );
        place
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn script(&self, text: &str) {
        let mut session = Session::new(&self.app, |_| {}).unwrap();
        let program = session.parse("test.rhai", text).unwrap();
        session
            .run(&program, &[], |_| None)
            .unwrap_or_else(|error| panic!("{text}\n{error}"));
    }

    fn run(&self, name: &str, args: Value) -> Result<Output, Error> {
        let op = OPS.iter().find(|op| op.name == name).unwrap();
        op.run_json(&self.app, args)
    }

    fn last(&self) -> OpId {
        self.db.read().unwrap().last_operation().unwrap().unwrap()
    }

    fn undo(&self, what: &str) -> Result<Output, Error> {
        self.run("undo", json!({ "what": what }))
    }

    fn redo(&self, what: &str) -> Result<Output, Error> {
        self.run("redo", json!({ "what": what }))
    }

    /// Desired state, a line for everything: what an undo has to bring back. Numbers of revisions
    /// and times of change are left out, since history only grows.
    fn digest(&self) -> Vec<String> {
        let view = self.db.read().unwrap();
        let mut lines = Vec::new();
        for space in view.spaces().unwrap() {
            lines.push(format!(
                "{space:?} {:?}",
                view.workers_in(space.id).unwrap()
            ));
        }
        for target in view.targets().unwrap() {
            lines.push(format!("{target:?}"));
        }
        for changeset in view.changesets().unwrap() {
            lines.push(format!("{changeset:?}"));
        }
        for filter in view.filters().unwrap() {
            lines.push(format!("{filter:?}"));
        }
        for function in view.functions().unwrap() {
            lines.push(format!("{function:?}"));
        }
        view.scan_units(|unit| {
            lines.push(shown(&view, &unit));
            Ok::<_, windlass::db::Error>(ControlFlow::Continue(()))
        })
        .unwrap();
        view.scan_conflicts(|conflict| {
            lines.push(format!("{conflict:?}"));
            Ok::<_, windlass::db::Error>(ControlFlow::Continue(()))
        })
        .unwrap();
        lines
    }

    fn assert_sound(&self) {
        let found = self.db.read().unwrap().verify_log().unwrap();
        assert!(found.is_sound(), "{:?}", found.problems);
    }

    fn unit(&self, reference: &str) -> Unit {
        let id = self.app.unit_named(reference).unwrap();
        self.db.read().unwrap().unit(id).unwrap()
    }

    fn text(&self, reference: &str) -> String {
        let unit = self.unit(reference);
        self.db.read().unwrap().text(&unit.data).unwrap()
    }
}

fn shown(view: &windlass::db::View, unit: &Unit) -> String {
    let bookkeeping = view.bookkeeping(&unit.bookkeeping).unwrap();
    // As the attribute says it, but by data: the upstream's own undo makes a revision as well.
    let upgrade = unit.upstream.map(|link| {
        let taken = view.revision(link.unit, link.revision).unwrap().data;
        let head = view.find_unit_by_id(link.unit).unwrap();
        head.map(|head| head.data != taken)
    });
    let text = view.text(&unit.data).unwrap();
    let steady = Unit {
        updated: unit.created,
        head: 0,
        last_change: String::new(),
        ..unit.clone()
    };
    format!("{steady:?} {bookkeeping:?} upgrade {upgrade:?}\n{text}")
}

#[test]
fn an_atomic_block_is_taken_back_as_a_whole() {
    let place = Place::fleet();
    let start = place.digest();
    place.script(
        r#"atomic("move", || {
            let s = ensure_space("moved");
            let a = s.ensure_unit("a", read_file("web.yaml"));
            ensure_space("moved-eu").ensure_clone(a, |u| u.set_replicas(4));
            a.set_replicas(2);
            units("moved-eu/*").upgrade();
            units("base/*").patch(#{ spec: #{ replicas: 8 } });
            units("prod-*/*").upgrade();
            unit("base/lone").delete();
        });"#,
    );
    let op = place.last();
    let done = place.digest();
    place.undo(&op.to_string()).unwrap();
    assert_eq!(place.digest(), start);
    place.assert_sound();
    place.redo("op-0").unwrap_err();
    place.redo(&op.to_string()).unwrap();
    assert_eq!(place.digest(), done);
    place.assert_sound();
    // What came back goes on from where history is, not over it.
    place.script(r#"unit("moved-eu/web").set_replicas(5);"#.replace("web", "a").as_str());
    place.assert_sound();
    let view = place.db.read().unwrap();
    let unit = place.unit("moved-eu/a");
    let nums: Vec<u32> = view
        .revisions(unit.id, 99)
        .unwrap()
        .iter()
        .map(|revision| revision.num)
        .collect();
    assert_eq!(nums, (1..=unit.head).rev().collect::<Vec<_>>());
}

#[test]
fn revisions_made_between_a_change_and_a_deletion_in_one_block_stay_evidence() {
    let place = Place::fleet();
    let start = place.digest();
    place.script(r#"atomic(|| { let u = unit("base/lone"); u.set_replicas(6); u.delete(); });"#);
    let op = place.last();
    place.undo(&op.to_string()).unwrap();
    assert_eq!(place.digest(), start);
    let unit = place.unit("base/lone");
    let view = place.db.read().unwrap();
    let revisions = view.revisions(unit.id, 9).unwrap();
    assert_eq!((revisions.len(), unit.head), (3, 3), "{revisions:?}");
    assert_eq!(revisions[0].data, revisions[2].data);
    place.assert_sound();
}

/// An operation and a later one that stands in its place: the undo names both.
#[test]
fn what_a_later_operation_changed_is_not_undone_from_under_it() {
    let image = "spec.template.spec.containers.?name=web.image";
    let cases: [(&str, &str, &str); 12] = [
        (
            r#"unit("base/lone").set_replicas(2);"#,
            r#"unit("base/lone").set_replicas(3);"#,
            "`base/lone` Deployment/web `spec.replicas`",
        ),
        (
            r#"unit("base/lone").set_env_var("web", "A", "1");"#,
            r#"unit("base/lone").set_env_var("web", "A", "2");"#,
            "env.?name=A",
        ),
        (
            r#"unit("base/lone").patch(#{ spec: #{ replicas: () } });"#,
            r#"unit("base/lone").patch(#{ spec: #{ replicas: 5 } });"#,
            "spec.replicas",
        ),
        (
            r#"unit("base/lone").set_replicas(2);"#,
            r#"unit("base/lone").delete();"#,
            "deleted by",
        ),
        (
            r#"space("base").create_unit("more", read_file("web.yaml"));"#,
            r#"unit("base/more").set_replicas(3);"#,
            "`base/more` Deployment/web `spec.replicas`",
        ),
        (
            r#"space("base").create_unit("more", read_file("web.yaml"));"#,
            r#"space("prod-us").ensure_clone(unit("base/more"));"#,
            "no variant of `base/more`",
        ),
        (
            r#"unit("base/lone").delete();"#,
            r#"space("base").create_unit("lone", read_file("web.yaml"));"#,
            "no unit `base/lone`",
        ),
        (
            r#"unit("prod-us/web").upgrade();"#,
            r#"conflicts("State = 'open'").take();"#,
            "the conflict c",
        ),
        (
            r#"unit("prod-us/web").upgrade();"#,
            r#"unit("base/web").set_env_var("web", "Z", "1"); unit("prod-us/web").upgrade();"#,
            "UpstreamRevisionNum of `prod-us/web`",
        ),
        (
            r#"ensure_space("base", #{ labels: #{ team: "web" } });"#,
            r#"ensure_space("base", #{ labels: #{ team: "ops" } });"#,
            "Labels.team of the space `base`",
        ),
        (
            r#"ensure_space("late");"#,
            r#"space("late").create_unit("x", read_file("web.yaml"));"#,
            "the space `late`",
        ),
        (
            r#"unit_update(#{ selector: "base/lone", file: "other.yaml" });"#,
            r#"unit("base/lone").set_image("web", "web:v9");"#,
            image,
        ),
    ];
    for (first, later, named) in cases {
        let place = Place::fleet();
        place.write("other.yaml", &WEB.replace("web:v1", "web:v5"));
        place.script(first);
        let op = place.last();
        place.script(later);
        let by = place.last();
        let start = place.digest();
        let error = place.undo(&op.to_string()).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict, "{first} {later}: {error}");
        let told = error.to_json().to_string();
        assert!(told.contains(named), "{first} {later}: {told}");
        assert!(told.contains(&by.to_string()), "{first} {later}: {told}");
        assert_eq!(place.digest(), start);
        assert_eq!(place.last(), by, "nothing was written");
        // In the reverse order both go.
        place.undo(&by.to_string()).unwrap();
        if !later.contains("; ") {
            place
                .undo(&op.to_string())
                .unwrap_or_else(|error| panic!("{first} {later}: {error}"));
        }
        place.assert_sound();
    }
}

#[test]
fn a_refusal_in_one_unit_leaves_all_of_them() {
    let place = Place::fleet();
    place.script(r#"units("*/*").set_replicas(6);"#);
    let op = place.last();
    place.script(r#"unit("prod-eu/web").set_replicas(5);"#);
    let start = place.digest();
    let error = place.undo(&op.to_string()).unwrap_err();
    assert!(error.message().contains("`prod-eu/web`"), "{error}");
    assert_eq!(place.digest(), start);
}

#[test]
fn changes_elsewhere_in_the_unit_stay_and_so_do_their_comments() {
    let place = Place::fleet();
    place.script(r#"unit("base/lone").set_replicas(2);"#);
    let op = place.last();
    place.script(
        r#"let u = unit("base/lone");
        u.set_env_var("web", "B", "1");
        u.set_image("web", "web:v4");"#,
    );
    let text = place.text("base/lone");
    place.undo(&op.to_string()).unwrap();
    assert_eq!(
        place.text("base/lone"),
        text.replace("replicas: 2 # small", "replicas: 1 # small")
    );
    place.assert_sound();
}

#[test]
fn undo_walks_back_and_redo_forward() {
    let place = Place::fleet();
    let replicas = |place: &Place| {
        place
            .app
            .data_value(place.unit("base/lone").id, "spec.replicas", None)
    };
    for n in [2, 3, 4] {
        place.script(&format!(r#"unit("base/lone").set_replicas({n});"#));
    }
    for want in [3, 2, 1] {
        place.script("undo();");
        assert_eq!(replicas(&place).unwrap(), Some(json!(want)));
    }
    for want in [2, 3, 4] {
        place.script("redo();");
        assert_eq!(replicas(&place).unwrap(), Some(json!(want)));
    }
    let error = place.run("redo", json!({})).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    place.script("undo();");
    assert_eq!(replicas(&place).unwrap(), Some(json!(3)));
    place.assert_sound();
}

#[test]
fn what_cannot_be_undone_says_why_and_what_to_run() {
    let place = Place::new();
    let empty = place.run("undo", json!({})).unwrap_err();
    assert_eq!(empty.kind(), Kind::NotFound);
    assert_eq!(
        place.run("redo", json!({})).unwrap_err().kind(),
        Kind::NotFound
    );
    let place = Place::fleet();
    place.script(r#"ensure_target("t"); ensure_space("base", #{ target: "t" });"#);
    let set = place.last();
    place.script(r#"unit("base/lone").apply();"#);
    let apply = place.last();
    for (what, kind, told) in [
        ("op-9999", Kind::NotFound, "op-9999"),
        ("op-0", Kind::NotFound, "op-0"),
        ("run-77", Kind::NotFound, "run-77"),
        ("set-replicas", Kind::Usage, "set-replicas"),
        ("op--1", Kind::Usage, "op--1"),
        (
            &*apply.to_string(),
            Kind::Conflict,
            "windlass rollback --unit base/lone",
        ),
        (&*set.to_string(), Kind::Conflict, "live"),
    ] {
        let error = place.undo(what).unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(
            error.to_json().to_string().contains(told),
            "{what}: {error}"
        );
    }
    let mut session = Session::new(&place.app, |_| {}).unwrap();
    let program = session.parse("t.rhai", "atomic(|| undo());").unwrap();
    let error = session.run(&program, &[], |_| None).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage, "{error}");
}

#[test]
fn what_runs_goes_on_running_and_the_outcome_says_so() {
    let place = Place::fleet();
    place.script(
        r#"ensure_target("t"); ensure_space("base", #{ target: "t" });
        unit("base/lone").set_replicas(2);"#,
    );
    let op = place.last();
    place.script(r#"unit("base/lone").apply();"#);
    let live = place.unit("base/lone").live;
    let output = place.undo(&op.to_string()).unwrap().to_json();
    assert_eq!(place.unit("base/lone").live, live);
    assert!(
        output["Units"][0]["Note"] == "live r2 still runs",
        "{output}"
    );
    assert!(
        output["Notes"].to_string().contains("unit apply base/lone"),
        "{output}"
    );
    // A unit that is live is not deleted by undoing its creation.
    let made = {
        let view = place.db.read().unwrap();
        view.revision(place.unit("base/lone").id, 1).unwrap().op
    };
    let error = place.undo(&made.to_string()).unwrap_err();
    assert!(
        error
            .to_json()
            .to_string()
            .contains("unit destroy base/lone"),
        "{error}"
    );
}

#[test]
fn an_import_of_two_hundred_units_is_one_undo() {
    let place = Place::new();
    for at in 0..200 {
        let text = WEB.replace("name: web", &format!("name: web-{at}"));
        place.write(&format!("files/unit-{at}.yaml"), &text);
    }
    let folder = place
        .folder
        .path()
        .join("files")
        .to_string_lossy()
        .into_owned();
    place
        .run("import", json!({ "space": "all", "folder": folder }))
        .unwrap();
    let op = place.last();
    let done = place.digest();
    place.undo(&op.to_string()).unwrap();
    assert_eq!(place.digest(), Vec::<String>::new());
    assert_eq!(place.last(), OpId(op.0 + 1));
    place.redo(&op.to_string()).unwrap();
    assert_eq!(place.digest(), done);
    place.assert_sound();
}

#[test]
fn a_dry_run_shows_and_writes_nothing() {
    let place = Place::fleet();
    place.script(r#"units("base/*").set_replicas(6);"#);
    let (start, last) = (place.digest(), place.last());
    let output = place
        .run("undo", json!({ "dry_run": true }))
        .unwrap()
        .to_json();
    assert_eq!((place.digest(), place.last()), (start, last));
    assert_eq!(output["Preview"], json!(true));
    assert!(
        output["Changes"].to_string().contains("replicas: 6"),
        "{output}"
    );
}

#[test]
fn a_script_is_rehearsed_with_an_undo_only_before_it_writes() {
    let world = World::empty();
    world.write("web.yaml", WEB);
    world.printed(r#"ensure_space("base").ensure_unit("web", read_file("web.yaml"));"#);
    world.printed(r#"unit("base/web").set_replicas(2);"#);
    let store = world.store();
    world.write(
        "first.rhai",
        r#"print(undo().changed); print(unit("base/web").get("spec.replicas"));"#,
    );
    let shown = world.ok(&["run", "--dry-run", "first.rhai"]);
    assert!(shown.starts_with("1\n1\n"), "{shown}");
    world.write("later.rhai", r#"unit("base/web").set_replicas(5); undo();"#);
    let refused = world.run(&["run", "--dry-run", "later.rhai"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("rehearse"), "{}", refused.stderr);
    assert_eq!(world.store(), store, "nothing was written");
    // Outside of a rehearsal the script's own write is the newest.
    let printed = world.printed(
        r#"let u = unit("base/web");
        u.set_replicas(5);
        let undone = undo();
        print(undone.op);
        print(undone.changed);
        print(u.get("spec.replicas"));
        print(redo(undone.op).diff());
        u.set_replicas(6);
        units("base/*").set_replicas(7);"#,
    );
    assert!(printed.starts_with("op-5\n1\n2\n"), "{printed}");
    assert!(printed.contains("replicas: 5"), "{printed}");
}

#[test]
fn an_operation_is_an_undo_by_what_the_log_says_not_by_a_name() {
    let world = World::empty();
    world.write("web.yaml", WEB);
    world.write(
        "functions/undo.rhai",
        "fn undo(resource, what) { resource.set(\"spec.replicas\", 9); }\n",
    );
    world.printed(r#"ensure_space("base").ensure_unit("web", read_file("web.yaml"));"#);
    let ran = world.run(&["run", "undo", "op-2", "--unit", "base/web"]);
    let undone = world.ok(&["undo"]);
    // Whether the function is refused or runs, what is undone is a real operation.
    let expected = if ran.code == 0 {
        "undo op-3"
    } else {
        "undo op-2"
    };
    assert!(undone.starts_with(expected), "{undone}");
}

#[test]
fn a_run_is_taken_back_in_reverse_by_another_process() {
    let world = World::empty();
    world.write("web.yaml", WEB);
    world.ok(&["space", "create", "base"]);
    let script = r#"
        let web = space("base").ensure_unit("web", read_file("web.yaml"));
        web.set_replicas(2);
        ensure_target("t");
        ensure_space("prod", #{ target: "t" }).ensure_clone(web, #{ slug: "copy" }).set_replicas(5);
        web.set_image("web", "web:v2");
        units("prod/copy").upgrade();
        ensure_space("base", #{ target: "t" });
        units("*/*").apply();
    "#;
    world.printed(script);
    let before = world.run(&["undo", "run-2"]);
    assert_eq!(before.code, 3, "{}", before.stderr);
    assert!(
        before.stderr.contains("windlass unit destroy"),
        "{}",
        before.stderr
    );
    world.ok(&["unit", "destroy", "*/*"]);
    let shown = world.ok(&["undo", "run-2", "--dry-run"]);
    assert!(shown.contains("(apply) is left as it is"), "{shown}");
    world.ok(&["undo", "run-2"]);
    assert_eq!(world.json(&["unit", "list"]), json!([]));
    assert_eq!(world.json(&["target", "list"]), json!([]));
    world.ok(&["log", "verify"]);
    let nothing = world.run(&["undo", "run-2"]);
    assert_eq!(nothing.code, 1, "{}", nothing.stderr);
    world.ok(&["redo"]);
    assert_eq!(
        world.json(&["unit", "list"]).as_array().map(Vec::len),
        Some(2)
    );
    let replicas = world.printed(r#"print(unit("prod/copy").get("spec.replicas"));"#);
    assert_eq!(replicas, "5\n");
    world.ok(&["log", "verify"]);
}

#[test]
fn an_upgrade_is_needed_again_after_its_undo() {
    let world = World::empty();
    world.write("web.yaml", WEB);
    world.printed(
        r#"let web = ensure_space("base").ensure_unit("web", read_file("web.yaml"));
        ensure_space("prod").ensure_clone(web, |u| { u.set_image("web", "web:own"); });
        web.set_image("web", "web:v2");"#,
    );
    let upgraded = world.run(&["unit", "update", "prod/web", "--upgrade"]);
    assert_eq!(upgraded.code, 5, "{}", upgraded.stderr);
    world.ok(&["conflict", "keep", "c1"]);
    let reopened = world.run(&["undo"]);
    assert_eq!(
        reopened.code, 5,
        "a decision is open again: {}",
        reopened.stdout
    );
    world.ok(&["undo"]);
    assert_eq!(world.json(&["conflict", "list", "--all"]), json!([]));
    let unit = world.json(&["unit", "get", "prod/web"]);
    assert_eq!(unit["UpgradeNeeded"], json!(true), "{unit}");
    let log = world.json(&["log"]);
    let log = log.as_array().unwrap().iter();
    let upgrade = log
        .clone()
        .find(|row| row["Verb"] == json!("upgrade"))
        .unwrap();
    let shown = world.ok(&["log", "show", upgrade["Operation"].as_str().unwrap()]);
    let newest = log.clone().next().unwrap()["Operation"].as_str().unwrap();
    assert!(shown.contains(&format!("undone by  {newest}\n")), "{shown}");
}
