//! Random histories, undone in any order.

use super::*;

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Replicas(u32),
    Env(u8, u8),
    Note(u8, Option<u8>),
    Port(u16),
    Replace(u8),
    Protect(u8),
    Release(u8),
    UndoLast,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (2..5_u32).prop_map(Step::Replicas),
        (0..3_u8, 0..3_u8).prop_map(|(name, value)| Step::Env(name, value)),
        (0..3_u8, proptest::option::of(0..3_u8)).prop_map(|(name, value)| Step::Note(name, value)),
        (81..84_u16).prop_map(Step::Port),
        (0..3_u8).prop_map(Step::Replace),
        (0..2_u8).prop_map(Step::Protect),
        (0..2_u8).prop_map(Step::Release),
        Just(Step::UndoLast),
    ]
}

const PROTECTED: [&str; 2] = ["spec.replicas", "metadata.annotations"];

fn play(place: &Place, first: u64, unit: &str, step: &Step) {
    let patch = |value: Value| {
        place.run(
            "unit update",
            json!({ "selector": unit, "patch": value.to_string() }),
        )
    };
    let call = |function: &str, args: Value| {
        place.run(
            "function run",
            json!({ "function": function, "args": args, "unit": [unit] }),
        )
    };
    let mark = |name: &str, at: u8| {
        let args = json!({ "path": PROTECTED[usize::from(at)], "unit": [unit] });
        place.run(name, args)
    };
    let result = match step {
        Step::Replicas(n) => call("set-replicas", json!([n])),
        Step::Env(name, value) => call(
            "set-env-var",
            json!(["web", format!("V{name}"), value.to_string()]),
        ),
        Step::Note(name, value) => patch(json!({
            "kind": "Service",
            "metadata": { "annotations": { format!("n{name}"): value.map(|v| v.to_string()) } },
        })),
        Step::Port(port) => patch(json!([
            { "op": "replace", "path": "/1/spec/ports/0/port", "value": port },
        ])),
        Step::Replace(image) => {
            place.write("new.yaml", &WEB.replace("web:v1", &format!("web:r{image}")));
            place.run(
                "unit update",
                json!({ "selector": unit, "file": "new.yaml" }),
            )
        }
        Step::Protect(at) => mark("protect", *at),
        Step::Release(at) => mark("release", *at),
        Step::UndoLast if place.last().0 >= first => place.undo(&place.last().to_string()),
        Step::UndoLast => return,
    };
    // A step that has nothing to act on, or whose undo is refused, is as good as none.
    drop(result);
}

/// What an operation changed in a unit's values.
fn changed_by(place: &Place, op: OpId, unit: UnitId) -> BTreeMap<String, Option<Value>> {
    let view = place.db.read().unwrap();
    let mut found = BTreeMap::new();
    for change in view.net_changes(op).unwrap() {
        if change.key != Key::Unit(unit) {
            continue;
        }
        let before: Unit = change.before.record().unwrap().unwrap();
        let Ok(made) = view.revision(unit, before.head + 1) else {
            continue;
        };
        if made.op == op {
            let old = Stream::parse(&view.text(&before.data).unwrap()).unwrap();
            let new = Stream::parse(&view.text(&made.data).unwrap()).unwrap();
            for place in diff(&old, &new) {
                found.insert(format!("{} {}", place.resource, place.path), place.before);
            }
        }
    }
    found
}

/// A place that is another now although the operation had not changed it.
fn stray(
    place: &Place,
    units: &[&str; 2],
    texts: &[String; 2],
    changed: &[BTreeMap<String, Option<Value>>; 2],
) -> Option<String> {
    for (at, unit) in units.iter().enumerate() {
        let text = place.text(unit);
        if changed[at].is_empty() && text != texts[at] {
            return Some(format!("the text of {unit}"));
        }
        let (old, new) = (Stream::parse(&texts[at]), Stream::parse(&text));
        for found in diff(&old.unwrap(), &new.unwrap()) {
            let name = format!("{} {}", found.resource, found.path);
            let own = changed[at]
                .iter()
                .find(|(own, _)| name.starts_with(own.as_str()) || own.starts_with(&name));
            match own {
                // What is there again is what the operation found.
                Some((own, before)) if *own != name || found.after == *before => {}
                _ => return Some(format!("{unit} {name}")),
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is undone without a refusal changes the paths of its operation and no others, and
    /// redo brings the same bytes back.
    #[test]
    fn random_histories_are_undone_in_any_order(
        steps in proptest::collection::vec((0..2_u8, step()), 1..8),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 1..5),
    ) {
        let place = Place::new();
        place.script(
            r#"let web = ensure_space("base").ensure_unit("web", read_file("web.yaml"));
            ensure_space("prod").ensure_clone(web);"#,
        );
        let units = ["base/web", "prod/web"];
        let first = place.last().0 + 1;
        for (unit, step) in &steps {
            play(&place, first, units[usize::from(*unit)], step);
        }
        for pick in order {
            let last = place.last().0;
            if last < first {
                break;
            }
            let op = OpId(first + pick.index(usize::try_from(last - first + 1).unwrap()) as u64);
            let before = place.digest();
            let texts = units.map(|unit| place.text(unit));
            let changed = units.map(|unit| changed_by(&place, op, place.unit(unit).id));
            if let Err(error) = place.undo(&op.to_string()) {
                prop_assert_eq!(error.kind(), Kind::Conflict, "{}", error);
                prop_assert_eq!(place.digest(), before);
                prop_assert_eq!(place.last().0, last);
                continue;
            }
            if let Some(stray) = stray(&place, &units, &texts, &changed) {
                return Err(TestCaseError::fail(format!("{stray} is not of {op}: {changed:?}")));
            }
            if place.last().0 > last {
                let undone = place.digest();
                for want in [&before, &undone] {
                    let newest = place.last().to_string();
                    place.undo(&newest).map_err(|e| TestCaseError::fail(e.to_string()))?;
                    prop_assert_eq!(&place.digest(), want);
                }
            }
        }
        place.assert_sound();
    }

    /// Newest first, everything goes back to where it began.
    #[test]
    fn a_history_undone_from_its_end_is_as_if_it_had_not_been(
        steps in proptest::collection::vec((0..2_u8, step()), 1..8),
    ) {
        let place = Place::new();
        place.script(
            r#"let web = ensure_space("base").ensure_unit("web", read_file("web.yaml"));
            ensure_space("prod").ensure_clone(web);"#,
        );
        let (start, first) = (place.digest(), place.last());
        for (unit, step) in &steps {
            if !matches!(step, Step::UndoLast) {
                play(&place, first.0 + 1, ["base/web", "prod/web"][usize::from(*unit)], step);
            }
        }
        for op in (first.0 + 1..=place.last().0).rev() {
            place
                .undo(&OpId(op).to_string())
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        prop_assert_eq!(place.digest(), start);
        place.assert_sound();
    }
}
