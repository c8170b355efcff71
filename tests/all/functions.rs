//! Every function of the standard library, by its examples and tests.

use std::sync::Arc;

use windlass::script::{Catalogue, Folder, Function, Outcome, Stdlib, run_tests};

fn stdlib() -> Vec<Arc<Function>> {
    let (catalogue, problems) = Catalogue::load(&[&Stdlib], &|_| false);
    assert!(problems.is_empty(), "{problems:#?}");
    let problems = catalogue.problems();
    assert!(problems.is_empty(), "{problems:#?}");
    catalogue.list()
}

#[test]
fn every_example_and_test_of_the_standard_library_passes() {
    let mut failures = Vec::new();
    for function in stdlib() {
        for report in run_tests(&function) {
            if report.outcome == Outcome::Failed {
                let place = report
                    .location
                    .map(|place| place.to_string())
                    .unwrap_or_default();
                failures.push(format!("{} {place}\n{}", report.name, report.message));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_function_is_documented_and_has_an_example() {
    for function in stdlib() {
        let name = &function.name;
        assert!(!function.examples.is_empty(), "{name} has no example");
        assert!(!function.summary.is_empty(), "{name} has no summary");
        assert!(
            function.summary.ends_with('.'),
            "{name}: the summary is no sentence"
        );
        assert!(
            function.doc.contains("# Errors"),
            "{name} does not say when it fails"
        );
        assert_ne!(function.theme, "Other", "{name} has no theme");
        for param in &function.params {
            assert!(
                !param.about.is_empty(),
                "{name}: parameter {} has no about",
                param.name
            );
        }
        assert!(
            function.source.lines().count() <= 120,
            "{name} is longer than 120 lines"
        );
    }
}

/// The files of `tests/rhai`: functions whose tests show what scripts can rely on.
#[test]
fn the_language_of_functions_is_as_its_tests_say() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rhai");
    let (catalogue, problems) = Catalogue::load(&[&Folder::new(folder, "tests/rhai")], &|_| false);
    assert!(
        problems.is_empty() && catalogue.problems().is_empty(),
        "{:#?}",
        catalogue.problems()
    );
    let mut ran = 0;
    let mut failures = Vec::new();
    for function in catalogue.list() {
        for report in run_tests(&function) {
            ran += 1;
            if report.outcome == Outcome::Failed {
                let place = report
                    .location
                    .map(|place| place.to_string())
                    .unwrap_or_default();
                failures.push(format!("{} {place}\n{}", report.name, report.message));
            }
        }
    }
    assert!(ran > 5, "only {ran} tests ran");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
