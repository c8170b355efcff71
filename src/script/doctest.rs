//! The examples and `test_…` functions of a function's file, and its fixtures, run as tests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rhai::Scope as Variables;
use rhai::{Array, CallFnOptions, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext};
use serde_json::Value;

use super::arguments::Arguments;
use super::catalogue::Fixture;
use super::draft::Draft;
use super::engine::{self, raise};
use super::error::{Error, Location, Result};
use super::function::{Example, Function, Kind};
use super::limits::{Limits, Meter};
use super::node::{Node, json};
use super::runner::{Call, Runner, Subject, skip_reason};
use super::unit::{Space, Unit};
use super::{translate, value};
use crate::yaml::Stream;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Passed,
    /// Otherwise.
    Failed,
}

/// One test that ran.
#[derive(Debug, Clone)]
pub struct TestReport {
    /// `set-replicas example 1`, `set-replicas test_negative`, `set-replicas fixture web`.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed; empty when it passed.
    pub message: String,
    /// Where it stands or failed.
    pub location: Option<Location>,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// Runs the examples and the `test_…` functions of a function.
///
/// An example passes when its last expression is `true`, a test function when it returns.
pub fn run_tests(function: &Arc<Function>) -> Vec<TestReport> {
    let mut reports = Vec::new();
    for (index, example) in function.examples.iter().enumerate() {
        let name = format!("{} example {}", function.name, index + 1);
        reports.push(report(function, name, || run_example(function, example)));
    }
    for test in &function.tests {
        let name = format!("{} {test}", function.name);
        reports.push(report(function, name, || run_test(function, test)));
    }
    reports
}

/// Runs fixtures: the function called on `in.yaml` must give `want.yaml`, byte for byte.
pub fn run_fixtures(function: &Arc<Function>, fixtures: &[Fixture]) -> Vec<TestReport> {
    let run = |fixture: &Fixture| {
        let got = output_of(function, fixture)?;
        fixture
            .want
            .as_ref()
            .map_or(Ok(()), |want| compare(&got, want))
    };
    fixtures
        .iter()
        .map(|fixture| {
            let name = format!("{} fixture {}", function.name, fixture.name);
            report(function, name, || run(fixture))
        })
        .collect()
}

/// What the function makes of a fixture's `in.yaml`: the text for `want.yaml`. Answers and findings
/// are one YAML list.
///
/// # Errors
/// When an argument is wrong, or the function fails or skips.
pub fn fixture_output(function: &Arc<Function>, fixture: &Fixture) -> Result<String> {
    engine::on_large_stack(|| output_of(function, fixture))
}

fn output_of(function: &Function, fixture: &Fixture) -> Result<String> {
    let named = match &fixture.arguments {
        None => serde_json::Map::new(),
        Some(text) => {
            let stream = Stream::parse(text)
                .map_err(|error| Error::script(format!("args.yaml: {error}")))?;
            let root = stream.view().document(0);
            match root.map(|document| document.to_value()) {
                Some(Value::Object(named)) => named,
                _ => serde_json::Map::new(),
            }
        }
    };
    let arguments = Arguments::resolve(function, Vec::new(), named)?;
    let call = call_on(function, &arguments, &fixture.input)?;
    let got = outcome(function, &call)?;
    if got.is_string() {
        return Ok(got.into_string().unwrap_or_default());
    }
    let value = json("fixture", &got)?;
    Ok(serde_saphyr::to_string(&value).unwrap_or_default())
}

/// The reports as a `JUnit` file, which most build servers read.
pub fn junit(reports: &[TestReport]) -> String {
    let failed = reports
        .iter()
        .filter(|report| report.outcome == Outcome::Failed)
        .count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuite name=\"windlass function test\" tests=\"{}\" failures=\"{failed}\">\n",
        reports.len()
    );
    for report in reports {
        let (class, name) = report.name.split_once(' ').unwrap_or(("", &report.name));
        let (seconds, micros) = (report.micros / 1_000_000, report.micros % 1_000_000);
        let (class, name) = (escape(class), escape(name));
        xml.extend([
            "  <testcase classname=\"",
            &class,
            "\" name=\"",
            &name,
            "\"",
        ]);
        xml.extend([" time=\"", &format!("{seconds}.{micros:06}"), "\""]);
        if report.outcome == Outcome::Passed {
            xml.push_str("/>\n");
            continue;
        }
        let place = report
            .location
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let first = escape(report.message.lines().next().unwrap_or_default());
        let whole = escape(&format!("{place}\n{}", report.message));
        xml.extend([
            ">\n    <failure message=\"",
            &first,
            "\">",
            &whole,
            "</failure>\n",
        ]);
        xml.push_str("  </testcase>\n");
    }
    xml.push_str("</testsuite>\n");
    xml
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no other control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// What the message of a call that skipped begins with.
const SKIPPED: &str = "skipped: ";

/// Why a call had nothing to act on, where that is what its error says.
pub fn skipped_because(error: &Error) -> Option<String> {
    let message = error.message();
    message.strip_prefix(SKIPPED).map(str::to_owned)
}

thread_local! {
    /// The function whose tests run on this thread, for `run_on`.
    static UNDER_TEST: RefCell<Option<Arc<Function>>> = const { RefCell::new(None) };
    /// The draft that a test made last, to explain what it was found to lack.
    static DRAFTED: RefCell<Option<Arc<Draft>>> = const { RefCell::new(None) };
}

fn report(
    function: &Arc<Function>,
    name: String,
    run: impl FnOnce() -> Result<()> + Send,
) -> TestReport {
    let started = Instant::now();
    let result = engine::on_large_stack(|| {
        UNDER_TEST.set(Some(Arc::clone(function)));
        let result = run();
        UNDER_TEST.set(None);
        DRAFTED.set(None);
        result
    });
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    match result {
        Ok(()) => TestReport {
            name,
            outcome: Outcome::Passed,
            message: String::new(),
            location: None,
            micros,
        },
        Err(error) => TestReport {
            name,
            outcome: Outcome::Failed,
            message: std::iter::once(error.message())
                .chain(error.hints().iter().cloned())
                .collect::<Vec<_>>()
                .join("\n"),
            location: error.location().cloned(),
            micros,
        },
    }
}

fn run_example(function: &Function, example: &Example) -> Result<()> {
    let engine = engine::test_engine();
    // Padded so that a place in the example is its place in the file.
    let mut code = "\n".repeat(example.line.saturating_sub(1));
    for line in example.code.lines() {
        code.push_str("    ");
        code.push_str(line);
        code.push('\n');
    }
    let mut parsed = engine
        .compile(&code)
        .map_err(|error| translate::parse_error(&error, &function.path, &function.source))?;
    parsed.set_source(function.path.as_str());
    let whole = function.ast.merge(&parsed);
    let _meter = Meter::start(Limits::FUNCTION);
    let here = || Location {
        file: function.path.clone(),
        line: example.line,
        column: 1,
        end: 2,
    };
    match engine.eval_ast::<Dynamic>(&whole) {
        Ok(last) if last.as_bool() == Ok(true) => Ok(()),
        Ok(last) => Err(Error::script(format!(
            "expected the example's last expression to be true, found {last}"
        ))
        .at(here(), None)),
        Err(error) => Err(run_error(function, &error)),
    }
}

fn run_test(function: &Function, test: &str) -> Result<()> {
    let _meter = Meter::start(Limits::FUNCTION);
    let options = CallFnOptions::new().eval_ast(function.needs_globals);
    let mut variables = Variables::new();
    let result = engine::test_engine().call_fn_with_options::<Dynamic>(
        options,
        &mut variables,
        &function.ast,
        test,
        (),
    );
    match result {
        Ok(last) if last.as_bool() == Ok(false) => {
            Err(Error::script(format!("`{test}` returned false")))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(run_error(function, &error)),
    }
}

fn run_error(function: &Function, error: &EvalAltResult) -> Error {
    if let Some(reason) = skip_reason(error) {
        return Error::script(format!("skipped: {reason}"));
    }
    let draft = DRAFTED.with_borrow(Clone::clone);
    translate::run_error(function, error, draft.as_ref())
}

type Raised<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Makes the test tools known to an engine.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("resource", |yaml: &str| resource(yaml).map_err(raise))
        .register_fn("unit", |yaml: &str| unit(yaml, &Map::new()).map_err(raise))
        .register_fn("unit", |yaml: &str, seen: Map| {
            unit(yaml, &seen).map_err(raise)
        })
        .register_fn("assert_yaml", |got: Dynamic, want: &str| {
            let got = match got.read_lock::<Node>().map(|node| node.clone()) {
                Some(node) => node.draft().to_stream().map_err(raise)?.text().to_owned(),
                None => got.to_string(),
            };
            compare(&got, want).map_err(raise)
        })
        .register_fn("assert", |holds: bool| {
            assert(holds, "the condition does not hold")
        })
        .register_fn("assert", |holds: bool, message: &str| {
            assert(holds, message)
        })
        .register_fn("assert_eq", |left: Dynamic, right: Dynamic| {
            assert_eq(&left, &right)
        })
        .register_fn(
            "assert_error",
            |context: NativeCallContext<'_>, code: FnPtr, text: &str| {
                assert_error(&context, &code, text)
            },
        );
    engine
        .register_fn("run_on", |yaml: &str| run_on(yaml, vec![]))
        .register_fn("run_on", |yaml: &str, a: Dynamic| run_on(yaml, vec![a]))
        .register_fn("run_on", |yaml: &str, a: Dynamic, b: Dynamic| {
            run_on(yaml, vec![a, b])
        })
        .register_fn(
            "run_on",
            |yaml: &str, a: Dynamic, b: Dynamic, c: Dynamic| run_on(yaml, vec![a, b, c]),
        )
        .register_fn(
            "run_on",
            |yaml: &str, a: Dynamic, b: Dynamic, c: Dynamic, d: Dynamic| {
                run_on(yaml, vec![a, b, c, d])
            },
        )
        .register_fn(
            "run_on",
            |yaml: &str, a: Dynamic, b: Dynamic, c: Dynamic, d: Dynamic, e: Dynamic| {
                run_on(yaml, vec![a, b, c, d, e])
            },
        );
}

fn assert(holds: bool, message: &str) -> Raised<()> {
    if holds { Ok(()) } else { Err(message.into()) }
}

fn assert_eq(left: &Dynamic, right: &Dynamic) -> Raised<()> {
    let values = [left, right].map(|side| json("assert_eq", side));
    match values {
        [Ok(left), Ok(right)] if value::same(&left, &right) => Ok(()),
        [Ok(left), Ok(right)] => Err(format!("expected {right}, found {left}").into()),
        [Err(error), _] | [_, Err(error)] => Err(raise(error)),
    }
}

fn assert_error(context: &NativeCallContext<'_>, code: &FnPtr, text: &str) -> Raised<()> {
    let Err(error) = code.call_within_context::<Dynamic>(context, ()) else {
        return Err(format!("expected an error with `{text}`, but there was none").into());
    };
    let message = match skip_reason(&error) {
        Some(reason) => format!("skipped: {reason}"),
        None => translate::script_error("", &Arc::from(""), &error).message(),
    };
    if message.contains(text) {
        return Ok(());
    }
    Err(format!("expected an error with `{text}`, found `{message}`").into())
}

fn resource(yaml: &str) -> Result<Node> {
    let stream = Stream::parse(yaml)?;
    if stream.view().document_count() == 0 {
        return Err(Error::script("the text holds no document"));
    }
    let draft = Arc::new(Draft::new(stream, true));
    DRAFTED.set(Some(Arc::clone(&draft)));
    Ok(Node::root(&draft, 0))
}

/// A unit; `seen` may give `slug`, `labels`, `space` and `space_labels`.
fn unit(yaml: &str, seen: &Map) -> Result<Unit> {
    let text = |key: &str| {
        seen.get(key)
            .map_or_else(|| "test".to_owned(), ToString::to_string)
    };
    let labels = |key: &str| {
        let map = seen.get(key).and_then(Dynamic::read_lock::<Map>);
        let labels = map.iter().flat_map(|map| map.iter());
        Arc::new(
            labels
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect(),
        )
    };
    Ok(Unit {
        draft: Arc::new(Draft::new(Stream::parse(yaml)?, true)),
        slug: text("slug").into(),
        labels: labels("labels"),
        revision: 1,
        space: Space {
            slug: text("space").into(),
            labels: labels("space_labels"),
        },
    })
}

/// Calls the function under test through its arguments, as a user would.
fn run_on(yaml: &str, mut given: Vec<Dynamic>) -> Raised<Dynamic> {
    let Some(function) = UNDER_TEST.with_borrow(Clone::clone) else {
        return Err("`run_on` works in the tests of a function".into());
    };
    let named = match given.pop() {
        Some(last) if last.is_map() => last,
        Some(last) => {
            given.push(last);
            Dynamic::from_map(Map::new())
        }
        None => Dynamic::from_map(Map::new()),
    };
    let run = || {
        let positional = given
            .iter()
            .map(|value| json("run_on", value))
            .collect::<Result<_>>()?;
        let Value::Object(named) = json("run_on", &named)? else {
            return Err(Error::script("named arguments are a map"));
        };
        let arguments = Arguments::resolve(&function, positional, named)?;
        let call = call_on(&function, &arguments, yaml)?;
        outcome(&function, &call)
    };
    run().map_err(raise)
}

fn call_on(function: &Function, arguments: &Arguments, yaml: &str) -> Result<Call> {
    let stream = Stream::parse(yaml)?;
    let labels = BTreeMap::new();
    let subject = Subject {
        stream: &stream,
        slug: "test",
        labels: &labels,
        space_slug: "test",
        space_labels: &labels,
        revision: 1,
    };
    Runner::new().call(function, arguments, &subject)
}

/// Text, values or findings, as the kind of the function has it.
fn outcome(function: &Function, call: &Call) -> Result<Dynamic> {
    if let Some(reason) = &call.skipped {
        return Err(Error::script(format!("{SKIPPED}{reason}")));
    }
    Ok(match function.kind {
        Kind::Mutate => call.stream.text().into(),
        Kind::Query => {
            let values: Array = call
                .rows
                .iter()
                .map(|row| value::from_json(&row.value))
                .collect();
            Dynamic::from_array(values)
        }
        Kind::Validate => {
            let findings = call.findings.iter().map(|finding| {
                let mut map = Map::new();
                map.insert("path".into(), finding.path.to_string().into());
                map.insert("message".into(), finding.message.as_str().into());
                Dynamic::from_map(map)
            });
            Dynamic::from_array(findings.collect())
        }
    })
}

/// Two texts, with a line diff when they differ.
fn compare(got: &str, want: &str) -> Result<()> {
    if got == want {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(want, got);
    let lines: Vec<String> = diff
        .unified_diff()
        .context_radius(2)
        .header("want", "got")
        .to_string()
        .lines()
        .map(str::to_owned)
        .collect();
    Err(Error::script("the text differs").hint(lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests_of(text: &str) -> Vec<TestReport> {
        let function = Function::read("scale", "functions/scale.rhai", "project", text).unwrap();
        run_tests(&Arc::new(function))
    }

    #[test]
    fn examples_and_tests_pass_or_fail_with_their_place() {
        let reports = tests_of(
            r#"
/// Scales.
///
/// ```
/// let r = resource("kind: Deployment\nspec: {replicas: 1}\n");
/// scale(r, 2);
/// r.spec.replicas == 2
/// ```
///
/// ```
/// let r = resource("kind: Deployment\n");
/// r.spec.replicas == 1
/// ```
fn scale(resource, replicas) {
    resource.set("spec.replicas", replicas);
}

fn test_good() {
    assert_yaml(run_on("kind: Deployment\nspec:\n  replicas: 1 # c\n", 3),
        "kind: Deployment\nspec:\n  replicas: 3 # c\n");
    assert_error(|| throw "no such thing", "such");
}

fn test_bad() {
    assert_yaml(run_on("a: 1\n", 3), "a: 1\n");
}
"#,
        );
        let outcomes: Vec<(&str, Outcome)> = reports
            .iter()
            .map(|report| (report.name.as_str(), report.outcome))
            .collect();
        assert_eq!(
            outcomes,
            [
                ("scale example 1", Outcome::Passed),
                ("scale example 2", Outcome::Failed),
                ("scale test_good", Outcome::Passed),
                ("scale test_bad", Outcome::Failed),
            ],
            "{reports:#?}"
        );
        assert_eq!(
            reports[1].location.as_ref().map(|place| place.line),
            Some(12)
        );
        assert!(
            reports[3].message.contains("+spec:"),
            "{}",
            reports[3].message
        );
    }

    #[test]
    fn junit_escapes_what_xml_does_not_take() {
        let report = TestReport {
            name: "scale test_bad".into(),
            outcome: Outcome::Failed,
            message: "expected <a> & \"b\"\u{1}".into(),
            location: None,
            micros: 1_500_000,
        };
        let xml = junit(&[report]);
        assert!(
            xml.contains("expected &lt;a&gt; &amp; &quot;b&quot;\u{fffd}"),
            "{xml}"
        );
        assert!(xml.contains("tests=\"1\" failures=\"1\"") && xml.contains("time=\"1.500000\""));
    }
}
