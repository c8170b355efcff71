//! A project to measure in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use windlass::app::project::Project;
use windlass::app::{App, Settings};
use windlass::clock::Clock;

use crate::Result;

/// Opens the project of a folder, as the program would, with nobody at a terminal.
pub(crate) fn open(folder: &Path) -> Result<App> {
    Ok(App::open(Settings {
        seed: None,
        project: Project::find(folder),
        store: folder.join("store.redb"),
        actor: Arc::new(|| "bench".to_owned()),
        clock: Clock::System,
        lock_timeout: Duration::from_secs(10),
        message: None,
        command: "bench".to_owned(),
        notify: Arc::new(|_| {}),
        progress: Arc::new(|_| {}),
        process: windlass::app::lease::here(),
    })?)
}
