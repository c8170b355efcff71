//! The folder of real manifests, where there is one.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};

/// The manifests, by name; none, with a word about it, where the folder is absent.
pub(crate) fn texts() -> Option<Vec<(String, String)>> {
    let sibling = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/yaml");
    let folder = std::env::var_os("WINDLASS_CORPUS").map_or(sibling, PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!(
            "skipped: no corpus at {} (set WINDLASS_CORPUS)",
            folder.display()
        );
        return None;
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let name = |file: &Path| file.file_name().unwrap().to_string_lossy().into_owned();
    Some(
        files
            .iter()
            .map(|file| (name(file), std::fs::read_to_string(file).unwrap()))
            .collect(),
    )
}
