//! Hostile scripts, YAML, clauses and files through the program: clear errors, nothing written.

use crate::world::World;

fn world() -> World {
    let world = World::empty();
    let _ = world.printed(
        "ensure_space(\"a\").ensure_unit(\"x\", \"kind: Deployment\\nspec:\\n  replicas: 1\\n\");",
    );
    world
}

#[test]
fn scripts_nested_too_deeply_are_refused_with_their_place() {
    let world = World::empty();
    let many = |text: &str| text.repeat(100_000);
    for text in [
        format!("let x = {}1{};", many("("), many(")")),
        format!("let x = {}{};", many("["), many("]")),
        format!("{}{}", many("{"), many("}")),
        format!("let x = {}1;", many("!")),
        format!("let x = 1{};", many(" + 1")),
    ] {
        let ran = world.script(&text);
        assert_eq!(ran.code, 1, "{:.60}: {:.300}", text, ran.stderr);
        assert!(ran.stderr.contains("script.rhai:1:"), "{:.300}", ran.stderr);
    }
    assert!(!world.path().join(".windlass").exists());
}

#[test]
fn yaml_that_is_a_trap_is_refused_with_line_and_column() {
    let world = World::empty();
    let mut bomb = "kind: X\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        let list = before.trim_end_matches(", ");
        bomb.extend([format!("a{level}: &a{level} [{list}]\n")]);
    }
    let cases = [
        (
            "deep",
            format!(
                "kind: X\na: {}{}\n",
                "[".repeat(100_000),
                "]".repeat(100_000)
            ),
        ),
        ("bomb", bomb),
        (
            "large",
            format!("kind: X\nx: \"{}\"\n", "y".repeat(2 << 20)),
        ),
        ("list", "- a\n".to_owned()),
        ("twice", "kind: X\nkind: Y\n".to_owned()),
        ("tab", "kind: X\nspec:\n\ta: 1\n".to_owned()),
        ("template", "kind: X\nname: {{ .Name }}\n".to_owned()),
    ];
    for (name, text) in &cases {
        world.write(&format!("in/{name}.yaml"), text);
    }
    let ran = world.run(&["import", "in", "--space", "a"]);
    assert_eq!(ran.code, 1, "{:.500}", ran.stderr);
    assert!(
        ran.stderr.contains("7 files were refused"),
        "{:.900}",
        ran.stderr
    );
    for (name, _) in &cases {
        let line = ran
            .stderr
            .lines()
            .find(|line| line.contains(&format!("in/{name}.yaml: ")));
        let line = line.unwrap_or_else(|| panic!("nothing of {name} in {:.900}", ran.stderr));
        assert!(
            line.contains("line ") && line.contains("column "),
            "{line:.300}"
        );
    }
    assert!(!world.path().join(".windlass/store.redb").exists());
}

#[test]
fn runaway_functions_stop_with_kind_limit_and_change_nothing() {
    let world = world();
    let before = (world.json(&["log"]), world.ok(&["unit", "data", "a/x"]));
    for (name, body) in [
        ("loop-for-ever", "loop {}"),
        ("call-itself", "call_itself(resource)"),
        ("double-text", "let s = \"x\"; loop { s += s; }"),
        (
            "fill-array",
            "let a = []; for i in 0..1000000 { a.push(i); }",
        ),
        (
            "set-then-hang",
            "resource.set(\"spec.replicas\", 9); loop {}",
        ),
    ] {
        let code = format!("fn {}(resource) {{ {body} }}\n", name.replace('-', "_"));
        world.write(&format!("functions/{name}.rhai"), &code);
        let ran = world.run(&["run", name, "--space", "a"]);
        assert_eq!(ran.code, 1, "{name}: {}", ran.stderr);
        assert!(
            ran.stderr.starts_with("error[Limit]"),
            "{name}: {}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("nothing was written"),
            "{name}: {}",
            ran.stderr
        );
    }
    assert_eq!(
        (world.json(&["log"]), world.ok(&["unit", "data", "a/x"])),
        before
    );
}

#[test]
fn files_that_are_no_store_are_refused_and_left_as_they_are() {
    let world = World::empty();
    let garbage: Vec<u8> = (0..9000_u32)
        .map(|i| ((i * 7919) >> 3).to_be_bytes()[3])
        .collect();
    let path = world.path().join("garbage.redb");
    std::fs::write(&path, &garbage).expect("the file is written");
    for args in [
        &["unit", "list"][..],
        &["space", "create", "b"],
        &["log", "verify"],
    ] {
        let ran = world.run(&[args, &["--store", "garbage.redb"]].concat());
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("expected a Windlass store"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(std::fs::read(&path).expect("the file"), garbage);
    world.write("empty.redb", "");
    let _ = world.ok(&["unit", "list", "--store", "empty.redb"]);
    let _ = world.ok(&["space", "create", "b", "--store", "empty.redb"]);
    std::fs::create_dir(world.path().join("folder")).expect("a folder");
    assert_eq!(world.run(&["unit", "list", "--store", "folder"]).code, 4);
}

#[test]
fn a_store_with_flipped_bytes_never_panics() {
    let world = world();
    let whole = world.store();
    for step in [211, 997, 4099] {
        let mut damaged = whole.clone();
        for at in (4096..damaged.len()).step_by(step) {
            damaged[at] ^= 0xff;
        }
        std::fs::write(world.path().join("damaged.redb"), &damaged).expect("written");
        for args in [
            &["unit", "list"][..],
            &["log", "verify"],
            &["space", "create", "b"],
            &["unit", "data", "a/x"],
        ] {
            let ran = world.run(&[args, &["--store", "damaged.redb"]].concat());
            assert!(
                matches!(ran.code, 0 | 1 | 4),
                "{args:?}: {} {}",
                ran.code,
                ran.stderr
            );
            assert!(!ran.stderr.contains("panicked"), "{args:?}: {}", ran.stderr);
        }
    }
    let ran = world.run(&["unit", "list", "--store", "/proc/none/store"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        world
            .run(&["space", "create", "b", "--store", "/proc/none/store"])
            .code,
        4
    );
}

#[test]
fn clauses_and_patches_beyond_all_measure_are_refused() {
    let world = world();
    let clause = format!("{}Slug = 'x'{}", "(".repeat(20_000), ")".repeat(20_000));
    assert_eq!(world.run(&["unit", "list", "--where", &clause]).code, 1);
    let patch = format!("{{\"spec\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let ran = world.run(&["unit", "update", "a/x", "--patch", &patch]);
    assert_eq!(ran.code, 2, "{:.300}", ran.stderr);
    assert!(ran.stderr.len() < 2_000, "{:.300}", ran.stderr);
    for patch in ["{", "3", "null", "\"x\""] {
        assert_eq!(
            world.run(&["unit", "update", "a/x", "--patch", patch]).code,
            2,
            "{patch}"
        );
    }
}

#[test]
fn scripts_reach_no_file_outside_the_project() {
    let world = world();
    let outside = tempfile::NamedTempFile::new().expect("a file");
    std::os::unix::fs::symlink(outside.path(), world.path().join("link")).expect("a link");
    std::os::unix::fs::symlink(outside.path(), world.path().join("link.rhai")).expect("a link");
    let absolute = outside.path().display().to_string();
    for name in ["link", "../secret", "a/../../secret", absolute.as_str()] {
        let ran = world.script(&format!("read_file(\"{name}\")"));
        assert_eq!(ran.code, 1, "{name}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("error[Denied]"),
            "{name}: {}",
            ran.stderr
        );
    }
    for name in ["link", "../secret", absolute.as_str()] {
        let ran = world.script(&format!("import \"{name}\" as it;"));
        assert_eq!(ran.code, 1, "{name}: {}", ran.stderr);
    }
}
