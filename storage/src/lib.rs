//! Atoll's storage: typed tables over MDBX, and in front of them a journal in which a commit is one
//! sequential write.
//!
//! - [`Store`] commits, reads and takes commits back; [`Snapshot`] is one consistent view of it.
//! - [`Table`], [`Key`] and [`Value`] say what the tables hold; [`Batch`] changes them.
//! - [`MemoryDisk`] is the in-memory twin of a directory: it loses unsynced writes when it crashes.
//!
//! Nothing here is asynchronous: calls block, and handles may be used from any thread.

mod batch;
mod config;
mod disk;
mod error;
mod journal;
mod log;
mod memory_disk;
mod overlay;
mod snapshot;
mod store;
mod table;
mod tables;

pub use batch::Batch;
pub use config::{Durability, StoreConfig};
pub use error::{Corruption, StorageError};
pub use memory_disk::MemoryDisk;
pub use snapshot::{Entries, Snapshot};
pub use store::{Records, Recovery, Store};
pub use table::{DecodeError, FixedKey, KEY_BYTES_MAX, Key, Row, Ssz, Table, Value};
