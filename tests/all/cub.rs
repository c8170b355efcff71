//! The commands of the reference product's tool in the two documents that Windlass began with, run
//! by this program: `tests/cub` says how its tables read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::registry::split;
use crate::world::World;

/// The tables of the two documents.
const DOCUMENTS: [&str; 2] = ["microtraderx-tutorial", "traderx-architecture"];

/// All tables; the last has the forms of the tutorial's public shell scripts.
const TABLES: [&str; 3] = [DOCUMENTS[0], DOCUMENTS[1], "microtraderx-scripts"];

/// What the documents' commands read, by the name that those give it.
const FILES: [(&str, &str); 9] = [
    ("namespace-base.yaml", "k8s/namespace-base.yaml"),
    ("reference-data.yaml", "k8s/reference-data.yaml"),
    ("trade-service.yaml", "k8s/trade-service.yaml"),
    ("trade-service-v1.yaml", "k8s/trade-service.yaml"),
    ("trade-service-v2.yaml", "k8s/trade-service-v2.yaml"),
    ("service.yaml", "k8s/trade-service.yaml"),
    ("api.yaml", "tests/cub/api.yaml"),
    ("todo.yaml", "tests/cub/todo.yaml"),
    ("ingress.yaml", "tests/cub/ingress.yaml"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Text with its spaces collapsed.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The variables of a table's part, and every way to fill them into a command.
#[derive(Default)]
struct Variables(BTreeMap<String, Vec<String>>);

impl Variables {
    fn fill(&self, command: &str) -> Vec<String> {
        let mut filled = vec![command.to_owned()];
        for (name, values) in &self.0 {
            let forms = [format!("${{{name}}}"), format!("${name}")];
            if !forms.iter().any(|form| command.contains(form.as_str())) {
                continue;
            }
            filled = values
                .iter()
                .flat_map(|value| {
                    let fill = |text: &String| {
                        forms.iter().fold(text.clone(), |text, form| {
                            text.replace(form.as_str(), value)
                        })
                    };
                    filled.iter().map(fill).collect::<Vec<_>>()
                })
                .collect();
        }
        filled
    }
}

/// One table on its way.
struct Run {
    name: &'static str,
    world: World,
    variables: Variables,
    printed: String,
    /// What the next command reads from standard input.
    input: String,
    problems: Vec<String>,
}

impl Run {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            world: fresh(),
            variables: Variables::default(),
            printed: String::new(),
            input: String::new(),
            problems: Vec::new(),
        }
    }

    fn line(&mut self, number: usize, line: &str) {
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        match sign {
            "==" => {
                self.world = fresh();
                self.variables = Variables::default();
            }
            "@" => {
                let mut words = rest.split_whitespace().map(str::to_owned);
                let name = words.next().expect("a name");
                self.variables.0.insert(name, words.collect());
            }
            "<" => rest.clone_into(&mut self.input),
            "+" => self.commands(number, rest, 0),
            "$" => self.commands(number, cub(rest), 0),
            "=" => {
                let mut printed = self.printed.lines().map(collapsed);
                if !printed.any(|line| line.contains(&collapsed(rest))) {
                    let printed = &self.printed;
                    self.problem(number, format!("expected `{rest}` in\n{printed}"));
                }
            }
            "-" | "" => {}
            code => {
                let code = code.parse().expect("an exit code");
                let command = rest.strip_prefix("$ ").expect("a command");
                self.commands(number, cub(command), code);
            }
        }
    }

    fn commands(&mut self, number: usize, command: &str, code: i32) {
        self.printed.clear();
        let input = std::mem::take(&mut self.input);
        for filled in self.variables.fill(command) {
            let words = split(&filled);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ran = self.world.run_with_input(&words, &input);
            if ran.code != code {
                let (found, told) = (ran.code, ran.stderr);
                self.problem(number, format!("{filled}: ended with {found}\n{told}"));
            }
            self.printed.push_str(&ran.stdout);
        }
    }

    fn problem(&mut self, number: usize, problem: String) {
        self.problems
            .push(format!("tests/cub/{}.txt:{number}: {problem}", self.name));
    }
}

fn cub(command: &str) -> &str {
    command.strip_prefix("cub ").expect("a command of cub")
}

/// An empty store in a folder with the files that the commands read.
fn fresh() -> World {
    let world = World::empty();
    for (name, source) in FILES {
        world.write(name, &read(source));
    }
    let web = read("k8s/reference-data.yaml").replace("reference-data", "web-gui");
    world.write("web-gui.yaml", &web);
    world
}

#[test]
fn every_command_of_the_documents_does_what_they_say() {
    let mut problems = Vec::new();
    for name in TABLES {
        let mut run = Run::new(name);
        for (at, line) in read(&format!("tests/cub/{name}.txt")).lines().enumerate() {
            run.line(at + 1, line);
        }
        problems.extend(run.problems);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_means_nothing_here_says_why() {
    for name in TABLES {
        let text = read(&format!("tests/cub/{name}.txt"));
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("- ") {
                let why = lines.next().unwrap_or_default();
                assert!(why.starts_with("  ") && why.len() > 10, "{line}: {why}");
            }
        }
    }
}

/// The commands of a document's code blocks: lines that go on are one, comments are left out.
fn in_document(text: &str) -> Vec<String> {
    let (mut commands, mut is_code, mut open) = (Vec::new(), false, String::new());
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            continue;
        }
        let begins = line.find("cub ").filter(|at| {
            let before = line[..*at].trim_end();
            !open.is_empty() || before.is_empty() || before.ends_with("$(")
        });
        if !is_code || (open.is_empty() && begins.is_none()) {
            continue;
        }
        let part = if open.is_empty() {
            &line[begins.unwrap_or(0)..]
        } else {
            line
        };
        open.push_str(part.trim_end_matches('\\'));
        open.push(' ');
        let is_quoted = open.matches('\'').count() % 2 == 1;
        if part.ends_with('\\') || is_quoted {
            continue;
        }
        commands.push(without_shell(&std::mem::take(&mut open)));
    }
    commands
}

/// A command without what is the shell's: comments, pipes, redirections, the end of `$( )`.
fn without_shell(command: &str) -> String {
    let mut kept = String::new();
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (None, '#' | '|' | '>') => break,
            (None, ')') if !command.starts_with('(') && kept.matches('(').count() == 0 => break,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        kept.push(c);
    }
    collapsed(&kept)
}

#[test]
fn the_tables_have_every_command_of_the_documents() {
    let Some(folder) = std::env::var_os("WINDLASS_TEST_DOCUMENTS") else {
        eprintln!("left out: WINDLASS_TEST_DOCUMENTS names no folder with the documents");
        return;
    };
    let mut missing = Vec::new();
    for name in DOCUMENTS {
        let document = Path::new(&folder).join(format!("{name}.md"));
        let document = std::fs::read_to_string(&document).expect("the document");
        let table = read(&format!("tests/cub/{name}.txt"));
        let known: BTreeSet<String> = table
            .lines()
            .filter_map(|line| Some(collapsed(&line[line.find("cub ")?..])))
            .collect();
        let commands = in_document(&document);
        assert!(commands.len() > 30, "{name}: {} commands", commands.len());
        missing.extend(
            commands
                .into_iter()
                .filter(|command| !known.contains(command)),
        );
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
