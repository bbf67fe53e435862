//! A store: a journal in front of tables.
//!
//! A commit is one record at the end of the journal: the caller's record and the changes of the
//! tables. When it is written the commit is made; its changes are visible at once, from memory,
//! and reach the tables later, many commits at a time and sorted. What always holds:
//! - The tables are never ahead of the journal, and opening a store applies what they lack: it is
//!   at the last commit that was acknowledged, or at one after it that was being written.
//! - A reader sees all of a commit or nothing of it.
//! - A record leaves the journal only when the tables have it for good.
//!
//! Lock order: `flushing`, then `journal`, then `overlay`. `signal` is taken with none of them held;
//! under it only `overlay` is.

mod flush;
mod open;

use std::{
    ops::RangeBounds,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    vec,
};

use parking_lot::{Condvar, Mutex, RwLock};

use open::DirectoryLock;
pub use open::Recovery;

use crate::{
    batch::Batch,
    config::StoreConfig,
    error::StorageError,
    journal::{self, Journal, Kind},
    log::Location,
    memory_disk::{MemoryDisk, MemoryGuard},
    overlay::{Layer, Overlay},
    snapshot::{Snapshot, decode_value},
    table::{Key, Row, Table},
    tables::{Position, Tables},
};

/// A store: a journal in front of tables. Clones are handles of the same one, usable from any
/// thread; all calls block. The directory is free again when the last handle and the last
/// [`Snapshot`] are gone.
#[derive(Clone, Debug)]
pub struct Store {
    handle: Arc<Handle>,
}

/// What all handles share. The last one ends the flusher.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    recovery: Recovery,
    flusher: Option<JoinHandle<()>>,
}

/// The state of a store.
#[derive(Debug)]
pub(crate) struct Shared {
    config: StoreConfig,
    journal: Mutex<Journal>,
    overlay: RwLock<Arc<Overlay>>,
    tables: Tables,
    /// Held while the tables are written.
    flushing: Mutex<()>,
    signal: Mutex<Signal>,
    /// The flusher waits here for work.
    work: Condvar,
    /// Commits wait here for the flusher.
    progress: Condvar,
    /// Records at or above this sequence are kept, however many they are.
    retain_from: AtomicU64,
    /// Whether a thread brings the tables up to date; otherwise commits do.
    background: bool,
    _guard: Guard,
}

/// What flusher and commits tell each other.
#[derive(Debug, Default)]
struct Signal {
    due: bool,
    stop: bool,
    /// How many times the flusher has tried.
    rounds: u64,
    /// Why the last try failed.
    failed: Option<StorageError>,
}

/// Keeps others out of the directory.
#[derive(Debug)]
enum Guard {
    Real { _lock: DirectoryLock },
    Memory { _lock: MemoryGuard },
}

impl Store {
    /// Opens the store in a directory, and creates it where there is none. A thread of its own
    /// brings the tables up to date.
    pub fn open(path: impl AsRef<Path>, config: StoreConfig) -> Result<Self, StorageError> {
        open::open_directory(path.as_ref(), config)
    }

    /// Opens the store on a simulated disk. There is no thread: commits bring the tables up to
    /// date, so that a run is the same every time.
    pub fn memory(disk: &MemoryDisk, config: StoreConfig) -> Result<Self, StorageError> {
        open::open_memory(disk, config)
    }

    /// What opening the store had to repair.
    pub fn recovery(&self) -> Recovery {
        self.handle.recovery
    }

    /// The last sequence committed.
    pub fn last_sequence(&self) -> Option<u64> {
        self.shared().overlay().position().sequence
    }

    /// Commits `sequence`, which follows the last one (the first may be any): `record` can be read
    /// back by it, and `batch` changes the tables. When this returns the commit is as durable as
    /// the configuration says; when it fails nothing has changed.
    ///
    /// Waits while too much is pending for the tables.
    pub fn commit(&self, sequence: u64, record: &[u8], batch: Batch) -> Result<(), StorageError> {
        self.shared().append(Kind::Commit(sequence), record, batch)
    }

    /// Changes the tables between commits, as durably as a commit: for what belongs to no
    /// sequence, such as a cursor.
    pub fn write(&self, batch: Batch) -> Result<(), StorageError> {
        self.shared().append(Kind::Write, &[], batch)
    }

    /// Takes back the commits above `sequence`: their records are gone, and `batch` undoes their
    /// changes. Both happen together or not at all. The next commit is `sequence + 1`.
    pub fn rewind_to(&self, sequence: u64, batch: Batch) -> Result<(), StorageError> {
        self.shared().append(Kind::Rewind(sequence), &[], batch)
    }

    /// The record of a commit; `None` if there is no such commit, or its record is no longer kept.
    pub fn record(&self, sequence: u64) -> Result<Option<Vec<u8>>, StorageError> {
        let location = self.shared().journal.lock().commit(sequence);
        location.map(|location| journal::read_record(&location)).transpose()
    }

    /// The oldest sequence whose record is kept.
    pub fn first_record(&self) -> Option<u64> {
        self.shared().journal.lock().first_commit()
    }

    /// The records of the commits from `sequence` on, as they are now, oldest first.
    pub fn records_from(&self, sequence: u64) -> Result<Records, StorageError> {
        let journal = self.shared().journal.lock();
        match (journal.first_commit(), self.last_sequence()) {
            (Some(oldest), _) if sequence < oldest => Err(StorageError::Pruned { sequence, oldest }),
            (None, Some(last)) if sequence <= last => {
                Err(StorageError::Pruned { sequence, oldest: last + 1 })
            }
            _ => Ok(Records { locations: journal.commits_from(sequence).into_iter() }),
        }
    }

    /// Keeps the records from `sequence` on however many they are. Not remembered across restarts:
    /// call it after opening the store, before the first commit.
    pub fn retain_from(&self, sequence: u64) {
        self.shared().retain_from.store(sequence, Ordering::Relaxed);
    }

    /// Reads what [`Batch::encode`] wrote; `None` if it is not a batch.
    pub fn decode_batch(&self, bytes: &[u8]) -> Result<Option<Batch>, StorageError> {
        Batch::decode(bytes, self.shared().config.tables)
    }

    /// The store as it is now, for several reads that must agree.
    pub fn snapshot(&self) -> Result<Snapshot, StorageError> {
        Snapshot::take(self.shared())
    }

    /// The value of a key.
    pub fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Value>, StorageError> {
        let key = key.to_bytes();
        // For one key no snapshot is needed: a view taken after the overlay is at least as new.
        let overlay = self.shared().overlay();
        if let Some(value) = overlay.get(T::NAME, &key) {
            return value.map(decode_value::<T>).transpose();
        }
        let view = self.shared().tables.view()?;
        let value = view.get(T::NAME, &key)?;
        value.map(|bytes| decode_value::<T>(&bytes)).transpose()
    }

    /// The first `limit` entries with keys in `range`, in ascending order.
    pub fn range<T: Table>(
        &self,
        range: impl RangeBounds<T::Key>,
        limit: usize,
    ) -> Result<Vec<Row<T>>, StorageError> {
        self.snapshot()?.range::<T>(range)?.take(limit).collect()
    }

    /// The first entry whose key is `key` or after it.
    pub fn first_at_or_after<T: Table>(&self, key: &T::Key) -> Result<Option<Row<T>>, StorageError> {
        self.snapshot()?.first_at_or_after::<T>(key)
    }

    /// The entry with the greatest key.
    pub fn last<T: Table>(&self) -> Result<Option<Row<T>>, StorageError> {
        self.snapshot()?.last::<T>()
    }

    /// Brings the tables up to date now.
    pub fn flush(&self) -> Result<(), StorageError> {
        self.shared().flush()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

impl Shared {
    pub(crate) fn overlay(&self) -> Arc<Overlay> {
        self.overlay.read().clone()
    }

    pub(crate) const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Journals one record and makes its changes visible.
    fn append(&self, kind: Kind, record: &[u8], batch: Batch) -> Result<(), StorageError> {
        batch.check(self.config.tables)?;
        self.await_room()?;
        let mut journal = self.journal.lock();
        let position = journal.append(kind, record, &batch)?;
        self.publish(position, batch);
        drop(journal);
        self.flush_if_due();
        Ok(())
    }

    /// Adds a layer. The caller holds the journal, so that layers are in its order.
    fn publish(&self, position: Position, batch: Batch) {
        let mut overlay = self.overlay.write();
        *overlay = Arc::new(overlay.with(Layer::new(position, batch)));
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.signal.lock().stop = true;
        self.shared.work.notify_all();
        if let Some(flusher) = self.flusher.take()
            && flusher.join().is_err()
        {
            tracing::error!("storage flusher panicked; the journal has what the tables lack");
        }
    }
}

/// Records with their sequences, oldest first. Each is read, and verified, when it is asked for.
#[derive(Debug)]
pub struct Records {
    locations: vec::IntoIter<(u64, Location)>,
}

impl Iterator for Records {
    type Item = Result<(u64, Vec<u8>), StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (sequence, location) = self.locations.next()?;
        Some(journal::read_record(&location).map(|record| (sequence, record)))
    }
}
