//! The embedded store: one redb file, one writer at a time over all processes, any number of
//! readers that never wait for it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use redb::{Builder, ConcurrencyMode, Database, DatabaseError, StorageError, TableDefinition};

use super::gate::{Gate, Pass, Patience};
use super::memory::MapSnapshot;
use super::{Error, OnWait, Snapshot, Store, Writer};

mod note;
mod reader;
mod writer;

use note::Note;
use reader::Reading;
use writer::EmbeddedWriter;

/// How long a writer waits for another unless told otherwise.
pub const DEFAULT_LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// redb's own default is 1 GiB, which is more than the rest of the program together.
const CACHE_BYTES: usize = 64 << 20;

/// The one table: order and meaning of the keys are the business of the layer above.
const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> =
    TableDefinition::new("windlass");

/// Called once, when the first write of a new store is committed, with the path of its file.
pub type OnCreate = Arc<dyn Fn(&Path) + Send + Sync>;

/// A store in one file, made by the first write.
///
/// Values for the same file, in one process or in many, share it: one of them writes at a time,
/// and no one holds the lock for longer than a transaction.
///
/// ```
/// use windlass::store::{Batch, Embedded, Store};
///
/// let folder = tempfile::tempdir().unwrap();
/// let store = Embedded::new(folder.path().join("store.redb"));
/// assert!(!store.exists());
/// assert_eq!(store.read().unwrap().get(b"key").unwrap(), None);
///
/// let mut writer = store.write("test").unwrap();
/// let mut batch = Batch::default();
/// batch.put("key", "value");
/// writer.apply(batch).unwrap();
/// writer.commit().unwrap();
/// assert_eq!(store.read().unwrap().get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
/// ```
pub struct Embedded {
    path: PathBuf,
    lock_timeout: Duration,
    on_wait: Option<OnWait>,
    on_create: Option<OnCreate>,
    reading: Mutex<Option<Reading>>,
}

impl Embedded {
    /// Names the file; nothing is opened or made yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            lock_timeout: DEFAULT_LOCK_TIMEOUT,
            on_wait: None,
            on_create: None,
            reading: Mutex::new(None),
        }
    }

    /// Sets how long a writer waits for another.
    #[must_use]
    pub fn with_lock_timeout(mut self, lock_timeout: Duration) -> Self {
        self.lock_timeout = lock_timeout;
        self
    }

    /// Sets who is told for whom a writer waits.
    #[must_use]
    pub fn with_on_wait(mut self, on_wait: OnWait) -> Self {
        self.on_wait = Some(on_wait);
        self
    }

    /// Sets who is told that the store was made.
    #[must_use]
    pub fn with_on_create(mut self, on_create: OnCreate) -> Self {
        self.on_create = Some(on_create);
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn patience(&self) -> Patience {
        Patience::new(self.lock_timeout, self.on_wait.clone())
    }

    fn locked(&self, patience: &Patience, holder: Option<super::Holder>) -> Error {
        Error::Locked {
            path: self.path.clone(),
            waited: patience.waited(),
            holder,
        }
    }

    /// Passes the gate that keeps the writers of this process apart.
    fn enter(&self, intent: &str, patience: &mut Patience) -> Result<Pass, Error> {
        gate_of(&self.path)
            .enter(intent, patience)
            .map_err(|holder| self.locked(patience, holder))
    }

    /// Opens the file; redb panics at some damages.
    fn create_or_open(&self) -> Result<Result<Database, DatabaseError>, Error> {
        let path = &self.path;
        std::panic::catch_unwind(|| builder().create(path)).map_err(|cause| {
            let text = cause.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
            Error::Damaged {
                path: self.path.clone(),
                detail: text.unwrap_or("it cannot be opened").to_owned(),
            }
        })
    }

    /// Opens the file for writing, waiting for the writer of another process.
    fn open_for_writing(&self, patience: &mut Patience) -> Result<Database, Error> {
        let mut pause = Duration::from_millis(1);
        loop {
            match self.create_or_open()? {
                Ok(database) => return Ok(database),
                Err(DatabaseError::DatabaseAlreadyOpen) => {
                    let holder = Note::of(&self.path);
                    let Some(left) = patience.left() else {
                        return Err(self.locked(patience, holder));
                    };
                    patience.tell(holder);
                    std::thread::sleep(pause.min(left));
                    pause = (pause * 2).min(Duration::from_millis(8));
                }
                Err(error) => return Err(opening(&self.path, error)),
            }
        }
    }
}

impl Store for Embedded {
    fn read(&self) -> Result<Box<dyn Snapshot>, Error> {
        if !self.exists() {
            return Ok(Box::new(MapSnapshot::empty()));
        }
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // A file that was replaced is another store; the handle would go on reading the old one.
        if reading.as_ref().is_none_or(|open| !open.is_of(&self.path)) {
            *reading = Some(Reading::open(&self.path, self.patience())?);
        }
        match reading.as_ref() {
            Some(open) => open.snapshot(),
            None => Ok(Box::new(MapSnapshot::empty())),
        }
    }

    fn write(&self, intent: &str) -> Result<Box<dyn Writer>, Error> {
        let mut patience = self.patience();
        let pass = self.enter(intent, &mut patience)?;
        let first =
            !self.exists() && create(&self.path).map_err(|source| io_at(&self.path, source))?;
        let database = self.open_for_writing(&mut patience)?;
        let on_create = self.on_create.clone().filter(|_| first);
        let writer = EmbeddedWriter::begin(&self.path, database, intent, on_create, first, pass)?;
        Ok(Box::new(writer))
    }

    fn exists(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| file.len() > 0)
    }
}

/// The settings of every handle: all processes that share the file must agree on the mode.
fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_concurrency_mode(ConcurrencyMode::SingleWriter)
        .set_cache_size(CACHE_BYTES);
    builder
}

/// The gate of a file, one for all values in this process that name it.
fn gate_of(path: &Path) -> Arc<Gate> {
    static GATES: Mutex<BTreeMap<PathBuf, Weak<Gate>>> = Mutex::new(BTreeMap::new());

    let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
    gates.retain(|_, gate| gate.strong_count() > 0);
    let place = place(path);
    if let Some(gate) = gates.get(&place).and_then(Weak::upgrade) {
        return gate;
    }
    let gate = Arc::new(Gate::default());
    gates.insert(place, Arc::downgrade(&gate));
    gate
}

/// One name for a file, whether it exists yet or not.
fn place(path: &Path) -> PathBuf {
    if let Ok(place) = path.canonicalize() {
        return place;
    }
    let folder = folder(path);
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The path with something put behind the file's name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Makes an empty store under another name and then gives it its own, all at once; false when
/// another process was quicker.
///
/// A file whose making was killed half way could never be opened again, so none ever stands at
/// the store's path.
fn create(path: &Path) -> io::Result<bool> {
    let folder = folder(path);
    fs::create_dir_all(folder)?;
    let unfinished = beside(path, &format!(".new-{}", std::process::id()));
    // A process killed here may have left one, and its number may be ours now.
    remove_if_there(&unfinished)?;
    let made = builder().create(&unfinished).map_err(|error| match error {
        DatabaseError::Storage(StorageError::Io(source)) => source,
        other => io::Error::other(other.to_string()),
    })?;
    drop(made);
    let linked = publish(&unfinished, path);
    remove_if_there(&unfinished)?;
    let first = linked?;
    if let Ok(folder) = fs::File::open(folder) {
        // Not every system can sync a folder; where it can, the name survives a power cut.
        folder.sync_all().ok();
    }
    Ok(first)
}

/// Gives the finished file the store's name, unless another process was quicker.
fn publish(unfinished: &Path, path: &Path) -> io::Result<bool> {
    if fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return fs::rename(unfinished, path).map(|()| true);
    }
    match fs::hard_link(unfinished, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // Some file systems have no links. Should another process make a store between the look
        // and the renaming, neither of the two has committed anything yet.
        Err(_) if !path.exists() => fs::rename(unfinished, path).map(|()| true),
        done => done.map(|()| true),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn io_at(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

fn opening(path: &Path, error: DatabaseError) -> Error {
    match error {
        DatabaseError::Storage(error) => storage(path, error),
        DatabaseError::LockProtocolMismatch | DatabaseError::UpgradeRequired(_) => {
            Error::Incompatible {
                path: path.to_owned(),
                detail: error.to_string(),
            }
        }
        other => Error::Damaged {
            path: path.to_owned(),
            detail: other.to_string(),
        },
    }
}

fn storage(path: &Path, error: StorageError) -> Error {
    match error {
        StorageError::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
            Error::NotAStore {
                path: path.to_owned(),
            }
        }
        StorageError::Io(source) => io_at(path, source),
        other => Error::Damaged {
            path: path.to_owned(),
            detail: other.to_string(),
        },
    }
}

fn table(path: &Path, error: redb::TableError) -> Error {
    match error {
        redb::TableError::Storage(error) => storage(path, error),
        other => Error::Damaged {
            path: path.to_owned(),
            detail: other.to_string(),
        },
    }
}
