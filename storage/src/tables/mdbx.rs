//! The tables in MDBX.
//!
//! With [`Durability::Power`] every change waits for the disk. With [`Durability::Process`] MDBX
//! keeps the state of the last [`sync`](MdbxTables::sync) beside the newest: after a power cut it
//! goes back to the former, which the journal still covers because it is pruned only after a sync.

use std::{borrow::Cow, collections::BTreeMap, ops::Bound, path::Path, sync::Arc};

use signet_libmdbx::{
    Cursor, Database, DatabaseFlags, Environment, EnvironmentFlags, Geometry, MdbxError, Mode, ReadError,
    RoSync, SyncMode, TxSync, WriteFlags, sys::PageSize,
};

use super::{Bounds, Changes, Direction, Entry, Position};
use crate::{
    config::{Durability, StoreConfig},
    error::{Corruption, StorageError},
};

/// Decides the longest key (KEY_BYTES_MAX leaves room for two in a page), so it is fixed.
const PAGE_BYTES: usize = 4096;
const GROWTH_BYTES: isize = 16 << 20;
const READERS_MAX: u64 = 1024;
/// Table of the position; its name cannot be declared.
pub(crate) const POSITION_TABLE: &str = "storage.position";
const POSITION_KEY: &[u8] = b"position";

/// The tables in MDBX.
#[derive(Debug)]
pub(crate) struct MdbxTables {
    environment: EnvironmentHandle,
    databases: Arc<BTreeMap<&'static str, Database>>,
    path: Arc<Path>,
    map_bytes_max: usize,
}

struct EnvironmentHandle(Environment);

impl std::fmt::Debug for EnvironmentHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment")
    }
}

impl MdbxTables {
    /// Opens the tables in a directory that exists, and creates those that do not.
    pub(crate) fn open(path: &Path, config: &StoreConfig) -> Result<Self, StorageError> {
        let failed = |source| error("open", config.map_bytes_max, path, source);
        let sync_mode = match config.durability {
            Durability::Power => SyncMode::Durable,
            Durability::Process => SyncMode::SafeNoSync,
        };
        let environment = Environment::builder()
            .set_max_dbs(config.tables.len() + 1)
            .set_max_readers(READERS_MAX)
            .set_geometry(Geometry {
                size: Some(0..config.map_bytes_max),
                growth_step: Some(GROWTH_BYTES),
                shrink_threshold: None,
                page_size: Some(PageSize::Set(PAGE_BYTES)),
            })
            .set_flags(EnvironmentFlags {
                mode: Mode::ReadWrite { sync_mode },
                no_rdahead: true,
                ..EnvironmentFlags::default()
            })
            .open(path)
            .map_err(failed)?;
        let transaction = environment.begin_rw_unsync().map_err(failed)?;
        let mut databases = BTreeMap::new();
        for name in config.tables.iter().copied().chain([POSITION_TABLE]) {
            let database = transaction.create_db(Some(name), DatabaseFlags::empty()).map_err(failed)?;
            databases.insert(name, database);
        }
        transaction.commit().map_err(failed)?;
        Ok(Self {
            environment: EnvironmentHandle(environment),
            databases: Arc::new(databases),
            path: path.into(),
            map_bytes_max: config.map_bytes_max,
        })
    }

    pub(super) fn apply(&self, changes: &Changes<'_>, position: Position) -> Result<(), StorageError> {
        self.write(changes, position).map_err(|source| error("write", self.map_bytes_max, &self.path, source))
    }

    fn write(&self, changes: &Changes<'_>, position: Position) -> Result<(), MdbxError> {
        let transaction = self.environment.0.begin_rw_unsync()?;
        for (name, changes) in changes {
            let database = *self.databases.get(name).ok_or(MdbxError::BadDbi)?;
            let mut cursor = transaction.cursor(database)?;
            for (key, value) in changes {
                match value {
                    Some(value) => cursor.put(key, value, WriteFlags::UPSERT)?,
                    None => drop(transaction.del(database, key, None)?),
                }
            }
        }
        let database = *self.databases.get(POSITION_TABLE).ok_or(MdbxError::BadDbi)?;
        transaction.put(database, POSITION_KEY, encode(position), WriteFlags::UPSERT)?;
        transaction.commit()
    }

    pub(super) fn sync(&self) -> Result<(), StorageError> {
        let failed = |source| error("sync", self.map_bytes_max, &self.path, source);
        self.environment.0.sync(true).map(drop).map_err(failed)
    }

    pub(super) fn view(&self) -> Result<MdbxView, StorageError> {
        let transaction = self.environment.0.begin_ro_sync().map_err(reading)?;
        Ok(MdbxView { transaction, databases: self.databases.clone(), path: self.path.clone() })
    }
}

/// The tables in MDBX at one position. Pages it can see are not reused while it lives.
#[derive(Debug)]
pub(crate) struct MdbxView {
    transaction: TxSync<RoSync>,
    databases: Arc<BTreeMap<&'static str, Database>>,
    path: Arc<Path>,
}

impl MdbxView {
    fn database(&self, table: &'static str) -> Result<Database, StorageError> {
        self.databases.get(table).copied().ok_or_else(|| StorageError::UnknownTable { name: table.into() })
    }

    pub(super) fn position(&self) -> Result<Position, StorageError> {
        let Some(bytes) = self.get(POSITION_TABLE, POSITION_KEY)? else { return Ok(Position::default()) };
        let corrupt =
            || StorageError::Corrupt { file: self.path.to_path_buf(), offset: 0, what: Corruption::Content };
        decode(&bytes).ok_or_else(corrupt)
    }

    pub(super) fn get(&self, table: &'static str, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, StorageError> {
        self.transaction.get(self.database(table)?.dbi(), key).map_err(read_failed)
    }

    pub(super) fn scan(
        &self,
        table: &'static str,
        bounds: Bounds,
        direction: Direction,
    ) -> Result<MdbxScan<'_>, StorageError> {
        let cursor = self.transaction.cursor(self.database(table)?).map_err(reading)?;
        Ok(MdbxScan { cursor, bounds, direction, state: ScanState::Start })
    }
}

/// The entries of a table between two bounds.
pub(super) struct MdbxScan<'a> {
    cursor: Cursor<'a, RoSync>,
    bounds: Bounds,
    direction: Direction,
    state: ScanState,
}

enum ScanState {
    Start,
    Within,
    Done,
}

impl<'a> MdbxScan<'a> {
    fn step(&mut self) -> Result<Option<Entry<'a>>, ReadError> {
        let entry = match (&self.state, self.direction) {
            (ScanState::Done, _) => None,
            (ScanState::Start, Direction::Forward) => self.seek_first()?,
            (ScanState::Start, Direction::Backward) => self.seek_last()?,
            (ScanState::Within, Direction::Forward) => self.cursor.next()?,
            (ScanState::Within, Direction::Backward) => self.cursor.prev()?,
        };
        let entry = entry.filter(|(key, _): &Entry<'_>| match self.direction {
            Direction::Forward => is_before_end(key, &self.bounds.1),
            Direction::Backward => is_after_start(key, &self.bounds.0),
        });
        self.state = if entry.is_some() { ScanState::Within } else { ScanState::Done };
        Ok(entry)
    }

    fn seek_first(&mut self) -> Result<Option<Entry<'a>>, ReadError> {
        match &self.bounds.0 {
            Bound::Unbounded => self.cursor.first(),
            Bound::Included(from) => self.cursor.set_range(from),
            Bound::Excluded(from) => match self.cursor.set_range::<Cow<'a, [u8]>, _>(from)? {
                Some((key, _)) if *key == **from => self.cursor.next(),
                entry => Ok(entry),
            },
        }
    }

    fn seek_last(&mut self) -> Result<Option<Entry<'a>>, ReadError> {
        let (to, included) = match &self.bounds.1 {
            Bound::Unbounded => return self.cursor.last(),
            Bound::Included(to) => (to, true),
            Bound::Excluded(to) => (to, false),
        };
        match self.cursor.set_range::<Cow<'a, [u8]>, _>(to)? {
            Some((key, value)) if included && *key == **to => Ok(Some((key, value))),
            Some((_, _)) => self.cursor.prev(),
            None => self.cursor.last(),
        }
    }
}

impl<'a> Iterator for MdbxScan<'a> {
    type Item = Result<Entry<'a>, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.step().map_err(read_failed).transpose();
        if matches!(entry, Some(Err(_))) {
            self.state = ScanState::Done;
        }
        entry
    }
}

fn is_before_end(key: &[u8], end: &Bound<Vec<u8>>) -> bool {
    match end {
        Bound::Unbounded => true,
        Bound::Included(end) => key <= end.as_slice(),
        Bound::Excluded(end) => key < end.as_slice(),
    }
}

fn is_after_start(key: &[u8], start: &Bound<Vec<u8>>) -> bool {
    match start {
        Bound::Unbounded => true,
        Bound::Included(start) => key >= start.as_slice(),
        Bound::Excluded(start) => key > start.as_slice(),
    }
}

/// Number, then the sequence if there is one; big-endian.
fn encode(position: Position) -> Vec<u8> {
    let mut bytes = position.number.to_be_bytes().to_vec();
    bytes.extend(position.sequence.map(u64::to_be_bytes).into_iter().flatten());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Position> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    let sequence = if rest.is_empty() { None } else { Some(u64::from_be_bytes(rest.try_into().ok()?)) };
    Some(Position { number: u64::from_be_bytes(*number), sequence })
}

fn error(verb: &'static str, bytes_max: usize, path: &Path, source: MdbxError) -> StorageError {
    match source {
        MdbxError::MapFull => StorageError::TablesFull { bytes_max },
        MdbxError::Other(code) if code > 0 => {
            StorageError::io(verb, path, std::io::Error::from_raw_os_error(code))
        }
        source => StorageError::Tables { verb, source },
    }
}

const fn reading(source: MdbxError) -> StorageError {
    StorageError::Tables { verb: "read", source }
}

fn read_failed(source: ReadError) -> StorageError {
    match source {
        ReadError::Mdbx(source) => reading(source),
        // Entries are read as bytes, which decode always.
        ReadError::Decoding(_) => reading(MdbxError::DecodeError),
    }
}
