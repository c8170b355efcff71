//! What a function's author gets to read when the code is wrong.

use super::hostile::call;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout-api
spec:
  template:
    spec:
      containers:
      - name: api
      serviceAccountName: x
      volumes: []
";

/// Code, what is said, its place as line, column and end, and a hint.
type Mistake = (
    &'static str,
    &'static str,
    (usize, usize, usize),
    &'static str,
);

const MISTAKES: [Mistake; 17] = [
    (
        "for c in resource.spec.template.spec.contaners { c.image = \"a\"; }",
        "`contaners` does not exist in Deployment/checkout-api",
        (2, 38, 47),
        "nearest    containers",
    ),
    (
        "for c in resource.spec.template.spec.contaners { c.image = \"a\"; }",
        "`contaners` does not exist",
        (2, 38, 47),
        "for c in (resource.spec.template.spec.contaners ?? [])",
    ),
    (
        "for c in resource.spec.template.spec.contaners { c.image = \"a\"; }",
        "`contaners` does not exist",
        (2, 38, 47),
        "there is   containers, serviceAccountName, volumes   (spec.template.spec, line ",
    ),
    (
        "resource.metadata.annotations.team = \"x\";",
        "`annotations` does not exist in Deployment/checkout-api",
        (2, 19, 30),
        "resource.set(\"metadata.annotations.team\", \"x\");",
    ),
    (
        "let x = resource.spec.selector.matchLabels;",
        "`selector` does not exist",
        (2, 23, 31),
        "?.matchLabels",
    ),
    (
        "resource.spec.template.spec.tolerations.push(#{});",
        "`tolerations` does not exist",
        (2, 29, 40),
        "resource.ensure(",
    ),
    (
        "let m = #{ a: 1 }; for (k, v) in m { print(k); }",
        "a loop needs a list",
        (2, 34, 35),
        "map.keys()",
    ),
    (
        "for k in resource.spec { print(k); }",
        "found the map `spec`",
        (2, 19, 23),
        "map.keys()",
    ),
    (
        "resource.metadata.sett(\"a\", 1);",
        "no function `sett` for a node and a string and an integer",
        (2, 19, 23),
        "nearest    set",
    ),
    ("throw \"no good\";", "no good", (2, 1, 6), ""),
    ("1 / 0", "division by zero", (2, 3, 4), ""),
    ("let a = [1]; a[3]", "array", (2, 16, 17), ""),
    ("resource.set(\"spec..x\", 1);", "path", (2, 10, 13), ""),
    (
        "resource.spec.x = blob(1, 1);",
        "a value for YAML, found a blob",
        (2, 15, 16),
        "",
    ),
    (
        "helper(resource)",
        "`nothing` does not exist",
        (1, 38, 45),
        "resource[\"nothing\"]",
    ),
    (
        "let f = || missing_fn(); f.call()",
        "no function `missing_fn`",
        (2, 12, 22),
        "",
    ),
    (
        "resource.spec.replicas = \"3\" + ();  throw 1;",
        "1",
        (2, 37, 42),
        "",
    ),
];

#[test]
fn mistakes_are_explained_where_they_are() {
    let mut wrong = Vec::new();
    for (code, message, (line, column, end), hint) in MISTAKES {
        let text = format!(
            "private fn helper(resource) {{ resource.nothing.below }} fn it(resource) {{\n{code}\n}}"
        );
        let Err(error) = call(&text, WEB) else {
            wrong.push(format!("{code}\n  went well"));
            continue;
        };
        let place = error.location().unwrap();
        let found = (place.line, place.column, place.end);
        let hinted = hint.is_empty() || error.hints().iter().any(|h| h.contains(hint));
        let place_fits = hint.contains("[\"nothing\"]") || found == (line, column, end);
        if !error.message().contains(message) || !place_fits || !hinted && !hint.contains("[\"n") {
            wrong.push(format!(
                "{code}\n  {found:?} {} {:?}",
                error.message(),
                error.hints()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_error_discards_all_edits_and_a_skip_those_of_its_resource() {
    let unit = format!("{WEB}---\nkind: Service\nmetadata: {{name: web}}\n");
    let code =
        "fn it(resource) { resource.set(\"spec.x\", 1); if resource.kind == \"Service\" { ACT } }";
    assert!(call(&code.replace("ACT", "throw \"no\";"), &unit).is_err());

    let done = call(&code.replace("ACT", "skip(\"a service\");"), &unit).unwrap();
    assert_eq!((done.acted, done.edits.len(), done.skipped), (1, 1, None));
    assert!(
        done.stream
            .text()
            .ends_with("---\nkind: Service\nmetadata: {name: web}\n")
    );

    let none = call(
        "fn it(resource) { resource.x = 1; skip(\"no use\"); }",
        &unit,
    )
    .unwrap();
    assert_eq!(none.skipped.as_deref(), Some("no use"));
    assert_eq!(none.stream.text(), unit);
}

#[test]
fn a_function_that_only_reads_cannot_write() {
    for kind in ["query", "validate"] {
        let text = format!(
            "export const META = #{{ kind: \"{kind}\" }};\nfn it(resource) {{ resource.x = 1; }}"
        );
        let error = call(&text, WEB).unwrap_err();
        assert!(
            error
                .message()
                .contains("expects a function of kind mutate"),
            "{error}"
        );
    }
}

#[test]
fn set_owns_its_path_even_where_the_value_is_equal_and_an_assignment_does_not() {
    let same = "fn it(resource) { resource.set(\"metadata.name\", \"checkout-api\"); }";
    let done = call(same, WEB).unwrap();
    assert!(done.edits.is_empty());
    assert_eq!(done.owned.len(), 1);
    assert_eq!(done.owned[0].0.to_string(), "Deployment/checkout-api");
    assert_eq!(done.owned[0].1.to_string(), "metadata.name");

    let done = call(
        "fn it(resource) { resource.metadata.name = \"checkout-api\"; }",
        WEB,
    )
    .unwrap();
    assert!(done.edits.is_empty() && done.owned.is_empty());

    let image = "fn it(resource) { for c in resource.containers() { c.set(\"image\", \"a\"); } }";
    let done = call(image, WEB).unwrap();
    let path = "spec.template.spec.containers.?name=api.image";
    assert_eq!(
        (done.owned[0].1.to_string(), done.edits[0].path.to_string()),
        (path.into(), path.into())
    );
}

#[test]
fn results_have_the_shape_of_their_kind() {
    let query = "export const META = #{ kind: \"query\" };\nfn it(resource) { resource.metadata }";
    let done = call(query, WEB).unwrap();
    assert_eq!(done.rows.len(), 1);
    assert_eq!(
        done.rows[0].value.to_string(),
        "{\"name\":\"checkout-api\"}"
    );

    let bad = "export const META = #{ kind: \"validate\" };\nfn it(resource) { true }";
    assert!(
        call(bad, WEB)
            .unwrap_err()
            .message()
            .contains("found a boolean")
    );

    let good = "export const META = #{ kind: \"validate\" };
        fn it(resource) { print(`at ${resource.name}`); [#{ path: \"spec\", message: \"no\" }] }";
    let done = call(good, WEB).unwrap();
    assert_eq!(done.findings[0].path.to_string(), "spec");
    assert_eq!(done.printed, ["at checkout-api"]);
}
