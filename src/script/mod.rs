//! Functions: small pure Rhai programs that change, read or check the resources of a unit.
//!
//! One file is one function. The [`Catalogue`] finds files in the project, the store and the
//! embedded `stdlib/`, and describes each [`Function`] without running it. [`Arguments`] are
//! checked before anything is written. The [`Runner`] calls the function with handles on the
//! unit's resources; what it does becomes edits, which count only when it returns.
//!
//! Nothing here makes an engine without limits: see [`engine`] and [`Limits`].
//!
//! ```
//! use windlass::script::{Arguments, Catalogue, Runner, Stdlib, Subject};
//! use windlass::yaml::Stream;
//!
//! let (catalogue, _) = Catalogue::load(&[&Stdlib], &|_| false);
//! let set_replicas = catalogue.get("set-replicas")?;
//! let arguments = Arguments::resolve(&set_replicas, vec!["3".into()], Default::default())?;
//!
//! let stream = Stream::parse("kind: Deployment\nspec:\n  replicas: 1 # small\n")?;
//! let labels = Default::default();
//! let subject = Subject {
//!     stream: &stream,
//!     slug: "web",
//!     labels: &labels,
//!     space_slug: "prod",
//!     space_labels: &labels,
//!     revision: 1,
//! };
//! let call = Runner::new().call(&set_replicas, &arguments, &subject)?;
//! assert_eq!(call.stream.text(), "kind: Deployment\nspec:\n  replicas: 3 # small\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod arguments;
mod catalogue;
mod coverage;
mod doctest;
mod draft;
pub mod engine;
mod error;
mod function;
mod limits;
mod look;
mod meta;
mod native;
mod node;
mod pod;
mod program;
mod quantity;
mod record;
mod resolver;
mod runner;
mod translate;
mod unit;
mod value;

pub use arguments::Arguments;
pub use catalogue::{
    Catalogue, Fixture, Folder, FolderState, FunctionFile, FunctionSource, Problem, Stdlib,
};
pub use coverage::{Coverage, coverage_of};
pub use doctest::{
    Outcome, TestReport, fixture_output, junit, run_fixtures, run_tests, skipped_because,
};
pub use error::{Error, Fault, Kind as ErrorKind, Location, Result};
pub use function::{Example, Function, Kind, Param, ParamType, Scope};
pub use limits::{Limits, Meter};
pub use program::Program;
pub use runner::{Call, Finding, Row, Runner, Subject};
pub use translate::closure_error;
