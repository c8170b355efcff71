//! The few helpers that functions have besides nodes and units.

use std::cmp::Ordering;
use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, Position};

use super::engine::raise;
use super::error::{Error, Kind, Result};
use super::quantity::times;
use crate::query::Quantity;

/// An error of ours on its way through Rhai.
#[derive(Debug, Clone)]
pub(super) struct Raised(pub Arc<Error>);

/// The end of a call that has nothing to act on; the token of `ErrorTerminated`, which no
/// `try` of a script can catch.
#[derive(Debug, Clone)]
pub(super) struct Skip(pub String);

/// Makes the helpers known to an engine.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Raised>("error")
        .register_get("message", |error: &mut Raised| error.0.message())
        .register_get("kind", |error: &mut Raised| match error.0.kind() {
            Kind::Usage => "Usage",
            Kind::NotFound => "NotFound",
            Kind::Invalid => "Invalid",
            Kind::Limit => "Limit",
        })
        .register_fn("to_string", |error: &mut Raised| error.0.message())
        .register_fn("to_debug", |error: &mut Raised| error.0.message());
    engine.register_fn("skip", |reason: &str| skip(reason));
    engine.register_fn("skip", || skip("nothing to act on"));
    engine.register_fn("quantity_times", |quantity: &str, factor: i64| {
        times(quantity, factor).ok_or_else(|| raise(no_quantity(quantity)))
    });
    engine.register_fn("quantity_compare", |left: &str, right: &str| {
        let order = parse(left).and_then(|left| Ok(left.cmp(&parse(right)?)));
        order.map_err(raise).map(|order| match order {
            Ordering::Less => -1_i64,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        })
    });
}

fn skip(reason: &str) -> std::result::Result<Dynamic, Box<EvalAltResult>> {
    let token = Dynamic::from(Skip(reason.to_owned()));
    Err(Box::new(EvalAltResult::ErrorTerminated(
        token,
        Position::NONE,
    )))
}

fn parse(text: &str) -> Result<Quantity> {
    Quantity::parse(text).ok_or_else(|| no_quantity(text))
}

fn no_quantity(text: &str) -> Error {
    Error::script(format!(
        "expected a quantity such as 250m or 2Gi, found `{text}`"
    ))
}
