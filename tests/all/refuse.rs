//! What a text may not hold, with the place of the problem; and what it may.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fmt::Write as _;

use windlass::yaml::{Error, MAX_DOCUMENT, Stream, Tree, TreeView};

fn refused(text: &str) -> (usize, usize, String) {
    let error = Stream::parse(text).expect_err(text);
    let (line, column) = error.position().unwrap();
    (line, column, error.to_string())
}

#[test]
fn each_refusal_says_where_and_why() {
    for (text, line, column, word) in [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "`a` again (first on line 1)"),
        ("a:\n\tb: 1\n", 2, 1, "found a tab"),
        ("a:\n  b: 1\n\tc: 1\n", 3, 1, "found a tab"),
        ("- a\n", 1, 1, "found a list"),
        ("--- text\n", 1, 5, "found a scalar"),
        ("a: 1\n---\n5\n", 3, 1, "found a scalar"),
        ("1: a\n", 1, 1, "a number, `1`"),
        ("a: {on: 1}\n", 1, 5, "a boolean, `on`"),
        ("~: a\n", 1, 1, "null"),
        ("[a]: b\n", 1, 1, "a map or list"),
        ("? a\n: b\n", 1, 3, "complex key"),
        ("a: {{ .Values.x }}\n", 1, 4, "template `{{ .Values.x }}`"),
        (
            "{{- if .x }}\na: 1\n{{ end }}\n",
            1,
            1,
            "quote it if the braces",
        ),
        ("a: !foo b\n", 1, 4, "expected a tag"),
        ("a: !!int x\n", 1, 4, "expected a tag"),
        ("a: *b\n", 1, 4, "anchor"),
        ("a: &a [*a]\n", 1, 8, "own anchor"),
        ("a: [1\n", 2, 1, ""),
        ("a: 1\n---\nb: 1\nb: 2\n", 4, 1, "first on line 3"),
    ] {
        let (at_line, at_column, message) = refused(text);
        assert_eq!((at_line, at_column), (line, column), "{text:?}: {message}");
        assert!(message.contains(word), "{text:?}: {message}");
    }
}

#[test]
fn bytes_that_are_not_text() {
    let error = Stream::parse_bytes(b"a: 1\nb: \xff\n").unwrap_err();
    assert_eq!(
        error,
        Error::Encoding {
            line: 2,
            column: 4,
            byte: 0xff
        }
    );
}

#[test]
fn limits_end_in_an_error() {
    let long = format!("a: {}\n", "x".repeat(MAX_DOCUMENT));
    assert!(matches!(
        Stream::parse(&long),
        Err(Error::Limit {
            limit: MAX_DOCUMENT,
            ..
        })
    ));
    let two = format!("a: {0}\n---\na: {0}\n", "x".repeat(MAX_DOCUMENT - 100));
    assert!(Stream::parse(&two).is_ok());
    for deep in [
        format!("a: {}", "[".repeat(20_000)),
        format!("a: {}", "{a: ".repeat(20_000)),
        (0..3000).fold(String::new(), |text, n| text + &" ".repeat(n) + "a:\n"),
    ] {
        let error = Stream::parse(&deep).unwrap_err();
        assert!(matches!(error, Error::Limit { .. }), "{error}");
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 9].join(", ");
        writeln!(bomb, "a{n}: &a{n} [{aliases}]").unwrap();
    }
    assert!(matches!(Stream::parse(&bomb), Err(Error::Limit { .. })));
}

#[test]
fn one_problem_for_each_bad_document() {
    let text = "a: 1\n---\nb: 1\nb: 2\n---\n- x\n---\nc: 1\n---\nd: {{ x }}\n";
    let places: Vec<_> = Stream::check(text)
        .iter()
        .filter_map(Error::position)
        .collect();
    assert_eq!(places, [(4, 1), (6, 1), (10, 4)]);
    assert!(Stream::check("a: 1\n").is_empty());
}

#[test]
fn what_is_allowed() {
    for text in [
        "",
        "# only\n",
        "---\n",
        "---\n# x\n---\n...\n",
        "\u{feff}a: 1\n",
        "a: \"{{ x }}\"\nb: |\n  {{ x }}\n",
    ] {
        Stream::parse(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    }
    let brackets = Stream::parse("é: [\n\"a\", # ü\n]\nb:\n  c: {\n  d: 1\n  }\n").unwrap();
    let root = brackets.view().document(0).unwrap();
    assert_eq!(
        root.to_value(),
        serde_json::json!({ "é": ["a"], "b": { "c": { "d": 1 } } })
    );
    assert_eq!(
        &brackets.text()[root.get("b").unwrap().span()],
        "c: {\n  d: 1\n  }"
    );
}

#[test]
fn a_block_scalar_cut_short_by_the_end_reads_as_in_libyaml() {
    for (text, wanted) in [
        ("a: |\n  x", "x"),
        ("a: |\n  x\n", "x\n"),
        ("a: |\n  x\n  ", "x\n"),
        ("a: |+\n  x\n\n", "x\n\n"),
        ("a: |", ""),
    ] {
        let stream = Stream::parse(text).unwrap();
        let value = stream.view().document(0).unwrap().to_value();
        assert_eq!(value, serde_json::json!({ "a": wanted }), "{text:?}");
    }
}

#[test]
fn broken_trees_are_errors() {
    let stream = Stream::parse("a: [1, {b: 1.5}]\nc: 99999999999\nd: text\n---\ne: 1\n").unwrap();
    let bytes = stream.tree().as_bytes().to_vec();
    assert_eq!(Tree::from_bytes(bytes.clone()).unwrap().as_bytes(), bytes);
    for length in 0..bytes.len() {
        assert!(TreeView::open(&bytes[..length]).is_err());
    }
    for at in 0..bytes.len() {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut broken = bytes.clone();
            broken[at] ^= flip;
            // Whatever opens can be read, and edited on the text, without a panic.
            if let Ok(tree) = Tree::from_bytes(broken) {
                let stored = Stream::from_stored(stream.text().to_owned(), tree);
                for root in stored.view().documents() {
                    let _value = root.to_value();
                    let _line = root.line();
                    let _comments = stored.comments(root);
                }
                let _lints = windlass::yaml::lint(&stored);
                let edit =
                    windlass::yaml::Edit::set(0, "a.0".parse().unwrap(), serde_json::json!(2));
                let _result = stored.apply(&[edit]);
            }
        }
    }
}
