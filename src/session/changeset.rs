//! Changesets in scripts: staged writes, the plan, and applying all of it or nothing.

use rhai::{Array, Dynamic, Engine, FnPtr, Map, NativeCallContext};

use crate::app::App;
use crate::app::changeset::{ApplyChangeSet, ChangeSetOptions};
use crate::app::gate::GatePolicy;
use crate::app::outcome::Outcome;
use crate::app::rollout::duration;
use crate::app::select::{Request, Selection};
use crate::error::Result;
use crate::id::Slug;
use crate::session::convert::{Options, Scripted, caught, scripted, to_dynamic};
use crate::session::outcome::ScriptOutcome;
use crate::session::selection::{ScriptTable, count};
use crate::session::verbs::Addressed;

/// A changeset, as scripts hold it.
#[derive(Clone)]
pub(super) struct ScriptChangeSet {
    app: App,
    slug: Slug,
    outcome: &'static str,
}

/// Units as a changeset has them: what changes them is staged.
#[derive(Clone)]
pub(super) struct ScriptStaged {
    app: App,
    selection: Selection,
}

impl Addressed for ScriptStaged {
    fn app(&self) -> &App {
        &self.app
    }

    fn selection(&self) -> Result<Selection> {
        Ok(self.selection.clone())
    }
}

impl ScriptStaged {
    fn value(&self, path: &str) -> Result<Dynamic> {
        for pin in self.selection.pins() {
            if let Some(value) = self.app.data_value(pin.unit, path, None)? {
                return to_dynamic(&value);
            }
        }
        Ok(Dynamic::UNIT)
    }

    fn data(&self) -> Result<String> {
        let texts = self.selection.pins().iter();
        let texts = texts.map(|pin| self.app.data(pin.unit, None));
        Ok(texts.collect::<Result<Vec<_>>>()?.join("---\n"))
    }
}

impl ScriptChangeSet {
    fn staged(&self, selection: Selection, options: &Map) -> Result<ScriptStaged> {
        let mut options = Options::new(options);
        let owner = options.text("owner")?;
        options.finish()?;
        Ok(ScriptStaged {
            app: self.app.staged_in(self.slug.as_str(), owner.as_deref())?,
            selection,
        })
    }

    fn unit(&self, reference: &str, options: &Map) -> Result<ScriptStaged> {
        let unit = self.app.unit_named(reference)?;
        self.staged(self.app.selection_of(unit)?, options)
    }

    fn units(&self, selector: &str, options: &Map) -> Result<ScriptStaged> {
        let request = Request {
            selector: Some(selector.to_owned()),
            ..Request::default()
        };
        self.staged(self.app.select(&request)?, options)
    }

    fn apply(&self, options: &Map) -> Result<Outcome> {
        let mut options = Options::new(options);
        let timeout = options.text("timeout")?;
        let found = ApplyChangeSet {
            wait: waits(&mut options)?,
            timeout: timeout.as_deref().map(duration).transpose()?,
            gates: GatePolicy {
                skip: false,
                overridden: options.texts("override_gate")?,
            },
            dry_run: options.flag("dry_run")?,
        };
        options.finish()?;
        self.app.apply_changeset(self.slug.as_str(), &found)
    }
}

/// `wait` is true, or `"ready"`.
fn waits(options: &mut Options<'_>) -> Result<bool> {
    match options.get("wait").map(|value| value.clone().into_string()) {
        Some(Ok(text)) if text == "ready" => Ok(true),
        _ => options.flag("wait"),
    }
}

/// `filter` is the name of a stored filter, else what a selector can be.
fn options_of(app: &App, map: &Map) -> Result<ChangeSetOptions> {
    let mut options = Options::new(map);
    let description = options.text("description")?.unwrap_or_default();
    let filter = options.text("filter")?;
    let clause = options.text("where")?;
    options.finish()?;
    let is_pinned = filter.is_some() || clause.is_some();
    let (filter, selector) = match filter {
        Some(text) if app.filter_named(&text, None).is_ok() => (Some(text), None),
        text => (None, text),
    };
    let pinned = is_pinned.then(|| Request {
        selector,
        clause,
        filter,
        ..Request::default()
    });
    Ok(ChangeSetOptions {
        description,
        pinned,
    })
}

pub(super) fn register(engine: &mut Engine, app: &App) {
    register_making(engine, app);
    register_staging(engine);
    engine
        .register_type_with_name::<ScriptChangeSet>("ChangeSet")
        .register_get("slug", |on: &mut ScriptChangeSet| on.slug.to_string())
        .register_get("outcome", |on: &mut ScriptChangeSet| on.outcome.to_owned())
        .register_get("state", |on: &mut ScriptChangeSet| {
            let found = on.app.changeset(on.slug.as_str());
            scripted(found.map(|changeset| changeset.state.to_string()))
        })
        .register_get("reason", |on: &mut ScriptChangeSet| {
            let found = on.app.changeset(on.slug.as_str());
            scripted(found.map(|changeset| changeset.reason.unwrap_or_default()))
        })
        .register_get("len", |on: &mut ScriptChangeSet| {
            let found = on.app.changeset(on.slug.as_str());
            scripted(found.map(|changeset| count(changeset.entries.len())))
        })
        .register_fn("table", |on: &mut ScriptChangeSet| {
            scripted(on.app.changeset_entries(on.slug.as_str()).map(ScriptTable))
        })
        .register_fn("to_string", |on: &mut ScriptChangeSet| {
            let described = on.app.describe_changeset(on.slug.as_str());
            scripted(described.map(|described| described.text))
        })
        .register_fn("apply", |on: &mut ScriptChangeSet| {
            let outcome = scripted(on.apply(&Map::new()))?;
            Ok::<_, Box<rhai::EvalAltResult>>(ScriptOutcome::new(&on.app, outcome))
        })
        .register_fn("apply", |on: &mut ScriptChangeSet, options: Map| {
            let outcome = scripted(on.apply(&options))?;
            Ok::<_, Box<rhai::EvalAltResult>>(ScriptOutcome::new(&on.app, outcome))
        })
        .register_fn("plan", |on: &mut ScriptChangeSet| {
            let dry = Map::from([("dry_run".into(), true.into())]);
            let outcome = scripted(on.apply(&dry))?;
            Ok::<_, Box<rhai::EvalAltResult>>(ScriptOutcome::new(&on.app, outcome))
        })
        .register_fn("discard", |on: &mut ScriptChangeSet| {
            scripted(on.app.discard_changeset(on.slug.as_str()).map(drop))
        })
        .register_fn("delete", |on: &mut ScriptChangeSet| {
            scripted(on.app.delete_changeset(on.slug.as_str()))
        })
        .register_fn("remove", |on: &mut ScriptChangeSet, reference: &str| {
            scripted((|| {
                let unit = on.app.unit_named(reference)?;
                on.app.remove_from_changeset(on.slug.as_str(), unit)?;
                Ok(())
            })())
        });
}

fn register_staging(engine: &mut Engine) {
    engine
        .register_fn("unit", |on: &mut ScriptChangeSet, reference: &str| {
            scripted(on.unit(reference, &Map::new()))
        })
        .register_fn(
            "unit",
            |on: &mut ScriptChangeSet, reference: &str, options: Map| {
                scripted(on.unit(reference, &options))
            },
        )
        .register_fn("units", |on: &mut ScriptChangeSet, selector: &str| {
            scripted(on.units(selector, &Map::new()))
        })
        .register_fn(
            "units",
            |on: &mut ScriptChangeSet, selector: &str, options: Map| {
                scripted(on.units(selector, &options))
            },
        );
    engine
        .register_type_with_name::<ScriptStaged>("Staged")
        .register_get("names", |on: &mut ScriptStaged| -> Scripted<Array> {
            let names = scripted(on.app.references(&on.selection))?;
            Ok(names.into_iter().map(Dynamic::from).collect())
        })
        .register_get("data", |on: &mut ScriptStaged| scripted(on.data()))
        .register_fn("get", |on: &mut ScriptStaged, path: &str| {
            scripted(on.value(path))
        });
}

fn register_making(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let create = move |slug: &str, options: &Map| {
        let made = here.create_changeset(&slug.parse()?, &options_of(&here, options)?)?;
        Ok(handle(&here, made.changeset.slug, made.is_new))
    };
    let plain = create.clone();
    engine
        .register_fn("create_changeset", move |slug: &str| {
            scripted(plain(slug, &Map::new()))
        })
        .register_fn("create_changeset", move |slug: &str, options: Map| {
            scripted(create(slug, &options))
        });
    register_ensuring(engine, app);
    let here = app.clone();
    engine.register_fn("changeset", move |slug: &str| {
        let found = here.changeset(slug);
        scripted(found.map(|changeset| handle(&here, changeset.slug, false)))
    });
}

fn register_ensuring(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let ensure = move |slug: &str, options: &Map| {
        let made = here.ensure_changeset(&slug.parse()?, &options_of(&here, options)?)?;
        Ok(handle(&here, made.changeset.slug, made.is_new))
    };
    let plain = ensure.clone();
    engine
        .register_fn("ensure_changeset", move |slug: &str| {
            scripted(plain(slug, &Map::new()))
        })
        .register_fn("ensure_changeset", move |slug: &str, options: Map| {
            scripted(ensure(slug, &options))
        });
    let here = app.clone();
    let ensure = move |context: &NativeCallContext<'_>, slug: &str, options: &Map, body: &FnPtr| {
        let (slug, options) = (slug.parse::<Slug>()?, options_of(&here, options)?);
        // The closure runs when the changeset is made, and belongs to the making: an error in it
        // makes none.
        let (made, _) = here.atomic(None, || {
            let made = here.ensure_changeset(&slug, &options)?;
            let made = handle(&here, made.changeset.slug, made.is_new);
            if made.outcome == "created" {
                let result: Scripted<Dynamic> = body.call_within_context(context, (made.clone(),));
                result
                    .map(drop)
                    .map_err(|error| caught(context.engine(), &error))?;
            }
            Ok(made)
        })?;
        Ok(made)
    };
    let plain = ensure.clone();
    engine
        .register_fn(
            "ensure_changeset",
            move |context: NativeCallContext<'_>, slug: &str, body: FnPtr| {
                scripted(plain(&context, slug, &Map::new(), &body))
            },
        )
        .register_fn(
            "ensure_changeset",
            move |context: NativeCallContext<'_>, slug: &str, options: Map, body: FnPtr| {
                scripted(ensure(&context, slug, &options, &body))
            },
        );
}

fn handle(app: &App, slug: Slug, is_new: bool) -> ScriptChangeSet {
    ScriptChangeSet {
        app: app.clone(),
        slug,
        outcome: if is_new { "created" } else { "unchanged" },
    }
}
