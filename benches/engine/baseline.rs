//! The baselines: the same work in `SQLite`, and the same keys and bytes in bare redb.

use std::fs;
use std::path::{Path, PathBuf};

use redb::{Builder, ConcurrencyMode, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use rusqlite::{Connection, params};

use crate::Result;

/// The table that the store of Windlass keeps everything in.
const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> =
    TableDefinition::new("windlass");

const CACHE_BYTES: usize = 64 << 20;

/// Units and revisions as two tables of `SQLite`.
pub(crate) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Makes an empty database that waits for the disk at each commit, as Windlass does.
    pub(crate) fn create(file: &Path) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE unit (
                id INTEGER PRIMARY KEY, slug TEXT NOT NULL, tier TEXT, upstream INTEGER,
                head INTEGER NOT NULL, data TEXT NOT NULL, json TEXT NOT NULL);
             CREATE INDEX by_slug ON unit (slug);
             CREATE INDEX by_tier ON unit (tier);
             CREATE INDEX by_upstream ON unit (upstream);
             CREATE TABLE revision (
                unit INTEGER NOT NULL, num INTEGER NOT NULL, author TEXT NOT NULL,
                at INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (unit, num));",
        )?;
        Ok(Self { connection })
    }

    /// Reads files and stores each as a unit with its first revision, in one transaction.
    ///
    /// The JSON that `json_extract` reads is made by `to_json`, which is not part of the work.
    pub(crate) fn import(&mut self, files: &[PathBuf]) -> Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut unit = transaction
                .prepare("INSERT INTO unit (slug, head, data, json) VALUES (?1, 1, ?2, '{}')")?;
            let mut revision = transaction.prepare(
                "INSERT INTO revision (unit, num, author, at, data) VALUES (?1, 1, 'b', 0, ?2)",
            )?;
            for file in files {
                let text = fs::read_to_string(file)?;
                let slug = file.file_stem().unwrap_or_default().to_string_lossy();
                unit.execute(params![slug, text])?;
                revision.execute(params![transaction.last_insert_rowid(), text])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Gives every unit its data as JSON and every hundredth a label and an upstream.
    pub(crate) fn prepare_queries(&mut self, replicas: impl Fn(usize) -> usize) -> Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let count: i64 =
                transaction.query_row("SELECT count(*) FROM unit", [], |row| row.get(0))?;
            let mut set = transaction
                .prepare("UPDATE unit SET json = ?2, tier = ?3, upstream = ?4 WHERE id = ?1")?;
            for at in 0..usize::try_from(count)? {
                let is_chosen = at < 20;
                let json = serde_json::json!({
                    "kind": "Deployment",
                    "spec": { "replicas": replicas(at), "template": { "spec": { "containers": [
                        { "name": "main", "image": format!("registry.example.com/{at}") },
                    ] } } },
                });
                set.execute(params![
                    i64::try_from(at + 1)?,
                    json.to_string(),
                    is_chosen.then_some("gold"),
                    is_chosen.then_some(1_000_000),
                ])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Replaces a text in the data of all units and stores a revision of each, in one
    /// transaction.
    pub(crate) fn replace(&mut self, changes: &[(String, String)]) -> Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut all = transaction.prepare("SELECT id, head, data FROM unit")?;
            let mut unit =
                transaction.prepare("UPDATE unit SET head = ?2, data = ?3 WHERE id = ?1")?;
            let mut revision = transaction.prepare(
                "INSERT INTO revision (unit, num, author, at, data) VALUES (?1, ?2, 'b', 0, ?3)",
            )?;
            let mut rows = all.query([])?;
            while let Some(row) = rows.next()? {
                let (id, head): (i64, i64) = (row.get(0)?, row.get(1)?);
                let mut data: String = row.get(2)?;
                for (from, to) in changes {
                    data = with_value(&data, from, to);
                }
                unit.execute(params![id, head + 1, data])?;
                revision.execute(params![id, head + 1, data])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// How many units a condition finds.
    pub(crate) fn count(&self, condition: &str) -> Result<usize> {
        let sql = format!("SELECT id, head FROM unit WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while rows.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

/// The text with another value behind the first occurrence of a key.
fn with_value(text: &str, key: &str, value: &str) -> String {
    let Some(start) = text.find(key).map(|at| at + key.len()) else {
        return text.to_owned();
    };
    let end = text[start..]
        .find([' ', '\n'])
        .map_or(text.len(), |length| start + length);
    [&text[..start], value, &text[end..]].concat()
}

/// A key with its new value; none where it is gone.
pub(crate) type KeyValue = (Vec<u8>, Option<Vec<u8>>);

/// What differs between two stores: the keys that a write put or took away.
pub(crate) fn difference(before: &Path, after: &Path) -> Result<Vec<KeyValue>> {
    let before = builder()
        .open_read_only(before)?
        .begin_read()?
        .open_table(TABLE)?;
    let after = builder()
        .open_read_only(after)?
        .begin_read()?
        .open_table(TABLE)?;
    let mut changes = Vec::new();
    let mut old = before.iter()?;
    let mut new = after.iter()?;
    let (mut left, mut right) = (old.next().transpose()?, new.next().transpose()?);
    loop {
        let order = match (&left, &right) {
            (None, None) => return Ok(changes),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.value().cmp(right.value()),
        };
        match (&left, &right) {
            (Some((key, _)), _) if order.is_lt() => changes.push((key.value().to_vec(), None)),
            (Some((_, old)), Some((_, new))) if order.is_eq() && old.value() == new.value() => {}
            (_, Some((key, new))) => {
                changes.push((key.value().to_vec(), Some(new.value().to_vec())));
            }
            _ => {}
        }
        if order.is_le() {
            left = old.next().transpose()?;
        }
        if order.is_ge() {
            right = new.next().transpose()?;
        }
    }
}

/// Writes changes to a store with redb alone, in the mode of Windlass: open, commit, close.
pub(crate) fn replay(file: &Path, changes: &[KeyValue]) -> Result<()> {
    let database = builder().create(file)?;
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(TABLE)?;
        for (key, value) in changes {
            match value {
                Some(value) => drop(table.insert(key.as_slice(), value.as_slice())?),
                None => drop(table.remove(key.as_slice())?),
            }
        }
    }
    Ok(transaction.commit()?)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_concurrency_mode(ConcurrencyMode::SingleWriter)
        .set_cache_size(CACHE_BYTES);
    builder
}
