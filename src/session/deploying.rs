//! Options of apply, and targets, in scripts.

use rhai::{Dynamic, Engine, Map};

use crate::app::App;
use crate::app::gate::GatePolicy;
use crate::app::rollback::{RollbackOptions, RollbackTo};
use crate::app::rollout::{ApplyOptions, duration};
use crate::app::targets::TargetOptions;
use crate::error::Result;
use crate::model::RevisionRef;
use crate::session::convert::{Options, scripted, to_dynamic};

/// The options of `apply`.
pub(super) fn apply_options(map: &Map) -> Result<ApplyOptions> {
    let mut options = Options::new(map);
    let timeout = options
        .text("timeout")?
        .map(|text| duration(&text))
        .transpose()?;
    let found = ApplyOptions {
        wait: options.flag("wait")?,
        timeout,
        revision: options.revision("revision")?,
        gates: GatePolicy {
            skip: options.flag("skip_gated")?,
            overridden: options.texts("override_gate")?,
        },
        allow_empty: options.flag("allow_empty")?,
        dry_run: options.flag("dry_run")?,
        ..ApplyOptions::default()
    };
    options.finish()?;
    Ok(found)
}

/// The options of `rollback`; `to` says where, unless the options do.
pub(super) fn rollback_options(
    app: &App,
    to: Option<RevisionRef>,
    map: &Map,
) -> Result<RollbackOptions> {
    let mut options = Options::new(map);
    let timeout = options.text("timeout")?;
    let until = options.text("until")?;
    let found = RollbackOptions {
        to: RollbackTo::Revision(
            to.or(options.revision("to")?)
                .unwrap_or(RevisionRef::PreviousLive),
        ),
        wait: options.flag("wait")?,
        timeout: timeout.as_deref().map(duration).transpose()?,
        until: until
            .as_deref()
            .map(|until| app.instant_ahead(until))
            .transpose()?,
        overridden: options.texts("override_gate")?,
        dry_run: options.flag("dry_run")?,
    };
    options.finish()?;
    Ok(found)
}

pub(super) fn register(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let ensure = move |slug: &str, options: Map| {
        scripted((|| {
            let mut options = Options::new(&options);
            let wanted = TargetOptions {
                kind: options.text("kind")?,
                namespace: options.text("namespace")?,
                context: options.text("context")?,
                kubeconfig: options.text("kubeconfig")?,
            };
            options.finish()?;
            let target = here.ensure_target(&slug.parse()?, &wanted)?;
            to_dynamic(&target)
        })())
    };
    let again = ensure.clone();
    engine
        .register_fn("ensure_target", ensure)
        .register_fn("ensure_target", move |slug: &str| again(slug, Map::new()));
    let here = app.clone();
    engine.register_fn("inject_fault", move |options: Map| {
        scripted((|| {
            let fault = crate::session::convert::to_json(&Dynamic::from(options))?;
            here.inject_fault(&fault)
        })())
    });
    let here = app.clone();
    engine.register_fn("clear_faults", move || scripted(here.clear_faults()));
}
