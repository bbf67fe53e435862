use std::{ops::RangeBounds, path::Path};
use crate::{Batch, MemoryDisk, Snapshot, StorageError, StoreConfig, Table};
#[derive(Clone, Debug)]
pub struct Store {}
#[derive(Debug)]
pub struct Records {}
impl Iterator for Records {
    type Item = Result<(u64, Vec<u8>), StorageError>;
    fn next(&mut self) -> Option<Self::Item> { None }
}
impl Store {
    pub fn open(_path: &Path, _config: StoreConfig) -> Result<Self, StorageError> { Ok(Self {}) }
    pub fn memory(_disk: &MemoryDisk, _config: StoreConfig) -> Result<Self, StorageError> { Ok(Self {}) }
    /// The last committed sequence.
    pub fn last_sequence(&self) -> Option<u64> { None }
    /// The oldest sequence whose record is kept.
    pub fn first_record(&self) -> Option<u64> { None }
    pub fn commit(&self, _sequence: u64, _record: &[u8], _batch: Batch) -> Result<(), StorageError> { Ok(()) }
    /// Journals and applies a batch that belongs to no sequence (a cursor, a finality mark).
    pub fn write(&self, _batch: Batch) -> Result<(), StorageError> { Ok(()) }
    pub fn rewind_to(&self, _sequence: u64, _batch: Batch) -> Result<(), StorageError> { Ok(()) }
    pub fn record(&self, _sequence: u64) -> Result<Option<Vec<u8>>, StorageError> { Ok(None) }
    pub fn records_from(&self, _sequence: u64) -> Result<Records, StorageError> { Ok(Records {}) }
    /// Keeps records at or above `sequence` whatever `history_records` says.
    pub fn retain_from(&self, _sequence: u64) {}
    pub fn decode_batch(&self, _bytes: &[u8]) -> Result<Batch, StorageError> { Ok(Batch::new()) }
    pub fn snapshot(&self) -> Result<Snapshot, StorageError> { Ok(Snapshot {}) }
    pub fn get<T: Table>(&self, _key: &T::Key) -> Result<Option<T::Value>, StorageError> { Ok(None) }
    pub fn range<T: Table>(&self, _range: impl RangeBounds<T::Key>, _limit: usize) -> Result<Vec<(T::Key, T::Value)>, StorageError> { Ok(vec![]) }
    pub fn first_at_or_after<T: Table>(&self, _key: &T::Key) -> Result<Option<(T::Key, T::Value)>, StorageError> { Ok(None) }
    pub fn last<T: Table>(&self) -> Result<Option<(T::Key, T::Value)>, StorageError> { Ok(None) }
    /// Brings the tables up to date now.
    pub fn flush(&self) -> Result<(), StorageError> { Ok(()) }
}
