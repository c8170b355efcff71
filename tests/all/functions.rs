//! Every function of the standard library, by its examples and tests.

use std::sync::Arc;

use windlass::script::{Catalogue, Function, Outcome, Stdlib, run_tests};

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
                let place = report.location.map(|place| place.to_string()).unwrap_or_default();
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
        assert!(function.summary.ends_with('.'), "{name}: the summary is no sentence");
        assert!(function.doc.contains("# Errors"), "{name} does not say when it fails");
        assert_ne!(function.theme, "Other", "{name} has no theme");
        for param in &function.params {
            assert!(!param.about.is_empty(), "{name}: parameter {} has no about", param.name);
        }
        assert!(function.source.lines().count() <= 120, "{name} is longer than 120 lines");
    }
}
