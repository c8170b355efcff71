//! Changesets: all of it becomes desired and live, or nothing does, whatever happens in between.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use windlass::app::changeset::ApplyChangeSet;
use windlass::app::project::Project;
use windlass::app::{App, Settings};
use windlass::clock::Clock;
use windlass::db::Db;
use windlass::error::{Kind, Result};
use windlass::model::Process;
use windlass::session::Session;
use windlass::store::{self, Batch, Memory, Range, Snapshot, Store, Visit, Writer};

use crate::world::World;

const UNIT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
spec:
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - name: NAME
        image: NAME:v1
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec:
  selector: {app: NAME}
  ports: [{port: 80}]
";

/// Three units that are live, and a changeset of two of them.
const FLEET: &str = r#"
    let prod = ensure_space("prod");
    prod.install_worker("worker", #{ wait: true });
    for name in ["a", "b", "c"] {
        let text = read_file("unit.yaml");
        text.replace("NAME", name);
        prod.ensure_unit(name, text);
    }
    units("prod/*").apply(#{ wait: true });
    ensure_changeset("v2", |c| {
        c.unit("prod/a", #{ owner: "team-a" }).patch(#{ image: "a:v2" });
        c.unit("prod/b", #{ owner: "team-b" }).patch(#{ image: "b:v2" }).set_replicas(2);
    });
"#;

fn fleet() -> World {
    let world = World::empty();
    world.write("unit.yaml", UNIT);
    let _ = world.printed(FLEET);
    world
}

/// Head, live revision, replicas and image of every unit.
fn state(world: &World) -> String {
    let columns = "Name,HeadRevisionNum,LiveRevisionNum,spec.replicas,\
                   spec.template.spec.containers.0.image";
    let rows = world.json(&["unit", "list", "--space", "prod", "--columns", columns]);
    let mut text = String::new();
    for row in rows.as_array().expect("rows") {
        let cells = columns.split(',').map(|column| match &row[column] {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        text.push_str(&cells.collect::<Vec<_>>().join(" "));
        text.push('\n');
    }
    text
}

/// What the cluster runs of every unit, without its clock.
fn cluster(world: &World) -> String {
    let mut all = String::new();
    for unit in ["a", "b", "c"] {
        let live = world.json(&["unit", "live-state", &format!("prod/{unit}")]);
        all.push_str(&live["Objects"].to_string());
        all.push_str(&live["Revision"].to_string());
    }
    all
}

const OLD: &str = "a 1 1 1 a:v1\nb 1 1 1 b:v1\nc 1 1 1 c:v1\n";
const NEW: &str = "a 2 2 1 a:v2\nb 2 2 2 b:v2\nc 1 1 1 c:v1\n";

#[test]
fn what_is_staged_is_seen_by_its_changeset_alone() {
    let world = fleet();
    assert_eq!(state(&world), OLD);
    assert_eq!(
        world.printed(
            r#"let c = changeset("v2");
            print(c.unit("prod/b").get("spec.replicas"));
            print(unit("prod/b").get("spec.replicas"));
            print(c.state);
            print(c.table());"#
        ),
        "2\n1\nOpen\n\
         UNIT    FROM  TO      OWNER   CHANGE\n\
         prod/a  r1    staged  team-a  v1 → v2\n\
         prod/b  r1    staged  team-b  spec.replicas and 1 other place\n"
    );
    // A plain write does not join.
    let _ = world.ok(&["run", "set-replicas", "5", "--unit", "prod/c"]);
    assert_eq!(
        world.json(&["changeset", "get", "v2"])["Entries"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn applying_makes_both_desired_and_live_and_again_changes_nothing() {
    let world = fleet();
    let shown = world.ok(&["changeset", "apply", "v2", "--wait"]);
    assert!(shown.contains("all of it is desired and live"), "{shown}");
    assert_eq!(state(&world), NEW);
    let before = world.ok(&["log", "--limit", "1"]);
    let shown = world.ok(&["changeset", "apply", "v2"]);
    assert!(
        shown.contains("2 unchanged") && shown.contains("applied already"),
        "{shown}"
    );
    assert_eq!(world.ok(&["log", "--limit", "1"]), before);
    let shown = world.ok(&["changeset", "get", "v2"]);
    assert!(shown.ends_with("Status: Applied atomically\n"), "{shown}");
    let history = world.ok(&["revision", "list", "prod/b"]);
    assert!(
        history.contains("(changeset v2)") && history.contains("set-replicas"),
        "{history}"
    );
}

#[test]
fn a_dry_run_touches_nothing() {
    let world = fleet();
    let before = world.store();
    let shown = world.ok(&["changeset", "apply", "v2", "--dry-run"]);
    assert!(
        shown.contains("PREVIEW") && shown.contains("would be desired and live"),
        "{shown}"
    );
    assert_eq!(world.store(), before);
}

#[test]
fn the_command_line_stages_as_scripts_do() {
    let world = fleet();
    let _ = world.ok(&[
        "changeset",
        "create",
        "more",
        "--description",
        "for the audit",
    ]);
    let stage = ["--changeset", "more", "--owner", "ops"];
    let mut words = vec![
        "unit",
        "update",
        "prod/c",
        "--patch",
        r#"{"image": "c:v3"}"#,
    ];
    words.extend(stage);
    let shown = world.ok(&words);
    assert!(shown.contains("staged in more"), "{shown}");
    let mut words = vec!["run", "set-replicas", "4", "--unit", "prod/c"];
    words.extend(stage);
    let _ = world.ok(&words);
    let shown = world.ok(&["changeset", "get", "more"]);
    assert!(shown.contains("owned by ops"), "{shown}");
    let _ = world.ok(&["changeset", "apply", "more"]);
    assert!(state(&world).contains("c 2 2"), "{}", state(&world));
    assert!(world.ok(&["changeset", "list"]).contains("for the audit"));
}

/// What is refused, and leaves desired, live and cluster as they were.
#[test]
fn a_refusal_anywhere_changes_neither_unit() {
    let object = |kind: &str, name: &str| {
        let group = if kind == "Deployment" { "apps" } else { "" };
        format!(
            r#"object: #{{ group: "{group}", kind: "{kind}", namespace: "prod", name: "{name}" }}"#
        )
    };
    let refuse = |kind: &str, name: &str| {
        let object = object(kind, name);
        format!(r#"inject_fault(#{{ Refuse: #{{ {object}, reason: "quota" }} }});"#)
    };
    let never = format!(
        r"inject_fault(#{{ NeverReady: #{{ {} }} }});",
        object("Deployment", "b")
    );
    let mut cases = vec![
        (
            "first object".to_owned(),
            refuse("Deployment", "a"),
            "quota",
            1,
        ),
        (
            "second unit".to_owned(),
            refuse("Deployment", "b"),
            "quota",
            1,
        ),
        ("never ready".to_owned(), never, "to become ready", 4),
        (
            "the validator".to_owned(),
            r#"changeset("v2").unit("prod/b").patch(#{ spec: #{ replicas: "many" } });"#.to_owned(),
            "spec.replicas",
            1,
        ),
        (
            "a hold".to_owned(),
            r#"unit("prod/b").hold(#{ why: "INC-1" });"#.to_owned(),
            "INC-1",
            3,
        ),
    ];
    for after in 0..2 {
        cases.push((
            format!("lost after {after}"),
            format!("inject_fault(#{{ LoseConnection: #{{ after: {after} }} }});"),
            "lost",
            4,
        ));
    }
    for (name, script, message, code) in cases {
        let world = fleet();
        let _ = world.printed(&script);
        let before = cluster(&world);
        let ran = world.run(&["changeset", "apply", "v2", "--wait", "--timeout", "60s"]);
        assert_eq!(ran.code, code, "{name}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(message), "{name}: {}", ran.stderr);
        assert_eq!(state(&world), OLD, "{name}");
        assert_eq!(cluster(&world), before, "{name}");
        let shown = world.ok(&["changeset", "get", "v2"]);
        assert!(
            shown.contains("Status: Open; it was refused: "),
            "{name}: {shown}"
        );
        assert!(
            world
                .ok(&["log", "verify"])
                .contains("history is as it was written")
        );
        // With the cause gone it goes through.
        let _ = world.printed(
            r#"clear_faults();
            units("prod/*").unhold();
            changeset("v2").unit("prod/b").patch(#{ spec: #{ replicas: 2 } });"#,
        );
        let _ = world.ok(&["changeset", "apply", "v2", "--wait"]);
        assert_eq!(state(&world), NEW, "{name}");
    }
}

#[test]
fn a_head_that_moved_meanwhile_is_refused_and_named() {
    let world = fleet();
    let _ = world.printed(r#"as_actor("bo@corp", || unit("prod/b").set_env_var("b", "A", "1"));"#);
    let before = state(&world);
    let ran = world.run(&["changeset", "apply", "v2"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`prod/b` at r1") && ran.stderr.contains("bo@corp"),
        "{}",
        ran.stderr
    );
    assert_eq!(state(&world), before);
    // So is staging onto it, until the entry is taken out.
    let ran = world.run(&[
        "run",
        "set-replicas",
        "9",
        "--unit",
        "prod/b",
        "--changeset",
        "v2",
    ]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let _ = world.ok(&["changeset", "remove", "v2", "prod/b"]);
    let _ = world.ok(&[
        "run",
        "set-replicas",
        "9",
        "--unit",
        "prod/b",
        "--changeset",
        "v2",
    ]);
    let _ = world.ok(&["changeset", "apply", "v2"]);
    assert!(state(&world).contains("b 3 3 9 b:v1"), "{}", state(&world));
}

#[test]
fn bad_input_is_refused_and_writes_nothing() {
    let world = fleet();
    let _ = world.printed(
        r#"create_changeset("empty"); create_changeset("gone").discard();
        ensure_space("idle").ensure_unit("x", "kind: ConfigMap\nmetadata: {name: x}\n");
        create_changeset("homeless").unit("idle/x").patch(#{ data: #{ a: "1" } });
        create_changeset("present", #{ where: "Slug = 'a'" });"#,
    );
    let before = world.ok(&["log", "--limit", "1"]);
    for (words, code, message) in [
        (vec!["changeset", "apply", "v3"], 1, "did you mean `v2`?"),
        (vec!["changeset", "apply", "empty"], 1, "found it empty"),
        (vec!["changeset", "apply", "gone"], 3, "found it discarded"),
        (
            vec!["changeset", "create", "v2"],
            1,
            "found one that is Open",
        ),
        (
            vec!["changeset", "create", "x", "--where", "Slug = 'nobody'"],
            1,
            "found no match",
        ),
        (
            vec!["changeset", "create", "x", "--where", "Slug == 'a'"],
            1,
            "column",
        ),
        (vec!["changeset", "create", "X Y"], 2, "expected a slug"),
        (
            vec!["changeset", "remove", "v2", "prod/c"],
            1,
            "found it outside",
        ),
        (
            vec![
                "run",
                "set-replicas",
                "1",
                "--unit",
                "prod/a",
                "--changeset",
                "gone",
            ],
            3,
            "discarded",
        ),
        (
            vec![
                "run",
                "set-replicas",
                "1",
                "--unit",
                "prod/a",
                "--changeset",
                "present",
            ],
            2,
            "pins what was there",
        ),
        (
            vec![
                "run",
                "set-replicas",
                "1",
                "--unit",
                "prod/no",
                "--changeset",
                "v2",
            ],
            1,
            "expected a unit",
        ),
        (
            vec!["unit", "update", "prod/a", "--patch", "{}", "--owner", "me"],
            2,
            "changeset",
        ),
    ] {
        let ran = world.run(&words);
        assert_eq!(ran.code, code, "{words:?} {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{words:?} {}", ran.stderr);
        assert_eq!(world.ok(&["log", "--limit", "1"]), before, "{words:?}");
    }
    let ran = world.run(&["changeset", "apply", "homeless"]);
    assert!(
        ran.stderr.contains("expected a target for `idle/x`"),
        "{}",
        ran.stderr
    );
    for script in [
        r#"changeset("v2").unit("prod/a").patch(#{ image: "a:v9" }).apply();"#,
        r#"changeset("v2").unit("prod/a").patch(#{ image: "a:v9" }).delete();"#,
        r#"atomic(|| changeset("v2").apply());"#,
    ] {
        let ran = world.script(script);
        assert_eq!(ran.code, 2, "{script} {}", ran.stderr);
    }
    assert_eq!(state(&world), OLD);
}

#[test]
fn a_staged_change_that_is_taken_back_leaves_the_changeset() {
    let world = fleet();
    let _ = world.printed(
        r#"let c = changeset("v2");
        c.unit("prod/b").update(unit("prod/b").data);
        c.unit("prod/a").patch(#{ image: "a:v1" });"#,
    );
    assert_eq!(world.printed(r#"print(changeset("v2").len);"#), "0\n");
}

#[test]
fn an_error_in_the_closure_makes_no_changeset_and_a_later_run_does_not_call_it() {
    let world = fleet();
    let ran = world
        .script(r#"ensure_changeset("x", |c| { c.unit("prod/a").set_replicas(3); throw "no"; });"#);
    assert_eq!(ran.code, 1);
    assert_eq!(world.run(&["changeset", "get", "x"]).code, 1);
    let twice = r#"for round in 0..2 { ensure_changeset("x", |c| { print("made"); }); }"#;
    assert_eq!(world.printed(twice), "made\n");
}

#[test]
fn what_was_pinned_is_released_and_later_returned_to() {
    let world = fleet();
    let _ = world.printed(
        r#"units("prod/*").set_replicas(3);
        create_changeset("good", #{ filter: "prod/*" });"#,
    );
    let shown = world.ok(&["changeset", "apply", "good", "--dry-run"]);
    assert!(
        shown.contains("(release)") && shown.contains("r2 becomes live"),
        "{shown}"
    );
    let _ = world.ok(&["run", "set-replicas", "4", "--unit", "prod/c"]);
    let _ = world.ok(&["changeset", "apply", "good"]);
    assert_eq!(state(&world), "a 2 2 3 a:v1\nb 2 2 3 b:v1\nc 3 2 4 c:v1\n");
    assert!(
        world
            .ok(&["changeset", "apply", "good"])
            .contains("3 unchanged")
    );

    // Things move on, and then go wrong.
    let _ = world.printed(
        r#"units("prod/*").set_env_var("*", "MODE", "fast").apply();
        units("prod/a").set_replicas(9);
        units("prod/b").destroy();"#,
    );
    let shown = world.ok(&["changeset", "apply", "good", "--dry-run"]);
    assert!(shown.contains("(return)"), "{shown}");
    assert!(
        shown.contains("data of r2 as r5, r3 to r4 discarded"),
        "{shown}"
    );
    let _ = world.ok(&["changeset", "apply", "good"]);
    assert_eq!(state(&world), "a 5 5 3 a:v1\nb 4 4 3 b:v1\nc 5 5 3 c:v1\n");
    let before = world.ok(&["log", "--limit", "1"]);
    assert!(
        world
            .ok(&["changeset", "apply", "good"])
            .contains("3 unchanged")
    );
    assert_eq!(world.ok(&["log", "--limit", "1"]), before);
}

#[test]
fn what_was_not_live_is_not_live_after_a_return() {
    let world = fleet();
    let _ = world.printed(
        r#"units("prod/c").destroy();
        create_changeset("before", #{ where: "Space.Slug = 'prod'" });
        units("prod/*").set_replicas(6).apply();"#,
    );
    let _ = world.ok(&["changeset", "apply", "before"]);
    assert_eq!(
        state(&world),
        "a 3 3 1 a:v1\nb 3 3 1 b:v1\nc 3 null 1 c:v1\n"
    );
    assert_eq!(
        world.json(&["unit", "live-state", "prod/c"])["Objects"].to_string(),
        "[]"
    );
}

/// A store that refuses every commit after the first few, as if its process had been killed.
struct Dying {
    inner: Memory,
    left: Arc<AtomicUsize>,
}

impl Store for Dying {
    fn exists(&self) -> bool {
        self.inner.exists()
    }

    fn read(&self) -> std::result::Result<Box<dyn Snapshot>, store::Error> {
        self.inner.read()
    }

    fn write(&self, command: &str) -> std::result::Result<Box<dyn Writer>, store::Error> {
        Ok(Box::new(DyingWriter {
            inner: self.inner.write(command)?,
            left: Arc::clone(&self.left),
        }))
    }
}

struct DyingWriter {
    inner: Box<dyn Writer>,
    left: Arc<AtomicUsize>,
}

impl Snapshot for DyingWriter {
    fn get(&self, key: &[u8]) -> std::result::Result<Option<Vec<u8>>, store::Error> {
        self.inner.get(key)
    }

    fn get_many(
        &self,
        keys: &[Vec<u8>],
    ) -> std::result::Result<Vec<Option<Vec<u8>>>, store::Error> {
        self.inner.get_many(keys)
    }

    fn get_with(
        &self,
        key: &[u8],
        f: &mut dyn FnMut(Option<&[u8]>),
    ) -> std::result::Result<(), store::Error> {
        self.inner.get_with(key, f)
    }

    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> std::result::Result<(), store::Error> {
        self.inner.scan(range, f)
    }
}

impl Writer for DyingWriter {
    fn apply(&mut self, batch: Batch) -> std::result::Result<(), store::Error> {
        self.inner.apply(batch)
    }

    fn is_first(&self) -> bool {
        self.inner.is_first()
    }

    fn commit(self: Box<Self>) -> std::result::Result<(), store::Error> {
        let alive = self
            .left
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        match alive {
            Ok(_) => self.inner.commit(),
            Err(_) => Err(store::Error::Damaged {
                path: "memory".into(),
                detail: "the process is gone".to_owned(),
            }),
        }
    }
}

fn app(store: Arc<dyn Store>, root: &Path, pid: u32) -> App {
    let here = windlass::app::lease::here();
    App::over(
        Db::new(store, Clock::System),
        Settings {
            project: Project::find(root),
            store: root.join("unused.redb"),
            actor: Arc::new(|| "ada".to_owned()),
            clock: Clock::System,
            lock_timeout: Duration::from_secs(1),
            message: None,
            command: "test".to_owned(),
            seed: None,
            notify: Arc::new(|_| {}),
            progress: Arc::new(|_| {}),
            // No machine has processes of this number, so one that is not `here` has ended.
            process: Process { pid, ..here },
        },
    )
}

fn run(app: &App, script: &str) -> Result<()> {
    let mut session = Session::new(app, |_| {})?;
    let program = session.parse("test.rhai", script)?;
    session.run(&program, &[], |_| None).map(drop)
}

/// Whether each unit is at v2: in the store, and in the cluster by its own account.
fn versions(app: &App) -> Vec<(bool, bool)> {
    // A look at what is live finishes what was left half done.
    app.live_state(app.unit_named("prod/a").unwrap()).unwrap();
    ["a", "b"]
        .map(|name| {
            let unit = app.unit_named(&format!("prod/{name}")).unwrap();
            let image = "spec.template.spec.containers.0.image";
            let desired = app.data_value(unit, image, None).unwrap().unwrap();
            let live = app.live_state(unit).unwrap();
            let revision = live["Revision"].as_u64().unwrap();
            assert_eq!(
                Some(revision),
                app.attribute(unit, "LiveRevisionNum").unwrap().as_u64(),
                "what is said to be live is what is live"
            );
            (desired == format!("{name}:v2"), revision == 2)
        })
        .to_vec()
}

#[test]
fn killed_after_any_commit_the_next_command_finishes_it_one_way_or_the_other() {
    let mut ends = Vec::new();
    for commits in 0.. {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("unit.yaml"), UNIT).unwrap();
        let memory = Memory::new();
        run(&app(Arc::new(memory.clone()), root.path(), 1), FLEET).unwrap();

        let dying = Dying {
            inner: memory.clone(),
            left: Arc::new(AtomicUsize::new(commits)),
        };
        let first = app(Arc::new(dying), root.path(), u32::MAX - 1);
        let result = first.apply_changeset("v2", &ApplyChangeSet::default());

        // A write to another unit is enough; so is a look.
        let second = app(Arc::new(memory.clone()), root.path(), u32::MAX - 2);
        if commits % 2 == 0 {
            run(&second, r#"unit("prod/c").set_replicas(2);"#).unwrap();
        }
        let seen = versions(&second);
        assert!(
            seen.iter().all(|unit| *unit == (true, true))
                || seen.iter().all(|unit| *unit == (false, false)),
            "after {commits} commits: {seen:?}"
        );
        let state = second.changeset("v2").unwrap().state.to_string();
        assert_eq!(state, if seen[0].0 { "Applied" } else { "Open" });
        run(
            &second,
            r#"changeset("v2").apply(); changeset("v2").apply();"#,
        )
        .unwrap();
        assert_eq!(versions(&second), [(true, true), (true, true)]);
        assert!(second.verify_log().unwrap().exit_code() == 0);
        ends.push(seen[0].0);
        if result.is_ok() {
            break;
        }
    }
    // Nothing written, nothing sent, one of two sent: back. Both sent, or done: forward.
    assert_eq!(ends, [false, false, false, true, true]);
}

#[test]
fn an_apply_in_progress_keeps_its_units_to_itself() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("unit.yaml"), UNIT).unwrap();
    let memory = Memory::new();
    run(&app(Arc::new(memory.clone()), root.path(), 1), FLEET).unwrap();
    // The process of the first one is this one, which runs.
    let dying = Dying {
        inner: memory.clone(),
        left: Arc::new(AtomicUsize::new(2)),
    };
    let pid = std::process::id();
    let first = app(Arc::new(dying), root.path(), pid);
    first
        .apply_changeset("v2", &ApplyChangeSet::default())
        .unwrap_err();
    let second = app(Arc::new(memory), root.path(), u32::MAX - 2);
    for script in [
        r#"unit("prod/a").set_replicas(4);"#,
        r#"unit("prod/b").apply();"#,
        r#"unit("prod/b").destroy();"#,
        r#"units("prod/*").set_labels(#{ a: "b" });"#,
        r#"unit("prod/a").hold();"#,
        r#"changeset("v2").apply();"#,
        r#"changeset("v2").unit("prod/a").set_replicas(7);"#,
        r#"changeset("v2").discard();"#,
    ] {
        let error = run(&second, script).expect_err(script);
        assert_eq!(error.kind(), Kind::Conflict, "{script}: {error}");
        assert!(
            error.to_string().contains("being applied by ada"),
            "{script}: {error}"
        );
    }
    run(&second, r#"unit("prod/c").set_replicas(4);"#).unwrap();
}

#[test]
fn killed_at_any_instant_the_program_shows_both_or_neither() {
    let pick = |world: &World| {
        let text = state(world);
        (text.contains("a 2 2"), text.contains("b 2 2"), text)
    };
    let mut seen = [0, 0];
    let mut spent = Duration::from_millis(40);
    for round in 0_u32..24 {
        let world = fleet();
        let started = Instant::now();
        let apply = world.start(&["changeset", "apply", "v2"]);
        // From before it began to after it ended, as long as the last whole run took.
        std::thread::sleep(spent * (round + 1) / 20);
        apply.kill();
        if round == 0 {
            let _ = world.ok(&["changeset", "apply", "v2"]);
            spent = started.elapsed();
        }
        let _ = world.ok(&["unit", "live-state", "prod/a"]);
        let (a, b, text) = pick(&world);
        assert_eq!(a, b, "round {round}: {text}");
        for (name, is_new) in [("a", a), ("b", b)] {
            let live = world.json(&["unit", "live-state", &format!("prod/{name}")]);
            let revision = live["Revision"].as_u64();
            assert_eq!(revision, Some(if is_new { 2 } else { 1 }), "round {round}");
        }
        seen[usize::from(a)] += 1;
        let _ = world.ok(&["changeset", "apply", "v2"]);
        assert_eq!(state(&world), NEW, "round {round}");
        assert!(
            world
                .ok(&["log", "verify"])
                .contains("history is as it was written")
        );
    }
    assert!(seen.iter().sum::<u32>() == 24);
}
