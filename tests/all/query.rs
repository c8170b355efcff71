//! The WHERE language: tables of cases under `tests/query/`, laws, limits, hostile input.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path as File;

use proptest::prelude::*;
use windlass::path::Path;
use windlass::query::{
    Collection, Error, Field, FieldRef, Literal, Owner, Query, Record, Truth, Type, Value, Values,
    parse, parse_with, plan,
};
use windlass::yaml::{Kind, NodeRef, Scalar, Stream};

/// A unit as a case file describes it.
#[derive(Debug)]
struct Unit {
    plain: BTreeMap<String, serde_json::Value>,
    maps: BTreeMap<String, BTreeMap<String, String>>,
    sets: BTreeMap<String, BTreeSet<String>>,
    data: Stream,
    count: usize,
}

impl Unit {
    fn new(attributes: &str, data: &str) -> Self {
        let mut unit = Self {
            plain: BTreeMap::new(),
            maps: BTreeMap::new(),
            sets: BTreeMap::new(),
            data: Stream::parse(data).expect("data of a record"),
            count: 0,
        };
        unit.count = unit.data.view().document_count();
        let attributes: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(attributes).expect("attributes of a record");
        for (name, value) in attributes {
            match value {
                serde_json::Value::Object(_) => {
                    let map = serde_json::from_value(value).expect("a map of texts");
                    unit.maps.insert(name, map);
                }
                serde_json::Value::Array(_) => {
                    let set = serde_json::from_value(value).expect("a set of texts");
                    unit.sets.insert(name, set);
                }
                value => {
                    unit.plain.insert(name, value);
                }
            }
        }
        unit
    }
}

struct Node<'a>(NodeRef<'a>);

impl Collection for Node<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn has(&self, member: &str) -> bool {
        match self.0.kind() {
            Kind::Map => self.0.get(member).is_some(),
            _ => self
                .0
                .items()
                .any(|item| item.scalar() == Some(Scalar::Str(member))),
        }
    }
}

impl Record for Unit {
    fn field(&self, field: &FieldRef) -> Value<'_> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        let row = Field::of(field.attribute);
        let name = match field.owner {
            Owner::Unit => row.name.to_owned(),
            owner => format!("{}.{}", owner.name(), row.name),
        };
        if let Some(key) = &field.key {
            let value = self.maps.get(&name).and_then(|map| map.get(&**key));
            return value.map(String::as_str).into();
        }
        match row.kind {
            Type::Map => match self.maps.get(&name) {
                Some(map) => Value::Collection(map),
                None => Value::Collection(&NONE),
            },
            Type::Set => Value::Collection(self.sets.get(&name).unwrap_or(&NONE)),
            kind => match self.plain.get(&name) {
                None => Value::Null,
                Some(serde_json::Value::String(text)) if kind == Type::Time => {
                    Value::Time(text.parse().expect("a time"))
                }
                Some(serde_json::Value::String(text)) => text.as_str().into(),
                Some(serde_json::Value::Bool(value)) => Value::Bool(*value),
                Some(number) => Value::Int(number.as_i64().expect("a whole number")),
            },
        }
    }

    fn resource_count(&self) -> usize {
        self.count
    }

    fn visit(&self, resource: usize, path: &Path, f: &mut dyn FnMut(Value<'_>)) {
        let Some(root) = self.data.view().document(resource) else {
            return;
        };
        root.select(path, &mut |node| match node.scalar() {
            None => f(Value::Collection(&Node(node))),
            Some(Scalar::Null) => f(Value::Null),
            Some(Scalar::Bool(value)) => f(Value::Bool(value)),
            Some(Scalar::Int(number)) => f(Value::Int(number)),
            Some(Scalar::UInt(number)) => f(Value::UInt(number)),
            Some(Scalar::Float(number)) => f(Value::Float(number)),
            Some(Scalar::Str(text)) => f(text.into()),
        });
    }

    fn text(&self) -> Cow<'_, str> {
        self.data.text().into()
    }
}

struct Cases {
    records: BTreeMap<String, Unit>,
    /// Line, clause, what is asked, what is expected.
    rows: Vec<(usize, String, String, String)>,
}

fn read_cases(file: &File) -> Cases {
    let text = fs::read_to_string(file).expect("a case file");
    let (head, body) = text
        .split_once("\ncases\n")
        .unwrap_or_else(|| ("", text.strip_prefix("cases\n").expect("a line `cases`")));
    let mut records = BTreeMap::new();
    for record in format!("\n{head}").split("\nrecord ").skip(1) {
        let (name, rest) = record.split_once('\n').expect("attributes");
        let (attributes, data) = rest.split_once("\n---").expect("a line `---`");
        let data = data.strip_prefix('\n').unwrap_or(data);
        records.insert(name.to_owned(), Unit::new(attributes, data));
    }
    let before = text.len() - body.len();
    let first = text[..before].lines().count() + 1;
    let mut rows = Vec::new();
    for (at, line) in body.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = line.splitn(3, " | ");
        let mut part = || parts.next().expect("three parts").to_owned();
        rows.push((first + at, part(), part(), part()));
    }
    Cases { records, rows }
}

#[test]
fn cases() {
    let folder = File::new(env!("CARGO_MANIFEST_DIR")).join("tests/query");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("tests/query")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in &files {
        let Cases { records, rows } = read_cases(file);
        for (line, clause, asked, expected) in rows {
            count += 1;
            let found = match (parse(&clause), asked.as_str()) {
                (Err(error), _) => error.to_string(),
                (Ok(query), "error" | "shown") => query.to_string(),
                (Ok(query), name) => {
                    let truth = query.truth(&records[name]);
                    assert_eq!(query.matches(&records[name]), truth == Truth::True);
                    format!("{truth:?}").to_lowercase()
                }
            };
            if found != expected {
                let file = file.file_name().expect("a name").to_string_lossy();
                wrong.push(format!(
                    "{file}:{line}: {clause}\n  expected {expected}\n  found    {found}"
                ));
            }
        }
    }
    assert!(count > 200, "only {count} cases were found");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_clause_of_the_cases_reads_back_as_it_is_shown() {
    let folder = File::new(env!("CARGO_MANIFEST_DIR")).join("tests/query");
    let cases = read_cases(&folder.join("fleet.txt"));
    for (line, clause, _, _) in cases.rows {
        let Ok(query) = parse(&clause) else { continue };
        assert_eq!(
            parse(&query.to_string()).as_ref(),
            Ok(&query),
            "line {line}"
        );
        assert!(!plan(&query).explain.is_empty());
    }
}

#[test]
fn bound_values() {
    let unit = Unit::new(r#"{"Slug": "it's", "HeadRevisionNum": 3}"#, "");
    let mut values = Values::new();
    values.insert("slug".to_owned(), "it's".into());
    values.insert("n".to_owned(), Literal::Int(2));
    values.insert(
        "many".to_owned(),
        Literal::List(vec![Literal::Int(1), Literal::Int(3)]),
    );
    values.insert("nan".to_owned(), Literal::Float(f64::NAN));
    let matches = |clause| {
        parse_with(clause, &values)
            .expect("a clause")
            .matches(&unit)
    };
    assert!(matches(
        "Slug = $slug AND HeadRevisionNum > $n AND HeadRevisionNum IN $many"
    ));
    assert!(matches("Slug LIKE $slug AND Slug CONTAINS $slug LIMIT $n"));
    assert!(!matches("HeadRevisionNum NOT IN $many"));
    for (clause, message) in [
        (
            "Slug = $slgu",
            "column 8: expected a value bound for `$slgu`, found none; did you mean `$slug`?",
        ),
        (
            "Slug IN $slug",
            "column 9: expected a list bound, or values in `(` `)`, found `$slug`",
        ),
        (
            "HeadRevisionNum = $nan",
            "column 19: expected a finite number bound, found `$nan`",
        ),
        (
            "Slug LIKE $n",
            "column 11: expected a pattern in quotes, found `$n`",
        ),
        (
            "HeadRevisionNum = $slug",
            "column 19: expected a number to compare `HeadRevisionNum` with, found 'it''s'",
        ),
    ] {
        let error = parse_with(clause, &values).expect_err(clause);
        assert_eq!(error.to_string(), message);
    }
    // An injected clause stays a text.
    values.insert("slug".to_owned(), "x' OR Slug != '".into());
    let query = parse_with("Slug = $slug", &values).expect("a clause");
    assert!(!query.matches(&unit));
    assert_eq!(query.to_string(), "Slug = 'x'' OR Slug != '''");
}

#[test]
fn rows_are_sorted_by_number_and_missing_values_come_last() {
    let unit = |order: Option<&str>| {
        let labels = order.map_or_else(String::new, |order| format!(r#""order": "{order}""#));
        Unit::new(&format!(r#"{{"Labels": {{ {labels} }} }}"#), "")
    };
    let units: Vec<(Option<&str>, Unit)> = [Some("10"), None, Some("9"), Some("x")]
        .into_iter()
        .map(|order| (order, unit(order)))
        .collect();
    let sorted = |clause: &str| {
        let query = parse(clause).expect("a clause");
        let mut rows: Vec<_> = units
            .iter()
            .map(|(name, unit)| (query.sort_key(unit), *name))
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(
        sorted("ORDER BY Labels.order"),
        [Some("9"), Some("10"), Some("x"), None]
    );
    assert_eq!(
        sorted("ORDER BY Labels.order DESC"),
        [Some("x"), Some("10"), Some("9"), None]
    );
}

#[test]
fn sorting_reads_the_resource_that_matched() {
    let data = "kind: A\nspec: {replicas: 5}\n---\nkind: B\nspec: {replicas: 1}\n";
    let five = Unit::new("{}", data);
    let two = Unit::new("{}", "kind: B\nspec: {replicas: 2}\n");
    let query = parse("kind = 'B' ORDER BY replicas").expect("a clause");
    assert!(query.sort_key(&five) < query.sort_key(&two));
    assert_eq!(query.matching_resources(&five), [1]);
}

#[test]
fn both_clauses_hold_when_queries_are_joined() {
    let join = |a: &str, b: &str| {
        let (a, b) = (parse(a).expect("a clause"), parse(b).expect("a clause"));
        a.and(b).to_string()
    };
    assert_eq!(
        join("Slug = 'a' OR Slug = 'b'", "replicas > 1 LIMIT 2"),
        "(Slug = 'a' OR Slug = 'b') AND spec.replicas > 1 LIMIT 2"
    );
    assert_eq!(
        join("*", "Slug = 'a' ORDER BY Slug"),
        "Slug = 'a' ORDER BY Slug"
    );
    assert_eq!(join("*", ""), "*");
}

#[test]
fn hostile_clauses_are_refused_in_bounded_time_and_depth() {
    let deep = [
        "(".repeat(60_000),
        format!("{}Slug = 'a'", "NOT ".repeat(15_000)),
        "LEN(".repeat(15_000),
        format!("{}Slug = 'a'{}", "(".repeat(101), ")".repeat(101)),
    ];
    for clause in &deep {
        let error = parse(clause).expect_err("too deep");
        assert!(
            matches!(
                error,
                Error::TooMuch { limit: 100, .. } | Error::Unexpected { .. }
            ),
            "{error}"
        );
    }
    let fits = format!("{}Slug = 'a'{}", "(".repeat(100), ")".repeat(100));
    assert!(parse(&fits).is_ok());
    let wide = "Slug = 'a' OR ".repeat(4_000) + "Slug = 'b'";
    let query = parse(&wide).expect("a wide clause");
    assert_eq!(parse(&query.to_string()), Ok(query));
    assert!(matches!(
        parse(&"x".repeat(65_537)),
        Err(Error::TooMuch { limit: 65_536, .. })
    ));
    let patterns = "Slug ~ 'a' OR ".repeat(101) + "Slug = 'b'";
    assert!(matches!(
        parse(&patterns),
        Err(Error::TooMuch {
            what: "patterns",
            ..
        })
    ));
    assert!(matches!(
        parse(r"Slug ~ '(\w{100}){100}'"),
        Err(Error::Pattern { .. })
    ));
}

/// A clause whose truth for any unit is one of the three.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("Slug = 'a'".to_owned()),
        Just("Slug != 'a'".to_owned()),
        Just("Labels.t = 'x'".to_owned()),
        Just("Labels.t IS NULL".to_owned()),
        Just("replicas > 2".to_owned()),
        Just("replicas NOT IN (1, 2)".to_owned()),
        Just("spec.list.* < '5'".to_owned()),
        Just("spec.list.* !~ '^1'".to_owned()),
        Just("UpgradeNeeded = true".to_owned()),
        Just("spec.q BETWEEN '100m' AND 2".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("NOT ({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) AND ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) OR ({b})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("({a} OR {b}) AND {c}")),
        ]
    })
}

/// A unit with no or one resource, so that the laws of logic hold for it as a whole.
fn unit() -> impl Strategy<Value = Unit> {
    let slug = prop_oneof![Just(""), Just(r#""Slug": "a", "#), Just(r#""Slug": "b", "#)];
    let label = prop_oneof![Just(""), Just(r#""t": "x""#), Just(r#""t": "y""#)];
    let data = prop_oneof![
        Just(""),
        Just("kind: A\n"),
        Just("spec: {replicas: 1, q: 500m}\n"),
        Just("spec: {replicas: 3, list: [1, 7, x], q: 3}\n"),
        Just("spec: {replicas: x, list: [], q: null}\n"),
    ];
    (slug, label, data).prop_map(|(slug, label, data)| {
        Unit::new(&format!(r#"{{ {slug} "Labels": {{ {label} }} }}"#), data)
    })
}

fn read(clause: &str) -> Query {
    parse(clause).unwrap_or_else(|error| panic!("{clause}: {error}"))
}

#[test]
fn a_path_of_one_step_reads_back_on_the_right() {
    for text in [
        r"\e > \읎",
        r"spec.a = \kind",
        r"spec.a = e\kind",
        r"spec.a BETWEEN \b AND \c",
    ] {
        let query = parse(text).expect(text);
        assert_eq!(read(&query.to_string()), query, "{text}");
    }
}

proptest! {
    #[test]
    fn three_valued_laws(a in condition(), b in condition(), unit in unit()) {
        let truth = |clause: String| read(&clause).truth(&unit);
        let (x, y) = (truth(a.clone()), truth(b.clone()));
        prop_assert_eq!(truth(format!("NOT ({a})")), x.negated());
        prop_assert_eq!(truth(format!("NOT (NOT ({a}))")), x);
        prop_assert_eq!(truth(format!("({a}) AND ({b})")), x.and(y));
        prop_assert_eq!(truth(format!("({a}) OR ({b})")), x.or(y));
        prop_assert_eq!(
            truth(format!("NOT (({a}) AND ({b}))")),
            truth(format!("(NOT ({a})) OR (NOT ({b}))"))
        );
        prop_assert_eq!(
            truth(format!("NOT (({a}) OR ({b}))")),
            truth(format!("(NOT ({a})) AND (NOT ({b}))"))
        );
    }

    #[test]
    fn shown_clauses_read_back(a in condition(), limit in proptest::option::of(0_usize..9)) {
        let limit = limit.map_or_else(String::new, |n| format!(" LIMIT {n}"));
        let query = read(&format!("{a} ORDER BY Labels.a.b/c DESC, spec.x{limit}"));
        prop_assert_eq!(read(&query.to_string()), query);
    }

    #[test]
    fn shown_paths_and_texts_read_back(key in "\\PC{0,8}", text in "\\PC{0,12}") {
        let pointer: String = key.chars().filter(|c| c.is_alphanumeric() || "._-".contains(*c)).collect();
        let mut values = Values::new();
        values.insert("t".to_owned(), text.clone().into());
        let query = parse_with(&format!("/a/{pointer}/b = $t OR /{pointer} IS NULL"), &values);
        let query = query.expect("a pointer");
        prop_assert_eq!(read(&query.to_string()), query);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        if let Ok(query) = parse(&text) {
            prop_assert_eq!(read(&query.to_string()), query);
        }
    }

    #[test]
    fn no_tokens_panic(tokens in proptest::collection::vec(token(), 0..14)) {
        let unit = Unit::new("{}", "kind: A\nspec: {replicas: 1, list: [1, {a: b}]}\n");
        let clause = tokens.join(" ");
        if let Ok(query) = parse(&clause) {
            query.matches(&unit);
            query.sort_key(&unit);
            prop_assert_eq!(read(&query.to_string()), query);
        }
    }
}

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Slug",
        "Labels.a",
        "Labels",
        "SetID",
        "Data",
        "replicas",
        "spec.list.*",
        "spec.?a=b,c=d.x",
        "kind",
        "UpgradeNeeded",
        "CreatedAt",
        "UnitID",
        "Status",
        "Space.Slug",
        "LEN",
        "(",
        ")",
        ",",
        "AND",
        "OR",
        "NOT",
        "IN",
        "LIKE",
        "ILIKE",
        "BETWEEN",
        "IS",
        "NULL",
        "CONTAINS",
        "?",
        "=",
        "!=",
        "<",
        ">=",
        "~",
        "!~*",
        "!~~",
        "'a'",
        "\"1Gi\"",
        "'2026-01-01'",
        "'u1'",
        "'Ready'",
        "3",
        "-2.5",
        "true",
        "*",
        "ORDER",
        "BY",
        "DESC",
        "LIMIT",
        "EXPLAIN",
        "-- x",
        "\\e.x",
        "/a/b~1",
    ])
}

/// Figures for people, not a test of time: `cargo test --release -- --ignored query::speed`.
#[test]
#[ignore = "prints a measurement"]
fn speed() {
    let data =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  replicas: 3\n";
    let unit = Unit::new(r#"{"Slug": "a"}"#, data);
    for clause in [
        "spec.replicas > 2",
        "kind = 'Deployment' AND spec.replicas > '2'",
        "Slug = 'a'",
    ] {
        let query = read(clause);
        let started = std::time::Instant::now();
        let found = (0..100_000).filter(|_| query.matches(&unit)).count();
        assert_eq!(found, 100_000);
        println!("{clause}: {:?} a unit", started.elapsed() / 100_000);
    }
}
