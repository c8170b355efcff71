//! Functions that want too much: each stops with kind Limit, and the process lives on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use windlass::script::{
    Arguments, Call, Catalogue, Error, ErrorKind, Function, FunctionFile, FunctionSource, Result,
    Runner, Subject,
};
use windlass::yaml::Stream;

/// One function from text.
struct Given(String);

impl FunctionSource for Given {
    fn name(&self) -> &'static str {
        "project"
    }

    fn files(&self) -> Result<Vec<FunctionFile>> {
        Ok(vec![FunctionFile {
            name: "it".into(),
            path: "functions/it.rhai".into(),
            text: Cow::Owned(self.0.clone()),
        }])
    }
}

pub(crate) fn function(text: &str) -> Result<Arc<Function>> {
    let (catalogue, _) = Catalogue::load(&[&Given(text.to_owned())], &|_| false);
    catalogue.get("it")
}

pub(crate) fn call(text: &str, yaml: &str) -> Result<Call, Error> {
    let function = function(text)?;
    let arguments = Arguments::resolve(&function, Vec::new(), serde_json::Map::new())?;
    let stream = Stream::parse(yaml)?;
    let labels = BTreeMap::new();
    let subject = Subject {
        stream: &stream,
        slug: "web",
        labels: &labels,
        space_slug: "prod",
        space_labels: &labels,
        revision: 1,
    };
    Runner::new().call(&function, &arguments, &subject)
}

const HOSTILE: [(&str, &str); 26] = [
    ("endless loop", "loop {}"),
    ("endless while", "let x = 0; while true { x += 1; }"),
    (
        "endless loop that catches",
        "loop { try { loop {} } catch { } }",
    ),
    ("recursion", "it(resource)"),
    (
        "recursion with a deep expression",
        "1 + (1 + (1 + (1 + (1 + (1 + it(resource))))))",
    ),
    ("recursion of closures", "let f = |g| g.call(g); f.call(f)"),
    ("string doubling", "let s = \"x\"; loop { s += s; }"),
    (
        "string doubling by interpolation",
        "let s = \"x\"; loop { s = `${s}${s}`; }",
    ),
    (
        "array of a million",
        "let a = []; for i in 0..1000000 { a.push(i); }",
    ),
    ("array doubling", "let a = [1]; loop { a += a; }"),
    ("nested arrays", "let a = []; loop { a = [a]; }"),
    ("nested maps", "let m = #{}; loop { m = #{ m: m }; }"),
    (
        "nested by push",
        "let a = []; loop { let b = []; b.push(a); a = b; }",
    ),
    (
        "map growth",
        "let m = #{}; let i = 0; loop { m[`${i}`] = i; i += 1; }",
    ),
    ("padded array", "let a = []; a.pad(9223372036854775807, 1);"),
    (
        "padded array that wraps",
        "let a = []; a.pad(4611686018427387904, [1, 2, 3]);",
    ),
    (
        "padded string",
        "let s = \"\"; s.pad(9223372036854775807, \"x\");",
    ),
    (
        "padded string by characters",
        "let s = \"\"; s.pad(1000000000, 'x');",
    ),
    ("blob", "blob(9223372036854775807, 1)"),
    (
        "blob growth",
        "let b = blob(); loop { b += blob(5000, 1); }",
    ),
    (
        "replace",
        "let s = \"\"; s.pad(1000000, 'x'); let t = s; s.replace(\"x\", t);",
    ),
    (
        "huge range",
        "let n = 0; for i in 0..9223372036854775807 { n += 1; }",
    ),
    (
        "many big strings",
        "let all = []; loop { let s = \"\"; s.pad(1000000, 'x'); all.push(s); }",
    ),
    (
        "a list of the resource",
        "resource.set(\"l\", []); loop { resource.l.push(1); }",
    ),
    (
        "keys of the resource",
        "let i = 0; loop { resource.set(`k${i}`, i); i += 1; }",
    ),
    (
        "split and sort",
        "let s = \"\"; s.pad(1000000, ','); loop { s.split(\",\"); }",
    ),
];

#[test]
#[ignore = "run by hostile_functions_stay_under_256_mib in a process of its own"]
fn every_hostile_function_stops_with_kind_limit() {
    let mut wrong = Vec::new();
    for (name, code) in HOSTILE {
        let text = format!("fn it(resource) {{ {code} }}");
        match call(&text, "kind: A\n") {
            Err(error) if error.kind() == ErrorKind::Limit => {
                assert!(error.location().is_some(), "{name} has no place");
            }
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The process that ran them all stayed small.
    if let Some(peak) = peak_mib() {
        assert!(peak < 256, "peak of {peak} MiB");
    }
}

/// The other tests of this binary share its memory, so this one runs again in a process alone.
#[test]
fn hostile_functions_stay_under_256_mib() {
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "hostile::every_hostile_function_stops_with_kind_limit",
            "--ignored",
        ])
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// Most that this process ever had resident, where the system says so.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

#[test]
fn what_is_off_does_not_parse() {
    for (code, word) in [("eval(\"1\")", "eval"), ("import \"x\" as x;", "import")] {
        let error = function(&format!("fn it(resource) {{ {code} }}")).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}
