//! Opening a store: who may, what is there, and what a crash has left to do.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    thread,
};

use parking_lot::{Condvar, Mutex, RwLock};

use super::{Guard, Handle, Shared, Signal, Store};
use crate::{
    config::StoreConfig,
    disk::Directory,
    error::{Corruption, StorageError},
    journal::Journal,
    log::ChangeLog,
    memory_disk::{MemoryDisk, MemoryGuard},
    overlay::{Layer, Overlay},
    tables::{MdbxTables, MemoryTables, POSITION_TABLE, Tables},
};

/// The version of everything in the directory.
const FORMAT: u32 = 1;
const FORMAT_FILE: &str = "FORMAT";
const FORMAT_PREFIX: &str = "atoll storage ";
const LOCK_FILE: &str = "LOCK";
const JOURNAL_DIRECTORY: &str = "journal";
const TABLES_DIRECTORY: &str = "tables";

/// What opening a store had to repair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Records that the tables lacked, and got from the journal.
    pub replayed_records: u64,
    /// Bytes of a record that was being written when the process ended, and was never acknowledged.
    pub cut_bytes: u64,
}

pub(super) fn open_directory(path: &Path, config: StoreConfig) -> Result<Store, StorageError> {
    fs::create_dir_all(path).map_err(|source| StorageError::io("create", path, source))?;
    let guard = Guard::Real { _lock: DirectoryLock::take(path)? };
    let journal = path.join(JOURNAL_DIRECTORY);
    let tables = path.join(TABLES_DIRECTORY);
    let is_new = !has_format(path)?;
    if is_new {
        for directory in [&journal, &tables] {
            fs::create_dir(directory).map_err(|source| StorageError::io("create", directory, source))?;
        }
    }
    let tables = Tables::Mdbx(MdbxTables::open(&tables, &config)?);
    if is_new {
        write_format(path)?;
    }
    let (shared, recovery) = build(Directory::Real(journal), tables, config, guard, true)?;
    let flusher = thread::Builder::new().name("storage-flush".into());
    let flusher = flusher.spawn({
        let shared = shared.clone();
        move || shared.run_flusher()
    });
    let flusher = flusher.map_err(|source| StorageError::io("start the flusher of", path, source))?;
    Ok(Store { handle: Arc::new(Handle { shared, recovery, flusher: Some(flusher) }) })
}

pub(super) fn open_memory(disk: &MemoryDisk, config: StoreConfig) -> Result<Store, StorageError> {
    let directory = disk.attach().ok_or_else(|| StorageError::Locked { path: "memory".into() })?;
    let guard = Guard::Memory { _lock: MemoryGuard(directory.clone()) };
    let tables = Tables::Memory(MemoryTables::new(directory.clone(), config.durability));
    let (shared, recovery) = build(Directory::Memory(directory), tables, config, guard, false)?;
    Ok(Store { handle: Arc::new(Handle { shared, recovery, flusher: None }) })
}

/// What both backends share: replays the journal over the tables.
fn build(
    directory: Directory,
    tables: Tables,
    config: StoreConfig,
    guard: Guard,
    background: bool,
) -> Result<(Arc<Shared>, Recovery), StorageError> {
    if config.tables.contains(&POSITION_TABLE) {
        return Err(StorageError::ReservedTable { name: POSITION_TABLE });
    }
    let applied = tables.view()?.position()?;
    let (log, cut_bytes) = ChangeLog::open(
        directory,
        config.durability,
        config.segment_bytes,
        applied.number.saturating_add(1),
    )?;
    let (journal, replayed) = Journal::open(log, applied, config.tables)?;
    let recovery = Recovery { replayed_records: replayed.len() as u64, cut_bytes };
    let mut overlay = Overlay::new(applied);
    for record in replayed {
        overlay = overlay.with(Layer::new(record.position, record.batch));
    }
    if recovery != Recovery::default() {
        let sequence = overlay.position().sequence;
        tracing::info!(?sequence, replayed = recovery.replayed_records, cut_bytes, "storage recovered");
    }
    let shared = Arc::new(Shared {
        config,
        journal: Mutex::new(journal),
        overlay: RwLock::new(Arc::new(overlay)),
        tables,
        flushing: Mutex::new(()),
        signal: Mutex::new(Signal::default()),
        work: Condvar::new(),
        progress: Condvar::new(),
        retain_from: AtomicU64::new(u64::MAX),
        background,
        _guard: guard,
    });
    Ok((shared, recovery))
}

/// The lock on a directory, which ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct DirectoryLock(File);

impl DirectoryLock {
    fn take(path: &Path) -> Result<Self, StorageError> {
        let file = path.join(LOCK_FILE);
        let failed = |source| StorageError::io("lock", &file, source);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&file).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(lock)),
            Err(TryLockError::WouldBlock) => Err(StorageError::Locked { path: path.into() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl Drop for DirectoryLock {
    /// Closing the file is not enough while a child process that is being started still has it.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "cannot unlock the storage directory before closing it");
        }
    }
}

/// Whether the directory is a store of this format; `false` if it is empty, and an error if it is
/// anything else.
fn has_format(path: &Path) -> Result<bool, StorageError> {
    let file = path.join(FORMAT_FILE);
    let failed = |source| StorageError::io("read", path, source);
    match fs::read_to_string(&file) {
        Ok(text) => {
            match text.strip_prefix(FORMAT_PREFIX).and_then(|version| version.trim_end().parse().ok()) {
                Some(FORMAT) => Ok(true),
                Some(found) => Err(StorageError::Version { path: path.into(), expected: FORMAT, found }),
                None => Err(StorageError::Corrupt { file, offset: 0, what: Corruption::Content }),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            for entry in fs::read_dir(path).map_err(failed)? {
                if entry.map_err(failed)?.file_name() != LOCK_FILE {
                    return Err(StorageError::HalfWritten { path: path.into() });
                }
            }
            Ok(false)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Marks the directory as complete: the last step of its creation, and atomic.
fn write_format(path: &Path) -> Result<(), StorageError> {
    let temporary = path.join("FORMAT.new");
    let written = File::create(&temporary)
        .and_then(|mut file| {
            writeln!(file, "{FORMAT_PREFIX}{FORMAT}")?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path.join(FORMAT_FILE)))
        .and_then(|()| File::open(path)?.sync_all());
    written.map_err(|source| StorageError::io("create", path.join(FORMAT_FILE), source))
}
