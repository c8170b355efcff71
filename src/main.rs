//! The `windlass` program: arguments in, exit code out.

use std::process::ExitCode;

/// Documents are many small allocations, made on all cores: the system's allocator takes a third
/// more of the processor for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(windlass::cli::run(std::env::args_os()))
}
