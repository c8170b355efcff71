//! The small file beside a store that says who writes: for those who wait, never a lock.

use std::fs;
use std::path::{Path, PathBuf};

use crate::clock::Timestamp;
use crate::store::Holder;

/// A note, removed when dropped.
#[derive(Debug)]
pub(super) struct Note {
    path: PathBuf,
}

impl Note {
    /// Says that this process writes to `store`. A note that cannot be written is no reason not
    /// to: those who wait are told less.
    pub(super) fn leave(store: &Path, holder: &Holder) -> Self {
        let path = super::beside(store, ".writer");
        let command = holder.command.replace(['\n', '\r'], " ");
        let text = format!(
            "{}\n{command}\n{}\n",
            holder.pid,
            holder.since.microseconds()
        );
        fs::write(&path, text).ok();
        Self { path }
    }

    /// Who says that they write to `store`; nobody when the note was left by a dead process.
    pub(super) fn of(store: &Path) -> Option<Holder> {
        let text = fs::read_to_string(super::beside(store, ".writer")).ok()?;
        let mut lines = text.lines();
        let pid: u32 = lines.next()?.parse().ok()?;
        let command = lines.next()?.to_owned();
        let since = Timestamp::from_microseconds(lines.next()?.parse().ok()?);
        is_alive(pid).then_some(Holder {
            pid,
            command,
            since,
        })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

/// Whether a process runs; assumed where the system has no `/proc` to ask.
fn is_alive(pid: u32) -> bool {
    !Path::new("/proc/self").exists() || Path::new("/proc").join(pid.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_until_it_is_dropped_or_its_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.redb");
        assert_eq!(Note::of(&store), None);

        let here = Holder::here("import\nof two lines");
        let note = Note::leave(&store, &here);
        let found = Note::of(&store).unwrap();
        assert_eq!(found.command, "import of two lines");
        assert_eq!((found.pid, found.since), (here.pid, here.since));
        drop(note);
        assert_eq!(Note::of(&store), None);

        if Path::new("/proc/self").exists() {
            let gone = Holder {
                pid: u32::MAX,
                ..here
            };
            let _note = Note::leave(&store, &gone);
            assert_eq!(Note::of(&store), None);
        }
    }
}
