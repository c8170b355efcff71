//! Measures applying to a real cluster beside bare requests and `kubectl`, and prints a table.
//!
//! `cargo bench --bench cluster -- [--units N] [--runs N] [--once] [--no-kubectl] [--quick]`: N
//! Deployments (2,000), the median of N rounds (3; one with `--once`). `kubectl` is slow and has
//! no line to meet, so that it is measured in the first round alone. `--quick`, which is also what
//! `cargo test --benches` does, takes few Deployments and one round: it shows that everything
//! still works, and nothing about speed.
//!
//! `WINDLASS_TEST_KUBECONFIG` names the cluster; it should have no controllers, as what those do
//! with thousands of Deployments would be measured too. `WINDLASS_TEST_KUBECTL` names `kubectl`
//! where it is not on the `PATH`.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

mod bare;
#[path = "../engine/corpus.rs"]
mod corpus;
mod kubectl;
#[path = "../engine/line.rs"]
mod line;
mod manifest;
#[path = "../engine/measure.rs"]
#[expect(dead_code, reason = "the engine measures in other ways as well")]
mod measure;
mod ours;
#[path = "../engine/project.rs"]
mod project;
mod round;
mod table;

use std::path::PathBuf;

use bare::Cluster;
use kubectl::Kubectl;
use round::Setting;
use table::Table;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How much is measured.
struct Options {
    units: usize,
    rounds: usize,
    has_kubectl: bool,
}

fn options() -> Result<Options> {
    let (mut units, mut rounds) = (None, None);
    let (mut is_quick, mut is_bench, mut has_kubectl) = (false, false, true);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || -> Result<usize> {
            let text = args.next();
            let text = text.ok_or_else(|| format!("expected a number behind {arg}"))?;
            let number = text.parse().ok().filter(|number| *number > 0);
            Ok(number.ok_or_else(|| format!("expected a number behind {arg}, found `{text}`"))?)
        };
        match arg.as_str() {
            "--units" => units = Some(number()?),
            "--runs" => rounds = Some(number()?),
            "--once" => rounds = Some(1),
            "--no-kubectl" => has_kubectl = false,
            "--quick" => is_quick = true,
            "--bench" => is_bench = true,
            other => {
                return Err(format!(
                    "expected --units N, --runs N, --once, --no-kubectl or --quick, found `{other}`"
                )
                .into());
            }
        }
    }
    let (usual_units, usual_rounds) = if is_quick || !is_bench {
        (50, 1)
    } else {
        (2_000, 3)
    };
    Ok(Options {
        units: units.unwrap_or(usual_units),
        rounds: rounds.unwrap_or(usual_rounds),
        has_kubectl,
    })
}

fn main() -> Result<()> {
    let options = options()?;
    let Some(kubeconfig) = std::env::var_os("WINDLASS_TEST_KUBECONFIG").map(PathBuf::from) else {
        println!(
            "nothing was measured: expected WINDLASS_TEST_KUBECONFIG to name the kubeconfig of a \
             cluster to test with, found it unset"
        );
        return Ok(());
    };
    let cluster = Cluster::connect(&kubeconfig)?;
    let kubectl = Kubectl::find(&kubeconfig).filter(|_| options.has_kubectl);
    let mut rows = Vec::new();
    for number in 0..options.rounds {
        let folder = tempfile::tempdir()?;
        let setting = Setting {
            cluster: &cluster,
            kubeconfig: &kubeconfig,
            folder: folder.path(),
            kubectl: kubectl.as_ref().filter(|_| number == 0),
            units: options.units,
            number,
        };
        round::run(&setting, &mut rows)?;
    }
    let blank = match (&kubectl, options.has_kubectl) {
        (Some(_), _) => "",
        (None, true) => "not there",
        (None, false) => "left out",
    };
    println!("{} Deployments, one a unit", options.units);
    let (rows, units) = (&rows, options.units);
    print!("{}", Table { rows, units, blank });
    if kubectl.is_none() && options.has_kubectl {
        println!("kubectl did not run: WINDLASS_TEST_KUBECTL names it where it is not on the PATH");
    }
    Ok(())
}
