//! Atoll's storage: typed tables over MDBX, and in front of them a journal in which a commit is one
//! sequential write.
//!
//! - [`Store`] commits, reads and takes blocks back; [`Snapshot`] is one consistent view of it.
//! - [`Table`], [`Key`] and [`Value`] say what the tables hold; [`Batch`] changes them.
//! - [`MemoryDisk`] is the in-memory twin of a disk, which loses unsynced writes when it crashes.
//! - [`ChangeLog`] is the journal by itself.

mod batch;
mod config;
mod error;
mod table;
mod store;
mod snapshot;
mod memory_disk;

pub use batch::Batch;
pub use config::{Durability, StoreConfig};
pub use error::{Corruption, StorageError};
pub use snapshot::{Entries, Snapshot};
pub use store::{Records, Store};
pub use memory_disk::MemoryDisk;
pub use table::{DecodeError, FixedKey, KEY_BYTES_MAX, Key, Ssz, Table, Value};
