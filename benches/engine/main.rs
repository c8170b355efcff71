//! Measures the engine beside baselines of the same run, and prints a table of ratios.
//!
//! `cargo bench --bench engine -- [--units N] [--runs N] [--quick] [--once]`: N units (2,000) and then ten
//! times as many, unless `--once`. `--quick`, which is also what `cargo test --benches` does, takes
//! few units and few runs: it shows that everything still works, and nothing about speed.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

mod baseline;
mod corpus;
mod line;
mod measure;
mod project;
mod table;
mod work;

use std::path::Path;

use table::Table;
use work::Stage;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    units: usize,
    /// Of long work; short work gets some times as many.
    runs: usize,
    /// Of processes.
    starts: usize,
}

struct Options {
    scale: Scale,
    is_once: bool,
}

fn options() -> Result<Options> {
    let (mut units, mut runs_given) = (None, None);
    let (mut is_quick, mut is_bench, mut is_once) = (false, false, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--units" => {
                units = Some(
                    args.next()
                        .ok_or("expected a number behind --units")?
                        .parse()?,
                );
            }
            "--runs" => {
                let text = args.next().ok_or("expected a number behind --runs")?;
                runs_given = Some(text.parse()?);
            }
            "--quick" => is_quick = true,
            "--once" => is_once = true,
            "--bench" => is_bench = true,
            other => {
                return Err(format!(
                    "expected --units N, --runs N, --quick or --once, found `{other}`"
                )
                .into());
            }
        }
    }
    let is_quick = is_quick || !is_bench;
    let (usual, runs, starts) = if is_quick { (50, 1, 3) } else { (2_000, 5, 20) };
    let units = units.unwrap_or(usual);
    let runs = runs_given.unwrap_or(runs);
    Ok(Options {
        scale: Scale {
            units,
            runs,
            starts,
        },
        is_once,
    })
}

fn measure(folder: &Path, scale: Scale) -> Result<()> {
    let mut stage = Stage::import(folder, scale)?;
    stage.bulk()?;
    stage.queries()?;
    stage.upgrade()?;
    stage.single_write()?;
    stage.cold_reads()?;
    let (files, store) = stage.sizes()?;
    println!("{} units", scale.units);
    print!("{}", Table(&stage.into_rows()));
    println!("{files} bytes of files, a store of {store} bytes\n");
    Ok(())
}

fn main() -> Result<()> {
    let Options { scale, is_once } = options()?;
    let folder = tempfile::tempdir()?;
    let one = folder.path().join("one");
    measure(&one, scale)?;
    if !is_once {
        std::fs::remove_dir_all(&one)?;
        let ten = Scale {
            units: scale.units * 10,
            runs: scale.runs.div_ceil(2),
            ..scale
        };
        measure(&folder.path().join("ten"), ten)?;
    }
    Ok(())
}
