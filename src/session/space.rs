//! Spaces in scripts.

use rhai::{Array, Dynamic, Engine, FnPtr, Map, NativeCallContext};

use crate::app::App;
use crate::app::create::{Made, SpaceOptions, UnitOptions};
use crate::app::delete::DeleteOptions;
use crate::app::import::{ImportOptions, Manifests};
use crate::app::select::Request;
use crate::app::spaces::SpaceChange;
use crate::app::targets::InstallOptions;
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId};
use crate::session::convert::{Options, Scripted, caught, scripted, to_dynamic};
use crate::session::filter::{self, ScriptFilter};
use crate::session::outcome::ScriptOutcome;
use crate::session::selection::ScriptSelection;
use crate::session::unit::ScriptUnit;

/// A space, as scripts hold it.
#[derive(Clone)]
pub(super) struct ScriptSpace {
    app: App,
    id: SpaceId,
    outcome: &'static str,
}

impl ScriptSpace {
    pub(super) fn new(app: &App, id: SpaceId) -> Self {
        Self {
            app: app.clone(),
            id,
            outcome: "unchanged",
        }
    }

    fn made(app: &App, made: &Made<SpaceId>) -> Self {
        Self {
            app: app.clone(),
            id: made.id,
            outcome: made.status.word(),
        }
    }

    pub(super) fn slug(&self) -> Result<Slug> {
        Ok(self.app.space_by_id(self.id)?.slug)
    }

    fn unit(&self, slug: &str) -> Result<ScriptUnit> {
        let id = self.app.unit_in(self.id, slug)?;
        Ok(ScriptUnit::new(&self.app, id))
    }

    fn units(&self, clause: Option<&str>) -> Result<ScriptSelection> {
        let request = Request {
            space: Some(self.slug()?.to_string()),
            clause: clause.map(ToOwned::to_owned),
            ..Request::default()
        };
        Ok(ScriptSelection::new(&self.app, self.app.select(&request)?))
    }

    fn ensure_unit(&self, slug: &str, text: &str, options: &Map) -> Result<ScriptUnit> {
        let options = unit_options(options)?;
        let made = self
            .app
            .ensure_unit(self.id, &slug.parse()?, text, &options)?;
        Ok(ScriptUnit::made(&self.app, made))
    }

    fn create_unit(&self, slug: &str, text: &str, options: &Map) -> Result<ScriptUnit> {
        let options = unit_options(options)?;
        let made = self
            .app
            .create_unit(self.id, &slug.parse()?, text, &options)?;
        Ok(ScriptUnit::made(&self.app, made))
    }

    /// The clone is revision 1, what the closure writes is revision 2, and an error in the closure
    /// makes no clone.
    fn ensure_clone(
        &self,
        source: &ScriptUnit,
        options: &Map,
        edit: impl FnOnce(ScriptUnit) -> Result<()>,
    ) -> Result<ScriptUnit> {
        let mut options = Options::new(options);
        let slug: Option<Slug> = options.text("slug")?.map(|slug| slug.parse()).transpose()?;
        let labels = options.labels("labels")?;
        options.finish()?;
        let name = match &slug {
            Some(slug) => slug.clone(),
            None => self.app.unit_slug(source.id())?,
        };
        if self.app.has_unit(self.id, &name)? {
            let made = self
                .app
                .ensure_clone(self.id, source.id(), Some(&name), &labels)?;
            return Ok(ScriptUnit::made(&self.app, made));
        }
        let (unit, _) = self.app.atomic(None, || {
            let made = self
                .app
                .ensure_clone(self.id, source.id(), Some(&name), &labels)?;
            let unit = ScriptUnit::made(&self.app, made);
            if unit.is_new() {
                edit(unit.clone())?;
            }
            Ok(unit)
        })?;
        Ok(unit)
    }
}

pub(super) fn space_options(map: &Map) -> Result<SpaceOptions> {
    let mut options = Options::new(map);
    let found = SpaceOptions {
        labels: options.labels("labels")?,
        target: options
            .text("target")?
            .map(|slug| slug.parse())
            .transpose()?,
    };
    options.finish()?;
    Ok(found)
}

fn delete_options(map: &Map) -> Result<DeleteOptions> {
    let mut options = Options::new(map);
    let found = DeleteOptions {
        recursive: options.flag("recursive")?,
        destroy: options.flag("destroy")?,
        force: options.flag("force")?,
    };
    options.finish()?;
    Ok(found)
}

/// What `update` changes: `labels` (`()` removes one), `target`, and `gates` by name with true
/// or false.
fn space_change(map: &Map) -> Result<SpaceChange> {
    let mut options = Options::new(map);
    let mut change = SpaceChange {
        target: options
            .text("target")?
            .map(|slug| slug.parse())
            .transpose()?,
        ..SpaceChange::default()
    };
    for (key, value) in options.map("labels")? {
        let value = (!value.is_unit()).then(|| value.to_string());
        change.labels.insert(key.to_string(), value);
    }
    for (gate, is_on) in options.map("gates")? {
        let is_on = is_on.as_bool().map_err(|found| {
            Error::new(
                Kind::Usage,
                format!("expected true or false for the gate `{gate}`, found {found}"),
            )
        })?;
        let gates = if is_on {
            &mut change.gates_on
        } else {
            &mut change.gates_off
        };
        gates.push(gate.to_string());
    }
    options.finish()?;
    Ok(change)
}

fn unit_options(map: &Map) -> Result<UnitOptions> {
    let mut options = Options::new(map);
    let found = UnitOptions {
        labels: options.labels("labels")?,
        source: options.text("source")?,
    };
    options.finish()?;
    Ok(found)
}

pub(super) fn register(engine: &mut Engine, app: &App) {
    engine.register_type_with_name::<ScriptSpace>("Space");
    register_making(engine, app);
    register_units(engine);
    register_filters(engine);
    engine
        .register_get("slug", |space: &mut ScriptSpace| {
            scripted(space.slug().map(|slug| slug.to_string()))
        })
        .register_get("outcome", |space: &mut ScriptSpace| {
            space.outcome.to_owned()
        })
        .register_get("labels", |space: &mut ScriptSpace| {
            let labels = space.app.space_by_id(space.id).map(|space| space.labels);
            scripted(labels.and_then(|labels| to_dynamic(&serde_json::json!(labels))))
        })
        .register_fn("to_string", |space: &mut ScriptSpace| {
            scripted(space.slug().map(|slug| slug.to_string()))
        })
        .register_fn("to_debug", |space: &mut ScriptSpace| {
            scripted(space.slug().map(|slug| slug.to_string()))
        })
        .register_fn("==", |left: ScriptSpace, right: ScriptSpace| {
            left.id == right.id
        });
    let delete = |space: &mut ScriptSpace, options: &Map| {
        scripted((|| {
            let options = delete_options(options)?;
            space.app.delete_space(space.id, options)
        })())
        .map(|outcome| ScriptOutcome::new(&space.app, outcome))
    };
    engine
        .register_fn("delete", move |space: &mut ScriptSpace, options: Map| {
            delete(space, &options)
        })
        .register_fn("delete", move |space: &mut ScriptSpace| {
            delete(space, &Map::new())
        });
    let update = |space: &mut ScriptSpace, options: Map| {
        scripted((|| {
            let change = space_change(&options)?;
            let slug = space.slug()?;
            space.app.update_spaces(slug.as_str(), &change)?;
            Ok(space.clone())
        })())
    };
    engine.register_fn("update", update);
    let install = |space: &mut ScriptSpace, name: &str, options: Map| {
        let mut options = Options::new(&options);
        scripted((|| {
            let wanted = InstallOptions {
                wait: options.flag("wait")?,
                kubernetes: options.text("kubernetes")?,
            };
            options.finish()?;
            space.app.install_worker(&name.parse()?, space.id, &wanted)
        })())
        .and_then(|worker| scripted(to_dynamic(&worker.to_json())))
    };
    engine.register_fn("install_worker", install).register_fn(
        "install_worker",
        move |space: &mut ScriptSpace, name: &str| install(space, name, Map::new()),
    );
}

fn register_making(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let ensure = move |slug: &str, options: Map| {
        scripted((|| {
            let made = here.ensure_space(&slug.parse()?, &space_options(&options)?)?;
            Ok(ScriptSpace::made(&here, &made))
        })())
    };
    let again = ensure.clone();
    engine
        .register_fn("ensure_space", ensure)
        .register_fn("ensure_space", move |slug: &str| again(slug, Map::new()));
    let here = app.clone();
    let create = move |slug: &str, options: Map| {
        scripted((|| {
            let made = here.create_space(&slug.parse()?, &space_options(&options)?)?;
            Ok(ScriptSpace::made(&here, &made))
        })())
    };
    let again = create.clone();
    engine
        .register_fn("create_space", create)
        .register_fn("create_space", move |slug: &str| again(slug, Map::new()));
    let here = app.clone();
    engine.register_fn("space", move |slug: &str| {
        scripted(
            here.space_named(slug)
                .map(|space| ScriptSpace::new(&here, space.id)),
        )
    });
    let here = app.clone();
    engine.register_fn("use_space", move |slug: &str| {
        let space = scripted(here.enter_space(Some(slug)))?;
        Ok::<_, Box<rhai::EvalAltResult>>(match space {
            Some(space) => Dynamic::from(ScriptSpace::new(&here, space.id)),
            None => Dynamic::UNIT,
        })
    });
    let here = app.clone();
    engine.register_fn("use_space", move || {
        scripted(here.enter_space(None).map(drop))
    });
    let here = app.clone();
    let list = move |pattern: &str| -> Scripted<Array> {
        let spaces = scripted(here.spaces_matching(pattern))?;
        Ok(spaces
            .iter()
            .map(|space| Dynamic::from(ScriptSpace::new(&here, space.id)))
            .collect())
    };
    let all = list.clone();
    engine
        .register_fn("spaces", list)
        .register_fn("spaces", move || all("*"));
}

fn register_filters(engine: &mut Engine) {
    let ensure = |space: &mut ScriptSpace, slug: &str, clause: &str, options: Map| {
        scripted((|| {
            let own = Some(space.slug()?.to_string());
            filter::ensure(&space.app, slug, clause, &options, own)
        })())
    };
    let create = |space: &mut ScriptSpace, slug: &str, clause: &str, options: Map| {
        scripted((|| {
            let own = Some(space.slug()?.to_string());
            filter::create(&space.app, slug, clause, &options, own)
        })())
    };
    engine
        .register_fn("ensure_filter", ensure)
        .register_fn(
            "ensure_filter",
            move |space: &mut ScriptSpace, slug: &str, clause: &str| {
                ensure(space, slug, clause, Map::new())
            },
        )
        .register_fn("create_filter", create)
        .register_fn(
            "create_filter",
            move |space: &mut ScriptSpace, slug: &str, clause: &str| {
                create(space, slug, clause, Map::new())
            },
        )
        .register_fn("units", |space: &mut ScriptSpace, filter: ScriptFilter| {
            scripted(
                space
                    .slug()
                    .and_then(|slug| filter.select(Some(slug.to_string()))),
            )
        });
}

fn register_units(engine: &mut Engine) {
    engine
        .register_fn("unit", |space: &mut ScriptSpace, slug: &str| {
            scripted(space.unit(slug))
        })
        .register_fn("units", |space: &mut ScriptSpace| {
            scripted(space.units(None))
        })
        .register_fn("units", |space: &mut ScriptSpace, clause: &str| {
            scripted(space.units(Some(clause)))
        })
        .register_fn(
            "create_unit",
            |space: &mut ScriptSpace, slug: &str, text: &str| {
                scripted(space.create_unit(slug, text, &Map::new()))
            },
        )
        .register_fn(
            "create_unit",
            |space: &mut ScriptSpace, slug: &str, text: &str, options: Map| {
                scripted(space.create_unit(slug, text, &options))
            },
        )
        .register_fn(
            "ensure_unit",
            |space: &mut ScriptSpace, slug: &str, text: &str| {
                scripted(space.ensure_unit(slug, text, &Map::new()))
            },
        )
        .register_fn(
            "ensure_unit",
            |space: &mut ScriptSpace, slug: &str, text: &str, options: Map| {
                scripted(space.ensure_unit(slug, text, &options))
            },
        )
        .register_fn(
            "ensure_clone",
            |space: &mut ScriptSpace, source: ScriptUnit| {
                scripted(space.ensure_clone(&source, &Map::new(), |_| Ok(())))
            },
        )
        .register_fn(
            "ensure_clone",
            |space: &mut ScriptSpace, source: ScriptUnit, options: Map| {
                scripted(space.ensure_clone(&source, &options, |_| Ok(())))
            },
        )
        .register_fn(
            "ensure_clone",
            |context: NativeCallContext<'_>,
             space: &mut ScriptSpace,
             source: ScriptUnit,
             edit: FnPtr| {
                scripted(
                    space.ensure_clone(&source, &Map::new(), |unit| run(&context, &edit, unit)),
                )
            },
        )
        .register_fn(
            "ensure_clone",
            |context: NativeCallContext<'_>,
             space: &mut ScriptSpace,
             source: ScriptUnit,
             options: Map,
             edit: FnPtr| {
                scripted(space.ensure_clone(&source, &options, |unit| run(&context, &edit, unit)))
            },
        )
        .register_fn("copy", |space: &mut ScriptSpace, source: ScriptUnit| {
            let made = space.app.copy_unit(space.id, source.id(), None);
            scripted(made.map(|made| ScriptUnit::made(&space.app, made)))
        })
        .register_fn(
            "copy",
            |space: &mut ScriptSpace, source: ScriptUnit, slug: &str| {
                scripted((|| {
                    let made = space
                        .app
                        .copy_unit(space.id, source.id(), Some(&slug.parse()?))?;
                    Ok(ScriptUnit::made(&space.app, made))
                })())
            },
        )
        .register_fn("import_dir", |space: &mut ScriptSpace, folder: &str| {
            scripted(import(space, folder, &Map::new()))
        })
        .register_fn(
            "import_dir",
            |space: &mut ScriptSpace, folder: &str, options: Map| {
                scripted(import(space, folder, &options))
            },
        );
}

fn import(space: &ScriptSpace, folder: &str, map: &Map) -> Result<ScriptOutcome> {
    let mut options = Options::new(map);
    let mut found = ImportOptions::default();
    if let Some(source) = options.text("source")? {
        found.source = source;
    }
    if let Some(secrets) = options.text("secrets")? {
        found.secrets = secrets.parse()?;
    }
    if let Some(by) = options.text("by")? {
        found.by = Some(by.parse()?);
    }
    if let Some(upstream) = options.text("upstream")? {
        found.upstream = Some(upstream.parse()?);
    }
    found.skip_refused = options.flag("skip_refused")?;
    found.prune = options.flag("prune")?;
    options.finish()?;
    let slug = space.slug()?;
    let folder = space.app.project().resolve(folder)?;
    let outcome = space
        .app
        .import_manifests(&slug, &Manifests::Path(folder), &found)?;
    Ok(ScriptOutcome::new(&space.app, outcome))
}

/// Runs a closure of the script on a value.
fn run(context: &NativeCallContext<'_>, closure: &FnPtr, unit: ScriptUnit) -> Result<()> {
    let result: Scripted<Dynamic> = closure.call_within_context(context, (unit,));
    result
        .map(drop)
        .map_err(|error| caught(context.engine(), &error))
}
