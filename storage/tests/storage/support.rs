//! Tables and small stores that all tests use.

use std::path::Path;

use alloy_primitives::B256;
use storage::{Batch, Durability, MemoryDisk, Store, StoreConfig, Table};

/// Balances by number.
pub(crate) enum Balances {}

impl Table for Balances {
    const NAME: &'static str = "balances";
    type Key = u64;
    type Value = u64;
}

/// Notes by owner and index.
pub(crate) enum Notes {}

impl Table for Notes {
    const NAME: &'static str = "notes";
    type Key = (B256, u32);
    type Value = Vec<u8>;
}

/// A table that no store declares.
pub(crate) enum Undeclared {}

impl Table for Undeclared {
    const NAME: &'static str = "undeclared";
    type Key = u64;
    type Value = u64;
}

/// A table whose keys may have any length.
pub(crate) enum Names {}

impl Table for Names {
    const NAME: &'static str = "names";
    type Key = Vec<u8>;
    type Value = ();
}

pub(crate) const TABLES: &[&str] = &[Balances::NAME, Notes::NAME, Names::NAME];

/// How many records a store of [`config`] keeps.
pub(crate) const HISTORY_RECORDS: u64 = 8;

/// Small limits, so that a short test crosses all of them.
pub(crate) fn config(durability: Durability) -> StoreConfig {
    StoreConfig {
        map_bytes_max: 1 << 30,
        segment_bytes: 700,
        flush_bytes: 4000,
        flush_commits: 5,
        pending_bytes_max: 8000,
        history_records: HISTORY_RECORDS,
        ..StoreConfig::new(durability, TABLES)
    }
}

/// Limits that are never reached: everything stays in the journal until asked for.
pub(crate) fn lazy(durability: Durability) -> StoreConfig {
    StoreConfig {
        flush_commits: usize::MAX,
        history_records: u64::MAX,
        ..StoreConfig::new(durability, TABLES)
    }
}

/// A temporary directory, in memory where there is such a file system: thousands of stores are
/// created and closed, each of which waits for the disk.
pub(crate) fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary directory")
}

pub(crate) fn open(path: &Path, config: StoreConfig) -> Store {
    Store::open(path, config).expect("the store opens")
}

pub(crate) fn memory(disk: &MemoryDisk, config: StoreConfig) -> Store {
    Store::memory(disk, config).expect("the store opens")
}

pub(crate) fn put(key: u64, value: u64) -> Batch {
    let mut batch = Batch::new();
    batch.put::<Balances>(&key, &value);
    batch
}

pub(crate) fn balances(store: &Store) -> Vec<(u64, u64)> {
    store.range::<Balances>(.., usize::MAX).expect("the table is readable")
}

pub(crate) fn records(store: &Store) -> Vec<(u64, Vec<u8>)> {
    let Some(first) = store.first_record() else { return Vec::new() };
    let records = store.records_from(first).expect("the first record is kept");
    records.collect::<Result<_, _>>().expect("the records are readable")
}

/// Runs a test on a store in a directory and on one in memory.
pub(crate) fn on_both_backends(config: StoreConfig, test: impl Fn(&Store)) {
    let directory = directory();
    test(&open(directory.path(), config.clone()));
    test(&memory(&MemoryDisk::new(), config));
}
