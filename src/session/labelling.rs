//! Labels of units, and variants of many units at once, in scripts.

use rhai::{Engine, Map};

use crate::app::labels::LabelChange;
use crate::session::convert::Options;
use crate::session::verbs::{Addressed, change_options, finished};

/// Registers `set_labels` and `clone_to` for the type `T`.
pub(super) fn register<T: Addressed>(engine: &mut Engine) {
    let label = |on: &mut T, labels: &Map, options: &Map| {
        finished(
            on,
            (|| {
                let mut options = Options::new(options);
                let change = change_options(&mut options)?;
                options.finish()?;
                on.app()
                    .set_labels(&on.selection()?, &label_change(labels), change)
            })(),
        )
    };
    engine
        .register_fn("set_labels", move |on: &mut T, labels: Map| {
            label(on, &labels, &Map::new())
        })
        .register_fn(
            "set_labels",
            move |on: &mut T, labels: Map, options: Map| label(on, &labels, &options),
        );
    let clone = |on: &mut T, space: &str, options: &Map| {
        let outcome = (|| {
            let mut options = Options::new(options);
            let labels = options.labels("labels")?;
            let change = change_options(&mut options)?;
            options.finish()?;
            let space = on.app().space_named(space)?.id;
            on.app().clone_all(&on.selection()?, space, &labels, change)
        })();
        finished(on, outcome)
    };
    engine
        .register_fn("clone_to", move |on: &mut T, space: &str| {
            clone(on, space, &Map::new())
        })
        .register_fn("clone_to", move |on: &mut T, space: &str, options: Map| {
            clone(on, space, &options)
        });
}

/// `()` takes a label away.
fn label_change(labels: &Map) -> LabelChange {
    let each = labels.iter().map(|(key, value)| {
        let value = (!value.is_unit()).then(|| value.to_string());
        (key.to_string(), value)
    });
    each.collect()
}
