//! What is for terminals alone: colour, and bars for long work.

use std::fmt::Write as _;

use crate::tools::ok;
use crate::world::World;

/// What a command prints on a terminal, if there is a program here that makes one.
fn on_a_terminal(world: &World, words: &[&str], variables: &[(&str, &str)]) -> Option<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let line = format!("'{}' {}", env!("CARGO_BIN_EXE_windlass"), quoted.join(" "));
    let mut command = std::process::Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .current_dir(world.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm")
        .env("HOME", world.path())
        .env("WINDLASS_CLOCK", crate::world::NOW)
        .env("WINDLASS_ACTOR", "alice@trading.com")
        .stdin(std::process::Stdio::null());
    command.envs(variables.iter().copied());
    let output = command.output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n"))
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn colour_is_for_terminals_and_says_nothing_new() {
    let world = World::tutorial();
    ok(&world, "scripts/stage3-three-regions.rhai");
    ok(&world, "scripts/stage4-push-upgrade.rhai");
    let _ = world.printed(
        "unit(\"traderx-base/trade-service\").set_image_reference(\":v3\");
         unit(\"traderx-prod-us/trade-service\").set_image_reference(\":v2-hotfix\");",
    );
    world.write(
        "show.rhai",
        "let all = units(\"*/trade-service\");
         print(all.table()); print(tree(\"*/trade-service\"));
         print(all.preview(|all| all.set_replicas(9)));
         print(all.preview(|all| all.set_replicas(9)).diff());
         units(\"traderx-prod-us/*\").preview(|all| all.upgrade())",
    );
    for words in [
        &["unit", "list"][..],
        &["unit", "tree", "*/trade-service"],
        &[
            "unit",
            "diff",
            "traderx-prod-us/trade-service",
            "--from",
            "1",
            "--to",
            "3",
        ],
        &[
            "function",
            "do",
            "--dry-run",
            "--space",
            "traderx-prod-*",
            "set-replicas",
            "8",
        ],
        &[
            "unit",
            "update",
            "--upgrade",
            "--space",
            "traderx-prod-us",
            "--dry-run",
        ],
        &["run", "show.rhai"],
    ] {
        let piped = world.run(words).stdout;
        assert!(!piped.contains('\u{1b}'), "{words:?}");
        let mut always = words.to_vec();
        always.insert(0, "--color=always");
        let coloured = world.run(&always).stdout;
        assert!(coloured.contains('\u{1b}'), "{words:?}: {coloured}");
        assert_eq!(plain(&coloured), piped, "{words:?}");
        let Some(seen) = on_a_terminal(&world, words, &[]) else {
            println!("left out: there is no program `script` that makes a terminal");
            continue;
        };
        assert_eq!(seen, coloured, "{words:?}");
        let quiet = on_a_terminal(&world, words, &[("NO_COLOR", "1")]).expect("as before");
        assert_eq!(quiet, piped, "{words:?}");
        let mut never = words.to_vec();
        never.insert(0, "--color=never");
        assert_eq!(on_a_terminal(&world, &never, &[]).as_ref(), Some(&piped));
        let mut forced = world.command(words);
        forced.env("CLICOLOR_FORCE", "1");
        assert_eq!(world.finish(forced).stdout, coloured, "{words:?}");
    }
    // What a script makes into text is plain, and stays text.
    world.write(
        "text.rhai",
        "let p = units(\"*/trade-service\").preview(|all| all.set_replicas(9));
         print([p.to_string(), p.diff(), \"\" + tree(\"*/trade-service\"), `${p.table()}`]
             .some(|text| text.contains(\"\\x1b\")));",
    );
    let ran = world.run(&["--color=always", "run", "text.rhai"]);
    assert_eq!(ran.stdout, "false\n", "{}", ran.stderr);
    for words in [
        &["unit", "list", "--json"][..],
        &["unit", "data", "traderx-base/trade-service"],
    ] {
        let mut always = words.to_vec();
        always.insert(0, "--color=always");
        assert_eq!(world.run(&always), world.run(words), "{words:?}");
    }
}

#[test]
fn long_work_shows_a_bar_on_a_terminal_and_never_in_a_pipe() {
    let world = World::empty();
    for unit in 0..1500 {
        let mut text = format!("kind: ConfigMap\nmetadata:\n  name: c{unit}\ndata:\n");
        for line in 0..40 {
            let _ = writeln!(text, "  key-{line}: value of {line} in {unit}");
        }
        world.write(&format!("many/c{unit}.yaml"), &text);
    }
    let words = ["import", "many", "--space", "many"];
    let Some(seen) = on_a_terminal(&world, &words, &[]) else {
        println!("left out: there is no program `script` that makes a terminal");
        return;
    };
    assert!(
        seen.contains("1500 units matched"),
        "{}",
        &seen[..200.min(seen.len())]
    );
    let words = [
        "function",
        "do",
        "--space",
        "many",
        "set-label",
        "team",
        "a",
    ];
    let seen = on_a_terminal(&world, &words, &[]).expect("as before");
    assert!(
        seen.contains("/1500 units"),
        "{}",
        &seen[..2000.min(seen.len())]
    );
    let words = [
        "function",
        "do",
        "--space",
        "many",
        "set-label",
        "team",
        "b",
    ];
    let piped = world.run(&words);
    assert_eq!(piped.stderr, "");
    assert!(!piped.stdout.contains("/1500 units"));
    for silent in ["--quiet", "--json"] {
        let words = [
            silent,
            "function",
            "do",
            "--space",
            "many",
            "set-label",
            "team",
            silent,
        ];
        let seen = on_a_terminal(&world, &words, &[]).expect("as before");
        assert!(!seen.contains("/1500 units"), "{silent}");
    }
}
