//! Every operation on desired state: taken back, and done again.

use super::*;

/// An operation on desired state: its name in the table, a script that comes before, its
/// arguments.
type Case = (&'static str, &'static str, Value);

const UPGRADE: &str = r#"unit_update(#{ selector: "prod-us/web", upgrade: true });"#;

fn cases() -> Vec<Case> {
    let all = [
        cases_of_creations(),
        cases_of_units(),
        cases_of_more(),
        cases_of_decisions(),
    ];
    all.into_iter().flatten().collect()
}

fn cases_of_creations() -> Vec<Case> {
    vec![
        (
            "space create",
            "",
            json!({ "slug": "new", "label": [["a", "1"]] }),
        ),
        (
            "space update",
            r#"ensure_target("t2");"#,
            json!({ "slug": "base", "label": [["team", "web"]], "target": "t2", "gate": ["conflicts/open"] }),
        ),
        ("hold", "", json!({ "selector": "prod-*/web" })),
        (
            "unhold",
            r#"units("*/web").hold();"#,
            json!({ "selector": "prod-*/web" }),
        ),
        (
            "target create",
            "",
            json!({ "slug": "t2", "kind": "sandbox" }),
        ),
        (
            "worker install",
            "",
            json!({ "slug": "w", "space": "base" }),
        ),
        (
            "worker install",
            "",
            json!({ "slug": "w", "space": "base", "wait": true }),
        ),
        ("upgrade", "", json!({ "selector": "prod-us/web" })),
        ("worker create", "", json!({ "slug": "w", "space": "base" })),
        (
            "worker delete",
            r#"worker_create(#{ slug: "w", space: "base" });"#,
            json!({ "slug": "w", "space": "base" }),
        ),
        (
            "unit set-target",
            r#"ensure_target("t2");"#,
            json!({ "target": "t2", "space": "prod-us" }),
        ),
        (
            "unit create",
            "",
            json!({ "slug": "more", "space": "base", "file": "web.yaml", "label": [["order", "1"]] }),
        ),
        (
            "unit create",
            "",
            json!({ "slug": "web2", "space": "prod-us", "upstream_unit": "base/web" }),
        ),
    ]
}

fn cases_of_units() -> Vec<Case> {
    vec![
        ("unit delete", "", json!({ "selector": "base/lone" })),
        ("unit delete", UPGRADE, json!({ "selector": "prod-us/web" })),
        ("unit delete", "", json!({ "selector": "*/*" })),
        (
            "unit update",
            "",
            json!({ "selector": "*/web", "patch": "{\"spec\":{\"replicas\":7}}" }),
        ),
        (
            "unit update",
            "",
            json!({ "selector": "base/lone", "patch": "{\"metadata\":{\"annotations\":null}}" }),
        ),
        (
            "unit update",
            "",
            json!({ "selector": "prod-*/web", "upgrade": true }),
        ),
        (
            "unit update",
            "",
            json!({ "selector": "prod-*/web", "upgrade": true, "prefer_incoming": true }),
        ),
        (
            "unit update",
            // Rows of before are replaced.
            r#"unit_update(#{ selector: "prod-*/web", upgrade: true });
            unit("base/web").set_image("web", "web:v3");"#,
            json!({ "selector": "prod-*/web", "upgrade": true }),
        ),
        (
            "unit update",
            "",
            json!({ "selector": "base/web", "restore": 1 }),
        ),
        (
            "unit update",
            UPGRADE,
            json!({ "selector": "prod-us/web", "restore": 2 }),
        ),
        (
            "unit update",
            "",
            json!({ "selector": "prod-us/web", "file": "web.yaml" }),
        ),
        (
            "function run",
            "",
            json!({ "function": "set-replicas", "args": [9], "space": "*" }),
        ),
        (
            "function run",
            "",
            json!({ "function": "search-replace", "args": ["web", "site"], "unit": ["base/lone"] }),
        ),
    ]
}

/// A deployed unit whose replicas somebody changed on the sandbox.
const DRIFTED: &str = r#"
    space("prod-us").install_worker("worker", #{ wait: true });
    unit("prod-us/web").apply();
    inject_fault(#{ Drift: #{
        object: #{ group: "apps", kind: "Deployment", namespace: "prod-us", name: "web" },
        path: "spec.replicas", value: 9, manager: "kubectl-edit",
    } });"#;

fn cases_of_more() -> Vec<Case> {
    vec![
        (
            "drift accept",
            DRIFTED,
            json!({ "selector": "prod-us/web" }),
        ),
        (
            "drift tolerate",
            DRIFTED,
            json!({ "selector": "prod-us/web", "path": "spec.replicas", "until": "7d" }),
        ),
        (
            "import",
            "",
            json!({ "space": "fresh", "folder": "FOLDER/files" }),
        ),
        (
            "import",
            r#"import(#{ space: "base", folder: "FOLDER/files" });
            unit("base/one").set_replicas(4);"#,
            json!({ "space": "base", "folder": "FOLDER/files-v2" }),
        ),
        (
            "protect",
            "",
            json!({ "path": "spec.template.spec.containers.?name=web.image", "space": "prod-*" }),
        ),
        (
            "release",
            "",
            json!({ "path": "spec.replicas", "space": "prod-*" }),
        ),
        (
            "conflict take",
            UPGRADE,
            json!({ "where": "Path LIKE '%.image'" }),
        ),
        (
            "conflict keep",
            UPGRADE,
            json!({ "where": "Path LIKE '%.image'" }),
        ),
        (
            "conflict keep",
            UPGRADE,
            json!({ "where": "Path LIKE '%.image'", "protect": true }),
        ),
        (
            "target delete",
            r#"ensure_target("spare", #{ namespace: "elsewhere" });"#,
            json!({ "slug": "spare" }),
        ),
        (
            "filter create",
            "",
            json!({ "slug": "busy", "where": "replicas > 2", "space": "base" }),
        ),
        (
            "filter update",
            r#"ensure_filter("busy", "*");"#,
            json!({ "filter": "busy", "where": "replicas > 2", "from_space": "prod-*" }),
        ),
        (
            "function install",
            r#"write_file("answer.rhai", "fn answer(resource) { 1 }");"#,
            json!({ "files": ["answer.rhai"] }),
        ),
        (
            "function install",
            r#"write_file("answer.rhai", "fn answer(resource) { 1 }");
            function_install(#{ files: ["answer.rhai"] });
            write_file("answer.rhai", "fn answer(resource) { 2 }");"#,
            json!({ "files": ["answer.rhai"] }),
        ),
        (
            "function uninstall",
            r#"write_file("answer.rhai", "fn answer(resource) { 1 }");
            function_install(#{ files: ["answer.rhai"] });"#,
            json!({ "name": "answer" }),
        ),
        (
            "filter delete",
            r#"space("base").ensure_filter("busy", "*");"#,
            json!({ "filter": "base/busy" }),
        ),
        (
            "unit update",
            r#"unit("base/web").set_labels(#{ team: "web" });"#,
            json!({ "selector": "base/web", "label": [["team", null], ["tier", "core"]] }),
        ),
        (
            "unit create",
            r#"ensure_space("copies");"#,
            json!({ "dest_space": "copies", "space": "base", "label": [["tier", "core"]] }),
        ),
    ]
}

fn cases_of_decisions() -> Vec<Case> {
    vec![
        ("changeset create", "", json!({ "slug": "v2" })),
        (
            "changeset create",
            "",
            json!({ "slug": "v2", "space": "prod-*" }),
        ),
        ("changeset discard", STAGED, json!({ "slug": "v2" })),
        ("changeset delete", STAGED, json!({ "slug": "v2" })),
        (
            "changeset remove",
            STAGED,
            json!({ "slug": "v2", "unit": "base/web" }),
        ),
        (
            "conflict edit",
            UPGRADE,
            json!({ "id": "c2", "value": "web:mine" }),
        ),
        ("undo", "", json!({})),
        ("undo", UPGRADE, json!({})),
        ("redo", "undo();", json!({})),
        ("redo", r#"unit("base/lone").delete(); undo();"#, json!({})),
    ]
}

/// A changeset with a staged change.
const STAGED: &str = r#"create_changeset("v2").unit("base/web").set_replicas(8);"#;

#[test]
fn every_operation_that_writes_desired_state_has_a_case() {
    let cases: BTreeSet<&str> = cases().iter().map(|case| case.0).collect();
    let writes = OPS.iter().filter(|op| op.effect == Effect::Write);
    let writes: BTreeSet<&str> = writes.map(|op| op.name).collect();
    assert_eq!(cases, writes);
}

#[test]
fn whatever_an_operation_wrote_is_taken_back_and_comes_again_by_redo() {
    for (name, before, args) in cases() {
        let place = Place::fleet();
        let case = format!("{name} {args} after {before:?}");
        for (file, replicas) in [("one", 1), ("two", 2)] {
            let text = WEB.replace("replicas: 1", &format!("replicas: {replicas}"));
            place.write(&format!("files/{file}.yaml"), &text);
            place.write(
                &format!("files-v2/{file}.yaml"),
                &text.replace("blue", "red"),
            );
        }
        let folder = place.folder.path().to_string_lossy().into_owned();
        let before = before.replace("FOLDER", &folder);
        let args: Value =
            serde_json::from_str(&args.to_string().replace("FOLDER", &folder)).unwrap();
        if name == "import" && !before.is_empty() {
            let (first, then) = before.split_once('\n').unwrap();
            assert!(first.starts_with("import("));
            let files = format!("{folder}/files");
            place
                .run("import", json!({ "space": "base", "folder": files }))
                .unwrap();
            place.script(then);
        } else {
            place.script(&before);
        }
        let start = place.digest();
        let last = place.last();
        place
            .run(name, args)
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        let op = place.last();
        assert!(op > last, "{case} wrote no operation");
        let done = place.digest();
        assert_ne!(start, done, "{case}");

        let undone = place
            .undo(&op.to_string())
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(place.digest(), start, "{case}: {}", undone.to_json());
        place.assert_sound();
        let again = place.undo(&op.to_string()).unwrap_err();
        assert_eq!(again.kind(), Kind::Conflict, "{case}: {again}");
        assert!(again.message().contains("undone already by op-"), "{again}");
        assert_eq!(place.digest(), start, "{case}");

        let undo = place.last();
        let redone = if matches!(name, "undo" | "redo") {
            place.undo(&undo.to_string())
        } else {
            place.redo(&undo.to_string())
        };
        redone.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(place.digest(), done, "{case}");
        place
            .undo(&op.to_string())
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(place.digest(), start, "{case}");
        place.assert_sound();
    }
}
