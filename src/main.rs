//! The `windlass` program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(windlass::cli::run(std::env::args_os()))
}
