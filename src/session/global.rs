//! The functions that scripts call without a receiver: selecting, showing, transactions, files.

use std::collections::BTreeMap;

use rhai::{Array, Dynamic, Engine, FnPtr, Map, NativeCallContext};

use crate::app::App;
use crate::app::select::Request;
use crate::error::{Error, Kind, Result};
use crate::session::convert::{
    Scripted, caught, of_value, scripted, to_dynamic, to_json, to_texts,
};
use crate::session::selection::{ScriptSelection, ScriptTable};
use crate::session::unit::ScriptUnit;

pub(super) fn register(engine: &mut Engine, app: &App) {
    register_selecting(engine, app);
    register_showing(engine, app);
    register_transactions(engine, app);
    register_errors(engine);
    let here = app.clone();
    engine.register_fn("message", move |why: &str| here.set_message(why));
    let here = app.clone();
    engine.register_fn("whoami", move || here.actor());
}

fn register_selecting(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let select = move |selector: &str, bound: &Map| -> Scripted<ScriptSelection> {
        scripted((|| {
            let mut bindings = BTreeMap::new();
            for (name, value) in bound {
                bindings.insert(name.to_string(), to_json(value)?);
            }
            let request = Request {
                selector: Some(selector.to_owned()),
                bindings,
                ..Request::default()
            };
            Ok(ScriptSelection::new(&here, here.select(&request)?))
        })())
    };
    let plain = select.clone();
    engine
        .register_fn("units", move |selector: &str| plain(selector, &Map::new()))
        .register_fn("units", move |selector: &str, bound: Map| {
            select(selector, &bound)
        });
    let here = app.clone();
    engine.register_fn("unit", move |reference: &str| {
        scripted(
            here.unit_named(reference)
                .map(|id| ScriptUnit::new(&here, id)),
        )
    });
}

fn register_showing(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let tree = move |selector: &str, columns: &[String]| {
        scripted(here.tree(selector, columns).map(ScriptTable))
    };
    let plain = tree.clone();
    engine
        .register_fn("tree", move |selector: &str| plain(selector, &[]))
        .register_fn("tree", move |selector: &str, columns: Array| {
            tree(selector, &scripted(to_texts(&columns))?)
        });
    let here = app.clone();
    let outline = move |context: &NativeCallContext<'_>, patterns: &[String], note: &FnPtr| {
        let note = |unit| {
            let handle = ScriptUnit::new(&here, unit);
            let note: Scripted<Dynamic> = note.call_within_context(context, (handle,));
            note.map(|note| note.to_string())
                .map_err(|error| caught(context.engine(), &error))
        };
        scripted(here.outline(patterns, &note))
    };
    let several = outline.clone();
    engine
        .register_fn(
            "outline",
            move |context: NativeCallContext<'_>, pattern: &str, note: FnPtr| {
                outline(&context, &[pattern.to_owned()], &note)
            },
        )
        .register_fn(
            "outline",
            move |context: NativeCallContext<'_>, patterns: Array, note: FnPtr| {
                several(&context, &scripted(to_texts(&patterns))?, &note)
            },
        );
    let here = app.clone();
    let log = move |limit: i64| {
        scripted(
            here.log_table(usize::try_from(limit).unwrap_or(0))
                .map(ScriptTable),
        )
    };
    let recent = log.clone();
    engine
        .register_fn("log", log)
        .register_fn("log", move || recent(20));
    let here = app.clone();
    engine.register_fn("function_list", move || {
        scripted(here.function_table().map(ScriptTable))
    });
}

fn register_transactions(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let atomic = move |context: &NativeCallContext<'_>, why: Option<&str>, body: &FnPtr| {
        let result = here.atomic(why, || call(context, body));
        scripted(result.map(|(value, _)| value))
    };
    let reasoned = atomic.clone();
    engine
        .register_fn(
            "atomic",
            move |context: NativeCallContext<'_>, body: FnPtr| atomic(&context, None, &body),
        )
        .register_fn(
            "atomic",
            move |context: NativeCallContext<'_>, why: &str, body: FnPtr| {
                reasoned(&context, Some(why), &body)
            },
        );
    let here = app.clone();
    engine.register_fn(
        "as_actor",
        move |context: NativeCallContext<'_>, actor: &str, body: FnPtr| {
            scripted(here.as_actor(actor, || call(&context, &body)))
        },
    );
}

fn call(context: &NativeCallContext<'_>, body: &FnPtr) -> Result<Dynamic> {
    let result: Scripted<Dynamic> = body.call_within_context(context, ());
    result.map_err(|error| caught(context.engine(), &error))
}

fn register_errors(engine: &mut Engine) {
    engine
        .register_type_with_name::<Error>("Error")
        .register_get("kind", |error: &mut Error| error.kind().name().to_owned())
        .register_get("message", |error: &mut Error| error.message().to_owned())
        .register_get("hints", |error: &mut Error| -> Array {
            error.hints().iter().cloned().map(Dynamic::from).collect()
        })
        .register_get("at", |error: &mut Error| {
            error
                .location()
                .map_or(Dynamic::UNIT, |at| Dynamic::from(at.to_string()))
        })
        .register_fn("to_string", |error: &mut Error| error.to_string())
        .register_fn("to_debug", |error: &mut Error| error.to_string())
        .register_fn("error", |value: Dynamic| -> Scripted<Dynamic> {
            scripted(to_dynamic(&of_value(&value).to_json()))
        })
        .register_fn("exit", |code: i64| -> Scripted<()> {
            let code = u8::try_from(code).map_err(|_| {
                crate::session::convert::thrown(Error::new(
                    Kind::Usage,
                    format!("expected an exit code from 0 to 255, found {code}"),
                ))
            })?;
            Err(Box::new(rhai::EvalAltResult::ErrorTerminated(
                Dynamic::from(crate::session::ExitRequest(code)),
                rhai::Position::NONE,
            )))
        });
}
