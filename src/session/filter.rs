//! Stored filters in scripts.

use rhai::{Engine, Map};

use crate::app::App;
use crate::app::filter::{FilterOptions, MadeFilter};
use crate::app::select::{Request, Selection};
use crate::error::Result;
use crate::session::convert::{Options, scripted};
use crate::session::selection::{ScriptSelection, ScriptTable};

/// A stored filter, as scripts hold it: by name, so that it says what it says now.
#[derive(Clone)]
pub(super) struct ScriptFilter {
    app: App,
    reference: String,
    outcome: &'static str,
}

impl ScriptFilter {
    fn named(app: &App, reference: &str) -> Result<Self> {
        let filter = app.filter_named(reference, None)?;
        Ok(Self {
            app: app.clone(),
            reference: app.filter_reference(&filter)?,
            outcome: "unchanged",
        })
    }

    fn made(app: &App, made: &MadeFilter) -> Result<Self> {
        Ok(Self {
            app: app.clone(),
            reference: app.filter_reference(&made.filter)?,
            outcome: made.status.word(),
        })
    }

    /// The units it selects now, out of a space where one is given.
    pub(super) fn select(&self, space: Option<String>) -> Result<ScriptSelection> {
        let request = Request {
            filter: Some(self.reference.clone()),
            space,
            ..Request::default()
        };
        Ok(ScriptSelection::new(&self.app, self.app.select(&request)?))
    }

    fn tree(&self) -> Result<ScriptTable> {
        let selection: Selection = self.app.select(&Request {
            filter: Some(self.reference.clone()),
            ..Request::default()
        })?;
        self.app.tree_of(&selection, &[]).map(ScriptTable)
    }

    fn of<T>(&self, read: impl FnOnce(&crate::model::Filter) -> T) -> Result<T> {
        let filter = self.app.filter_named(&self.reference, None)?;
        Ok(read(&filter))
    }
}

/// Makes sure of a filter; `space` is where it is kept, where the options say nothing of it.
pub(super) fn ensure(
    app: &App,
    slug: &str,
    clause: &str,
    options: &Map,
    space: Option<String>,
) -> Result<ScriptFilter> {
    let options = filter_options(options, space)?;
    let made = app.ensure_filter(&slug.parse()?, clause, &options)?;
    ScriptFilter::made(app, &made)
}

/// As [`ensure`], for a filter that must not exist.
pub(super) fn create(
    app: &App,
    slug: &str,
    clause: &str,
    options: &Map,
    space: Option<String>,
) -> Result<ScriptFilter> {
    let options = filter_options(options, space)?;
    let made = app.create_filter(&slug.parse()?, clause, &options)?;
    ScriptFilter::made(app, &made)
}

fn filter_options(map: &Map, space: Option<String>) -> Result<FilterOptions> {
    let mut options = Options::new(map);
    let space = match space {
        Some(space) => Some(space),
        None => options.text("space")?,
    };
    let found = FilterOptions {
        space,
        from_space: options.text("from_space")?,
    };
    options.finish()?;
    Ok(found)
}

pub(super) fn register(engine: &mut Engine, app: &App) {
    engine.register_type_with_name::<ScriptFilter>("Filter");
    register_making(engine, app);
    engine
        .register_get("slug", |filter: &mut ScriptFilter| {
            scripted(filter.of(|filter| filter.slug.to_string()))
        })
        .register_get("clause", |filter: &mut ScriptFilter| {
            scripted(filter.of(|filter| filter.clause.clone()))
        })
        .register_get("from_space", |filter: &mut ScriptFilter| {
            scripted(filter.of(|filter| {
                let glob = filter.from_space.clone();
                glob.map_or(rhai::Dynamic::UNIT, rhai::Dynamic::from)
            }))
        })
        .register_get("outcome", |filter: &mut ScriptFilter| {
            filter.outcome.to_owned()
        })
        .register_fn("units", |filter: &mut ScriptFilter| {
            scripted(filter.select(None))
        })
        .register_fn("tree", |filter: ScriptFilter| scripted(filter.tree()))
        .register_fn("update", |filter: &mut ScriptFilter, clause: &str| {
            scripted((|| {
                let made = filter
                    .app
                    .update_filter(&filter.reference, None, Some(clause), None)?;
                ScriptFilter::made(&filter.app, &made)
            })())
        })
        .register_fn("delete", |filter: &mut ScriptFilter| {
            let deleted = filter.app.delete_filter(&filter.reference, None);
            scripted(deleted.map(drop))
        })
        .register_fn("to_string", |filter: &mut ScriptFilter| {
            filter.reference.clone()
        })
        .register_fn("to_debug", |filter: &mut ScriptFilter| {
            filter.reference.clone()
        });
}

fn register_making(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let ensured = move |slug: &str, clause: &str, options: Map| {
        scripted(ensure(&here, slug, clause, &options, None))
    };
    let plain = ensured.clone();
    engine
        .register_fn("ensure_filter", ensured)
        .register_fn("ensure_filter", move |slug: &str, clause: &str| {
            plain(slug, clause, Map::new())
        });
    let here = app.clone();
    let created = move |slug: &str, clause: &str, options: Map| {
        scripted(create(&here, slug, clause, &options, None))
    };
    let plain = created.clone();
    engine
        .register_fn("create_filter", created)
        .register_fn("create_filter", move |slug: &str, clause: &str| {
            plain(slug, clause, Map::new())
        });
    let here = app.clone();
    engine.register_fn("filter", move |reference: &str| {
        scripted(ScriptFilter::named(&here, reference))
    });
}
