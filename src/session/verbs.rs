//! The verbs that units, selections and outcomes share: each returns an outcome, which is a
//! selection again.

use rhai::{Array, Dynamic, Engine, Map, Variant};
use serde_json::Value;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::delete::DeleteOptions;
use crate::app::lateral::MergeOptions;
use crate::app::select::Selection;
use crate::app::upgrade::UpgradeOptions;
use crate::error::{Error, Kind, Result};
use crate::model::RevisionRef;
use crate::script::Kind as FunctionKind;
use crate::session::conflict::ScriptConflicts;
use crate::session::convert::{
    Options, Scripted, revision_ref, scripted, thrown, to_dynamic, to_json, to_texts,
};
use crate::session::outcome::ScriptOutcome;
use crate::session::selection::ScriptTable;

/// What stands for one or many units.
pub(super) trait Addressed: Variant + Clone {
    fn app(&self) -> &App;
    fn selection(&self) -> Result<Selection>;
}

/// Takes what is common to all changes out of a call's options.
pub(super) fn change_options(options: &mut Options<'_>) -> Result<ChangeOptions> {
    Ok(ChangeOptions {
        allow_empty: options.flag("allow_empty")?,
        dry_run: options.flag("dry_run")?,
    })
}

/// An outcome for the script; where units failed, nothing was written and the script is told.
pub(super) fn finished<T: Addressed>(
    on: &T,
    outcome: Result<crate::app::outcome::Outcome>,
) -> Scripted<ScriptOutcome> {
    let outcome = scripted(outcome)?;
    match outcome.failure() {
        Some(error) if !outcome.is_preview => Err(thrown(error)),
        _ => Ok(ScriptOutcome::new(on.app(), outcome)),
    }
}

/// Registers every verb for the type `T`.
pub(super) fn register<T: Addressed>(engine: &mut Engine) {
    register_changing::<T>(engine);
    register_deploying::<T>(engine);
    register_holding::<T>(engine);
    super::labelling::register::<T>(engine);
    engine
        .register_fn("table", |on: &mut T| table(on, &[]))
        .register_fn("table", |on: &mut T, columns: Array| {
            table(on, &scripted(to_texts(&columns))?)
        })
        .register_fn("table", |on: &mut T, columns: Array, options: Map| {
            sorted_table(on, &columns, &options)
        })
        .register_fn("diff", |on: &mut T| {
            scripted(
                on.selection()
                    .and_then(|selection| on.app().diff(&selection, None, None)),
            )
        })
        .register_fn("conflicts", |on: &mut T| {
            scripted((|| {
                let rows = on.app().conflicts_of(&on.selection()?)?;
                Ok(ScriptConflicts::new(on.app(), rows))
            })())
        });
}

/// Registers the verbs that change data.
pub(super) fn register_changing<T: Addressed>(engine: &mut Engine) {
    register_changes::<T>(engine);
    register_merging::<T>(engine);
    register_paths::<T>(engine);
}

fn table<T: Addressed>(on: &T, columns: &[String]) -> Scripted<ScriptTable> {
    let table = on
        .selection()
        .and_then(|selection| on.app().table(&selection, columns));
    scripted(table.map(ScriptTable))
}

/// A table in the order of the column `sort_by`, where the options name one.
fn sorted_table<T: Addressed>(on: &T, columns: &Array, options: &Map) -> Scripted<ScriptTable> {
    scripted((|| {
        let columns = to_texts(columns)?;
        let mut options = Options::new(options);
        let sort_by = options.text("sort_by")?;
        options.finish()?;
        let mut selection = on.selection()?;
        if let Some(column) = sort_by {
            selection = on.app().sorted(&selection, &column)?;
        }
        on.app().table(&selection, &columns).map(ScriptTable)
    })())
}

fn register_changes<T: Addressed>(engine: &mut Engine) {
    let patch = |on: &mut T, patch: Dynamic, options: Map| {
        finished(
            on,
            (|| {
                let mut options = Options::new(&options);
                let change = change_options(&mut options)?;
                options.finish()?;
                let mut patch = to_json(&patch)?;
                crate::yaml::habitual_order(&mut patch);
                on.app().patch(&on.selection()?, &patch, change)
            })(),
        )
    };
    engine
        .register_fn("patch", move |on: &mut T, value: Map| {
            patch(on, Dynamic::from(value), Map::new())
        })
        .register_fn("patch", move |on: &mut T, value: Map, options: Map| {
            patch(on, Dynamic::from(value), options)
        })
        .register_fn("patch", move |on: &mut T, value: Array| {
            patch(on, Dynamic::from(value), Map::new())
        });
    engine
        .register_fn("update", |on: &mut T, text: &str| {
            finished(
                on,
                (|| {
                    on.app()
                        .update_text(&on.selection()?, text, ChangeOptions::default())
                })(),
            )
        })
        .register_fn("merge_text", |on: &mut T, base: &str, incoming: &str| {
            finished(
                on,
                (|| {
                    let options = ChangeOptions::default();
                    on.app()
                        .merge_text(&on.selection()?, base, incoming, options)
                })(),
            )
        })
        .register_fn("restore", |on: &mut T, revision: Dynamic| {
            finished(
                on,
                (|| {
                    let revision = revision_ref(&revision)?;
                    on.app()
                        .restore(&on.selection()?, revision, ChangeOptions::default())
                })(),
            )
        });
    let upgrade = |on: &mut T, options: Map| {
        finished(
            on,
            (|| {
                let mut options = Options::new(&options);
                let hops = options.number("hops")?;
                let upgrade = UpgradeOptions {
                    change: ChangeOptions {
                        allow_empty: true,
                        ..change_options(&mut options)?
                    },
                    prefer_incoming: prefers_incoming(options.text("prefer")?.as_deref())?,
                    strict: options.flag("strict")?,
                    hops: hops.map(|hops| usize::try_from(hops).unwrap_or(0)),
                };
                options.finish()?;
                on.app().upgrade(&on.selection()?, upgrade)
            })(),
        )
    };
    engine
        .register_fn("upgrade", upgrade)
        .register_fn("upgrade", move |on: &mut T| upgrade(on, Map::new()));
}

fn register_merging<T: Addressed>(engine: &mut Engine) {
    let merge = |on: &mut T, source: &str, options: Map| {
        finished(
            on,
            (|| {
                let mut options = Options::new(&options);
                let mut number = |key: &'static str| {
                    let number = options.number(key)?;
                    number.map(revision_number).transpose()
                };
                let (base, end) = (number("base")?, number("end")?);
                let merge = MergeOptions {
                    change: change_options(&mut options)?,
                    base,
                    end,
                    prefer_incoming: prefers_incoming(options.text("prefer")?.as_deref())?,
                    strict: options.flag("strict")?,
                };
                options.finish()?;
                let source = on.app().unit_named(source)?;
                on.app().merge_from(&on.selection()?, source, merge)
            })(),
        )
    };
    engine
        .register_fn("merge", move |on: &mut T, source: &str| {
            merge(on, source, Map::new())
        })
        .register_fn("merge", merge);
}

/// Reads the option `prefer`.
fn prefers_incoming(text: Option<&str>) -> Result<bool> {
    match text {
        None | Some("local") => Ok(false),
        Some("incoming") => Ok(true),
        Some(other) => Err(Error::new(
            Kind::Usage,
            format!("expected `local` or `incoming` for the option `prefer`, found `{other}`"),
        )),
    }
}

/// A revision number as scripts give it.
pub(super) fn revision_number(number: i64) -> Result<u32> {
    u32::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("expected a revision number from 1, found {number}"),
            )
        })
}

fn register_paths<T: Addressed>(engine: &mut Engine) {
    let protect = |on: &mut T, path: &str, options: Map, is_protected: bool| {
        finished(
            on,
            (|| {
                let mut options = Options::new(&options);
                let resource = options.text("resource")?;
                options.finish()?;
                on.app()
                    .set_protected(&on.selection()?, path, resource.as_deref(), is_protected)
            })(),
        )
    };
    engine
        .register_fn("protect", move |on: &mut T, path: &str| {
            protect(on, path, Map::new(), true)
        })
        .register_fn("protect", move |on: &mut T, path: &str, options: Map| {
            protect(on, path, options, true)
        })
        .register_fn("release", move |on: &mut T, path: &str| {
            protect(on, path, Map::new(), false)
        })
        .register_fn("release", move |on: &mut T, path: &str, options: Map| {
            protect(on, path, options, false)
        });
}

fn register_deploying<T: Addressed>(engine: &mut Engine) {
    let apply = |on: &mut T, options: Map| {
        finished(
            on,
            (|| {
                let options = super::deploying::apply_options(&options)?;
                on.app().apply(&on.selection()?, &options)
            })(),
        )
    };
    engine
        .register_fn("apply", apply)
        .register_fn("apply", move |on: &mut T| apply(on, Map::new()))
        .register_fn("destroy", |on: &mut T| {
            finished(on, (|| on.app().destroy(&on.selection()?))())
        })
        .register_fn("delete", |on: &mut T| delete(on, &Map::new()))
        .register_fn("delete", |on: &mut T, options: Map| delete(on, &options))
        .register_fn("wait", |on: &mut T, timeout: &str| {
            finished(
                on,
                (|| {
                    let timeout = crate::app::rollout::duration(timeout)?;
                    on.app().wait_ready(&on.selection()?, Some(timeout))
                })(),
            )
        });
}

fn delete<T: Addressed>(on: &T, options: &Map) -> Scripted<ScriptOutcome> {
    finished(
        on,
        (|| {
            let mut options = Options::new(options);
            let delete = DeleteOptions {
                recursive: false,
                destroy: options.flag("destroy")?,
                force: options.flag("force")?,
            };
            options.finish()?;
            on.app().delete_units(&on.selection()?, delete)
        })(),
    )
}

fn register_holding<T: Addressed>(engine: &mut Engine) {
    let rollback = |on: &mut T, to: Option<RevisionRef>, options: Map| {
        finished(
            on,
            (|| {
                let options = super::deploying::rollback_options(on.app(), to, &options)?;
                on.app().rollback(&on.selection()?, &options)
            })(),
        )
    };
    engine
        .register_fn("rollback", move |on: &mut T| rollback(on, None, Map::new()))
        .register_fn("rollback", move |on: &mut T, options: Map| {
            rollback(on, None, options)
        })
        .register_fn("rollback", move |on: &mut T, to: &str| {
            let to = scripted(revision_ref(&Dynamic::from(to.to_owned())))?;
            rollback(on, Some(to), Map::new())
        })
        .register_fn("rollback", move |on: &mut T, to: &str, options: Map| {
            let to = scripted(revision_ref(&Dynamic::from(to.to_owned())))?;
            rollback(on, Some(to), options)
        })
        .register_fn("rollback", move |on: &mut T, to: i64| {
            rollback(on, Some(scripted(revision_ref(&to.into()))?), Map::new())
        });
    let hold = |on: &mut T, options: Map| {
        finished(
            on,
            (|| {
                let mut options = Options::new(&options);
                let (until, why) = (options.text("until")?, options.text("why")?);
                options.finish()?;
                let until = until
                    .map(|until| on.app().instant_ahead(&until))
                    .transpose()?;
                on.app().hold(&on.selection()?, until, why.as_deref())
            })(),
        )
    };
    engine
        .register_fn("hold", hold)
        .register_fn("hold", move |on: &mut T| hold(on, Map::new()))
        .register_fn("unhold", |on: &mut T| {
            finished(on, (|| on.app().unhold(&on.selection()?))())
        });
}

/// Registers every function of the catalogue as a method: `svc.set_replicas(3)`.
pub(super) fn register_functions<T: Addressed>(engine: &mut Engine, names: &[String]) {
    engine
        .register_fn("run", |on: &mut T, name: &str| call(on, name, &[]))
        .register_fn("run", |on: &mut T, name: &str, args: Array| {
            call(on, name, &args)
        })
        .register_fn("run", |on: &mut T, name: &str, one: Dynamic| {
            call(on, name, &[one])
        });
    macro_rules! arities {
        ($($ident:ident: [$($arg:ident),*];)*) => {
            for name in names {
                let method = name.replace('-', "_");
                $(
                    let $ident = name.clone();
                    engine.register_fn(method.as_str(), move |on: &mut T $(, $arg: Dynamic)*| {
                        call(on, &$ident, &[$($arg),*])
                    });
                )*
            }
            $(engine.register_fn("run", |on: &mut T, name: &str, first: Dynamic, second: Dynamic $(, $arg: Dynamic)*| {
                call(on, name, &[first, second $(, $arg)*])
            });)*
        };
    }
    arities! {
        none: [];
        one: [a];
        two: [a, b];
        three: [a, b, c];
        four: [a, b, c, d];
        five: [a, b, c, d, e];
        six: [a, b, c, d, e, f];
    }
}

/// Calls a function on what is addressed: leading values by position, a map at the end by name.
fn call<T: Addressed>(on: &T, name: &str, values: &[Dynamic]) -> Scripted<Dynamic> {
    let app = on.app();
    let (args, named, change) = scripted(arguments(values))?;
    let function = scripted(app.catalogue().and_then(|all| Ok(all.get(name)?)))?;
    let selection = scripted(on.selection())?;
    if function.kind == FunctionKind::Mutate {
        let outcome = app.run_function(&selection, name, &args, &named, change);
        return finished(on, outcome).map(Dynamic::from);
    }
    let rows = scripted(app.ask_function(&selection, name, &args, &named))?;
    if selection.pins().len() == 1 && function.kind == FunctionKind::Query {
        let mut values: Vec<Value> = rows.into_iter().map(|row| row.value).collect();
        let value = match values.len() {
            0 => Value::Null,
            1 => values.remove(0),
            _ => Value::Array(values),
        };
        return scripted(to_dynamic(&value));
    }
    Ok(Dynamic::from(ScriptTable(app.rows_table(&rows))))
}

type CallArguments = (Vec<Value>, serde_json::Map<String, Value>, ChangeOptions);

fn arguments(values: &[Dynamic]) -> Result<CallArguments> {
    let mut args = Vec::new();
    let mut named = serde_json::Map::new();
    let mut change = ChangeOptions::default();
    for (at, value) in values.iter().enumerate() {
        let is_last = at + 1 == values.len();
        match to_json(value)? {
            Value::Object(mut map) if is_last => {
                let mut take = |key: &str| {
                    map.remove(key)
                        .is_some_and(|flag| flag == Value::Bool(true))
                };
                change.allow_empty = take("allow_empty");
                change.dry_run = take("dry_run");
                named = map;
            }
            value => args.push(value),
        }
    }
    Ok((args, named, change))
}
