//! The catalogue of functions, kept for as long as no function changes.

use std::sync::{Arc, MutexGuard, PoisonError};

use crate::app::App;
use crate::app::functions::{FOLDER, RESERVED, refused};
use crate::app::installed::Installed;
use crate::error::Result;
use crate::model::InstalledFunction;
use crate::script::{Catalogue, Folder, FolderState, Stdlib};

/// The catalogue as it was loaded last.
#[derive(Default)]
pub(super) struct Kept {
    loaded: Option<Loaded>,
    /// Whether the project's folder was looked at since [`App::recheck_functions`].
    is_folder_known: bool,
}

struct Loaded {
    catalogue: Arc<Catalogue>,
    folder: FolderState,
    installed: Vec<InstalledFunction>,
}

impl App {
    /// The functions there are: the project's, then those installed in the store, then the
    /// standard library's. What the open transaction installed is among them.
    ///
    /// The same one is given until a function is installed or uninstalled, by whatever operation
    /// or process, or a file changed that [`Self::recheck_functions`] had looked at.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn catalogue(&self) -> Result<Arc<Catalogue>> {
        let installed = self.read(|view| Ok(view.functions()?))?;
        let source = Folder::new(self.project().root().join(FOLDER), FOLDER);
        let mut kept = self.kept_functions();
        let is_folder_known = std::mem::replace(&mut kept.is_folder_known, true);
        if let Some(loaded) = &kept.loaded
            && loaded.installed == installed
            && (is_folder_known || loaded.folder == source.state())
        {
            return Ok(Arc::clone(&loaded.catalogue));
        }
        // Before the files are read, so that a change meanwhile is seen the next time.
        let folder = source.state();
        let (catalogue, problems) =
            Catalogue::load(&[&source, &Installed(&installed), &Stdlib], &|name| {
                RESERVED.contains(&name)
            });
        let catalogue = Arc::new(catalogue);
        kept.loaded = Some(Loaded {
            catalogue: Arc::clone(&catalogue),
            folder,
            installed,
        });
        drop(kept);
        for problem in problems {
            self.notify(&refused(&problem));
        }
        Ok(catalogue)
    }

    /// Makes the next [`Self::catalogue`] look whether files of the project's functions were
    /// added, changed or removed. Between two calls of this they count as they were: a script
    /// that runs does not meet a file that somebody is typing.
    pub fn recheck_functions(&self) {
        self.kept_functions().is_folder_known = false;
    }

    fn kept_functions(&self) -> MutexGuard<'_, Kept> {
        // Each use leaves it whole, so a panic of another thread does no harm.
        self.0
            .functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
