//! The only place that makes Rhai engines, so that none is ever without limits.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicBlobPackage, BasicFnPackage, BasicIteratorPackage,
    BasicMapPackage, BasicMathPackage, BasicStringPackage, BasicTimePackage, BitFieldPackage,
    LanguageCorePackage, LogicPackage, MoreStringPackage, Package as _,
};
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext, Position};

use super::limits::{Limits, keep_printed};
use super::resolver::ProjectResolver;
use super::{coverage, native, node, unit};

/// What a session's engine may do.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Folder that `import` may read below, normally the project's root. `None`: no imports.
    pub root: Option<PathBuf>,
    /// Allowance of the whole script.
    pub limits: Limits,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            root: None,
            limits: Limits::SESSION,
        }
    }
}

/// The engine that every function runs in, made once and shared by all threads.
pub(super) fn function_engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    static WATCHED: OnceLock<Engine> = OnceLock::new();
    if coverage::is_recording() {
        return WATCHED.get_or_init(|| watched(pure_engine()));
    }
    ENGINE.get_or_init(pure_engine)
}

/// The engine that examples and tests run in: a function's, with the test tools.
pub(super) fn test_engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    static WATCHED: OnceLock<Engine> = OnceLock::new();
    let make = || {
        let mut engine = pure_engine();
        super::doctest::register(&mut engine);
        engine
    };
    if coverage::is_recording() {
        return WATCHED.get_or_init(|| watched(make()));
    }
    ENGINE.get_or_init(make)
}

fn watched(mut engine: Engine) -> Engine {
    coverage::watch(&mut engine);
    engine
}

/// Makes the engine of a session script or the REPL: wider limits, and `import` of files below
/// the project's root. The caller adds the session's own API, and runs scripts under a
/// [`Meter`](super::Meter) on a thread with a [large stack](on_large_stack).
///
/// # Examples
///
/// ```
/// use windlass::script::engine::{SessionOptions, session_engine};
///
/// let engine = session_engine(SessionOptions::default());
/// assert_eq!(engine.eval::<i64>("6 * 7")?, 42);
/// # Ok::<(), Box<rhai::EvalAltResult>>(())
/// ```
pub fn session_engine(options: SessionOptions) -> Engine {
    let mut engine = bare_engine(&options.limits);
    BasicTimePackage::new().register_into_engine(&mut engine);
    if let Some(root) = options.root {
        engine.set_module_resolver(ProjectResolver::new(root));
    }
    engine
}

/// Runs `work` on a thread whose stack holds what the limits allow a script to nest.
///
/// Values may nest as deep as they may be long, and Rhai copies and drops them recursively.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    pool().install(work)
}

/// The threads with large stacks that functions run on.
///
/// Work on many units runs fastest inside `pool().install(|| …)`: calls made from one of these
/// threads stay on it, calls from elsewhere are handed over, which costs some microseconds.
///
/// # Panics
///
/// When the system refuses to start threads.
pub fn pool() -> &'static rayon::ThreadPool {
    static POOL: OnceLock<rayon::ThreadPool> = OnceLock::new();
    POOL.get_or_init(|| {
        rayon::ThreadPoolBuilder::new()
            .stack_size(STACK_BYTES)
            .thread_name(|index| format!("script-{index}"))
            .build()
            .expect("the system can start threads")
    })
}

/// Reserved, not used: pages are taken when they are touched.
const STACK_BYTES: usize = 256 << 20;

fn pure_engine() -> Engine {
    let mut engine = bare_engine(&Limits::FUNCTION);
    engine.set_strict_variables(true);
    engine.disable_symbol("eval").disable_symbol("import");
    engine.on_print(keep_printed);
    engine.on_debug(|text, _, position| keep_printed(&format!("{text} @ {position:?}")));
    // For the types that Rhai's own have: an exact match goes before `Dynamic`.
    engine.register_fn("sleep", |_: i64| pure::<()>("sleep"));
    engine.register_fn("sleep", |_: f64| pure::<()>("sleep"));
    engine.register_fn("timestamp", || pure::<()>("timestamp"));
    node::register(&mut engine);
    unit::register(&mut engine);
    native::register(&mut engine);
    engine
}

fn pure<T>(name: &str) -> Result<T, Box<EvalAltResult>> {
    Err(
        format!("`{name}` is not available: a function depends on nothing but its arguments")
            .into(),
    )
}

#[expect(clippy::disallowed_methods, reason = "the one maker of engines")]
fn bare_engine(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    // Without the interner nothing is shared, and locked, between threads that run scripts.
    engine.set_max_strings_interned(0);
    LanguageCorePackage::new().register_into_engine(&mut engine);
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BitFieldPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    BasicFnPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicBlobPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    limits.impose(&mut engine);
    bound_growth(&mut engine, limits);
    engine
}

/// Replaces the natives of Rhai that grow a value without bound in one step.
fn bound_growth(engine: &mut Engine, limits: &Limits) {
    let (string_bytes, array_items) = (limits.string_bytes, limits.array_items);
    // Rhai multiplies unchecked here, and a length that wraps round passes its size check.
    engine.register_fn(
        "pad",
        move |array: &mut Array, length: i64, item: Dynamic| -> Result<(), Box<EvalAltResult>> {
            let length = usize::try_from(length).unwrap_or(0);
            if length > array_items {
                return Err(too_large("Size of array"));
            }
            if length > array.len() {
                array.resize(length, item);
            }
            Ok(())
        },
    );
    // Rhai checks the size after the fact: 1 MiB of matches times 1 MiB each is 1 TiB.
    engine.register_fn(
        "replace",
        move |text: &mut ImmutableString, find: &str, with: &str| {
            replace(text, find, with, string_bytes)
        },
    );
    engine.register_fn(
        "replace",
        move |text: &mut ImmutableString, find: char, with: &str| {
            replace(text, find.encode_utf8(&mut [0; 4]), with, string_bytes)
        },
    );
    engine.register_fn(
        "blob",
        move |_: NativeCallContext<'_>, length: i64, value: i64| {
            let length = usize::try_from(length).unwrap_or(0);
            if length > array_items {
                return Err(too_large("Size of BLOB"));
            }
            let byte = u8::try_from(value & 0xff).unwrap_or(0);
            Ok(Dynamic::from_blob(vec![byte; length]))
        },
    );
}

fn replace(
    text: &mut ImmutableString,
    find: &str,
    with: &str,
    string_bytes: usize,
) -> Result<(), Box<EvalAltResult>> {
    let matches = text.matches(find).count();
    let grown = with
        .len()
        .saturating_sub(find.len())
        .saturating_mul(matches);
    if grown.saturating_add(text.len()) > string_bytes {
        return Err(too_large("Length of string"));
    }
    if matches > 0 {
        *text = text.replace(find, with).into();
    }
    Ok(())
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "what Rhai's functions return"
)]
fn too_large(what: &str) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorDataTooLarge(
        what.to_owned(),
        Position::NONE,
    ))
}

/// Shares a native error with Rhai.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "what Rhai's functions return"
)]
pub(super) fn raise(error: super::Error) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(
        Dynamic::from(native::Raised(Arc::new(error))),
        Position::NONE,
    ))
}
