//! Exported folders: what they hold, what they refuse, and what an empty store makes of them.

use crate::world::World;

const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web # front\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n        - name: web\n          image: web:v1\n";

/// A base of three revisions; a variant that is behind by two of them, one that is behind by one,
/// and one that is up to date.
fn fleet() -> World {
    let world = World::empty();
    world.write(
        "fleet.rhai",
        &format!(
            r#"
let base = ensure_space("base", #{{ labels: #{{ tier: "base" }} }});
ensure_target("local");
let text = `{WEB}`;
let web = base.ensure_unit("web", text);
for (region, at) in ["eu", "us", "ap"] {{
    let space = ensure_space(`prod-${{region}}`, #{{ labels: #{{ region: region }}, target: "local" }});
    unit_create(#{{ slug: "web", space: `prod-${{region}}`, upstream_unit: "base/web", label: [["n", `${{at}}`]] }});
    if at < 2 {{ units("base/web").set_replicas(at + 7); }}
}}
units("prod-eu/web").set_env_var("*", "REGION", "eu");
units("prod-eu/web").protect("spec.replicas");
"#
        ),
    );
    drop(world.ok(&["run", "fleet.rhai"]));
    world
}

fn files(world: &World, folder: &str) -> Vec<(String, String)> {
    fn walk(path: &std::path::Path, top: &std::path::Path, all: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, top, all);
            } else {
                let name = path.strip_prefix(top).unwrap().display().to_string();
                all.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let top = world.path().join(folder);
    let mut all = Vec::new();
    walk(&top, &top, &mut all);
    all.sort();
    all
}

fn copy(from: &World, folder: &str, to: &World) {
    for (name, text) in files(from, folder) {
        to.write(&format!("{folder}/{name}"), &text);
    }
}

#[test]
fn the_same_state_makes_the_same_bytes_and_a_second_export_writes_nothing() {
    let world = fleet();
    let first = world.json(&["export", "out"]);
    assert_eq!(first["Units"], 4);
    let names: Vec<String> = files(&world, "out")
        .into_iter()
        .map(|file| file.0)
        .collect();
    for expected in ["base/web.yaml", "base/web.meta.yaml", "prod-eu/web.yaml"] {
        assert!(names.iter().any(|name| name == expected), "{names:?}");
    }
    assert_eq!(
        names
            .iter()
            .filter(|name| name.contains(".earlier/"))
            .count(),
        2,
        "{names:?}"
    );
    let before = files(&world, "out");
    let again = world.json(&["export", "out"]);
    assert_eq!(again["Written"], serde_json::json!([]));
    drop(world.ok(&["export", "other"]));
    assert_eq!(files(&world, "other"), before);
    assert_eq!(files(&world, "out"), before);
    drop(world.ok(&["export", "out", "--check"]));
}

#[test]
fn an_empty_store_gets_the_same_state_links_to_old_revisions_included() {
    let world = fleet();
    drop(world.ok(&["export", "out"]));
    let other = World::empty();
    copy(&world, "out", &other);
    drop(other.ok(&["import", "out"]));
    drop(other.ok(&["log", "verify"]));
    let check = other.run(&["export", "out", "--check"]);
    assert_eq!(check.code, 0, "{}", check.stdout);
    let columns = "Space.Slug,Slug,UpgradeNeeded,Labels,Target.Slug";
    let list = |world: &World| {
        let table = world.ok(&["unit", "list", "--space", "*", "--columns", columns]);
        let mut lines: Vec<String> = table.lines().map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(list(&world), list(&other));
    let upgrade = [
        "unit",
        "update",
        "--upgrade",
        "--patch",
        "--space",
        "prod-*",
    ];
    let (one, two) = (world.run(&upgrade), other.run(&upgrade));
    assert_eq!(one.code, two.code, "{}{}", one.stdout, two.stdout);
    for unit in ["prod-eu/web", "prod-us/web", "prod-ap/web"] {
        assert_eq!(
            world.ok(&["unit", "data", unit]),
            other.ok(&["unit", "data", unit]),
            "{unit}"
        );
    }
    let again = other.json(&["import", "out", "--dry-run"]);
    assert_eq!(again["Changed"], 0, "{again}");
}

#[test]
fn an_edited_file_is_merged_with_what_changed_here() {
    let world = fleet();
    drop(world.ok(&["export", "out"]));
    drop(world.ok(&[
        "function",
        "do",
        "--unit",
        "base/web",
        "set-image-reference",
        "*",
        ":v9",
    ]));
    let file = world.path().join("out/base/web.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    world.write(
        "out/base/web.yaml",
        &text.replace("replicas: 8", "replicas: 21"),
    );
    let check = world.run(&["export", "out", "--check"]);
    assert_eq!(check.code, 5);
    assert!(
        check.stdout.contains("changed  base/web.yaml"),
        "{}",
        check.stdout
    );
    assert!(check.stdout.contains("-  replicas: 21"), "{}", check.stdout);
    let refused = world.run(&["export", "out"]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("base/web.yaml"),
        "{}",
        refused.stderr
    );
    let again = std::fs::read_to_string(&file).unwrap();
    assert!(again.contains("replicas: 21"), "the edit is still there");
    drop(world.ok(&["import", "out"]));
    let data = world.ok(&["unit", "data", "base/web"]);
    assert!(
        data.contains("web:v9") && data.contains("replicas: 21"),
        "{data}"
    );
}

#[test]
fn an_edited_record_changes_labels_and_an_old_one_does_not() {
    let world = fleet();
    drop(world.ok(&["export", "out"]));
    drop(world.ok(&[
        "unit",
        "update",
        "prod-us/web",
        "--patch",
        "--label",
        "team=blue",
    ]));
    let old = world.json(&["import", "out"]);
    assert_eq!(old["Changed"], 0, "{old}");
    let file = "out/prod-eu/web.meta.yaml";
    let text = std::fs::read_to_string(world.path().join(file)).unwrap();
    assert!(text.contains("n: "), "{text}");
    world.write(file, &text.replace("Labels:\n", "Labels:\n  team: red\n"));
    drop(world.ok(&["import", "out"]));
    let rows = world.ok(&[
        "unit",
        "list",
        "--where",
        "Labels.team = 'red'",
        "--space",
        "*",
    ]);
    assert!(rows.contains("prod-eu"), "{rows}");
    let rows = world.ok(&[
        "unit",
        "list",
        "--where",
        "Labels.team = 'blue'",
        "--space",
        "*",
    ]);
    assert!(rows.contains("prod-us"), "{rows}");
}

#[test]
fn only_unedited_files_of_units_that_are_gone_are_removed() {
    let world = fleet();
    drop(world.ok(&["export", "out"]));
    world.write("out/prod-eu/notes.txt", "mine");
    world.write("out/prod-us/web.yaml", "kind: ConfigMap\n");
    for space in ["prod-eu", "prod-us"] {
        drop(world.ok(&["unit", "delete", &format!("{space}/web")]));
    }
    let done = world.json(&["export", "out"]);
    let removed = done["Removed"].to_string();
    for expected in [
        "prod-eu/web.yaml",
        "prod-eu/web.meta.yaml",
        "prod-us/web.meta.yaml",
    ] {
        assert!(removed.contains(expected), "{removed}");
    }
    // Nobody has the earlier texts as a base any more.
    assert_eq!(removed.matches("base/.earlier/").count(), 2, "{removed}");
    assert_eq!(done["Kept"], serde_json::json!(["prod-us/web.yaml"]));
    assert!(world.path().join("out/prod-eu/notes.txt").exists());
    assert!(!world.path().join("out/prod-eu/web.yaml").exists());
}

#[test]
fn a_file_that_no_export_wrote_is_not_overwritten() {
    let world = fleet();
    world.write("out/base/web.yaml", "kind: ConfigMap # by hand\n");
    let ran = world.run(&["export", "out"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(files(&world, "out").len(), 1, "nothing was written");
    drop(world.ok(&["export", "out", "--force"]));
    drop(world.ok(&["export", "out", "--check"]));
}

#[test]
fn a_part_leaves_the_files_of_the_others() {
    let world = fleet();
    drop(world.ok(&["export", "out"]));
    let done = world.json(&["export", "out", "prod-eu/*"]);
    assert_eq!(done["Removed"], serde_json::json!([]), "{done}");
    assert!(world.path().join("out/prod-us/web.yaml").exists());
    drop(world.ok(&["export", "part", "--space", "prod-eu"]));
    assert!(!world.path().join("part/base").exists());
    drop(world.ok(&["export", "part", "--space", "prod-eu", "--check"]));
}

#[test]
fn an_index_cannot_lead_out_of_the_folder() {
    let world = fleet();
    drop(world.ok(&["export", "out"]));
    world.write("precious.yaml", "a: 1\n");
    let digest = blake3::hash(b"a: 1\n").to_hex();
    let index = world.path().join("out/.windlass-export.json");
    let text = std::fs::read_to_string(&index).unwrap();
    let text = text.replace(
        "\"Files\": {",
        &format!("\"Files\": {{\n\"../precious.yaml\": \"{digest}\","),
    );
    std::fs::write(&index, text).unwrap();
    drop(world.ok(&["export", "out"]));
    assert!(world.path().join("precious.yaml").exists());
}

#[test]
fn scripts_export_below_the_root_and_take_it_in_again() {
    let world = fleet();
    let printed =
        world.printed("print(export_dir(\"out\").Units); print(import_dir(\"out\").changed);");
    assert!(printed.starts_with('4'), "{printed}");
    let ran = world.script("export_dir(\"../out\");");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

#[test]
fn the_manifests_of_one_space_are_taken_without_their_records() {
    let world = fleet();
    drop(world.ok(&["export", "out"]));
    let made = world.json(&["import", "out/base", "--space", "fresh"]);
    assert_eq!(made["Changed"], 1, "{made}");
}

#[test]
fn whoever_edits_a_file_may_change_what_the_unit_owns_or_protects() {
    let world = fleet();
    drop(world.ok(&["export", "out"]));
    let file = world.path().join("out/prod-eu/web.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let edited = text
        .replace("replicas: 1", "replicas: 6")
        .replace("value: eu", "value: europe");
    assert_eq!(
        edited.matches("6\n").count() + edited.matches("europe").count(),
        2,
        "{text}"
    );
    std::fs::write(&file, &edited).unwrap();
    let done = world.json(&["import", "out"]);
    assert_eq!(done["Changed"], 1, "{done}");
    assert_eq!(world.ok(&["unit", "data", "prod-eu/web"]), edited);
    assert!(!world.ok(&["conflict", "list"]).contains("prod-eu/web"));
}
