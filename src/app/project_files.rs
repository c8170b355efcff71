//! Folders to begin with: an empty project, and the tutorial.

use std::borrow::Cow;
use std::path::Path;

use rust_embed::RustEmbed;

use crate::app::files::{replace, unwritable};
use crate::error::Result;

/// The tutorial's scripts.
#[derive(RustEmbed)]
#[folder = "scripts"]
struct Scripts;

/// The tutorial's manifests.
#[derive(RustEmbed)]
#[folder = "k8s"]
struct Manifests;

const SETTINGS: &str = "# The root of a Windlass project: scripts reach the files below it.\n";
const IGNORED: &str =
    "# The store and previews; windlass export writes what belongs into git.\n.windlass/\n";
const FUNCTION: &str = r#"//! Ownership

export const META = #{
    kind: "mutate",
    params: [ #{ name: "team", type: "string", about: "Who is called at night" } ],
};

/// Label every resource with its team.
///
/// # Example
/// ```
/// let web = resource("kind: Deployment\nmetadata:\n  name: web # front\n");
/// set_team(web, "payments");
/// web.metadata.labels.team == "payments"
/// ```
fn set_team(resource, team) {
    resource.set("metadata.labels.team", team);
}
"#;

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct Laid {
    /// Files that are new, relative to the folder.
    pub written: Vec<String>,
    /// Files that were there and stay as they are.
    pub kept: Vec<String>,
}

/// Makes a project in a folder. Files that are there stay.
///
/// # Errors
/// When a file cannot be written.
pub fn project(folder: &Path) -> Result<Laid> {
    let mut laid = Laid::default();
    let files = [
        ("windlass.toml", SETTINGS),
        (".gitignore", IGNORED),
        ("functions/set-team.rhai", FUNCTION),
    ];
    for (name, text) in files {
        lay(folder, name, text.as_bytes(), &mut laid)?;
    }
    Ok(laid)
}

/// Writes the tutorial into a folder, as a project of its own. Files that are there stay.
///
/// # Errors
/// As [`project`].
pub fn tutorial(folder: &Path) -> Result<Laid> {
    let mut laid = project(folder)?;
    for (place, names) in [
        ("scripts", names::<Scripts>()),
        ("k8s", names::<Manifests>()),
    ] {
        for (name, bytes) in names {
            lay(folder, &format!("{place}/{name}"), &bytes, &mut laid)?;
        }
    }
    Ok(laid)
}

fn names<E: RustEmbed>() -> Vec<(String, Cow<'static, [u8]>)> {
    let mut all: Vec<_> = E::iter()
        .filter_map(|name| Some((name.to_string(), E::get(&name)?.data)))
        .collect();
    all.sort();
    all
}

fn lay(folder: &Path, name: &str, bytes: &[u8], laid: &mut Laid) -> Result<()> {
    let path = folder.join(name);
    if path.symlink_metadata().is_ok() {
        laid.kept.push(name.to_owned());
        return Ok(());
    }
    replace(&path, bytes).map_err(|error| unwritable(&path, &error))?;
    laid.written.push(name.to_owned());
    Ok(())
}
